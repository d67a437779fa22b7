use super::version;

#[test]
fn i_peer_1_versions_are_read_as_they_are_printed() {
    let prometheus = "prometheus, version 3.5.3+ds1 (branch: debian/sid, revision: 3.5.3+ds1-6)";
    assert_eq!(version(prometheus), Some((3, 5)));
    assert_eq!(version("prometheus, version 4.0"), Some((4, 0)));
    assert_eq!(version("command not found"), None);
    assert!(Some((2, 53)) < Some((3, 5)));
}
