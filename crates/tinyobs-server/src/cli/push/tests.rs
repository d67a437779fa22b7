use serde_json::json;

use super::*;

fn read<'a>(words: &[&'a str]) -> Result<Sample<'a>, String> {
    Sample::read(words)
}

#[test]
fn a_sample_is_a_name_a_value_a_time_and_labels() {
    let words = ["up", "-0.5", "host=db1", "path=/a=b", "empty="];
    assert_eq!(
        read(&words).unwrap().item(Some("gauge")),
        json!({"name": "up", "value": -0.5, "type": "gauge",
               "labels": {"host": "db1", "path": "/a=b", "empty": ""}})
    );
    assert_eq!(
        read(&["up", "1"]).unwrap().item(None),
        json!({"name": "up", "value": 1.0, "labels": {}})
    );
    for time in [
        "1795306562347",
        "1795306562.347",
        "2026-11-22T00:16:02.347Z",
    ] {
        assert_eq!(
            read(&["up", "1", time, "a=b"]).unwrap().item(None),
            json!({"name": "up", "value": 1.0, "labels": {"a": "b"}, "timestamp": 1_795_306_562_347_i64})
        );
    }
    for (words, expected) in [
        (
            &["up"][..],
            "a sample is a name, a value, and labels such as host=db1",
        ),
        (&["up", "one"], "\"one\" is not a finite number"),
        (&["up", "NaN"], "\"NaN\" is not a finite number"),
        (
            &["up", "1", "host"],
            "\"host\" is neither a label such as host=db1 nor a time such as 2026-11-22T03:04:05Z or \
             1795306562",
        ),
        (&["up", "1", "5"], "the time \"5\" lies before March 1973"),
        (
            &["up", "1", "1795306562", "1795306563"],
            "\"1795306563\" is a second time",
        ),
        (&["up", "1", "a=1", "a=2"], "label \"a\" is given twice"),
    ] {
        assert_eq!(read(words).unwrap_err(), expected);
    }
}

const NOW: i64 = 1_795_306_562_347;

fn times(batch: &mut Batch) -> Vec<i64> {
    let items = batch.take().into_iter();
    items
        .map(|(_, item)| item["timestamp"].as_i64().unwrap())
        .collect()
}

#[test]
fn i_push_2_lines_of_one_series_have_times_of_their_own() {
    let mut batch = Batch::default();
    let add = |batch: &mut Batch, read_ms, words: &[&str]| {
        batch.add(1, read_ms, &read(words).unwrap(), None)
    };
    for (read_ms, words) in [
        (NOW, &["x", "1"][..]),
        (NOW, &["x", "2"]),
        (NOW, &["x", "3", "a=1"]),
        (NOW, &["x", "4", "empty="]),
        (NOW + 1, &["x", "5"]),
        (NOW + 9, &["x", "6"]),
    ] {
        assert_eq!(add(&mut batch, read_ms, words), None, "{words:?}");
    }
    assert_eq!(
        times(&mut batch),
        [NOW, NOW + 1, NOW, NOW + 2, NOW + 3, NOW + 9]
    );
    // Over the border of a batch, too.
    add(&mut batch, NOW + 9, &["x", "7"]);
    assert_eq!(times(&mut batch), [NOW + 10]);
    // The clock was set back.
    add(&mut batch, NOW, &["x", "8"]);
    assert_eq!(times(&mut batch), [NOW + 11]);
}

#[test]
fn i_push_1_a_line_that_takes_anothers_place_names_it() {
    let mut batch = Batch::default();
    let at = NOW.to_string();
    let first = ["x", "1", at.as_str(), "a=1"];
    assert_eq!(batch.add(3, NOW, &read(&first).unwrap(), None), None);
    let second = ["x", "2", "a=1", at.as_str()];
    assert_eq!(batch.add(7, NOW, &read(&second).unwrap(), None), Some(3));
    // Without a time of its own it takes nobody's.
    assert_eq!(
        batch.add(8, NOW, &read(&["x", "3", "a=1"]).unwrap(), None),
        None
    );
    assert_eq!(times(&mut batch), [NOW, NOW, NOW + 1]);
    assert_eq!(batch.len(), 0);
}

#[test]
fn i_push_4_a_bad_line_costs_only_itself() {
    let long = "x".repeat(limits::STREAM_LINE_BYTES + 1);
    let fits = "y".repeat(limits::STREAM_LINE_BYTES);
    let input = [
        b"a 1\r\n\xff\n".as_slice(),
        long.as_bytes(),
        b"\n",
        fits.as_bytes(),
        b"\nz",
    ]
    .concat();
    let lines = lines::read(std::io::Cursor::new(input));
    let mut got = Vec::new();
    while let Next::Line(line) = lines.next_until(None) {
        assert_eq!(line.number, got.len() + 1);
        got.push(line.text);
    }
    let expected = [
        Ok("a 1".to_owned()),
        Err("line is not UTF-8".to_owned()),
        Err("line has more than 1048576 bytes".to_owned()),
        Ok(fits),
        Ok("z".to_owned()),
    ];
    assert_eq!(got, expected);
}
