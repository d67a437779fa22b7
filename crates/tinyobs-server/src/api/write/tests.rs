use proptest::prelude::*;

use super::*;

fn value(value: f64) -> String {
    let mut text = Vec::new();
    write_value(&mut text, value);
    String::from_utf8(text).unwrap()
}

#[test]
fn i_write_1_values_as_prometheus_writes_them() {
    for (number, text) in [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (0.1, "0.1"),
        (-2.5, "-2.5"),
        (1e6, "1000000"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1.5e300, "1.5e+300"),
        (1e-6, "0.000001"),
        (1.25e-7, "1.25e-07"),
        (5e-324, "5e-324"),
        (f64::MAX, "1.7976931348623157e+308"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "+Inf"),
        (f64::NEG_INFINITY, "-Inf"),
    ] {
        assert_eq!(value(number), text);
    }
}

proptest! {
    #[test]
    fn i_write_1_values_read_back(bits: u64) {
        let number = f64::from_bits(bits);
        prop_assume!(number.is_finite());
        let back: f64 = value(number).parse().unwrap();
        prop_assert_eq!(back.to_bits(), bits);
    }
}

#[test]
fn i_write_2_times_are_seconds() {
    for (ms, expected) in [
        (0, "0"),
        (1_000, "1"),
        (1_435_781_430_781, "1435781430.781"),
        (1_010, "1.010"),
        (1_001, "1.001"),
        (-1_500, "-1.500"),
        (-1, "-0.001"),
    ] {
        let mut text = Vec::new();
        write_time(&mut text, ms);
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }
}

fn written(value: AnswerValue, limit: usize) -> String {
    let mut written = Written::new(value.into(), 1_500, limit);
    written.warnings = vec!["damaged"];
    written.answer.warnings = vec!["PromQL warning: w (1:1)".to_owned()];
    written.answer.infos = vec!["PromQL info: i (1:1)".to_owned()];
    let mut text = Vec::new();
    written.write(&mut text).unwrap();
    String::from_utf8(text).unwrap()
}

#[test]
fn each_type_has_its_shape() {
    let notes = ",\"warnings\":[\"damaged\",\"PromQL warning: w (1:1)\"],\
                 \"infos\":[\"PromQL info: i (1:1)\"]}\n";
    let data = |value| {
        let text = written(value, usize::MAX);
        let data = text.strip_prefix("{\"status\":\"success\",\"data\":");
        data.and_then(|data| data.strip_suffix(notes))
            .unwrap_or_else(|| panic!("{text}"))
            .to_owned()
    };
    let one = Sample::new(1_500, 1.5);
    let series = |points: &[Sample]| {
        vec![SeriesPoints {
            labels: Labels::new("m", [("a", "\"\n")]).unwrap(),
            points: points.to_vec(),
        }]
    };
    assert_eq!(
        data(AnswerValue::Scalar(one)),
        r#"{"resultType":"scalar","result":[1.500,"1.5"]}"#
    );
    assert_eq!(
        data(AnswerValue::String("x".to_owned())),
        r#"{"resultType":"string","result":[1.500,"x"]}"#
    );
    assert_eq!(
        data(AnswerValue::Vector(series(&[one]))),
        r#"{"resultType":"vector","result":[{"metric":{"__name__":"m","a":"\"\n"},"value":[1.500,"1.5"]}]}"#
    );
    let two = Sample::new(2_000, f64::NAN);
    assert_eq!(
        data(AnswerValue::Matrix(series(&[one, two]))),
        r#"{"resultType":"matrix","result":[{"metric":{"__name__":"m","a":"\"\n"},"values":[[1.500,"1.5"],[2,"NaN"]]}]}"#
    );
    assert_eq!(
        data(AnswerValue::Vector(Vec::new())),
        r#"{"resultType":"vector","result":[]}"#
    );
}

#[test]
fn a_limit_cuts_and_says_so() {
    let series = ["a", "b", "c"].map(|value| SeriesPoints {
        labels: Labels::new("m", [("l", value)]).unwrap(),
        points: vec![Sample::new(0, 0.0)],
    });
    let text = written(AnswerValue::Vector(series.to_vec()), 2);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["data"]["result"].as_array().unwrap().len(), 2);
    assert_eq!(
        json["warnings"][0],
        "results truncated due to limit: there are more than 2 series"
    );
}

/// Counts how large the pieces are.
struct Pieces(Vec<usize>);

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.push(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn i_write_3_large_answers_go_in_pieces() {
    let series = (0..2_000).map(|i| SeriesPoints {
        labels: Labels::new("m", [("l", format!("{i}").as_str())]).unwrap(),
        points: vec![Sample::new(0, 0.0); 100],
    });
    let value = AnswerValue::Matrix(series.collect());
    let written = Written::new(value.into(), 0, usize::MAX);
    let mut pieces = Pieces(Vec::new());
    written.write(&mut pieces).unwrap();
    assert!(pieces.0.iter().sum::<usize>() > 1_000_000);
    let largest = pieces.0.iter().max().copied().unwrap();
    assert!(largest < PIECE_BYTES + 4_096, "{largest}");
}
