use serde_json::{Value, json};
use tinyobs_wire::families::read_text;
use tinyobs_wire::text::Dialect;

use super::*;
use crate::groups::Options;

/// 2026-11-22T00:16:02Z
const NOW: i64 = 1_795_306_562_000;

fn listed(body: &str) -> Value {
    let key = vec![
        ("instance".to_owned(), "h".to_owned()),
        ("job".to_owned(), "j".to_owned()),
    ];
    let page = read_text(body.as_bytes(), Dialect::Prometheus, &key).unwrap();
    let mut group = Group::new();
    group.pushed(Options::default(), NOW);
    group.take(page.families);
    let text = render(&BTreeMap::from([(key, group)]));
    let mut answer: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(answer["status"], "success");
    answer["data"][0].take()
}

#[test]
fn a_group_has_labels_times_and_families() {
    let own = json!({"instance": "h", "job": "j"});
    let time_stamp = "2026-11-22T00:16:02.000Z";
    let gauge = |help: &str, value: &str| {
        json!({"type": "GAUGE", "help": help, "time_stamp": time_stamp,
               "metrics": [{"labels": own, "value": value}]})
    };
    let body = "# TYPE g gauge\n# HELP g Help.\ng NaN\nu{x=\"1\"} -0.5\nu{x=\"2\"} +Inf\n";
    assert_eq!(
        listed(body),
        json!({
            "labels": own,
            "last_push_successful": true,
            "push_time_seconds": gauge(PUSH_TIME_HELP, "1795306562"),
            "push_failure_time_seconds": gauge(FAILURE_TIME_HELP, "0"),
            "g": gauge("Help.", "NaN"),
            "u": {"type": "UNTYPED", "help": "", "time_stamp": time_stamp, "metrics": [
                {"labels": {"instance": "h", "job": "j", "x": "1"}, "value": "-0.5"},
                {"labels": {"instance": "h", "job": "j", "x": "2"}, "value": "+Inf"},
            ]},
        })
    );
}

#[test]
fn histograms_and_summaries_are_whole() {
    let body = "# TYPE h histogram\nh_bucket{le=\"0.5\"} 1\nh_bucket{le=\"+Inf\"} 3\nh_sum 2.5\nh_count 3\n\
         # TYPE s summary\ns{x=\"1\",quantile=\"0.9\"} 4\ns_sum{x=\"1\"} 8\ns_count{x=\"1\"} 2\n";
    let got = listed(body);
    assert_eq!(got["h"]["type"], "HISTOGRAM");
    assert_eq!(
        got["h"]["metrics"],
        json!([{"labels": {"instance": "h", "job": "j"}, "count": "3", "sum": "2.5",
                "buckets": {"0.5": "1", "+Inf": "3"}}])
    );
    assert_eq!(got["s"]["type"], "SUMMARY");
    assert_eq!(
        got["s"]["metrics"],
        json!([{"labels": {"instance": "h", "job": "j", "x": "1"}, "count": "2", "sum": "8",
                "quantiles": {"0.9": "4"}}])
    );
}
