use std::fmt::Write;

use proptest::prelude::*;

use super::*;

fn matchers(text: &str) -> Result<Vec<Matcher>, BadSelector> {
    let conditions = parse(text)?.into_iter();
    conditions.map(|one| one.compile(text)).collect()
}

fn parsed(text: &str) -> Vec<String> {
    let matchers = matchers(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    matchers.iter().map(ToString::to_string).collect()
}

fn error(text: &str) -> (String, usize) {
    let error = matchers(text).expect_err(text);
    (error.reason, error.character)
}

#[test]
fn every_form_of_selector() {
    assert_eq!(parsed("up"), [r#"__name__="up""#]);
    assert_eq!(parsed(" job:up:sum {} "), [r#"__name__="job:up:sum""#]);
    assert_eq!(parsed("{}"), [""; 0]);
    assert_eq!(
        parsed(r#"http{a="1", b!='2',c=~`x.*`,d!~"y|z",}"#),
        [
            r#"__name__="http""#,
            r#"a="1""#,
            r#"b!="2""#,
            r#"c=~"x.*""#,
            r#"d!~"y|z""#
        ]
    );
    assert_eq!(parsed(r#"{__name__=~"go_.*"}"#), [r#"__name__=~"go_.*""#]);
    assert_eq!(
        parsed(r#"{"my.metric", "my.label" = "x"}"#),
        [r#"__name__="my.metric""#, r#"my.label="x""#]
    );
}

#[test]
fn strings_keep_every_character() {
    let value = |text: &str| parse(text).unwrap().remove(0).value;
    assert_eq!(value(r#"{a="x,y=\"z\"{}\\"}"#), "x,y=\"z\"{}\\");
    assert_eq!(value(r"{a='it\'s \x41\101\u00e9\U0001F600'}"), "it's AAé😀");
    assert_eq!(
        value(r#"{a="\a\b\f\n\r\t\v"}"#),
        "\u{7}\u{8}\u{c}\n\r\t\u{b}"
    );
    assert_eq!(value("{a=`raw \\n \n\"'`}"), "raw \\n \n\"'");
    assert_eq!(value(r#"{a="😀é"}"#), "😀é");
}

#[test]
fn i_selector_1_errors_name_the_character() {
    for (text, reason, character) in [
        ("", "expected a metric name or `{`", 1),
        ("1up", "expected a metric name or `{`", 1),
        ("up{", "expected a label name", 4),
        ("up}", "expected the end of the selector", 3),
        ("up{a}", "expected `=`, `!=`, `=~` or `!~`", 5),
        ("up{a=}", "expected a quoted value", 6),
        ("up{a=1}", "expected a quoted value", 6),
        (r#"up{a="1" b="2"}"#, "expected `,` or `}`", 10),
        (r#"up{a="1",,}"#, "expected a label name", 10),
        (r#"up{é="1"}"#, "expected a label name", 4),
        ("{é}", "expected a label name", 2),
        (r#"up{a="é"x}"#, "expected `,` or `}`", 9),
        (r#"up{a="1"#, "string without an end", 6),
        (r#"up{a="1\"#, "unknown escape in a string", 8),
        ("up{a=\"1\n\"}", "line break inside a string", 8),
        (r#"up{a="\q"}"#, "unknown escape in a string", 7),
        (r#"up{a="\x4"}"#, "unknown escape in a string", 7),
        (r#"up{a="\777"}"#, "unknown escape in a string", 7),
        (r#"up{a="\ud800"}"#, "unknown escape in a string", 7),
        (r#"up{a="\xff"}"#, "string is not UTF-8", 6),
        (
            r#"up{__name__="down"}"#,
            "the metric name is given twice",
            4,
        ),
        (r#"{"up","down"}"#, "the metric name is given twice", 7),
        ("up[5m]", "expected the end of the selector", 3),
    ] {
        assert_eq!(error(text), (reason.to_owned(), character), "{text}");
    }
    let (reason, character) = error(r#"up{a=~"("}"#);
    assert!(reason.starts_with("regular expression \"(\""), "{reason}");
    assert_eq!(character, 7);
    assert!(parse(&"a".repeat(limits::SELECTOR_BYTES + 1)).is_err());
}

#[test]
fn i_selector_2_reading_a_regex_does_not_compile_it() {
    let text = r#"{a=~"(",b="(",c!~"(\\w{1000}){1000}"}"#;
    let conditions = parse(text).unwrap();
    let regexes: Vec<bool> = conditions.iter().map(Condition::is_regex).collect();
    assert_eq!(regexes, [true, false, true]);
    let last = conditions[2].clone().compile(text).expect_err("too large");
    assert!(last.reason.contains("compiles to more than"), "{last}");
    assert_eq!(last.character, 18);
}

proptest! {
    #[test]
    fn i_selector_1_any_text_never_panics(text in any::<String>()) {
        let _ = parse(&text);
    }

    #[test]
    fn i_selector_1_near_selectors_never_panic(text in r#"[a-c{}=!~,"'`\\xu0-9é ]{0,40}"#) {
        let _ = parse(&text);
    }

    #[test]
    fn any_value_comes_back(value in any::<String>()) {
        let mut escaped = String::new();
        for character in value.chars() {
            write!(escaped, "\\U{:08x}", character as u32).unwrap();
        }
        let conditions = parse(&format!("{{a=\"{escaped}\"}}")).unwrap();
        prop_assert_eq!(&conditions[0].value, &value);
    }
}
