use proptest::collection::vec;
use proptest::prelude::*;
use tinyobs_model::{Kind, Labels, METRIC_NAME, Refusal, Resolution, Rollup, Sample, stale_marker};

use super::*;
use crate::exposition::About;

const PLAIN: &[f64] = &[
    1.0,
    -0.0,
    0.1,
    1e300,
    5e-324,
    f64::MIN,
    9_007_199_254_740_993.0,
];

fn labels() -> Labels {
    Labels::new("up", [("job", "a \"b\"\n\\"), ("größe", "\u{1}")]).unwrap()
}

fn samples(line: Line<'_>) -> Vec<Sample> {
    match line.content {
        Content::Samples(columns) => columns.iter().collect(),
        Content::Rollups(..) => panic!("rows"),
    }
}

fn line(labels: &Labels, samples: &[Sample], described: Option<Described<'_>>) -> String {
    let times: Vec<i64> = samples.iter().map(|sample| sample.time_ms).collect();
    let values: Vec<f64> = samples.iter().map(|sample| sample.value).collect();
    let mut writer = Writer::default();
    writer.begin(labels, described);
    let mut out = Vec::new();
    writer.samples(&mut out, &times, &values);
    String::from_utf8(out).unwrap()
}

#[test]
fn a_line_has_the_shape_that_victoriametrics_has() {
    let samples = [
        Sample::new(1_000, 42.0),
        Sample::new(2_000, -0.5),
        Sample::new(3_000, f64::INFINITY),
        Sample::new(4_000, f64::NEG_INFINITY),
        Sample::new(5_000, f64::NAN),
    ];
    let up = Labels::new("up", [("job", "x"), ("A", "first")]).unwrap();
    assert_eq!(
        line(&up, &samples, None),
        "{\"metric\":{\"__name__\":\"up\",\"A\":\"first\",\"job\":\"x\"},\
         \"values\":[42,-0.5,\"Infinity\",\"-Infinity\",null],\
         \"timestamps\":[1000,2000,3000,4000,5000]}\n"
    );
    let about = About {
        help: "Is it?",
        unit: "",
    };
    let described = Described {
        kind: Kind::Gauge,
        about,
    };
    assert_eq!(
        line(
            &up,
            &[Sample::new(-1, stale_marker()), Sample::new(0, f64::NAN)],
            Some(described)
        ),
        "{\"metric\":{\"__name__\":\"up\",\"A\":\"first\",\"job\":\"x\"},\"type\":\"gauge\",\
         \"help\":\"Is it?\",\"values\":[null,null],\"timestamps\":[-1,0],\
         \"nans\":[\"7ff0000000000002\",\"7ff8000000000000\"]}\n"
    );
}

#[test]
fn a_line_of_victoriametrics_is_read() {
    let text = r#" {"timestamps": [1, 2,3,4,5,6,7] , "other":{"x":[]},
        "metric":{"job":"x\n","__name__":"up"},
        "values":[1e3,"NaN","-Infinity","+Inf","null",null,-0.0]}"#;
    let line = Line::parse(text).unwrap();
    assert_eq!((&*line.name, line.kind), ("up", Kind::Unknown));
    assert_eq!(line.labels, [("job".into(), "x\n".into())]);
    let values = [
        1e3,
        f64::NAN,
        f64::NEG_INFINITY,
        f64::INFINITY,
        f64::NAN,
        f64::NAN,
        -0.0,
    ];
    let sent = (1..).zip(values).map(|(at, value)| Sample::new(at, value));
    assert_eq!(samples(line), sent.collect::<Vec<_>>());
    let empty = r#"{"metric":{"__name__":"m"},"values":[ ],"timestamps":[]}"#;
    assert_eq!(samples(Line::parse(empty).unwrap()), []);
}

#[test]
fn i_lines_2_a_bad_sample_costs_only_itself() {
    let (values, times) = ("[1,2,null,4]", "[1,2,3,4]");
    let nans = "\"nans\":[\"7ff0000000000002\"]";
    let stale = f64::from_bits(0x7ff0_0000_0000_0002);
    let all = [(1, 1.0), (2, 2.0), (3, stale), (4, 4.0)];
    for (from, to, bad, expected) in [
        (
            times,
            "[1,2.5,3,4]",
            vec![1],
            "1 of 4 samples left out: \"2.5\" in \"timestamps\" is not a \
                                         whole number that fits",
        ),
        (
            times,
            "[9223372036854775808,2,3,4]",
            vec![0],
            "1 of 4 samples left out: \"9223372036854775808\" in",
        ),
        (
            values,
            "[1,true,null,1e999]",
            vec![1, 3],
            "2 of 4 samples left out: \"true\" in \"values\" is not",
        ),
        (
            values,
            "[\"one\",2,null,4]",
            vec![0],
            "1 of 4 samples left out: \"\\\"one\\\"\" in \"values\"",
        ),
        (
            values,
            "[[1],{},null,\"\"]",
            vec![0, 1, 3],
            "3 of 4 samples left out: \"[1]\" in \"values\"",
        ),
    ] {
        let text = format!(
            "{{\"metric\":{{\"__name__\":\"m\"}},\"values\":{values},\"timestamps\":{times},{nans}}}"
        );
        let line = text.replace(from, to);
        let line = Line::parse(&line).unwrap();
        let message = line.left_out.clone().unwrap();
        assert!(message.starts_with(expected), "{message}");
        let good = all.iter().enumerate().filter(|(at, _)| !bad.contains(at));
        let good: Vec<_> = good
            .map(|(_, (at, value))| (*at, value.to_bits()))
            .collect();
        let read = samples(line).into_iter();
        let read: Vec<_> = read
            .map(|sample| (sample.time_ms, sample.value.to_bits()))
            .collect();
        assert_eq!(read, good);
    }
}

#[test]
fn i_lines_2_what_is_wrong_is_named() {
    let with = |rest: &str| format!(r#"{{"metric":{{"__name__":"m"}},{rest}}}"#);
    let (values, times) = (r#""values":[1,2]"#, r#""timestamps":[1,2]"#);
    for (text, expected) in [
        (String::new(), "line is malformed: it ends within a value"),
        (
            "7".to_owned(),
            "line is malformed: an object is expected, not 7",
        ),
        (format!("{{{values},{times}}}"), "\"metric\" is missing"),
        (with(times), "\"values\" is missing"),
        (with(values), "\"timestamps\" is missing"),
        (
            with(&format!("{values},\"timestamps\":[1]")),
            "\"timestamps\" has 1 elements where \"values\" has 2",
        ),
        (
            with(&format!("\"values\":{{\"0\":1}},{times}")),
            "\"values\" is not a list",
        ),
        (
            with(&format!("\"values\":[1,null],{times},\"nans\":[]")),
            "\"\" in \"nans\" is not the 16 digits",
        ),
        (
            with(&format!("{values},{times},\"nans\":[\"7ff8000000000000\"]")),
            "\"nans\" has more elements",
        ),
        (
            with(&format!(
                "\"values\":[1,null],{times},\"nans\":[\"3ff0000000000000\"]"
            )),
            "is not the 16 digits of a NaN",
        ),
        (
            with(&format!("{values},{times},\"type\":\"Counter\"")),
            "type \"Counter\" is not one of unknown, counter",
        ),
        (
            with(&format!("{values},{times},\"resolution\":\"5m\"")),
            "come together or not at all",
        ),
        (
            with(&format!("{values},{times},{values}")),
            "the field `values` is there twice",
        ),
    ] {
        let (_, message) = Line::parse(&text).unwrap_err();
        assert!(message.contains(expected), "{text}: {message}");
    }
    let many: Vec<String> = (0..66).map(|i| format!("\"l{i}\":\"v\"")).collect();
    let text = format!("{{\"metric\":{{{}}},{values},{times}}}", many.join(","));
    assert_eq!(Line::parse(&text).unwrap_err().0, Refusal::TooManyLabels);
}

#[test]
fn i_lines_2_a_row_stands_in_its_window() {
    let row = |start: i64, first: i64, last: i64| {
        format!(
            "{{\"metric\":{{\"__name__\":\"m\"}},\"values\":[1],\"timestamps\":[{last}],\
             \"resolution\":\"5m\",\"rollup\":{{\"start\":[{start}],\"count\":[1],\
             \"first_time\":[{first}],\"ended\":[0],\"first\":[1],\"min\":[1],\"max\":[1],\
             \"sum\":[1],\"increase\":[0]}}}}"
        )
    };
    assert!(Line::parse(&row(300_000, 300_000, 599_999)).is_ok());
    for bad in [
        row(1, 2, 3),
        row(300_000, 299_999, 300_001),
        row(300_000, 300_001, 600_000),
        row(300_000, 300_002, 300_001),
        row(i64::MAX, i64::MAX, i64::MAX),
        row(300_000, 300_000, 300_001).replace("\"5m\"", "\"raw\""),
        row(300_000, 300_000, 300_001).replace("\"5m\"", "\"2m\""),
        row(300_000, 300_000, 300_001).replace("\"count\":[1]", "\"count\":[-1]"),
        row(300_000, 300_000, 300_001).replace("\"min\":[1]", "\"min\":[1,1]"),
    ] {
        assert_eq!(
            Line::parse(&bad).unwrap_err().0,
            Refusal::Malformed,
            "{bad}"
        );
    }
}

#[test]
fn lines_are_told_from_other_files() {
    assert!(looks_like_one(" {\"metric\":{\"__name__\":\"up\"},"));
    assert!(looks_like_one("{ \"values\":[1],\"timest"));
    assert!(!looks_like_one("{\n  \"metadata\": {"));
    assert!(!looks_like_one("{\"metrics\":["));
    assert!(!looks_like_one("timestamp,name,type"));
}

fn any_value() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<u64>().prop_map(f64::from_bits),
        (0..PLAIN.len()).prop_map(|at| PLAIN[at]),
        Just(stale_marker()),
        Just(f64::NAN),
        Just(f64::from_bits(0xfff8_dead_beef_0001)),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        any::<i64>().prop_map(|whole| whole as f64),
    ]
}

fn any_samples() -> impl Strategy<Value = Vec<Sample>> {
    vec(
        (any::<i64>(), any_value()).prop_map(|(at, value)| Sample::new(at, value)),
        0..40,
    )
}

fn any_row(resolution: Resolution) -> impl Strategy<Value = Rollup> {
    let width_ms = resolution.width_ms();
    let numbers = proptest::array::uniform6(any_value());
    let times = (-1_000_000..1_000_000_000_i64, 0..width_ms, 0..width_ms);
    (times, 0..9_u64, numbers, any::<bool>()).prop_map(move |(times, count, numbers, ended)| {
        let (window, one, other) = times;
        let start_ms = window * width_ms;
        let [first, last, sum, min, max, increase] = numbers;
        Rollup {
            start_ms,
            count,
            sum,
            min,
            max,
            first: Sample::new(start_ms + one.min(other), first),
            last: Sample::new(start_ms + one.max(other), last),
            increase,
            ended,
        }
    })
}

/// VictoriaMetrics' shape, read by somebody who knows nothing of us.
#[derive(serde::Deserialize)]
struct Theirs {
    metric: std::collections::HashMap<String, String>,
    /// Raw, because this reader of JSON rounds the last bit of some numbers.
    values: Vec<Box<serde_json::value::RawValue>>,
    timestamps: Vec<i64>,
}

fn by_json(raw: &serde_json::value::RawValue) -> f64 {
    match raw.get() {
        "null" => f64::NAN,
        "\"Infinity\"" => f64::INFINITY,
        "\"-Infinity\"" => f64::NEG_INFINITY,
        number => number.parse().unwrap(),
    }
}

proptest! {
    #[test]
    fn i_lines_1_samples_read_back_bit_for_bit(
        sent in any_samples(),
        kind in 0..5_usize,
        help in ".{0,20}",
        unit in ".{0,5}",
        name in ".{1,20}",
        value in ".{1,20}",
    ) {
        let kind = Kind::ALL[kind];
        let labels = Labels::new(&name, [("l", value.as_str())]).unwrap();
        let described = Described { kind, about: About { help: &help, unit: &unit } };
        let text = line(&labels, &sent, Some(described));
        let read = Line::parse(&text).unwrap();
        prop_assert_eq!((&*read.name, read.kind), (name.as_str(), kind));
        prop_assert_eq!((&*read.help, &*read.unit), (help.as_str(), unit.as_str()));
        prop_assert_eq!(&read.labels, &vec![("l".into(), value.into())]);
        prop_assert_eq!(samples(read), sent);
    }

    /// The oracle is a reader of JSON that knows only VictoriaMetrics' shape.
    #[test]
    fn i_lines_1_others_read_all_but_the_bits_of_a_nan(samples in any_samples()) {
        let text = line(&labels(), &samples, None);
        let json: Theirs = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&json.metric[METRIC_NAME], "up");
        prop_assert_eq!(&json.metric["job"], "a \"b\"\n\\");
        prop_assert_eq!(&json.metric["größe"], "\u{1}");
        let values = json.values.iter().map(|raw| by_json(raw).to_bits());
        let read: Vec<(i64, u64)> = json.timestamps.into_iter().zip(values).collect();
        let plain = |value: f64| if value.is_nan() { f64::NAN } else { value };
        let sent = samples.iter().map(|s| (s.time_ms, plain(s.value).to_bits()));
        prop_assert_eq!(read, sent.collect::<Vec<_>>());
    }

    #[test]
    fn i_lines_1_rows_read_back_bit_for_bit(
        rows in vec(any_row(Resolution::Hour), 0..20),
    ) {
        let mut writer = Writer::default();
        writer.begin(&labels(), None);
        let mut out = Vec::new();
        writer.rollups(&mut out, Resolution::Hour, &rows);
        let text = String::from_utf8(out).unwrap();
        match Line::parse(&text).unwrap().content {
            Content::Rollups(resolution, read) => {
                prop_assert_eq!((resolution, read), (Resolution::Hour, rows));
            }
            Content::Samples(_) => prop_assert!(false, "samples"),
        }
    }

    #[test]
    fn i_lines_2_no_text_panics(text in ".{0,200}", cut in 0..400_usize, samples in any_samples()) {
        let _ = Line::parse(&text);
        let whole = line(&labels(), &samples, None);
        let cut = whole.floor_char_boundary(cut.min(whole.len() - 2));
        prop_assert!(Line::parse(&whole[..cut]).is_err());
    }
}
