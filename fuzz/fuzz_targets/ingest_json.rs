//! Pushes in JSON: any body is read or refused as a whole, a bad item costs only itself, and what
//! the SDK writes is read bit for bit.

#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use tinyobs_fuzz::Feed;
use tinyobs_model::{Labels, Sample, is_stale_marker};
use tinyobs_wire::encode::{Item, PushBody, Source, Value};
use tinyobs_wire::json::{Decoded, decode};

const NOW_MS: i64 = 1_795_306_562_347;

fuzz_target!(|data: &[u8]| {
    let mut feed = Feed::new(data);
    match feed.u8() {
        b'{' => any_body(data),
        b't' => any_body(feed.rest()),
        _ => pushed(&mut feed),
    }
});

fn any_body(body: &[u8]) {
    let json = serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok();
    match decode(body, NOW_MS) {
        Ok(decoded) => {
            assert!(json, "taken, yet it is not JSON");
            checked(&decoded);
        }
        Err(error) => assert!(error.to_string().len() < 2_000, "{error}"),
    }
}

/// What holds of whatever was decoded.
fn checked(decoded: &Decoded) {
    let stored: BTreeSet<u32> = decoded.batch.rows().iter().map(|row| row.item).collect();
    let refused: BTreeSet<u32> = decoded.refused.iter().map(|refused| refused.item).collect();
    assert_eq!(refused.len(), decoded.refused.len(), "refused twice");
    assert!(stored.is_disjoint(&refused), "stored and refused");
    assert!(
        stored.union(&refused).copied().eq(0..decoded.items),
        "an item got lost"
    );
    assert!(decoded.batch.rows().is_sorted_by_key(|row| row.item));
    for row in decoded.batch.rows() {
        let labels = Labels::from_canonical(decoded.batch.labels(row)).expect("canonical");
        assert!(!labels.metric_name().is_empty());
        assert!(row.sample.value.is_finite() || is_stale_marker(row.sample.value));
        assert!(
            row.start_ms
                .is_none_or(|start_ms| start_ms < row.sample.time_ms)
        );
    }
    for refused in &decoded.refused {
        assert!(refused.message.len() < 2_000, "{}", refused.message);
    }
}

/// Through the SDK's encoder and back.
fn pushed(feed: &mut Feed<'_>) {
    let (service, instance) = (feed.text(9), feed.text(9));
    let source = Source {
        service: &service,
        instance: &instance,
        start_ms: feed.any_size(),
        interval_ms: feed.u64(),
        is_final: feed.u8() == 1,
    };
    let mut body = PushBody::new();
    body.begin(Some(&source));
    let mut expected = Vec::new();
    while !feed.is_empty() {
        let name = format!("n{}", feed.text(30));
        let labels = [
            ("a", feed.text(30)),
            ("b", feed.text(30)),
            ("c\u{1f642}", feed.text(3)),
        ];
        let labels = labels.each_ref().map(|(name, value)| (*name, &**value));
        let (unit, help) = (feed.text(9), feed.text(30));
        let value = f64::from_bits(feed.u64());
        let timestamp_ms = NOW_MS + feed.any_size() % 1_000_000_000;
        let item = Item {
            name: &name,
            timestamp_ms,
            start_ms: None,
            unit: &unit,
            help: &help,
            value: Value::Gauge(value),
        };
        let before = body.len();
        if body.push(&item, labels).is_err() {
            assert!(!value.is_finite() && body.len() == before);
            continue;
        }
        let own = [("service", &*service), ("instance", &*instance)];
        let canonical = Labels::new(&name, labels.into_iter().chain(own)).expect("within limits");
        let ends = source
            .is_final
            .then(|| Sample::new(timestamp_ms + 1, tinyobs_model::stale_marker()));
        expected.push((canonical.clone(), Sample::new(timestamp_ms, value)));
        expected.extend(ends.map(|end| (canonical, end)));
    }
    let decoded = decode(body.finish(), NOW_MS).expect("what the SDK writes is a push");
    checked(&decoded);
    assert_eq!(decoded.refused, [], "what the SDK writes is stored");
    let row = |row: &tinyobs_model::Row| {
        let labels = Labels::from_canonical(decoded.batch.labels(row)).expect("canonical");
        (labels, row.sample)
    };
    let rows: Vec<_> = decoded.batch.rows().iter().map(row).collect();
    assert_eq!(rows, expected);
}
