use proptest::prelude::*;
use tinyobs_model::{Kind, Labels};

use super::*;

fn labels(name: &str, pairs: &[(&str, &str)]) -> Labels {
    Labels::new(name, pairs.iter().copied()).unwrap()
}

fn page_and_skipped(series: &[(Labels, Kind, f64)]) -> (String, u64) {
    written(series, Format::Text, None)
}

fn open_page(series: &[(Labels, Kind, f64)]) -> String {
    written(series, Format::OpenMetrics, None).0
}

fn written(series: &[(Labels, Kind, f64)], format: Format, time_ms: Option<i64>) -> (String, u64) {
    let mut writer = TextWriter::new(format);
    let exposed = series.iter().map(|(labels, kind, value)| Exposed {
        labels,
        kind: *kind,
        value: Latest {
            value: *value,
            time_ms,
        },
    });
    let skipped = write_series(&mut writer, exposed, |name| match name {
        "helped" => About {
            help: "Line one.\nA \\ and a \"quote\".",
            unit: "",
        },
        "took_seconds_total" | "took_seconds" | "took" | "seconds" => About {
            help: "",
            unit: "seconds",
        },
        _ => About::default(),
    });
    (writer.into_string(), skipped)
}

fn page(series: &[(Labels, Kind, f64)]) -> String {
    let (page, skipped) = page_and_skipped(series);
    assert_eq!(skipped, 0, "{page}");
    page
}

#[test]
fn i_expo_4_kinds_help_and_order() {
    let mut series = vec![
        (
            labels("orders_total", &[("kind", "web")]),
            Kind::Counter,
            42.0,
        ),
        (
            labels("orders_total", &[("kind", "app")]),
            Kind::Counter,
            1.0,
        ),
        (labels("helped", &[]), Kind::Gauge, -0.5),
        (labels("Upper", &[("A", "1")]), Kind::Unknown, 1e300),
    ];
    let expected = r#"# TYPE Upper untyped
Upper{A="1"} 1e300
# HELP helped Line one.\nA \\ and a "quote".
# TYPE helped gauge
helped -0.5
# TYPE orders_total counter
orders_total{kind="app"} 1
orders_total{kind="web"} 42
"#;
    assert_eq!(page(&series), expected);
    series.reverse();
    assert_eq!(page(&series), expected);
}

#[test]
fn a_histogram_is_one_family_with_buckets_by_bound() {
    let h = Kind::Histogram;
    let series = [
        (labels("d_count", &[("e", "b")]), h, 1.0),
        (labels("d_bucket", &[("e", "a"), ("le", "+Inf")]), h, 9.0),
        (labels("d_bucket", &[("e", "a"), ("le", "10")]), h, 8.0),
        (labels("d_bucket", &[("e", "a"), ("le", "2.5")]), h, 7.0),
        (labels("d_sum", &[("e", "a")]), h, 1.5),
        (labels("d_count", &[("e", "a")]), h, 9.0),
    ];
    assert_eq!(
        page(&series),
        r#"# TYPE d histogram
d_bucket{e="a",le="2.5"} 7
d_bucket{e="a",le="10"} 8
d_bucket{e="a",le="+Inf"} 9
d_sum{e="a"} 1.5
d_count{e="a"} 9
d_count{e="b"} 1
"#
    );
}

#[test]
fn a_summary_is_one_family() {
    let s = Kind::Summary;
    let series = [
        (labels("rpc_count", &[]), s, 3.0),
        (labels("rpc", &[("quantile", "0.5")]), s, 0.1),
        (labels("rpc_sum", &[]), s, 0.6),
    ];
    assert_eq!(
        page(&series),
        "# TYPE rpc summary\nrpc{quantile=\"0.5\"} 0.1\nrpc_sum 0.6\nrpc_count 3\n"
    );
}

#[test]
fn i_expo_1_a_family_has_one_kind() {
    let series = [
        (labels("x_bucket", &[("le", "+Inf")]), Kind::Histogram, 1.0),
        (labels("x", &[]), Kind::Gauge, 2.0),
        (labels("y", &[]), Kind::Histogram, 3.0),
        (labels("y_count", &[]), Kind::Histogram, 4.0),
        (labels("z_sum", &[]), Kind::Summary, 5.0),
        (labels("z_count", &[]), Kind::Histogram, 6.0),
    ];
    assert_eq!(
        page(&series),
        r#"# TYPE x gauge
x 2
# TYPE x_bucket untyped
x_bucket{le="+Inf"} 1
# TYPE y untyped
y 3
# TYPE y_count untyped
y_count 4
# TYPE z_count untyped
z_count 6
# TYPE z_sum untyped
z_sum 5
"#
    );
}

#[test]
fn i_expo_1_parts_that_the_format_has_no_place_for_are_families_of_their_own() {
    let (h, s) = (Kind::Histogram, Kind::Summary);
    let series = [
        (labels("a_bucket", &[("le", "+Inf")]), h, 1.0),
        (labels("a_bucket", &[]), h, 2.0),
        (labels("a_count", &[]), h, 3.0),
        (labels("b_bucket", &[("le", "low")]), h, 4.0),
        (labels("c", &[("quantile", "0.5")]), s, 5.0),
        (labels("c", &[]), s, 6.0),
        (labels("c_sum", &[]), s, 7.0),
        // What a reader would take for the sum of one that it knows.
        (labels("d", &[("quantile", "0.5")]), s, 8.0),
        (labels("d_sum", &[]), Kind::Gauge, 9.0),
        (labels("e_count", &[]), Kind::Gauge, 10.0),
        (labels("e_bucket", &[("le", "+Inf")]), h, 11.0),
        // Its parts are in the way of another.
        (labels("f_count_count", &[]), s, 12.0),
        (labels("f_count", &[]), h, 13.0),
        (labels("f", &[]), Kind::Gauge, 14.0),
    ];
    assert_eq!(
        page(&series),
        r#"# TYPE a_bucket untyped
a_bucket 2
a_bucket{le="+Inf"} 1
# TYPE a_count untyped
a_count 3
# TYPE b_bucket untyped
b_bucket{le="low"} 4
# TYPE c untyped
c 6
c{quantile="0.5"} 5
# TYPE c_sum untyped
c_sum 7
# TYPE d untyped
d{quantile="0.5"} 8
# TYPE d_sum gauge
d_sum 9
# TYPE e_bucket untyped
e_bucket{le="+Inf"} 11
# TYPE e_count gauge
e_count 10
# TYPE f gauge
f 14
# TYPE f_count untyped
f_count 13
# TYPE f_count_count untyped
f_count_count 12
"#
    );
}

#[test]
fn i_expo_2_changed_names_do_not_collide() {
    let series = [
        (labels("http.server", &[("k", "1")]), Kind::Gauge, 1.0),
        (labels("http_server", &[("k", "1")]), Kind::Gauge, 2.0),
        (labels("größe", &[("ä.b", "1")]), Kind::Gauge, 3.0),
        (labels("m", &[("a.b", "1"), ("a_b", "1")]), Kind::Gauge, 4.0),
        (labels("1m", &[("1a", "x")]), Kind::Gauge, 5.0),
    ];
    let (page, skipped) = page_and_skipped(&series);
    assert_eq!(skipped, 2);
    assert_eq!(
        page,
        r#"# TYPE _m gauge
_m{_a="x"} 5
# TYPE gr__e gauge
gr__e{__b="1"} 3
# TYPE http_server gauge
http_server{k="1"} 2
# TYPE m gauge
"#
    );
}

#[test]
fn i_expo_3_values_stay_in_their_quotes() {
    let nasty = "a\\\"b\n} 1\n# TYPE <img src=x onerror=alert(1)>";
    let series = [(labels("m", &[("l", nasty)]), Kind::Gauge, 1.0)];
    assert_eq!(
        page(&series),
        "# TYPE m gauge\nm{l=\"a\\\\\\\"b\\n} 1\\n# TYPE <img src=x onerror=alert(1)>\"} 1\n"
    );
}

#[test]
fn numbers_as_scrapers_read_them() {
    let printed = |value| {
        let mut out = String::new();
        write_value(&mut out, value);
        out
    };
    assert_eq!(printed(f64::NAN), "NaN");
    assert_eq!(printed(f64::INFINITY), "+Inf");
    assert_eq!(printed(f64::NEG_INFINITY), "-Inf");
    assert_eq!(printed(0.0), "0");
    assert_eq!(printed(-0.0), "-0.0");
    assert_eq!(printed(1_795_306_562_347.0), "1795306562347");
    assert_eq!(printed(1e-300), "1e-300");
    assert_eq!(printed(0.1), "0.1");
}

proptest! {
    #[test]
    fn finite_values_survive(bits in any::<u64>()) {
        let value = f64::from_bits(bits);
        prop_assume!(value.is_finite());
        let mut out = String::new();
        write_value(&mut out, value);
        prop_assert_eq!(out.parse::<f64>().unwrap().to_bits(), bits);
    }

    #[test]
    fn i_expo_3_every_line_is_a_comment_or_a_sample(
        name in ".{1,8}", label in ".{1,8}", value in any::<String>()
    ) {
        prop_assume!(!label.starts_with("__") && !value.is_empty());
        let series = [(labels(&name, &[(&label, &value)]), Kind::Gauge, 1.0)];
        let page = page(&series);
        prop_assert_eq!(page.lines().count(), 2);
        let sample = page.lines().nth(1).unwrap();
        let series = sample.strip_suffix(" 1").unwrap();
        let parsed = crate::selector::parse(series).unwrap();
        prop_assert_eq!(parsed.len(), 2);
        prop_assert_eq!(&parsed[1].value, &value);
    }
}

#[test]
fn openmetrics_has_its_own_names_for_things() {
    let (c, g, h) = (Kind::Counter, Kind::Gauge, Kind::Histogram);
    let series = [
        (labels("helped", &[]), Kind::Unknown, -0.0),
        (labels("took_seconds_total", &[("a.b", "x\ny")]), c, 42.0),
        (labels("took", &[]), g, f64::INFINITY),
        (labels("seconds", &[]), g, 1.0),
        (labels("requests", &[]), c, 3.0),
        (labels("_total", &[]), c, 4.0),
        (labels("d_bucket", &[("le", "+Inf")]), h, 9.0),
        (labels("d_bucket", &[("le", "10")]), h, 8.0),
        (labels("d_bucket", &[("le", "2.5")]), h, 7.0),
        (labels("d_bucket", &[("le", "-1")]), h, 1.0),
        (labels("d_sum", &[]), h, 1.5),
        (labels("d_count", &[]), h, 9.0),
        (labels("s", &[("quantile", "1")]), Kind::Summary, 2.0),
        (labels("s", &[("quantile", "0.5")]), Kind::Summary, 1.0),
        (labels("s_count", &[]), Kind::Summary, 3.0),
        // Not a bound: a gauge may have any label.
        (labels("g", &[("le", "1")]), g, 1.0),
    ];
    assert_eq!(
        open_page(&series),
        "# TYPE _total unknown\n_total 4\n\
         # TYPE d histogram\n\
         d_bucket{le=\"-1.0\"} 1\nd_bucket{le=\"2.5\"} 7\nd_bucket{le=\"10.0\"} 8\n\
         d_bucket{le=\"+Inf\"} 9\nd_sum 1.5\nd_count 9\n\
         # TYPE g gauge\ng{le=\"1\"} 1\n\
         # HELP helped Line one.\\nA \\\\ and a \\\"quote\\\".\n\
         # TYPE helped unknown\nhelped -0.0\n\
         # TYPE requests unknown\nrequests 3\n\
         # TYPE s summary\ns{quantile=\"0.5\"} 1\ns{quantile=\"1.0\"} 2\ns_count 3\n\
         # TYPE seconds gauge\nseconds 1\n\
         # TYPE took gauge\ntook +Inf\n\
         # TYPE took_seconds counter\n# UNIT took_seconds seconds\n\
         took_seconds_total{a_b=\"x\\ny\"} 42\n"
    );
}

#[test]
fn i_expo_1_a_counter_gives_way_to_the_metric_without_total() {
    let series = [
        (labels("x_total", &[]), Kind::Counter, 2.0),
        (labels("x", &[]), Kind::Gauge, 1.0),
    ];
    assert_eq!(
        open_page(&series),
        "# TYPE x gauge\nx 1\n# TYPE x_total unknown\nx_total 2\n"
    );
}

#[test]
fn i_expo_2_bounds_that_become_one_are_one_line() {
    let h = Kind::Histogram;
    let series = [
        (labels("d_bucket", &[("le", "1")]), h, 1.0),
        (labels("d_bucket", &[("le", "1.0")]), h, 2.0),
    ];
    assert_eq!(
        written(&series, Format::OpenMetrics, None),
        ("# TYPE d histogram\nd_bucket{le=\"1.0\"} 2\n".to_owned(), 1)
    );
}

#[test]
fn times_are_milliseconds_or_seconds() {
    let series = [(labels("x", &[]), Kind::Gauge, 1.0)];
    for (time_ms, text, open) in [
        (
            1_795_306_562_047,
            "x 1 1795306562047\n",
            "x 1 1795306562.047\n",
        ),
        (0, "x 1 0\n", "x 1 0.000\n"),
        (-1, "x 1 -1\n", "x 1 -0.001\n"),
    ] {
        let page = |format| written(&series, format, Some(time_ms)).0;
        assert_eq!(page(Format::Text), format!("# TYPE x gauge\n{text}"));
        assert_eq!(page(Format::OpenMetrics), format!("# TYPE x gauge\n{open}"));
    }
}
