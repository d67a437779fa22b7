use proptest::prelude::*;

use super::*;

fn labels(name: &str, pairs: &[(&str, &str)]) -> Labels {
    Labels::new(name, pairs.iter().copied()).expect("valid labels")
}

fn rule(name: &str, pairs: &[(&str, &str)]) -> Refusal {
    Labels::new(name, pairs.iter().copied())
        .expect_err("must be refused")
        .0
}

#[test]
fn i_label_1_order_of_pairs_does_not_matter() {
    let a = labels("m", &[("a", "1"), ("b", "2")]);
    let b = labels("m", &[("b", "2"), ("a", "1")]);
    assert_eq!(a, b);
    assert_eq!(a.as_bytes(), b.as_bytes());
    assert_eq!(a.to_string(), r#"m{a="1",b="2"}"#);
}

#[test]
fn i_label_1_borders_cannot_be_imitated() {
    let one = labels("m", &[("a", "1,b=2")]);
    let two = labels("m", &[("a", "1"), ("b", "2")]);
    assert_ne!(one, two);
    for value in [",", "=", "\"", "{}", "\n", "🙂", "a\u{0}b", "\u{1}\u{0}"] {
        let l = labels("m", &[("v", value)]);
        assert_eq!(l.get("v"), Some(value));
        assert_eq!(Labels::from_canonical(l.as_bytes()), Some(l));
    }
}

#[test]
fn i_label_2_empty_values_are_absent() {
    assert_eq!(
        labels("m", &[("a", ""), ("b", "2")]),
        labels("m", &[("b", "2")])
    );
}

#[test]
fn i_label_2_an_empty_value_makes_room_for_a_default() {
    let mut builder = LabelsBuilder::new();
    builder.begin("m");
    builder.push("instance", "");
    builder.push("service", "own");
    for name in ["service", "instance", "job"] {
        builder.push_default(name, "theirs");
    }
    let mut bytes = Vec::new();
    builder.write_canonical(&mut bytes).unwrap();
    let expected = [
        ("instance", "theirs"),
        ("job", "theirs"),
        ("service", "own"),
    ];
    assert_eq!(Labels::from_canonical(&bytes), Some(labels("m", &expected)));
}

#[test]
fn i_label_3_rules_are_named() {
    let long = "x".repeat(257);
    let longer = "x".repeat(4_097);
    assert_eq!(rule("", &[]), Refusal::NameEmpty);
    assert_eq!(rule(&long, &[]), Refusal::NameTooLong);
    assert_eq!(rule("m", &[("", "1")]), Refusal::LabelNameEmpty);
    assert_eq!(rule("m", &[(&long, "1")]), Refusal::LabelNameTooLong);
    assert_eq!(
        rule("m", &[("__tinyobs_x", "1")]),
        Refusal::LabelNameReserved
    );
    assert_eq!(rule("m", &[("a", &longer)]), Refusal::LabelValueTooLong);
    assert_eq!(
        rule("m", &[("a", "1"), ("a", "1")]),
        Refusal::LabelDuplicate
    );
    assert_eq!(rule("m", &[("__name__", "n")]), Refusal::LabelDuplicate);
    let many: Vec<(String, String)> = (0..65).map(|i| (format!("l{i}"), "v".into())).collect();
    let pairs: Vec<(&str, &str)> = many.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(rule("m", &pairs), Refusal::TooManyLabels);
    assert!(Labels::new("m", pairs[..64].iter().copied()).is_ok());
}

#[test]
fn canonical_bytes_are_checked() {
    let fine = b"\x0a\x06\x0a\x01a\x12\x011\x0a\x06\x0a\x01b\x12\x012";
    let read = Labels::from_canonical(fine).expect("canonical");
    assert_eq!(read.iter().collect::<Vec<_>>(), [("a", "1"), ("b", "2")]);
    for (bytes, why) in [
        (&b"\x05"[..], "cut"),
        (
            b"\x0a\x06\x0a\x01b\x12\x011\x0a\x06\x0a\x01a\x12\x011",
            "order",
        ),
        (
            b"\x0a\x06\x0a\x01a\x12\x011\x0a\x06\x0a\x01a\x12\x012",
            "twice",
        ),
        (b"\x0a\x05\x0a\x01b\x12\x00", "empty value"),
        (b"\x0a\x06\x0a\x01\xff\x12\x011", "not UTF-8"),
        (
            b"\x0a\x86\x00\x0a\x01a\x12\x011",
            "a length longer than it need be",
        ),
        (b"\x0a\x06\x12\x011\x0a\x01a", "value before name"),
        (b"\x0a\x08\x0a\x01a\x12\x011\x18\x00", "a field more"),
    ] {
        assert_eq!(Labels::from_canonical(bytes), None, "{why}");
    }
}

fn wire(pairs: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in pairs {
        put_wire_pair(&mut bytes, name.as_bytes(), value.as_bytes());
    }
    bytes
}

#[test]
fn what_travels_is_put_in_order_and_obeys_the_rules() {
    let fine = labels("m", &[("A", "0"), ("a", "1")]);
    let sorted = wire(&[("A", "0"), ("__name__", "m"), ("a", "1")]);
    assert_eq!(sorted, fine.as_bytes());
    assert_eq!(from_wire(&sorted), Ok(fine.clone()));
    let shuffled = wire(&[("a", "1"), ("e", ""), ("__name__", "m"), ("A", "0")]);
    assert_eq!(from_wire(&shuffled), Ok(fine.clone()));
    // Value before name.
    let turned = b"\x0a\x0d\x12\x01m\x0a\x08__name__";
    assert_eq!(from_wire(turned), Ok(labels("m", &[])));

    let refused = |bytes: &[u8]| from_wire(bytes).expect_err("refused").0;
    assert_eq!(refused(b""), Refusal::NameEmpty);
    assert_eq!(refused(b"\x0a"), Refusal::Malformed);
    assert_eq!(
        refused(b"\x0a\x06\x0a\x01\xff\x12\x011"),
        Refusal::Malformed
    );
    assert_eq!(refused(&wire(&[("a", "1")])), Refusal::NameEmpty);
    let twice = wire(&[("__name__", "m"), ("__name__", "n")]);
    assert_eq!(refused(&twice), Refusal::LabelDuplicate);
    let reserved = wire(&[("__name__", "m"), ("__tinyobs_x", "1")]);
    assert_eq!(refused(&reserved), Refusal::LabelNameReserved);
    let long = "x".repeat(4_097);
    assert_eq!(
        refused(&wire(&[("__name__", "m"), ("a", &long)])),
        Refusal::LabelValueTooLong
    );
    let names: Vec<String> = (0..65).map(|i| format!("a{i:02}")).collect();
    let mut many = vec![("__name__", "m")];
    many.extend(names.iter().map(|name| (name.as_str(), "1")));
    assert_eq!(refused(&wire(&many)), Refusal::TooManyLabels);
}

proptest! {
    #[test]
    fn any_pairs_survive(pairs in proptest::collection::btree_map("[a-z]{1,5}", ".{1,9}", 0..6)) {
        let built = Labels::new("m", pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())))
            .expect("valid");
        let back: Vec<(String, String)> = built
            .iter_without_name()
            .map(|(n, v)| (n.to_owned(), v.to_owned()))
            .collect();
        prop_assert_eq!(back, pairs.into_iter().collect::<Vec<_>>());
        prop_assert_eq!(Labels::from_canonical(built.as_bytes()), Some(built));
    }

    #[test]
    fn the_order_on_the_wire_does_not_matter(
        pairs in proptest::collection::btree_map("[a-z]{1,5}", ".{0,200}", 0..6),
        turn in 0..6usize,
    ) {
        let mut shuffled: Vec<(&str, &str)> =
            pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let built = Labels::new("m", shuffled.iter().copied()).expect("valid");
        shuffled.push(("__name__", "m"));
        let turn = turn % shuffled.len();
        shuffled.rotate_left(turn);
        prop_assert_eq!(from_wire(&wire(&shuffled)), Ok(built));
    }

    #[test]
    fn any_bytes_do_no_harm(bytes: Vec<u8>) {
        let _ = from_wire(&bytes);
        if let Some(labels) = Labels::from_canonical(&bytes) {
            prop_assert_eq!(labels.as_bytes(), &bytes[..]);
        }
    }
}

proptest! {
    #[test]
    fn labels_are_sorted_pair_by_pair(
        a in prop::collection::btree_map("[a-cé]{1,3}", "[xyß]{1,12}", 0..6),
        b in prop::collection::btree_map("[a-cé]{1,3}", "[xyß]{1,12}", 0..6),
        shared in prop::collection::btree_map("[A-B]{1,9}", "[xy]{1,200}", 0..4),
    ) {
        fn pairs(
            own: &std::collections::BTreeMap<String, String>,
            shared: &std::collections::BTreeMap<String, String>,
        ) -> Labels {
            let all = own.iter().chain(shared);
            Labels::of_pairs(all.map(|(name, value)| (name.as_str(), value.as_str())))
        }
        let (a, b) = (pairs(&a, &shared), pairs(&b, &shared));
        prop_assert_eq!(a.cmp(&b), a.iter().cmp(b.iter()));
        prop_assert_eq!(a.cmp(&a), Ordering::Equal);
        for (name, value) in a.iter() {
            prop_assert_eq!(a.get(name), Some(value));
        }
        prop_assert_eq!(a.get("c_"), None);
    }
}
