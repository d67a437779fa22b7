use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Option<Answer> {
    Answer::parse(text.as_bytes())
}

#[test]
fn everything_stored() {
    let answer = parse(r#" {"status":"success","count":12,"errors":[]} "#).unwrap();
    assert_eq!(
        answer,
        Answer {
            stored: Some(12),
            ..Answer::default()
        }
    );
}

#[test]
fn some_refused() {
    let answer = parse(
        r#"{"status":"success","errors":[{"index":3,"rule":"name_empty","message":"metric \"\u00e9\" is empty"},
           {"index":4,"rule":"x","message":"y","more":{"a":[1,null,-2.5e3,true]}}],"count":1}"#,
    )
    .unwrap();
    assert_eq!(answer.stored, Some(1));
    assert_eq!(answer.refused, 2);
    assert_eq!(
        answer.reason.as_deref(),
        Some("name_empty: metric \"é\" is empty")
    );
}

#[test]
fn a_refusal_of_the_whole_request() {
    let answer = parse(r#"{"error":"Unauthorized","message":"api key is wrong"}"#).unwrap();
    assert_eq!(answer.stored, None);
    assert_eq!(answer.reason.as_deref(), Some("api key is wrong"));
}

#[test]
fn a_cut_list_does_not_lower_the_number() {
    let answer = parse(r#"{"refused":5000,"errors":[{"rule":"r","message":"m"}]}"#).unwrap();
    assert_eq!(answer.refused, 5_000);
}

#[test]
fn one_rule_or_several() {
    let limit = r#"{"rule":"series_limit","message":"full"}"#;
    let other = r#"{"rule":"name_empty","message":"no name"}"#;
    let all_series_limit = |errors: &[&str]| {
        let text = format!(r#"{{"message":"m","errors":[{}]}}"#, errors.join(","));
        parse(&text).unwrap().all_series_limit
    };
    assert!(all_series_limit(&[limit]));
    assert!(all_series_limit(&[limit, limit]));
    assert!(!all_series_limit(&[limit, other]));
    assert!(!all_series_limit(&[other, limit]));
    assert!(!all_series_limit(&[limit, "{}"]));
    assert!(!all_series_limit(&[]));
    assert!(
        !parse(r#"{"message":"series_limit"}"#)
            .unwrap()
            .all_series_limit
    );
}

#[test]
fn i_answer_1_garbage_is_none() {
    for garbage in [
        "",
        "null",
        "<html>",
        "{",
        r#"{"a"#,
        r#"{"a":}"#,
        r#"{"a":1"#,
        r#"{"a":"\u12"#,
    ] {
        assert_eq!(parse(garbage), None, "{garbage}");
    }
    let deep = format!(r#"{{"a":{}"#, "[".repeat(1_000_000));
    assert_eq!(parse(&deep), None);
}

proptest! {
    #[test]
    fn i_answer_1_any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = Answer::parse(&bytes);
        let mut object = b"{\"errors\":[".to_vec();
        object.extend(bytes);
        prop_assert!(Answer::parse(&object).is_none_or(|answer| answer.refused < 64));
    }
}
