use tinyobs_promql::parse;

use super::*;

#[test]
fn i_failure_1_the_status_follows_from_the_sort() {
    for (kind, name, status) in [
        (Kind::BadData, "bad_data", 400),
        (Kind::Execution, "execution", 422),
        (Kind::Timeout, "timeout", 503),
        (Kind::Canceled, "canceled", 503),
        (Kind::Unavailable, "unavailable", 503),
        (Kind::NotFound, "not_found", 404),
        (Kind::Internal, "internal", 500),
    ] {
        assert_eq!((kind.name(), kind.status().as_u16()), (name, status));
        let response = Failure::new(kind, "x").into_response();
        assert_eq!(response.status(), kind.status());
        let comes_again = response.headers().contains_key(header::RETRY_AFTER);
        assert_eq!(comes_again, kind == Kind::Unavailable, "{name}");
    }
}

#[test]
fn evaluation_says_which_sort_it_is() {
    let kind = |error: EvalError| Failure::from(error).kind();
    assert_eq!(kind(EvalError::Timeout), Kind::Timeout);
    assert_eq!(kind(EvalError::Cancelled), Kind::Canceled);
    assert_eq!(kind(EvalError::TooManySamples { most: 1 }), Kind::Execution);
    assert_eq!(kind(EvalError::Moved), Kind::Unavailable);
    let reason = || "r".to_owned();
    assert_eq!(
        kind(EvalError::Busy { reason: reason() }),
        Kind::Unavailable
    );
    assert_eq!(
        kind(EvalError::BadQuery { reason: reason() }),
        Kind::BadData
    );
    let message = reason();
    assert_eq!(
        kind(EvalError::Storage(SelectError { message })),
        Kind::Internal
    );
}

#[test]
fn a_place_in_the_query_is_told() {
    let error = parse("sum(").unwrap_err();
    let text = String::from_utf8(Failure::unparsed("query", &error).to_json()).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["status"], "error");
    assert_eq!(json["errorType"], "bad_data");
    assert_eq!(json["position"], serde_json::json!({"start": 4, "end": 4}));
    let message = json["error"].as_str().unwrap();
    assert!(
        message.starts_with("invalid parameter \"query\": 1:5: parse error: "),
        "{message}"
    );
}
