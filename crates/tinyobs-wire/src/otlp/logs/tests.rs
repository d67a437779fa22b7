use super::*;

#[test]
fn records_are_counted_in_both_encodings() {
    let json =
        br#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{},{"body":{"stringValue":"x"}}]},{}]},
        {"scopeLogs":[{"logRecords":[{"severityNumber":9}]}]}]}"#;
    assert_eq!(count(Format::Json, json), Ok(3));
    assert_eq!(count(Format::Json, b"{}"), Ok(0));
    // Two resources, with two scopes and one; a record is field 2 of a scope, which is field 2.
    let proto = b"\x0a\x08\x12\x04\x12\x00\x12\x00\x12\x00\x0a\x04\x12\x02\x12\x00";
    assert_eq!(count(Format::Protobuf, proto), Ok(3));
    assert_eq!(count(Format::Protobuf, b""), Ok(0));
}

#[test]
fn what_is_no_request_is_an_error() {
    for body in ["{\"resourceLogs\":1}", "[]", "{\"resourceLogs\":[[]]}"] {
        assert!(count(Format::Json, body.as_bytes()).is_err(), "{body}");
    }
    assert!(count(Format::Protobuf, b"\x0a\x08").is_err());
}
