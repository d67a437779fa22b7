//! PromQL: every text is a tree or an error that points into it, and a tree that is printed, on one
//! line or on many, is read as the same tree.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tinyobs_fuzz::Feed;
use tinyobs_model::limits;
use tinyobs_promql::{Expr, parse, parse_selector};

fuzz_target!(|data: &[u8]| {
    let mut feed = Feed::new(data);
    match feed.u8() {
        b't' => any_text(&String::from_utf8_lossy(feed.rest())),
        _ => any_text(&words(&mut feed)),
    }
});

/// Words of the language one after another: nearly a query, more often than bytes are.
fn words(feed: &mut Feed<'_>) -> String {
    let mut text = String::new();
    while !feed.is_empty() {
        match usize::from(feed.u8()) {
            at if at < WORDS.len() => text.push_str(WORDS[at]),
            255 => text.push_str(&feed.text(20)),
            254 => text.push_str(&format!("{:?}", feed.text(20))),
            253 => text.push_str(&f64::from_bits(feed.u64()).to_string()),
            at => text.push(char::from(at as u8 & 0x7f)),
        }
        text.push(' ');
    }
    text
}

const WORDS: [&str; 96] = [
    "a",
    "b:c",
    "sum",
    "rate",
    "on",
    "by",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "=",
    "!=",
    "=~",
    "!~",
    "==",
    "<",
    ">",
    "<=",
    ">=",
    "</",
    ">/",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "@",
    "and",
    "or",
    "unless",
    "atan2",
    "bool",
    "ignoring",
    "group_left",
    "group_right",
    "fill",
    "fill_left",
    "fill_right",
    "offset",
    "anchored",
    "smoothed",
    "start",
    "end",
    "step",
    "range",
    "min_of",
    "max_of",
    "without",
    "topk",
    "quantile",
    "count_values",
    "limit_ratio",
    "1",
    "0",
    "0.5",
    "1e3",
    "0x1f",
    "017",
    "Inf",
    "NaN",
    "5m",
    "1h30m",
    "1ms",
    "300",
    "\"a\"",
    "'b.c'",
    "`d`",
    "\".*\"",
    "\".+\"",
    "(a)",
    "[5m]",
    "[5m:]",
    "[5m:1m]",
    "{a=\"b\"}",
    "{\"b.c\"}",
    "abs(",
    "time()",
    "histogram_quantile(0.9,",
    "label_replace(",
    "info(",
    "scalar(",
    "vector(",
    "sum by (a) (",
    "sum without () (",
    "topk(1,",
    "[step()*2]",
    "offset (",
    "@ end()",
    "+ on (a)",
    "# c\n",
    "\n",
];

fn any_text(text: &str) {
    if let Err(error) = parse_selector(text) {
        assert!(text.get(error.span.start..error.span.end).is_some());
    }
    match parse(text) {
        Ok(tree) => {
            assert!(tree.height() <= limits::QUERY_DEPTH);
            tree.walk(&mut |expr: &Expr| {
                assert!(text.get(expr.span.start..expr.span.end).is_some(), "{text}");
            });
            for printed in [tree.to_string(), tree.pretty()] {
                // Deep indents may make it longer than a query may be.
                if printed.len() > limits::QUERY_BYTES {
                    continue;
                }
                match parse(&printed) {
                    Ok(again) => assert_eq!(again, tree, "{text}\n{printed}"),
                    Err(error) => panic!("{text}\n{printed}\n{error}"),
                }
            }
        }
        Err(error) => {
            assert!(
                text.get(error.span.start..error.span.end).is_some(),
                "{text}"
            );
            assert!(
                !error.reason.is_empty() && error.reason.len() < 1_000,
                "{error}"
            );
            assert!(error.caret(text).contains('^'));
            assert!(error.position.line <= 1 + text.matches('\n').count());
        }
    }
}
