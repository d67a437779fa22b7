use super::*;

#[test]
fn the_file_is_readable_text() {
    let labels = |x: &str| Labels::new("a", [("job", "j"), ("x", x)]).unwrap();
    let series = |x: &str, value| Series {
        labels: labels(x),
        value,
        start_ms: Some(1),
        line: 7,
    };
    let mut group = Group::new();
    group.pushed_ms = 5;
    group.options.ttl_ms = Some(60_000);
    group.families.insert(
        "a".to_owned(),
        Family {
            name: "a".to_owned(),
            kind: Kind::Counter,
            unit: "seconds".to_owned(),
            help: "Help.".to_owned(),
            series: vec![series("1", 1.5), series("2", f64::NEG_INFINITY)],
        },
    );
    let key = vec![("job".to_owned(), "j".to_owned())];
    let groups = BTreeMap::from([(key, group)]);
    let text = render(&groups);
    assert_eq!(
        text,
        "{\"version\":1,\"groups\":[{\"labels\":{\"job\":\"j\"},\"pushed_ms\":5,\"failed_ms\":0,\
         \"ttl_ms\":60000,\"interval_ms\":null,\"watched_ms\":null,\"families\":[{\"name\":\"a\",\
         \"type\":\"counter\",\"unit\":\"seconds\",\"help\":\"Help.\",\"series\":[\
         [{\"__name__\":\"a\",\"job\":\"j\",\"x\":\"1\"},\"1.5\"],\
         [{\"__name__\":\"a\",\"job\":\"j\",\"x\":\"2\"},\"-inf\"]]}]}]}"
    );
    assert_eq!(render(&parse(text.as_bytes()).unwrap()), text);
}

#[test]
fn i_groupfile_1_the_file_is_replaced_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(NAME);
    assert_eq!(read(&path).unwrap(), BTreeMap::new());
    let key = vec![("job".to_owned(), "j".to_owned())];
    let groups = BTreeMap::from([(key, Group::new())]);
    // What a crash has left of an earlier one is written over.
    fs::write(path.with_extension("tmp"), "{\"versio").unwrap();
    write(&path, &render(&groups)).unwrap();
    assert_eq!(read(&path).unwrap(), groups);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    assert!(write(&dir.path().join("no/such"), "").is_err());
}

#[test]
fn i_groupfile_2_what_cannot_be_understood_is_set_aside() {
    for text in [
        "",
        "{\"version\":2,\"groups\":[]}",
        "{\"version\":1,\"groups\":[{}]}",
        "{\"version\":1,\"groups\":[],\"more\":1}",
    ] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(NAME);
        fs::write(&path, text).unwrap();
        assert_eq!(read(&path).unwrap(), BTreeMap::new(), "{text}");
        assert!(!path.exists());
        let aside = dir.path().join("pushed-groups.json.damaged");
        assert_eq!(fs::read_to_string(aside).unwrap(), text);
    }
}
