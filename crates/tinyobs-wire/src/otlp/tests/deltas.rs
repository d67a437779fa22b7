//! Deltas become running totals, counted once.

use tinyobs_model::Refused;

use super::super::counted::Interval;
use super::*;

/// A point of the interval that ends `end` ms after [`NOW`] and took a minute.
fn delta(shape: &str, is_monotonic: bool, end: i64, point: &Value) -> Value {
    let mut data = json!({"aggregationTemporality": 1});
    if shape == "sum" {
        data["isMonotonic"] = is_monotonic.into();
    }
    let mut point = point.clone();
    point["timeUnixNano"] = ns(NOW + end).into();
    one("d", "", shape, &data, &point)
}

fn pushed(shelf: &mut Shelf, request: &Value) -> Vec<String> {
    let decoded = decoded_with(request, shelf);
    assert_eq!(decoded.refused, []);
    shelf.put(&decoded);
    shown(&decoded)
}

#[test]
fn i_otlp_delta_1_a_retry_adds_nothing() {
    let mut shelf = Shelf::default();
    let push = |shelf: &mut Shelf, end, add: f64| {
        pushed(shelf, &delta("sum", true, end, &json!({"asDouble": add})))
    };
    // The first interval tells when the series began, later ones do not.
    assert_eq!(
        push(&mut shelf, 0, 2.5),
        ["d_total{} counter 2.5 at 0 from -60000"]
    );
    assert_eq!(push(&mut shelf, 0, 2.5), Vec::<String>::new());
    assert_eq!(
        push(&mut shelf, 60_000, 4.0),
        ["d_total{} counter 6.5 at 60000"]
    );
    assert_eq!(push(&mut shelf, 60_000, 4.0), Vec::<String>::new());
    // Nobody has counted one that ends there: it is none that comes again, but one that comes too late.
    let late = delta("sum", true, 30_000, &json!({"asDouble": 4.0}));
    let got = decoded_with(&late, &mut shelf);
    let message = format!(
        "a delta of \"d_total\" ends at {}, and what ends by {} has been counted: it comes too late",
        NOW + 30_000,
        NOW + 60_000
    );
    let refused = Refused {
        item: 0,
        rule: Refusal::DeltaLate,
        message,
    };
    assert_eq!((got.refused, got.batch.len()), (vec![refused], 0));
    assert_eq!(
        push(&mut shelf, 90_000, 0.0),
        ["d_total{} counter 6.5 at 90000"]
    );
}

#[test]
fn deltas_that_may_fall_are_gauges() {
    let mut shelf = Shelf::default();
    let push = |shelf: &mut Shelf, end, add: i64| {
        pushed(shelf, &delta("sum", false, end, &json!({"asInt": add})))
    };
    assert_eq!(push(&mut shelf, 0, 5), ["d{} gauge 5 at 0"]);
    assert_eq!(push(&mut shelf, 1_000, -8), ["d{} gauge -3 at 1000"]);
    assert_eq!(push(&mut shelf, 1_000, -8), Vec::<String>::new());
}

#[test]
fn two_intervals_of_one_request_are_both_counted() {
    let point = |end: i64, add: i64| json!({"timeUnixNano": ns(NOW + end), "asInt": add});
    let sum = json!({
        "aggregationTemporality": 1, "isMonotonic": true,
        "dataPoints": [point(0, 1), point(10, 2), point(10, 2), point(20, 4)],
    });
    let got = decoded(&request(&json!([{"name": "d", "sum": sum}])));
    assert_eq!(
        shown(&got),
        [
            "d_total{} counter 1 at 0",
            "d_total{} counter 3 at 10",
            "d_total{} counter 7 at 20"
        ]
    );
    assert_eq!(got.items, 4);
}

#[test]
fn i_otlp_delta_4_intervals_of_one_request_are_counted_in_their_order() {
    let point = |end: i64, add: i64| json!({"timeUnixNano": ns(NOW + end), "asInt": add});
    let sum = |points: &[Value]| {
        json!({"name": "d", "sum": {
            "aggregationTemporality": 1, "isMonotonic": true, "dataPoints": points,
        }})
    };
    // In one metric, and in another scope of the same resource.
    let mut request = request(&json!([sum(&[point(20, 4), point(0, 1)])]));
    let scopes = &mut request["resourceMetrics"][0]["scopeMetrics"];
    let other = json!({"metrics": [sum(&[point(10, 2)])]});
    scopes.as_array_mut().unwrap().push(other);
    let got = decoded(&request);
    assert_eq!(
        shown(&got),
        [
            "d_total{} counter 1 at 0",
            "d_total{} counter 3 at 10",
            "d_total{} counter 7 at 20"
        ]
    );
    assert_eq!((got.items, got.refused), (3, vec![]));
    let items: Vec<u32> = got.batch.rows().iter().map(|row| row.item).collect();
    assert_eq!(items, [1, 2, 0]);
}

#[test]
fn i_otlp_delta_4_two_that_end_within_a_millisecond_are_added() {
    let at = |ns: i64| format!("{NOW}{ns:06}");
    let mut shelf = Shelf::default();
    let sum = json!({"aggregationTemporality": 1, "isMonotonic": true, "dataPoints": [
        {"timeUnixNano": at(700_000), "asInt": 2},
        {"timeUnixNano": at(200_000), "asInt": 1},
        // The very same once more.
        {"timeUnixNano": at(700_000), "asInt": 2},
    ]});
    let histogram = |ns, counts: [u64; 2]| {
        json!({
            "timeUnixNano": at(ns), "count": counts[0] + counts[1], "sum": 1,
            "bucketCounts": counts, "explicitBounds": [5],
        })
    };
    let histograms = json!({"aggregationTemporality": 1, "dataPoints": [
        histogram(2, [1, 0]), histogram(1, [1, 2]),
    ]});
    let body = request(&json!([{"name": "d", "sum": sum}, {"name": "h", "histogram": histograms}]));
    let got = pushed(&mut shelf, &body);
    let last = |prefix: &str| {
        got.iter()
            .rfind(|row| row.starts_with(prefix))
            .unwrap()
            .clone()
    };
    assert_eq!(last("d_total{}"), "d_total{} counter 3 at 0");
    assert_eq!(last("h_count"), "h_count{} histogram 4 at 0");
    assert_eq!(last("h_sum"), "h_sum{} histogram 2 at 0");
    assert_eq!(
        last("h_bucket{le=\"5\"}"),
        "h_bucket{le=\"5\"} histogram 2 at 0"
    );
    // Stored they are one, and a retry adds nothing.
    assert_eq!(pushed(&mut shelf, &body), Vec::<String>::new());
}

/// A request of deltas of one sum, each with start and end in milliseconds from [`NOW`].
fn sums(points: &[(i64, i64, f64)]) -> Value {
    let points = points.iter().map(|(start, end, add)| {
        json!({
            "startTimeUnixNano": ns(NOW + start), "timeUnixNano": ns(NOW + end), "asDouble": add,
        })
    });
    let points: Vec<Value> = points.collect();
    let sum = json!({"aggregationTemporality": 1, "isMonotonic": true, "dataPoints": points});
    request(&json!([{"name": "d", "sum": sum}]))
}

#[test]
fn i_otlp_delta_4_two_that_end_at_once_are_counted_unless_one_repeats_the_other() {
    let mut shelf = Shelf::default();
    let some = sums(&[(-60, 0, 1.0), (-60, 0, 2.0), (-30, 0, 1.0), (-60, 0, 1.0)]);
    let got = pushed(&mut shelf, &some);
    assert_eq!(got.last().unwrap(), "d_total{} counter 4 at 0");
    assert_eq!(got.len(), 3);
    assert_eq!(pushed(&mut shelf, &some), Vec::<String>::new());
    // In another request.
    let more = sums(&[(-60, 0, 8.0)]);
    assert_eq!(pushed(&mut shelf, &more), ["d_total{} counter 12 at 0"]);
    for again in [&some, &more, &some] {
        assert_eq!(pushed(&mut shelf, again), Vec::<String>::new());
    }
    // I-COUNTED-2: who has just started knows none of them.
    shelf.1 = Counted::default();
    let unknown = sums(&[(-60, 0, 16.0)]);
    assert_eq!(pushed(&mut shelf, &unknown), Vec::<String>::new());
    let next = sums(&[(0, 1, 32.0)]);
    assert_eq!(pushed(&mut shelf, &next), ["d_total{} counter 44 at 1"]);
}

#[test]
fn i_counted_1_what_was_not_stored_was_not_counted() {
    let mut shelf = Shelf::default();
    let (first, second) = (sums(&[(-60, 0, 5.0)]), sums(&[(-30, 0, 2.0)]));
    pushed(&mut shelf, &first);
    for _ in 0..2 {
        let got = decoded_with(&second, &mut shelf);
        assert_eq!(shown(&got), ["d_total{} counter 7 at 0"]);
    }
    assert_eq!(pushed(&mut shelf, &second), ["d_total{} counter 7 at 0"]);
    assert_eq!(pushed(&mut shelf, &second), Vec::<String>::new());
}

#[test]
fn i_counted_3_what_is_remembered_is_bounded() {
    let most = limits::DELTAS_PER_MS;
    let points: Vec<_> = (0..=most).map(|i| (-1 - i as i64, 0, 1.0)).collect();
    let mut shelf = Shelf::default();
    let got = decoded_with(&sums(&points), &mut shelf);
    let last = shown(&got).pop().unwrap();
    assert!(
        last.starts_with(&format!("d_total{{}} counter {most} at 0")),
        "{last}"
    );
    let message = format!(
        "a delta of \"d_total\" ends at {NOW}, as {most} others of the series do that have been \
         counted: it cannot be told from a repeat"
    );
    let refused = (most as u32, Refusal::DeltaLate, &message);
    let found = &got.refused[0];
    assert_eq!((found.item, found.rule, &found.message), refused);

    // Too many series in all: those that are forgotten are taken for repeats.
    let mut counted = Counted::default();
    let interval = Interval {
        start_ns: 0,
        end_ns: 1_000_000,
        adds: 1.0,
        only_grows: true,
        hash: 0,
    };
    let other = Interval {
        adds: 2.0,
        ..interval
    };
    let newest = Sample::new(1, 1.0);
    for series in 0..=limits::DELTA_INTERVALS as u64 {
        counted.note(&series.to_le_bytes(), None, interval, 1.0);
        counted.note(&series.to_le_bytes(), None, interval, 1.0);
    }
    assert!(!counted.has(&[0; 8], newest, &other));
    counted.begin();
    assert!(counted.has(&[0; 8], newest, &other));
    counted.note(&[0; 8], None, interval, 1.0);
    counted.begin();
    assert!(!counted.has(&[0; 8], newest, &other));
}

#[test]
fn i_otlp_delta_5_a_total_stays_a_number() {
    let mut shelf = Shelf::default();
    let large = f64::MAX;
    let request = sums(&[(-9, 0, large), (0, 1, large), (1, 2, 0.0)]);
    let got = decoded_with(&request, &mut shelf);
    let rows = [
        format!("d_total{{}} counter {large} at 0 from -9"),
        format!("d_total{{}} counter {large} at 2"),
    ];
    assert_eq!(shown(&got), rows);
    let message = "a delta would take the total of \"d_total\" beyond every number";
    let refused = Refused {
        item: 1,
        rule: Refusal::ValueNotANumber,
        message: message.to_owned(),
    };
    assert_eq!(got.refused, [refused]);
    let point = |end: i64| json!({"timeUnixNano": ns(NOW + end), "count": 1, "sum": large, "bucketCounts": [1]});
    let data = json!({"aggregationTemporality": 1, "dataPoints": [point(0), point(1)]});
    let got = decoded(&super::request(&json!([{"name": "h", "histogram": data}])));
    assert_eq!(got.refused.len(), 1);
    assert_eq!(got.refused[0].message, message.replace("d_total", "h_sum"));
    assert_eq!(shown(&got).last().unwrap(), "h_count{} histogram 1 at 0");

    // Somebody pushed it as a running total before.
    let mut shelf = Shelf::default();
    let mut nan = sums(&[(-9, 0, 1.0)]);
    let sum = &mut nan["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]["sum"];
    sum["aggregationTemporality"] = 2.into();
    sum["dataPoints"][0]["asDouble"] = "NaN".into();
    let got = decode(Format::Json, nan.to_string().as_bytes(), &mut shelf).unwrap();
    assert_eq!(shown(&got), ["d_total{} counter NaN at 0 from -9"]);
    shelf.put(&got);
    let next = sums(&[(0, 1, 2.0)]);
    assert_eq!(pushed(&mut shelf, &next), ["d_total{} counter 2 at 1"]);
}

#[test]
fn i_otlp_delta_4_late_histograms_with_other_bounds_go_before() {
    let point = |end: i64, bound: f64| {
        json!({
            "timeUnixNano": ns(NOW + end), "count": 3, "sum": 2, "bucketCounts": [1, 2],
            "explicitBounds": [bound],
        })
    };
    let of = |points: Value| {
        let data = json!({"aggregationTemporality": 1, "dataPoints": points});
        shown(&decoded(&request(
            &json!([{"name": "h", "histogram": data}]),
        )))
    };
    let in_order = of(json!([point(0, 1.0), point(10, 2.0), point(20, 1.0)]));
    assert_eq!(
        of(json!([point(20, 1.0), point(0, 1.0), point(10, 2.0)])),
        in_order
    );
    assert_eq!(in_order.last().unwrap(), "h_count{} histogram 9 at 20");
}

#[test]
fn i_otlp_delta_4_an_end_has_its_place_among_the_deltas() {
    let body = |points: Value| {
        let data = json!({"aggregationTemporality": 1, "dataPoints": points});
        request(&json!([{"name": "h", "histogram": data}]))
    };
    let end = json!({"timeUnixNano": ns(NOW + 10), "flags": 1});
    let point = json!({
        "timeUnixNano": ns(NOW), "count": 3, "bucketCounts": [1, 2], "explicitBounds": [5],
    });
    let expected = [
        "h_bucket{le=\"5\"} histogram 1 at 0",
        "h_bucket{le=\"+Inf\"} histogram 3 at 0",
        "h_count{} histogram 3 at 0",
        "h_bucket{le=\"5\"} histogram stale at 10",
        "h_bucket{le=\"+Inf\"} histogram stale at 10",
        "h_sum{} histogram stale at 10",
        "h_count{} histogram stale at 10",
    ];
    for points in [json!([point, end]), json!([end, point])] {
        assert_eq!(shown(&decoded(&body(points))), expected);
    }
}

#[test]
fn i_otlp_delta_2_what_the_store_would_refuse_is_not_counted() {
    let late = limits::FUTURE_MS + 1;
    let end = |end: i64, mut point: Value| {
        point["timeUnixNano"] = ns(NOW + end).into();
        point
    };
    let sum = |at| end(at, json!({"asInt": 1}));
    let histogram = |at, bound: f64| {
        end(
            at,
            json!({"count": 2, "sum": 1, "bucketCounts": [1, 1], "explicitBounds": [bound]}),
        )
    };
    let points = |points: Value| json!({"aggregationTemporality": 1, "isMonotonic": true, "dataPoints": points});
    let got = decoded(&request(&json!([
        {"name": "c", "sum": points(json!([sum(0), sum(late), sum(10)]))},
        {"name": "h", "histogram": points(json!([histogram(late, 1.0), histogram(10, 2.0)]))},
    ])));
    assert_eq!(
        shown(&got),
        [
            "c_total{} counter 1 at 0",
            "c_total{} counter 2 at 10",
            "h_bucket{le=\"2\"} histogram 1 at 10",
            "h_bucket{le=\"+Inf\"} histogram 2 at 10",
            "h_sum{} histogram 1 at 10",
            "h_count{} histogram 2 at 10",
        ]
    );
    let refused: Vec<_> = got.refused.iter().map(|one| (one.item, one.rule)).collect();
    assert_eq!(
        refused,
        [(1, Refusal::TimeInFuture), (3, Refusal::TimeInFuture)]
    );
}

#[test]
fn what_cannot_be_added_is_refused() {
    for (is_monotonic, add) in [(true, "-1"), (true, "NaN"), (false, "inf")] {
        let mut request = delta("sum", is_monotonic, 0, &json!({"asDouble": add}));
        let proto = decode(Format::Protobuf, &protobuf(&request), &mut Shelf::default()).unwrap();
        assert_eq!(shown(&proto), Vec::<String>::new());
        assert_eq!(proto.refused[0].rule, Refusal::ValueNotANumber);
        request["resourceMetrics"] = json!([]);
        assert_eq!(decoded(&request).items, 0);
    }
}

#[test]
fn delta_histograms() {
    let mut shelf = Shelf::default();
    let point = json!({
        "count": 6, "sum": 4.5, "bucketCounts": [1, 2, 3], "explicitBounds": [0.5, 1],
    });
    let rows = |end: i64, times: u32, start: &str| {
        let rows = [("_bucket{le=\"0.5\"}", 1.0), ("_bucket{le=\"1\"}", 3.0)];
        let rest = [
            ("_bucket{le=\"+Inf\"}", 6.0),
            ("_sum{}", 4.5),
            ("_count{}", 6.0),
        ];
        let all = rows.into_iter().chain(rest);
        all.map(|(name, value)| {
            format!(
                "d{name} histogram {} at {end}{start}",
                value * f64::from(times)
            )
        })
        .collect::<Vec<String>>()
    };
    let push = |shelf: &mut Shelf, end| pushed(shelf, &delta("histogram", true, end, &point));
    assert_eq!(push(&mut shelf, 0), rows(0, 1, " from -60000"));
    assert_eq!(push(&mut shelf, 0), Vec::<String>::new());
    assert_eq!(push(&mut shelf, 60_000), rows(60_000, 2, ""));
    assert_eq!(push(&mut shelf, 120_000), rows(120_000, 3, ""));
}

/// The buckets as (le, count).
fn buckets(rows: &[String]) -> Vec<(String, f64)> {
    let bucket = |row: &String| {
        let (le, rest) = row
            .strip_prefix("d_bucket{le=\"")?
            .split_once("\"} histogram ")?;
        Some((le.to_owned(), rest.split(' ').next()?.parse().unwrap()))
    };
    rows.iter().filter_map(bucket).collect()
}

#[test]
fn delta_exponential_histograms_agree_with_a_naive_recount() {
    // Values between the bounds of every scale, pushed in turns whose ranges hardly meet.
    let pushes: [&[f64]; 5] = [
        &[1.1, 1.3, 3.0],
        &[70.0, 90.0],
        &[0.3, 0.3, 0.0],
        &[],
        &[-5.0, 6.0, 1_000.0],
    ];
    let mut shelf = Shelf::default();
    let mut all: Vec<f64> = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    for (turn, values) in pushes.into_iter().enumerate() {
        let scale = [3, 0, 5, 2, 1][turn];
        let per_power = f64::from(1 << scale);
        let side = |sign: f64| {
            let own = values.iter().filter(|value| *value * sign > 0.0);
            let indexes: Vec<i64> = own
                .map(|value| (value.abs().log2() * per_power).ceil() as i64 - 1)
                .collect();
            let low = indexes.iter().copied().min().unwrap_or(0);
            let high = indexes.iter().copied().max().unwrap_or(-1);
            let count = |index| indexes.iter().filter(|one| **one == index).count();
            let counts: Vec<usize> = (low..=high).map(count).collect();
            json!({"offset": low, "bucketCounts": counts})
        };
        let point = json!({
            "count": values.len(), "sum": values.iter().sum::<f64>(), "scale": scale,
            "zeroCount": values.iter().filter(|value| **value == 0.0).count(),
            "positive": side(1.0), "negative": side(-1.0),
        });
        let request = delta("exponentialHistogram", true, turn as i64 * 60_000, &point);
        let rows = pushed(&mut shelf, &request);
        all.extend(values);
        let rows = buckets(&rows);
        for (le, count) in &rows {
            let bound: f64 = le.parse().unwrap();
            let below = all.iter().filter(|value| **value <= bound).count() as f64;
            assert_eq!(*count, below, "le={le} after turn {turn}");
        }
        // Bounds that were there stay there.
        let now: Vec<String> = rows.into_iter().map(|(le, _)| le).collect();
        assert!(seen.iter().all(|le| now.contains(le)), "{seen:?} {now:?}");
        seen = now;
        assert_eq!(pushed(&mut shelf, &request), Vec::<String>::new());
    }
    let expected = "-8 -4 0 0.25 0.5 1 2 4 8 16 32 64 128 256 512 1024 +Inf";
    assert_eq!(seen.join(" "), expected);
}

#[test]
fn i_otlp_delta_2_a_refused_point_leaves_nothing_behind() {
    let long = "x".repeat(limits::LABEL_VALUE_BYTES + 1);
    let bad = json!({"asInt": 5, "attributes": attribute("k", &long)});
    let got = decoded(&delta("sum", true, 0, &bad));
    assert_eq!(got.refused[0].rule, Refusal::LabelValueTooLong);
    assert!(got.batch.is_empty());
}
