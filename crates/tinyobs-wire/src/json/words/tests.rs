use serde::Deserialize;

use super::*;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only what is wrong with it is looked at")]
struct Raw {
    count: Option<u64>,
    offset: Option<i64>,
    share: Option<f64>,
    on: Option<bool>,
    name: Option<String>,
    list: Option<Vec<u8>>,
    inner: Option<Box<Raw>>,
}

#[test]
fn i_words_1_a_sender_reads_what_is_expected() {
    for (text, expected) in [
        ("7", "an object is expected, not 7"),
        ("\"x\"", "an object is expected, not \"x\""),
        ("[]", "an object is expected, not a list"),
        ("null", "an object is expected, not null"),
        (
            r#"{"count":-5}"#,
            "a whole number from 0 on is expected, not -5",
        ),
        (
            r#"{"count":1.5}"#,
            "a whole number from 0 on is expected, not 1.5",
        ),
        (r#"{"offset":"5"}"#, "a whole number is expected, not \"5\""),
        (r#"{"share":true}"#, "a number is expected, not true"),
        (r#"{"on":{}}"#, "true or false is expected, not an object"),
        (r#"{"name":7}"#, "a string is expected, not 7"),
        (
            r#"{"list":", expected x"}"#,
            "a list is expected, not \", expected x\"",
        ),
        (r#"{"inner":7}"#, "an object is expected, not 7"),
        (r#"{"on":true,"on":true}"#, "the field `on` is there twice"),
        ("nonsense", "a value, or text in quotes, is expected"),
        ("hello", "a value, or text in quotes, is expected"),
        ("{\"on\":true", "it ends within an object"),
        ("", "it ends within a value"),
        ("{}x", "something stands behind its end"),
    ] {
        let error = serde_json::from_str::<Raw>(text).unwrap_err();
        assert_eq!(reason(&error), expected, "{text}");
    }
    let error = serde_json::from_str::<Raw>("{\"onn\":true}").unwrap_err();
    assert_eq!(
        reason_at(&error),
        "the field `onn` is not known, only `count`, `offset`, `share`, `on`, `name`, `list`, `inner` \
         at line 1, column 6"
    );
}
