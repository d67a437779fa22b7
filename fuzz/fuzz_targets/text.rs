//! Pages in the text formats: any body is read or refused with its line, what a group's labels say
//! holds for every series, and what is written with its escapes is read bit for bit.

#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use tinyobs_fuzz::Feed;
use tinyobs_model::Labels;
use tinyobs_wire::families::{Page, PageError, read_text};
use tinyobs_wire::text::Dialect;

fuzz_target!(|data: &[u8]| {
    let mut feed = Feed::new(data);
    match feed.u8() {
        b'o' => any_body(feed.rest(), Dialect::OpenMetrics),
        b'w' => written(&mut feed),
        _ => any_body(data, Dialect::Prometheus),
    }
});

fn grouping() -> [(String, String); 2] {
    [
        ("job".to_owned(), "j".to_owned()),
        ("a".to_owned(), "g".to_owned()),
    ]
}

fn any_body(body: &[u8], dialect: Dialect) {
    match read_text(body, dialect, &grouping()) {
        Ok(page) => checked(&page),
        Err(error) => {
            assert!(error.to_string().len() < 1_000, "{error}");
            if let PageError::Text(error) = error {
                let lines = body.split(|byte| *byte == b'\n').count();
                assert!((1..=lines + 1).contains(&error.line), "{error}");
            }
        }
    }
}

fn checked(page: &Page) {
    let mut seen = BTreeSet::new();
    for series in page.families.iter().flat_map(|family| &family.series) {
        assert_eq!(series.labels.get("job"), Some("j"));
        assert_eq!(series.labels.get("a"), Some("g"));
        assert!(
            seen.insert(series.labels.as_bytes().to_vec()),
            "the same series twice"
        );
        assert!(Labels::from_canonical(series.labels.as_bytes()).is_some());
    }
    assert!(page.families.iter().all(|family| !family.series.is_empty()));
}

/// A page as a careful writer makes it.
fn written(feed: &mut Feed<'_>) {
    let quote = |text: &str| {
        let text = text.replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{}\"", text.replace('\n', "\\n"))
    };
    let mut body = String::new();
    let mut expected = Vec::new();
    while !feed.is_empty() {
        let name = format!("n{}.{}", expected.len(), feed.text(20));
        let value = format!("v{}", feed.text(20));
        let number = f64::from_bits(feed.u64());
        body += &format!("{{{},\"l\"={}}} {number:?}\n", quote(&name), quote(&value));
        let labels = Labels::new(&name, [("l", value.as_str())]).expect("within limits");
        expected.push((labels, number));
    }
    let page = read_text(body.as_bytes(), Dialect::Prometheus, &[]).expect("it is well written");
    assert_eq!(page.refused, []);
    let series = page.families.iter().flat_map(|family| &family.series);
    let read: Vec<_> = series
        .map(|series| (series.labels.clone(), series.value))
        .collect();
    assert_eq!(read.len(), expected.len());
    for ((labels, value), (wanted, number)) in read.iter().zip(&expected) {
        assert_eq!(labels, wanted);
        assert!(value.to_bits() == number.to_bits() || number.is_nan());
    }
}
