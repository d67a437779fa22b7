use super::*;

#[test]
fn a_sample_is_a_name_a_value_and_labels() {
    let words = ["up", "-0.5", "host=db1", "path=/a=b", "empty="];
    assert_eq!(
        item(&words, Some("gauge")),
        Ok(json!({"name": "up", "value": -0.5, "type": "gauge",
                  "labels": {"host": "db1", "path": "/a=b", "empty": ""}}))
    );
    assert_eq!(
        item(&["up", "1"], None),
        Ok(json!({"name": "up", "value": 1.0, "labels": {}}))
    );
    for (words, expected) in [
        (
            &["up"][..],
            "a sample is a name, a value, and labels such as host=db1",
        ),
        (&["up", "one"], "\"one\" is not a finite number"),
        (&["up", "NaN"], "\"NaN\" is not a finite number"),
        (
            &["up", "1", "host"],
            "\"host\" is no label: it must be such as host=db1",
        ),
        (&["up", "1", "a=1", "a=2"], "label \"a\" is given twice"),
    ] {
        assert_eq!(item(words, None).unwrap_err(), expected);
    }
}
