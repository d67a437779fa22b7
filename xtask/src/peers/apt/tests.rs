use super::mirror;

fn found(sources: &str) -> Option<String> {
    mirror(sources)
}

#[test]
fn the_mirror_is_the_one_that_this_machine_uses() {
    let new = "Types: deb\n# http://snapshot.example/debian\nURIs: http://mirror.example/debian/\n\
               Suites: trixie trixie-updates\nComponents: main\n";
    assert_eq!(found(new).as_deref(), Some("http://mirror.example/debian"));
    let old = "# deb http://old.example/debian x main\n\
               deb [signed-by=/usr/share/keyrings/x.gpg] https://a.example/pub/debian trixie main\n";
    assert_eq!(found(old).as_deref(), Some("https://a.example/pub/debian"));
}

#[test]
fn an_archive_of_something_else_is_none() {
    let security = "URIs: http://mirror.example/debian-security\nSuites: trixie-security\n";
    let snapshot = "deb http://snapshot.example/archive/debian/20260101T000000Z trixie main\n";
    let others = "deb https://packages.example/apt cloud main\nURIs: cdrom:/debian\n";
    for sources in [security, snapshot, others, ""] {
        assert_eq!(found(sources), None, "{sources}");
    }
    let both = format!("{security}\nURIs: http://mirror.example/debian\n");
    assert_eq!(
        found(&both).as_deref(),
        Some("http://mirror.example/debian")
    );
}
