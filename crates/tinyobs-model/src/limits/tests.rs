use super::*;

/// The names of the constants in this module's own text.
fn constants() -> Vec<&'static str> {
    include_str!("../limits.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("pub const ")?.split(':').next())
        .collect()
}

#[test]
fn i_limit_2_every_constant_is_listed_under_its_name() {
    let list: String = include_str!("all.rs").split_whitespace().collect();
    assert_eq!(constants().len(), ALL.len());
    for constant in constants() {
        let name = constant.to_lowercase();
        // The value beside the name is that constant, and no other.
        let entry = |end: &str| format!("limit(\"{name}\",{constant}{end}");
        assert!(
            list.contains(&entry(",")) || list.contains(&entry("asu64,")),
            "{constant} is not in ALL as {name:?}"
        );
    }
}

#[test]
fn i_limit_2_names_are_unique_and_explained() {
    for (i, one) in ALL.iter().enumerate() {
        assert!(one.value > 0, "{} must bound something", one.name);
        assert!(one.reason.len() > 10, "{} needs a reason", one.name);
        assert!(
            ALL[..i].iter().all(|other| other.name != one.name),
            "{} twice",
            one.name
        );
    }
}
