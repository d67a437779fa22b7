use super::*;
use crate::proto::Fields;

fn fields(message: &[u8]) -> Vec<(u32, String)> {
    let mut fields = Fields::new(message);
    let mut read = Vec::new();
    while let Some((number, value)) = fields.next_field().unwrap() {
        let text = match value {
            crate::proto::Value::Bytes(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
            other => other.number().to_string(),
        };
        read.push((number, text));
    }
    read
}

#[test]
fn nothing_to_say_is_an_empty_message() {
    assert_eq!(export(Format::Protobuf, Signal::Metrics, 0, ""), b"");
    assert_eq!(export(Format::Json, Signal::Logs, 0, ""), b"{}");
}

#[test]
fn what_was_rejected_is_said_in_both_encodings() {
    let message = "a \"name\" is empty".repeat(20);
    let out = export(Format::Protobuf, Signal::Metrics, 300, &message);
    let mut outer = Fields::new(&out);
    let (number, partial) = outer.next_field().unwrap().unwrap();
    assert_eq!(number, 1);
    assert_eq!(
        fields(partial.bytes()),
        [(1, "300".to_owned()), (2, message.clone())]
    );
    assert_eq!(outer.next_field().unwrap(), None);
    for (signal, what) in [
        (Signal::Metrics, "rejectedDataPoints"),
        (Signal::Logs, "rejectedLogRecords"),
    ] {
        let out = export(Format::Json, signal, 300, &message);
        let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(json["partialSuccess"][what], "300");
        assert_eq!(json["partialSuccess"]["errorMessage"], *message);
    }
}

#[test]
fn errors_are_a_status() {
    let out = status(Format::Protobuf, 3, "no");
    assert_eq!(fields(&out), [(1, "3".to_owned()), (2, "no".to_owned())]);
    assert_eq!(
        status(Format::Json, 14, "later"),
        b"{\"code\":14,\"message\":\"later\"}"
    );
}
