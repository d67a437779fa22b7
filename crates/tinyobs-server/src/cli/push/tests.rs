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
        batch.add(1, read_ms, &read(words).unwrap(), None, |free_ms| free_ms)
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
    // The clock was set back: nobody waits an hour, and its series begins anew.
    let sample = read(&["x", "8"]).unwrap();
    let back = NOW - 3_600_000;
    let clock = |free_ms| {
        assert_eq!(free_ms, NOW + 11);
        back
    };
    assert_eq!(batch.add(1, back, &sample, None, clock), None);
    add(&mut batch, back, &["x", "9"]);
    assert_eq!(times(&mut batch), [back, back + 1]);
}

#[test]
fn i_push_2_a_time_that_is_to_come_is_waited_for() {
    let now = clock::now_ms();
    assert_eq!(clock::wait_for(now - 5), now - 5);
    assert_eq!(clock::wait_for(now + 20), now + 20);
    assert!(clock::now_ms() >= now + 20);
    let far = clock::wait_for(now + 3_600_000);
    assert!((now..now + 60_000).contains(&far), "{far} is not now");
}

#[test]
fn labels_in_braces_are_labels() {
    for (line, name, labels, rest) in [
        ("s11{a=\"b\"} 1", "s11", json!({"a": "b"}), 1),
        (
            "s11 {a=\"b c\", d=\"}{\\\"\"}1 e=f",
            "s11",
            json!({"a": "b c", "d": "}{\"", "e": "f"}),
            2,
        ),
        ("größe.x{} 1", "größe.x", json!({}), 1),
        (
            "{\"a room\",\"b.c\"=\"1\"} 1",
            "a room",
            json!({"b.c": "1"}),
            1,
        ),
    ] {
        let words = sample::words(line);
        assert_eq!(words.len(), 1 + rest, "{line}");
        let sample = read(&words).unwrap();
        assert_eq!((&*sample.name, sample.value), (name, 1.0), "{line}");
        assert_eq!(json!(sample.labels), labels, "{line}");
    }
    assert_eq!(sample::words("  a  1 b={ "), ["a", "1", "b={"]);
    assert_eq!(sample::words("# {"), ["# {"]);
    let behind = "; labels in braces are written {host=\"db1\"}, in a shell with '…' around them and \
                  the name";
    for (word, reason) in [
        // As a shell makes it of s11{a="b"}.
        ("s11{a=b}", "a quoted text is missing"),
        ("s11{a=\"b\"", "neither `,` nor `}` follows a label"),
        ("s11{a}", "`=` is missing behind a label name"),
        ("{a=\"b\"}", "a metric name is missing"),
        ("s11{} 5", "something stands behind the braces"),
    ] {
        let expected = format!("{word:?}: {reason}{behind}");
        assert_eq!(read(&[word, "1"]).unwrap_err(), expected);
    }
    let twice = read(&["m{a=\"1\"}", "1", "a=2"]).unwrap_err();
    assert_eq!(twice, "label \"a\" is given twice");
}

#[test]
fn i_push_1_a_line_that_takes_anothers_place_names_it() {
    let mut batch = Batch::default();
    let add = |batch: &mut Batch, number, words: &[&str]| {
        batch.add(number, NOW, &read(words).unwrap(), None, |free_ms| free_ms)
    };
    let at = NOW.to_string();
    let first = ["x", "1", at.as_str(), "a=1"];
    assert_eq!(add(&mut batch, 3, &first), None);
    let second = ["x", "2", "a=1", at.as_str()];
    assert_eq!(add(&mut batch, 7, &second), Some(3));
    // Without a time of its own it takes nobody's.
    assert_eq!(add(&mut batch, 8, &["x", "3", "a=1"]), None);
    assert_eq!(times(&mut batch), [NOW, NOW, NOW + 1]);
    assert_eq!(batch.len(), 0);
}

#[test]
fn i_push_4_a_bad_line_costs_only_itself() {
    let long = "x".repeat(limits::STREAM_LINE_BYTES + 1);
    let fits = "y".repeat(limits::STREAM_LINE_BYTES);
    let input = [
        b"\xef\xbb\xbfa 1\r\n\xff\n".as_slice(),
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
