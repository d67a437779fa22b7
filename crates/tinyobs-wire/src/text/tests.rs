use proptest::prelude::*;

use super::*;

/// Entries as one would say them, labels behind their sample.
fn read(body: &str, dialect: Dialect) -> Result<Vec<String>, String> {
    let mut lines = Lines::new(body.as_bytes(), dialect).map_err(|e| e.to_string())?;
    let mut out = Vec::new();
    while let Some(entry) = lines.next_entry().map_err(|e| e.to_string())? {
        out.push(match entry {
            Entry::Help(name, help) => format!("help {name}: {help}"),
            Entry::Type(name, word) => format!("type {name}: {word:?}"),
            Entry::Unit(name, unit) => format!("unit {name}: {unit}"),
            Entry::Sample {
                name,
                value,
                time_ms,
            } => format!("{name} {:?} {value} {time_ms:?}", lines.labels()),
        });
    }
    Ok(out)
}

fn old(body: &str) -> Vec<String> {
    read(body, Dialect::Prometheus).unwrap()
}

fn refused(body: &str) -> String {
    read(body, Dialect::Prometheus).unwrap_err()
}

#[test]
fn a_page_as_prometheus_documents_it() {
    let body = "# HELP http_requests_total The total \\\\ number\\nof requests. \n\
         # TYPE http_requests_total counter\n\
         http_requests_total{method=\"post\",code=\"200\"} 1027 1395066363000\n\
         \n\
         # a comment\n\
         #\n\
         msdos_file_access_time_seconds{path=\"C:\\\\DIR\\\\F.TXT\",error=\"No \\\"file\\\"\\n\",} 1.458255915e9\n\
         \t metric_without_timestamp_and_labels \t 12.47 \t\r\n\
         something_weird{problem=\"division by zero\"} +Inf -3982045\n\
         a:b{ } NaN\n\
         # TYPE rpc summary\n";
    assert_eq!(
        old(body),
        [
            "help http_requests_total: The total \\ number\nof requests.",
            "type http_requests_total: Counter",
            "http_requests_total [(\"method\", \"post\"), (\"code\", \"200\")] 1027 Some(1395066363000)",
            "msdos_file_access_time_seconds [(\"path\", \"C:\\\\DIR\\\\F.TXT\"), (\"error\", \"No \\\"file\\\"\\n\")] 1458255915 None",
            "metric_without_timestamp_and_labels [] 12.47 None",
            "something_weird [(\"problem\", \"division by zero\")] inf Some(-3982045)",
            "a:b [] NaN None",
            "type rpc: Summary",
        ]
    );
}

#[test]
fn names_in_quotes() {
    assert_eq!(
        old("{\"my.name\",\"a b\"=\"c\",d = \"é\"} -0\n# TYPE \"my.name\" gauge\n{\"x\\\"y\"} 1\n"),
        [
            "my.name [(\"a b\", \"c\"), (\"d\", \"é\")] -0 None",
            "type my.name: Gauge",
            "x\"y [] 1 None",
        ]
    );
    assert_eq!(
        refused("m{\"n\"} 1\n"),
        "a second metric name, or a label without a value at line 1, column 3"
    );
    assert_eq!(
        refused("{a=\"b\"} 1\n"),
        "a metric name is missing at line 1, column 8"
    );
}

#[test]
fn openmetrics_has_seconds_exemplars_units_and_an_end() {
    let body = "# TYPE foo_seconds histogram\n# UNIT foo_seconds seconds\n\
         foo_seconds_bucket{le=\"1.0\"} 11 1520879607.789 # {trace_id=\"KOO5S4vxi0o\"} 0.67 1520879607.7\n\
         foo_seconds_count 17 # {} 1\n\
         foo_seconds_created 1520430000.123\n\
         # TYPE e stateset\n# TYPE i info\n# TYPE g gaugehistogram\n# TYPE u unknown\n\
         # EOF";
    assert_eq!(
        read(body, Dialect::OpenMetrics).unwrap(),
        [
            "type foo_seconds: Histogram",
            "unit foo_seconds: seconds",
            "foo_seconds_bucket [(\"le\", \"1.0\")] 11 Some(1520879607789)",
            "foo_seconds_count [] 17 None",
            "foo_seconds_created [] 1520430000.123 None",
            "type e: StateSet",
            "type i: Info",
            "type g: GaugeHistogram",
            "type u: Unknown",
        ]
    );
    let refused = |body| read(body, Dialect::OpenMetrics).unwrap_err();
    assert_eq!(
        refused("a 1\n"),
        "`# EOF` is missing: the body may have been cut at line 2, column 1"
    );
    assert_eq!(
        refused("# EOF\na 1\n"),
        "something stands behind `# EOF` at line 2, column 1"
    );
    assert_eq!(
        refused("a 1 # 2\n# EOF\n"),
        "an exemplar begins with `{` at line 1, column 7"
    );
    assert_eq!(
        Dialect::of_content_type("Application/OpenMetrics-text; version=1.0.0"),
        Dialect::OpenMetrics
    );
    assert_eq!(Dialect::of_content_type("text/plain"), Dialect::Prometheus);
}

#[test]
fn i_text_2_an_error_names_line_and_column() {
    for (body, message) in [
        ("a\n", "a value is missing at line 1, column 2"),
        ("a 1\nb x\n", "\"x\" is not a number at line 2, column 3"),
        (
            "a 1e999\n",
            "\"1e999\" does not fit a number at line 1, column 3",
        ),
        (
            "a 1 2 3\n",
            "\"3\" is not expected here at line 1, column 7",
        ),
        (
            "a 1 2.5\n",
            "\"2.5\" is not a time in whole milliseconds at line 1, column 5",
        ),
        (
            "a 1 # {} 1\n",
            "\"#\" is not expected here at line 1, column 5",
        ),
        (
            "a{b=\"c} 1\n",
            "a quoted text does not end at line 1, column 5",
        ),
        (
            "a{b=\"\\x\"} 1\n",
            "an escape is none of \\\\, \\\" and \\n at line 1, column 6",
        ),
        ("a{b=c} 1\n", "a quoted text is missing at line 1, column 5"),
        (
            "a{b} 1\n",
            "`=` is missing behind a label name at line 1, column 4",
        ),
        (
            "a{b=\"c\" d=\"e\"} 1\n",
            "neither `,` nor `}` follows a label at line 1, column 9",
        ),
        (
            "a{b=\"c\"\n",
            "neither `,` nor `}` follows a label at line 1, column 8",
        ),
        (
            "a{,} 1\n",
            "\",}\" does not begin a label name; quote names with other characters at line 1, column 3",
        ),
        (
            "1a 1\n",
            "\"1a\" does not begin a metric name; quote names with other characters at line 1, column 1",
        ),
        (
            "é 1\n",
            "\"é\" does not begin a metric name; quote names with other characters at line 1, column 1",
        ),
        (
            "# TYPE a counters\n",
            "\"counters\" is not a type of metric at line 1, column 10",
        ),
        (
            "# TYPE\n",
            "\"\" does not begin a metric name; quote names with other characters at line 1, column 7",
        ),
    ] {
        assert_eq!(refused(body), message, "{body:?}");
    }
    let error = Lines::new(b"a 1\nb{c=\"\xff\"} 1\n", Dialect::Prometheus).unwrap_err();
    assert_eq!(error.to_string(), "text is not UTF-8 at line 2, column 6");
}

#[test]
fn i_text_3_numbers_are_exact() {
    for text in [
        "0.1",
        "5e-324",
        "1.7976931348623157e+308",
        "-0.0",
        "9007199254740993",
    ] {
        let body = format!("a {text}\n");
        let mut lines = Lines::new(body.as_bytes(), Dialect::Prometheus).unwrap();
        let Some(Entry::Sample { value, .. }) = lines.next_entry().unwrap() else {
            panic!("no sample");
        };
        assert_eq!(value.to_bits(), text.parse::<f64>().unwrap().to_bits());
    }
}

#[test]
fn i_text_4_a_cut_body_is_refused() {
    assert_eq!(
        refused("a 1\nb 12"),
        "the last line does not end with a line feed at line 2, column 5"
    );
    assert_eq!(old("a 1\n# the end"), ["a [] 1 None"]);
    assert_eq!(old(""), [""; 0]);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in "[a{}\"=,\\\\n# 1.eE\n+TYPHELé]{0,60}") {
        for dialect in [Dialect::Prometheus, Dialect::OpenMetrics] {
            if let Err(error) = read(&body, dialect) {
                prop_assert!(error.len() < 600, "{error}");
            }
        }
    }

    /// I-TEXT-1: what is written with its escapes is read as it was.
    #[test]
    fn what_is_escaped_comes_back(name in ".{1,20}", value in "\\PC{0,20}", number: f64) {
        let quote = |text: &str| {
            text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
        };
        let body = format!("{{\"{}\",l=\"{}\"}} {number:?}\n", quote(&name), quote(&value));
        let mut lines = Lines::new(body.as_bytes(), Dialect::Prometheus).unwrap();
        let Some(Entry::Sample { name: read, value: at, .. }) = lines.next_entry().unwrap() else {
            panic!("no sample");
        };
        prop_assert_eq!(&*read, name.as_str());
        prop_assert_eq!(&*lines.labels()[0].1, value.as_str());
        prop_assert!(at == number || number.is_nan());
    }
}
