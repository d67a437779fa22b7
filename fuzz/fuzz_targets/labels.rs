//! Labels: bytes are canonical or refused, and the builder obeys its rules and no others.

#![no_main]

use std::cmp::Ordering;
use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use tinyobs_fuzz::Feed;
use tinyobs_model::labels::{METRIC_NAME, RESERVED_PREFIX};
use tinyobs_model::{Labels, limits};

fuzz_target!(|data: &[u8]| {
    let mut feed = Feed::new(data);
    match feed.u8() {
        b'b' => any_bytes(feed.rest()),
        _ => built(&mut feed),
    }
});

fn any_bytes(bytes: &[u8]) {
    let Some(labels) = Labels::from_canonical(bytes) else {
        return;
    };
    assert_eq!(labels.as_bytes(), bytes);
    let pairs: Vec<(&str, &str)> = labels.iter().collect();
    assert!(
        pairs.windows(2).all(|two| two[0].0 < two[1].0),
        "names do not ascend: {pairs:?}"
    );
    assert!(
        pairs.iter().all(|(_, value)| !value.is_empty()),
        "an empty value: {pairs:?}"
    );
    assert_eq!(canonical(&pairs), bytes);
    for (name, value) in pairs {
        assert_eq!(labels.get(name), Some(value));
    }
    shown(&labels);
}

/// The builder against a map and the rules in their simplest words.
fn built(feed: &mut Feed<'_>) {
    let name = feed.text(255);
    let mut pairs = Vec::new();
    while !feed.is_empty() {
        pairs.push((text(feed), text(feed)));
    }
    let borrowed = pairs.iter().map(|(name, value)| (&**name, &**value));
    let mut model = BTreeMap::new();
    let mut twice = model.insert(METRIC_NAME, &*name).is_some();
    for (name, value) in borrowed.clone() {
        twice |= model.insert(name, value).is_some();
    }
    let fine = |(label, value): (&str, &str)| {
        !label.is_empty()
            && label.len() <= limits::LABEL_NAME_BYTES
            && value.len() <= limits::LABEL_VALUE_BYTES
            && !label.starts_with(RESERVED_PREFIX)
    };
    let allowed = !name.is_empty()
        && name.len() <= limits::METRIC_NAME_BYTES
        && pairs.len() <= limits::LABELS_PER_SERIES
        && !twice
        && borrowed.clone().all(fine);

    match Labels::new(&name, borrowed) {
        Ok(labels) => {
            assert!(allowed, "{labels} was let in");
            model.retain(|_, value| !value.is_empty());
            assert!(
                labels
                    .iter()
                    .eq(model.iter().map(|(name, value)| (*name, *value)))
            );
            assert_eq!(
                Labels::from_canonical(labels.as_bytes()).as_ref(),
                Some(&labels)
            );
            assert_eq!(labels.metric_name(), name);
            shown(&labels);
        }
        Err((rule, message)) => {
            assert!(!allowed, "refused: {rule} {message}");
            assert!(
                message.len() < 2_000,
                "a message of {} bytes",
                message.len()
            );
        }
    }
}

/// Short ones from the feed, long ones from little of it.
fn text(feed: &mut Feed<'_>) -> String {
    match feed.u8() {
        b'L' => feed.text(3).repeat(usize::from(feed.u16() % 5_000)),
        b'R' => format!("{RESERVED_PREFIX}{}", feed.text(9)),
        b'N' => METRIC_NAME.to_owned(),
        _ => feed.text(30),
    }
}

/// As protobuf has pairs of two strings.
fn canonical(pairs: &[(&str, &str)]) -> Vec<u8> {
    let field = |key: u8, content: &[u8]| {
        let mut bytes = vec![key];
        let mut len = content.len();
        while len > 0x7f {
            bytes.push(len as u8 | 0x80);
            len >>= 7;
        }
        bytes.push(len as u8);
        bytes.extend_from_slice(content);
        bytes
    };
    let pair = |(name, value): &(&str, &str)| {
        let both = [field(0x0a, name.as_bytes()), field(0x12, value.as_bytes())];
        field(0x0a, &both.concat())
    };
    pairs.iter().flat_map(pair).collect()
}

fn shown(labels: &Labels) {
    let shown = labels.to_string();
    assert!(shown.starts_with(labels.metric_name()) && shown.ends_with('}'));
    assert_eq!(labels.cmp(&labels.clone()), Ordering::Equal);
}
