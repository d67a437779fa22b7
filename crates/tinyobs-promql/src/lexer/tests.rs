use proptest::prelude::*;

use super::*;
use crate::number::Number;

fn words(text: &str) -> Vec<(TokenKind, &str)> {
    let tokens = lex(text).expect("words");
    tokens
        .iter()
        .map(|token| (token.kind, &text[token.span.start..token.span.end]))
        .collect()
}

#[test]
fn i_lexer_1_blanks_and_comments_are_left_out() {
    use TokenKind::{End, Number, Symbol, Word};
    assert_eq!(
        words("rate( x:y [5m:step()] ) # all\n\t>= .5"),
        [
            (Word, "rate"),
            (Symbol("("), "("),
            (Word, "x:y"),
            (Symbol("["), "["),
            (Number, "5m"),
            (Symbol(":"), ":"),
            (Word, "step"),
            (Symbol("("), "("),
            (Symbol(")"), ")"),
            (Symbol("]"), "]"),
            (Symbol(")"), ")"),
            (Symbol(">="), ">="),
            (Number, ".5"),
            (End, ""),
        ]
    );
    // Inside of braces nothing but a label can stand.
    assert_eq!(
        words("{inf!~'a'}")[1..3],
        [(Word, "inf"), (Symbol("!~"), "!~")]
    );
    assert_eq!(words("NaN")[0].0, Number);
    assert_eq!(words("# nothing"), [(End, "")]);
}

fn value(text: &str) -> f64 {
    let number = number(text).expect(text);
    assert!(!number.duration, "{text}");
    number.value
}

#[test]
fn numbers_in_every_form() {
    let forms = [
        ("0", 0.0),
        ("5", 5.0),
        ("1.5", 1.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1e3),
        ("1E+3", 1e3),
        ("2.5e-3", 2.5e-3),
        ("1_000_000", 1e6),
        ("0x1f", 31.0),
        ("0XFF_FF", 65535.0),
        ("0x_1", 1.0),
        ("010", 8.0),
        ("08", 8.0),
        ("010.5", 10.5),
        ("Inf", f64::INFINITY),
        ("inf", f64::INFINITY),
    ];
    for (text, expected) in forms {
        assert_eq!(value(text), expected, "{text}");
    }
    assert!(value("nAn").is_nan());
}

#[test]
fn what_is_no_number_is_refused() {
    for text in [
        "1x", "0x", "0xg", "1__0", "1_", "1e", "1.2.3", "1_.5", "5q", "0b1", "1e5m",
    ] {
        let error = lex(text).expect_err(text);
        let wanted = format!("{text:?} is neither a number nor a duration like 1h30m");
        assert_eq!(error.reason, wanted);
        assert_eq!(error.span, Span::new(0, text.len()));
    }
}

#[test]
fn what_is_too_large_is_refused() {
    for text in ["1e309", "1e380"] {
        let error = lex(text).expect_err(text);
        assert_eq!(error.reason, format!("{text:?} is larger than any number"));
    }
    assert_eq!(value("1e308"), 1e308);
    assert_eq!(value("1e-400"), 0.0);
}

#[test]
fn i_literal_1_durations() {
    for (text, ms) in [
        ("1ms", 1),
        ("5m", 300_000),
        ("1h30m", 5_400_000),
        ("1h1ms", 3_600_001),
        ("1y2w3d4h5m6s7ms", 33_019_506_007),
    ] {
        assert_eq!(number(text), Ok(Number::milliseconds(ms)), "{text}");
    }
    // In order, each unit once, in lower case, whole.
    for text in ["5m1h", "1m1m", "5M", "1.5h", "1h30", "h"] {
        number(text).expect_err(text);
    }
    let longest = number("292y").expect("fits");
    assert_eq!(longest.value, 292.0 * 365.0 * 86_400.0);
    for text in ["293y", "99999999999999999999y", "9223372036854775807s"] {
        assert!(number(text).expect_err(text).contains("out of range"));
    }
}

#[test]
fn texts_in_three_quotings() {
    for (text, expected) in [
        (r#""a""#, "a"),
        (r"'a'", "a"),
        (r#"'"'"#, "\""),
        (r#""\"""#, "\""),
        (r"'\''", "'"),
        (r#""\a\b\f\n\r\t\v\\""#, "\x07\x08\x0c\n\r\t\x0b\\"),
        (r#""\101\x41\u00e9\U0001F600""#, "AAé😀"),
        // A letter of two bytes, each written alone.
        (r#""\xc3\xa9""#, "é"),
        (r"`\n'`", "\\n'"),
        ("`a\nb`", "a\nb"),
        (r#""""#, ""),
    ] {
        assert_eq!(words(text)[0], (TokenKind::String, text));
        assert_eq!(unquote(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn bad_texts_name_the_place() {
    let fault = |text: &str| {
        let fault = lex(text).expect_err(text);
        (fault.span.start, fault.reason)
    };
    let unclosed = "text without a closing quote".to_owned();
    for text in ["\"a", "\"", "'a\n'", "`a", "\"\\", "\"a\\\""] {
        assert_eq!(fault(text), (0, unclosed.clone()), "{text}");
    }
    let unknown = "unknown escape sequence, write \\\\ for a backslash".to_owned();
    for text in [
        r#" "a\d" "#,
        r#" "a\'" "#,
        r#" "a\xg0" "#,
        r#" "a\x+1" "#,
        r#" "a\777" "#,
        r#" "a\ud800" "#,
        r#" "aéé" "b\ü" "#,
    ] {
        let at = text.find('\\').expect("one");
        assert_eq!(fault(text), (at, unknown.clone()), "{text}");
    }
    assert!(fault(r#""\xff""#).1.contains("not UTF-8"));
    assert_eq!(
        fault("a ∑ b"),
        (
            2,
            "unexpected character \"∑\", names with such characters stand in braces and quotes: \
             {\"name\"}"
                .to_owned()
        )
    );
    assert_eq!(
        fault("a && b").1,
        "unexpected character \"&\", did you mean \"and\"?"
    );
}

proptest! {
    #[test]
    fn i_lexer_1_tokens_are_in_order(text in "[ -~é\n]{0,40}") {
        let Ok(tokens) = lex(&text) else { return Ok(()) };
        let mut at = 0;
        for token in &tokens {
            prop_assert!(token.span.start >= at && token.span.end <= text.len());
            at = token.span.end;
        }
        prop_assert_eq!(tokens.last().map(|token| token.kind), Some(TokenKind::End));
    }

    #[test]
    fn i_lexer_1_any_text_gives_tokens_or_a_place(text in any::<String>()) {
        if let Err(fault) = lex(&text) {
            prop_assert!(text.get(fault.span.start..fault.span.end).is_some());
        }
    }
}
