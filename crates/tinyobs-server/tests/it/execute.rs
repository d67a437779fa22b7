//! The original's queries, answered by the same engine.

use serde_json::{Value, json};

use crate::api::{T, server};
use crate::client::{Answer, Client};
use crate::server::escape;

fn execute(client: Client, body: &Value) -> Answer {
    let headers = [("content-type", "application/json")];
    client.send(
        "POST",
        "/v1/query/execute",
        &headers,
        body.to_string().as_bytes(),
    )
}

#[test]
fn i_execute_1_the_originals_shape() {
    let server = server();
    let client = server.client();
    let body = json!({
        "query": "sum by (job) (requests_total)",
        "start": "2023-11-14T22:13:20Z", "end": "2023-11-14T22:13:50Z", "step": "15s",
    });
    assert_eq!(
        execute(client, &body).text(),
        "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[{\"metric\":\
         {\"job\":\"shop\"},\"values\":[[1700000000,\"0\"],[1700000015,\"33\"],\
         [1700000030,\"66\"]]}]},\"query\":\"sum by (job) (requests_total)\"}\n"
    );
    let expected = "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{\
                    \"metric\":{},\"values\":[[1700000300,\"660\"]]}]},\
                    \"query\":\"sum(requests_total)\"}\n";
    let path = format!(
        "/v1/query/instant?query={}&time={}",
        escape("sum(requests_total)"),
        escape("2023-11-14T22:18:20Z")
    );
    assert_eq!(client.get(&path).text(), expected);
    assert_eq!(client.send("POST", &path, &[], b"").text(), expected);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = format!("query=sum(requests_total)&time={}", T + 300);
    let answer = client.send("POST", "/v1/query/instant", &form, body.as_bytes());
    assert_eq!(answer.text(), expected);
}

#[test]
fn times_may_be_numbers_and_empty_ones_are_none() {
    let server = server();
    let client = server.client();
    let ask = |body: &Value| execute(client, body).json()["data"]["result"].clone();
    let query = "requests_total{code=\"500\"}";
    let values = json!([{
        "metric": {"__name__": "requests_total", "code": "500", "job": "shop"},
        "values": [[T, "0"], [T + 15, "3"], [T + 30, "6"]],
    }]);
    for (start, end, step) in [
        (json!(T), json!(T + 30), json!(15)),
        (json!(T * 1_000), json!((T + 30) * 1_000), json!("")),
        (
            json!(T as f64 * 1e3),
            json!((T + 30) as f64 * 1e3),
            json!(15.0),
        ),
        (
            json!(T as f64 + 0.0),
            json!(format!("{}", T + 30)),
            json!(null),
        ),
    ] {
        let body = json!({"query": query, "start": start, "end": end, "step": step});
        assert_eq!(ask(&body), values, "{body}");
    }
    // Now, when there is nothing any more.
    let body = json!({"query": query, "start": "", "end": ""});
    assert_eq!(ask(&body), json!([]));
    for (body, message) in [
        (
            json!({"query": "up", "end": [1]}),
            "end must be text or a number",
        ),
        (
            json!([]),
            "invalid JSON: an object such as {\"query\":\"up\"} is expected, not a list at line 1",
        ),
        (
            json!("up"),
            "invalid JSON: an object such as {\"query\":\"up\"} is expected, not \"up\" at line 1",
        ),
        (
            json!({"query": "up", "start": 1e300}),
            "start: \"1e+300\" is not a time",
        ),
        (
            json!({"query": "up", "start": i64::MIN, "end": i64::MAX}),
            "invalid parameter \"step\": 614891469123651 steps are more than the 11000",
        ),
    ] {
        let error = execute(client, &body).error(400);
        assert!(error.starts_with(message), "{error}");
    }
}

#[test]
fn what_is_wrong_is_a_4xx_in_our_shape() {
    let server = server();
    let client = server.client();
    for (body, message) in [
        (json!({}), "query parameter is required"),
        (
            json!({"query": "up", "start": "2026-01-02T00:00:00Z", "end": "2026-01-01T00:00:00Z"}),
            "start must be before end",
        ),
        (
            json!({"query": "up", "step": "soon"}),
            "invalid parameter \"step\": \"soon\" is not a length of time: use seconds or a \
             duration such as 1h30m",
        ),
        (
            json!({"query": "up", "step": "0s"}),
            "step must be a millisecond at least",
        ),
        (
            json!({"query": "foo(up)"}),
            "invalid parameter \"query\": 1:1: parse error: unknown function \"foo\"",
        ),
    ] {
        let error = execute(client, &body).error(400);
        assert!(error.starts_with(message), "{error}");
    }
    let query = escape("requests_total * on(job) requests_total");
    let path = format!("/v1/query/instant?query={query}&time={}", T + 300);
    client.get(&path).error(422);
    client.get("/v1/query/instant").error(400);
    client
        .get("/v1/query/instant?query=up&time=noon")
        .error(400);
}
