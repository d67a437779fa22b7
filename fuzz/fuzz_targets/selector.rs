//! Selectors: every text is conditions or an error that points into it, and what is written as a
//! selector is read as what was meant.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tinyobs_fuzz::Feed;
use tinyobs_model::{METRIC_NAME, MatchOp};
use tinyobs_wire::selector::{Condition, parse};

fuzz_target!(|data: &[u8]| {
    let mut feed = Feed::new(data);
    match feed.u8() {
        b't' => any_text(&String::from_utf8_lossy(feed.rest())),
        _ => written(&mut feed),
    }
});

/// A condition's label, operator and value.
type Meaning = (String, MatchOp, String);

fn meaning(conditions: Vec<Condition>) -> Vec<Meaning> {
    let of = |condition: Condition| (condition.name, condition.op, condition.value);
    conditions.into_iter().map(of).collect()
}

fn any_text(text: &str) {
    match parse(text) {
        Ok(conditions) => {
            assert!(conditions.len() <= text.len());
            let said: usize = conditions.iter().map(|c| c.value.len()).sum();
            assert!(said <= text.len(), "longer than its text");
            let conditions = meaning(conditions);
            let again = parse(&selector(&conditions, '"')).expect("what was read can be written");
            assert_eq!(meaning(again), conditions);
        }
        Err(error) => {
            let characters = text.chars().count();
            assert!(
                (1..=characters + 1).contains(&error.character),
                "{error}: {text:?}"
            );
            assert!(!error.reason.is_empty());
        }
    }
}

fn written(feed: &mut Feed<'_>) {
    let quote = ['"', '\''][usize::from(feed.u8() % 2)];
    let mut conditions = Vec::new();
    let mut named = 0;
    while !feed.is_empty() {
        let op = OPERATORS[usize::from(feed.u8() % 4)].0;
        let name = match feed.u8() {
            b'N' => METRIC_NAME.to_owned(),
            _ => feed.text(20),
        };
        named += usize::from(name == METRIC_NAME && op == MatchOp::Equal);
        conditions.push((name, op, feed.text(60)));
    }
    let text = selector(&conditions, quote);
    let refused = named > 1 || conditions.iter().any(|(name, ..)| name.is_empty());
    match parse(&text) {
        Ok(read) => {
            assert!(!refused, "{text}");
            assert_eq!(meaning(read), conditions, "{text}");
        }
        Err(error) => assert!(refused || text.len() > 16_384, "{text}: {error}"),
    }
}

const OPERATORS: [(MatchOp, &str); 4] = [
    (MatchOp::Equal, "="),
    (MatchOp::NotEqual, "!="),
    (MatchOp::Regex, "=~"),
    (MatchOp::NotRegex, "!~"),
];

fn selector(conditions: &[Meaning], quote: char) -> String {
    let mut text = "{".to_owned();
    for (name, op, value) in conditions {
        let sign = OPERATORS.iter().find(|(known, _)| known == op);
        quoted(&mut text, name, quote);
        text.push_str(sign.expect("all four are there").1);
        quoted(&mut text, value, quote);
        text.push(',');
    }
    text.push('}');
    text
}

fn quoted(out: &mut String, text: &str, quote: char) {
    out.push(quote);
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\\' => out.push_str("\\\\"),
            _ if character == quote => out.extend(['\\', quote]),
            _ => out.push(character),
        }
    }
    out.push(quote);
}
