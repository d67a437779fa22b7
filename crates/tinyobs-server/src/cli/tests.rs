use super::*;

#[test]
fn the_command_line_is_sound() {
    command().debug_assert();
}

#[test]
fn flags_work_with_and_without_serve() {
    for words in [
        &["tinyobs", "--max-series", "7", "--demo"][..],
        &["tinyobs", "serve", "--max-series=7", "--demo"][..],
    ] {
        let matches = command().get_matches_from(words);
        let matches = matches.subcommand().map_or(&matches, |(_, inner)| inner);
        assert!(matches.get_flag("demo"));
        assert_eq!(resolve(matches).unwrap().config.max_series, 7);
    }
}

#[test]
fn a_switch_needs_no_value() {
    for (words, expected) in [
        (&["tinyobs", "config"][..], false),
        (&["tinyobs", "config", "--allow-anonymous"][..], true),
        (&["tinyobs", "config", "--allow-anonymous=false"][..], false),
    ] {
        let matches = command().get_matches_from(words);
        let (_, matches) = matches.subcommand().unwrap();
        assert_eq!(resolve(matches).unwrap().config.allow_anonymous, expected);
    }
}

#[test]
fn any_address_is_reached_through_localhost() {
    let reached = |addr: &str| reachable(addr.parse().unwrap()).to_string();
    assert_eq!(reached("0.0.0.0:1"), "127.0.0.1:1");
    assert_eq!(reached("[::]:1"), "[::1]:1");
    assert_eq!(reached("10.0.0.1:1"), "10.0.0.1:1");
}

#[test]
fn a_directory_that_cannot_be_written_is_named_with_a_way_out() {
    let dir = std::path::Path::new("/mnt/store");
    let of = |kind: std::io::ErrorKind| {
        let error = tinyobs_store::StoreError::Io {
            action: "open",
            path: dir.join("LOCK"),
            source: kind.into(),
        };
        target::unopened(dir, error).to_string()
    };
    let message = of(std::io::ErrorKind::ReadOnlyFilesystem);
    assert!(
        message.starts_with("cannot open /mnt/store/LOCK: "),
        "{message}"
    );
    assert!(
        message.contains("copy /mnt/store to one and name that with --data-dir"),
        "{message}"
    );
    assert_eq!(
        message,
        of(std::io::ErrorKind::PermissionDenied).replace(
            &std::io::Error::from(std::io::ErrorKind::PermissionDenied).to_string(),
            &std::io::Error::from(std::io::ErrorKind::ReadOnlyFilesystem).to_string(),
        )
    );
    assert!(!of(std::io::ErrorKind::Other).contains("--data-dir"));
}
