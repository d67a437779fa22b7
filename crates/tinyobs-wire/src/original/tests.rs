use super::*;

fn refused(text: &str) -> (Refusal, String) {
    Item::parse(text).unwrap_err()
}

#[test]
fn i_original_1_an_item_is_a_sample() {
    let text = r#"{
      "name": "ctr_total",
      "type": "counter",
      "value": 0.1,
      "labels": { "s": "x\"y", "__type__": "kept" },
      "timestamp": "2026-11-22T00:16:02.347673375Z"
    }"#;
    let item = Item::parse(text).unwrap();
    assert_eq!(item.name, "ctr_total");
    assert_eq!(item.kind, Kind::Counter);
    assert_eq!(
        item.labels,
        [
            ("s".into(), "x\"y".into()),
            ("__type__".into(), "kept".into())
        ]
    );
    assert_eq!(item.sample, Sample::new(1_795_306_562_347, 0.1));
    let bare = r#"{"name":"m","value":1,"labels":null,"timestamp":"2026-11-22T00:16:02Z"}"#;
    let item = Item::parse(bare).unwrap();
    assert_eq!((item.kind, item.labels.len()), (Kind::Unknown, 0));
}

#[test]
fn i_original_2_a_mean_is_a_sample_of_its_series() {
    let text = r#"{"name":"ctr_total","type":"gauge","value":2745,"labels":{"__count__":"300",
        "__max__":"4240.000000","__min__":"1250.000000","__resolution__":"5m",
        "__sum__":"823500.000000","s":"x"},"timestamp":"2026-11-21T16:20:00Z"}"#;
    let item = Item::parse(text).unwrap();
    assert_eq!(item.labels, [("s".into(), "x".into())]);
    assert_eq!(item.kind, Kind::Unknown);
    assert_eq!(item.sample, Sample::new(1_795_278_000_000, 2_745.0));
}

#[test]
fn bad_items_say_why() {
    assert_eq!(refused("7").0, Refusal::Malformed);
    assert_eq!(
        refused("{\"name\":\"m\",\"value\":1}").0,
        Refusal::TimeInvalid
    );
    assert_eq!(refused("{} {}").0, Refusal::Malformed);
    let with =
        |rest: &str| format!("{{\"name\":\"m\",\"timestamp\":\"2026-11-22T00:16:02Z\",{rest}}}");
    assert_eq!(refused(&with("\"value\":null")).0, Refusal::ValueNotANumber);
    assert_eq!(
        refused(&with("\"value\":1,\"type\":\"bad\"")).0,
        Refusal::TypeUnknown
    );
    let zero = "{\"name\":\"m\",\"value\":1,\"timestamp\":\"0001-01-01T00:00:00Z\"}";
    assert_eq!(refused(zero).0, Refusal::TimeInvalid);
}

fn read(text: &str) -> (Vec<String>, Result<(), String>) {
    let mut seen = Vec::new();
    let read = items(text.as_bytes(), |item| {
        seen.push(item.to_owned());
        seen.len() < 4
    });
    (seen, read)
}

#[test]
fn i_original_3_elements_come_one_by_one() {
    let text =
        r#"{ "metadata": {"format": "json", "x": [[]]}, "metrics": [ {"a": 1}, 7 ], "y": 1 }"#;
    assert!(looks_like_one(text) && looks_like_one("{\n  \"metrics\": null}"));
    assert!(!looks_like_one("{\"metric\":{") && !looks_like_one("") && !looks_like_one("[1]"));
    assert_eq!(
        read(text),
        (vec!["{\"a\": 1}".to_owned(), "7".to_owned()], Ok(()))
    );
    assert_eq!(read("{\"metrics\":null}"), (vec![], Ok(())));
    assert_eq!(
        read("{\"metrics\":[1,2,3,4,5").0.len(),
        4,
        "it is told to stop"
    );
    let (seen, cut) = read("{\"metrics\":[1,\n[2");
    assert_eq!(
        (seen.len(), cut),
        (
            1,
            Err("it ends within a list at line 2, column 2".to_owned())
        )
    );
    assert!(read("{\"metrics\":[1,2]} x").1.is_err());
    assert!(
        read("[]")
            .1
            .unwrap_err()
            .starts_with("an object with a list of metrics is expected, not a list")
    );
    let long = format!(
        "{{\"metrics\":[1,\"{}\"]}}",
        "x".repeat(limits::ITEM_BYTES + 20_000)
    );
    let (seen, refused) = read(&long);
    assert_eq!(seen, ["1"]);
    assert!(refused.unwrap_err().contains("an element has more than"));
}
