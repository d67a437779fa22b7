//! Prometheus' HTTP API: queries, letter by letter.

use serde_json::{Value, json};
use tinyobs_store::Retention;

use crate::client::{Answer, Client};
use crate::server::{TestServer, escape};

/// Unix seconds at which the samples of these tests begin.
pub const T: i64 = 1_700_000_000;

/// A server that keeps everything, with two counters of a sample every 15 s for five minutes, and a
/// gauge.
pub fn server() -> TestServer {
    let server = TestServer::with(|config| config.retention = Retention::FOR_EVER);
    let mut items = Vec::new();
    for i in 0..=20 {
        let time = (T + 15 * i) * 1_000;
        for (code, rate) in [("200", 30), ("500", 3)] {
            items.push(json!({
                "name": "requests_total", "type": "counter", "value": i * rate,
                "labels": {"job": "shop", "code": code}, "timestamp": time,
                "help": "Requests so far.",
            }));
        }
        items.push(json!({
            "name": "temperature", "type": "gauge", "value": 20.5,
            "labels": {"job": "house"}, "timestamp": time, "unit": "celsius",
        }));
    }
    push(server.client(), &items);
    server
}

pub fn push(client: Client, items: &[Value]) {
    let answer = client.push(&json!({ "metrics": items }).to_string());
    assert_eq!(answer.status, 200, "{}", answer.text());
}

pub fn post(client: Client, path: &str, form: &str) -> Answer {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    client.send("POST", path, &headers, form.as_bytes())
}

/// The text of a 200, by GET.
pub fn success(client: Client, path: &str) -> String {
    let answer = client.get(path);
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    answer.text().trim_end().to_owned()
}

/// Status, `errorType` and `error`, after checking that nothing else is there.
pub fn failure(answer: &Answer) -> (u16, String, String) {
    let body = answer.json();
    assert_eq!(body["status"], "error");
    let mut keys: Vec<&String> = body.as_object().unwrap().keys().collect();
    keys.retain(|key| *key != "position");
    assert_eq!(keys, ["error", "errorType", "status"]);
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    (answer.status, text("errorType"), text("error"))
}

fn instant(client: Client, query: &str, time: &str) -> String {
    success(
        client,
        &format!("/api/v1/query?query={}&time={time}", escape(query)),
    )
}

#[test]
fn an_instant_query_is_answered_letter_by_letter() {
    let server = server();
    let client = server.client();
    let at = (T + 300).to_string();
    assert_eq!(
        instant(client, "requests_total", &at),
        r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"requests_total","code":"200","job":"shop"},"value":[1700000300,"600"]},{"metric":{"__name__":"requests_total","code":"500","job":"shop"},"value":[1700000300,"60"]}]}}"#
    );
    assert_eq!(
        instant(client, "requests_total{code=\"500\"} / 8", &at),
        r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"code":"500","job":"shop"},"value":[1700000300,"7.5"]}]}}"#
    );
    assert_eq!(
        instant(client, "temperature[30s]", "2023-11-14T22:18:20.5Z"),
        r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"temperature","job":"house"},"values":[[1700000285,"20.5"],[1700000300,"20.5"]]}]}}"#
    );
    for (query, data) in [
        (
            "1/0",
            r#"{"resultType":"scalar","result":[1700000300.125,"+Inf"]}"#,
        ),
        (
            "-1/0",
            r#"{"resultType":"scalar","result":[1700000300.125,"-Inf"]}"#,
        ),
        (
            "NaN",
            r#"{"resultType":"scalar","result":[1700000300.125,"NaN"]}"#,
        ),
        (
            "1e21",
            r#"{"resultType":"scalar","result":[1700000300.125,"1000000000000000000000"]}"#,
        ),
        (
            "1e-7",
            r#"{"resultType":"scalar","result":[1700000300.125,"0.0000001"]}"#,
        ),
        (
            "vector(1e-7)",
            r#"{"resultType":"vector","result":[{"metric":{},"value":[1700000300.125,"1e-07"]}]}"#,
        ),
        (
            "\"x\\n\"",
            r#"{"resultType":"string","result":[1700000300.125,"x\n"]}"#,
        ),
        ("nothing", r#"{"resultType":"vector","result":[]}"#),
    ] {
        assert_eq!(
            instant(client, query, "1700000300.125"),
            format!("{{\"status\":\"success\",\"data\":{data}}}"),
        );
    }
}

#[test]
fn a_range_query_is_answered_letter_by_letter() {
    let server = server();
    let client = server.client();
    let expected = r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"code":"500"},"values":[[1700000000,"0"],[1700000090.500,"18"],[1700000181,"36"]]}]}}"#;
    let query = escape("sum by (code) (requests_total{code=\"500\"})");
    let form = format!("query={query}&start={T}&end={}&step=90.5", T + 200);
    let path = "/api/v1/query_range";
    assert_eq!(success(client, &format!("{path}?{form}")), expected);
    assert_eq!(post(client, path, &form).text().trim_end(), expected);
    // Grafana writes whole seconds with a point, and adds parameters of its own.
    let grafana = format!(
        "query={query}&start={T}.000&end={}.000&step=90.5&custom=x&timeout=30s",
        T + 200
    );
    assert_eq!(post(client, path, &grafana).text().trim_end(), expected);
    // Half in the address, half in the form, whose part counts first.
    let (address, body) = form.split_once('&').unwrap();
    let mixed = post(client, &format!("{path}?{address}&step=1"), body);
    assert_eq!(mixed.text().trim_end(), expected);
}

#[test]
fn i_api_2_what_cannot_be_read_is_named() {
    let server = server();
    let client = server.client();
    for (path, message) in [
        (
            "query",
            "invalid parameter \"query\": 1:1: parse error: the query is empty",
        ),
        (
            "query?query=up&time=noon",
            "invalid parameter \"time\": \"noon\" is not a time: use Unix seconds or RFC 3339",
        ),
        (
            "query?query=up&timeout=soon",
            "invalid parameter \"timeout\": \"soon\" is not a length of time: use seconds or a duration such as 1h30m",
        ),
        (
            "query?query=up&limit=-1",
            "invalid parameter \"limit\": \"-1\" is not a number from 0 on; 0 is all",
        ),
        (
            "query_range?query=up&start=1&end=2",
            "invalid parameter \"step\": it is missing",
        ),
        (
            "query_range?query=up&start=1&end=2&step=-1",
            "invalid parameter \"step\": \"-1\" is not a step, which is a millisecond at least: use seconds or a duration such as 15s",
        ),
        (
            "query_range?query=up&start=2&end=1&step=1",
            "invalid parameter \"end\": it lies before the start",
        ),
        (
            "query_range?query=up&start=0&end=11001&step=1",
            "invalid parameter \"step\": 11001 steps are more than the 11000 that one answer may have: a step of 1.001 seconds would fit",
        ),
        (
            "series",
            "invalid parameter \"match[]\": at least one is needed, such as match[]=up or match[]={job=\"node\"}",
        ),
    ] {
        let answer = client.get(&format!("/api/v1/{path}"));
        let expected = (400, "bad_data".to_owned(), message.to_owned());
        assert_eq!(failure(&answer), expected);
    }
    let answer = client.get("/api/v1/query_range?query=up[5m]&start=1&end=2&step=1");
    let (status, kind, message) = failure(&answer);
    assert_eq!((status, kind.as_str()), (400, "bad_data"));
    assert!(message.contains("range vector"), "{message}");
    let json = [("content-type", "application/json")];
    let answer = client.send("POST", "/api/v1/query", &json, br#"{"query":"up"}"#);
    assert_eq!(failure(&answer).0, 400);
}

#[test]
fn i_api_1_a_query_that_cannot_be_answered_is_422() {
    let server = server();
    let client = server.client();
    let query = escape("sum_over_time(vector(1)[100y:1ms])");
    let answer = client.get(&format!("/api/v1/query?query={query}"));
    assert_eq!(answer.json()["position"], json!({"start": 14, "end": 33}));
    let (status, kind, message) = failure(&answer);
    assert_eq!((status, kind.as_str()), (422, "execution"));
    let end = "moments, more than the 1000000 that are allowed, ask for less time or a larger step";
    assert!(message.ends_with(end), "{message}");
    let query = escape("requests_total * on(job) requests_total");
    let answer = client.get(&format!("/api/v1/query?query={query}&time={}", T + 300));
    let (status, kind, _) = failure(&answer);
    assert_eq!((status, kind.as_str()), (422, "execution"));
    assert_eq!(
        answer.json()["position"]["start"].as_u64(),
        Some(0),
        "{}",
        answer.text()
    );
}

#[test]
fn notes_and_limits_are_told() {
    let server = server();
    let client = server.client();
    let path = format!("/api/v1/query?time={}&limit=1&query=", T + 300);
    let answer = client.get_json(&format!("{path}requests_total"));
    assert_eq!(answer["data"]["result"].as_array().unwrap().len(), 1);
    assert_eq!(
        answer["warnings"],
        json!(["results truncated due to limit: there are more than 1 series"])
    );
    let answer = client.get_json(&format!("{path}{}", escape("rate(temperature[5m])")));
    assert_eq!(
        answer["infos"],
        json!([
            "PromQL info: metric might not be a counter, its name does not end in \
                _total/_sum/_count/_bucket: \"temperature\" (1:6)"
        ])
    );
    let answer = client.get_json(&format!("{path}{}", escape("quantile(2, requests_total)")));
    assert_eq!(
        answer["warnings"],
        json!(["PromQL warning: a quantile is between 0 and 1, not 2 (1:10)"])
    );
}

#[test]
fn the_look_back_can_be_chosen() {
    let server = server();
    let client = server.client();
    let results = |lookback: &str| {
        let path = format!("/api/v1/query?query=temperature&time={}{lookback}", T + 400);
        client.get_json(&path)["data"]["result"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(results(""), 1);
    assert_eq!(results("&lookback_delta=1m"), 0);
    assert_eq!(results("&lookback_delta=101"), 1);
}

#[test]
fn stats_say_what_it_took() {
    let server = server();
    let client = server.client();
    let path = format!("/api/v1/query?query=sum(requests_total)&time={}", T + 300);
    assert_eq!(client.get_json(&path)["data"]["stats"], Value::Null);
    let answer = client.get_json(&format!("{path}&stats=all"));
    let stats = &answer["data"]["stats"];
    assert_eq!(stats["samples"]["totalQueryableSamples"], 40);
    assert_eq!(stats["tinyobs"]["series"], 2);
    assert_eq!(stats["tinyobs"]["heavy"], false);
    let read = &stats["tinyobs"]["resolutions"];
    assert_eq!(read.as_array().unwrap().len(), 1);
    assert_eq!(
        (&read[0]["resolution"], &read[0]["count"]),
        (&json!("raw"), &json!(40))
    );
    assert!(read[0]["from"].as_f64() < read[0]["to"].as_f64(), "{read}");
    assert!(stats["tinyobs"]["bytesRead"].as_u64() > Some(0), "{stats}");
    let part = |place: usize| {
        let node = &stats["tinyobs"]["nodes"][place];
        let seconds = node["seconds"].as_f64().unwrap();
        assert!((0.0..10.0).contains(&seconds), "{node}");
        let text = node["text"].as_str().unwrap();
        let counts = ["depth", "series", "samples"].map(|name| node[name].as_u64().unwrap());
        (text, counts)
    };
    assert_eq!(part(0), ("sum(requests_total)", [0, 1, 40]));
    assert_eq!(part(1), ("requests_total", [1, 2, 40]));
    for timing in [
        "evalTotalTime",
        "resultSortTime",
        "queryPreparationTime",
        "innerEvalTime",
        "execQueueTime",
        "execTotalTime",
    ] {
        let seconds = stats["timings"][timing].as_f64().unwrap();
        assert!((0.0..10.0).contains(&seconds), "{timing}: {stats}");
    }
}

#[test]
fn answers_are_packed_where_the_client_takes_it() {
    let server = server();
    let path = format!(
        "/api/v1/query_range?query=requests_total&start={T}&end={}&step=1",
        T + 300
    );
    let headers = [("accept-encoding", "gzip")];
    let answer = server.client().send("GET", &path, &headers, b"");
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    let mut text = String::new();
    let mut unpacked = flate2::read::GzDecoder::new(&answer.body[..]);
    std::io::Read::read_to_string(&mut unpacked, &mut text).unwrap();
    assert_eq!(text, server.client().get(&path).text());
}

#[test]
fn queries_are_formatted_and_taken_apart() {
    let server = server();
    let client = server.client();
    let query = escape("sum(rate(x{a!~\"b\"}[5m]  offset 1h))by(job)>bool 1e3");
    assert_eq!(
        success(client, &format!("/api/v1/format_query?query={query}")),
        r#"{"status":"success","data":"sum by (job) (rate(x{a!~\"b\"}[5m] offset 1h)) > bool 1000"}"#
    );
    let tree = client.get_json(&format!("/api/v1/parse_query?query={query}"));
    assert_eq!(
        tree["data"],
        json!({
            "type": "binaryExpr", "op": ">", "bool": true, "matching": null,
            "rhs": {"type": "numberLiteral", "val": "1000"},
            "lhs": {
                "type": "aggregation", "op": "sum", "param": null,
                "grouping": ["job"], "without": false,
                "expr": {
                    "type": "call",
                    "func": {
                        "name": "rate", "argTypes": ["matrix"], "variadic": 0,
                        "returnType": "vector",
                    },
                    "args": [{
                        "type": "matrixSelector", "name": "x", "range": 300_000,
                        "offset": 3_600_000, "timestamp": null, "startOrEnd": null,
                        "matchers": [
                            {"name": "a", "value": "b", "type": "!~"},
                            {"name": "__name__", "value": "x", "type": "="},
                        ],
                    }],
                },
            },
        })
    );
    for path in ["format_query", "parse_query"] {
        let (status, kind, message) =
            failure(&post(client, &format!("/api/v1/{path}"), "query=sum("));
        assert_eq!((status, kind.as_str()), (400, "bad_data"));
        assert!(message.starts_with("invalid parameter \"query\": 1:5: parse error: "));
    }
    let path = format!("/api/v1/query_exemplars?query=x&start={T}&end={T}");
    assert_eq!(success(client, &path), r#"{"status":"success","data":[]}"#);
}

#[test]
fn names_that_functions_drop_are_dropped_at_the_end() {
    let server = server();
    // Two metrics, of whose values nobody could tell which is whose.
    let query = escape(
        "sum by (n) (label_replace(max_over_time({job=~\"shop|house\"}[1m]), \"n\", \"$1\", \"__name__\", \"(.*)\"))",
    );
    let path = format!("/api/v1/query?query={query}&time={}", T + 300);
    let answer = server.client().get_json(&path);
    let at = T + 300;
    assert_eq!(
        answer["data"]["result"],
        json!([
            {"metric": {"n": "requests_total"}, "value": [at, "660"]},
            {"metric": {"n": "temperature"}, "value": [at, "20.5"]},
        ])
    );
}

/// The requests of its Prometheus data source, as it writes them.
#[test]
fn grafana_gets_what_it_asks_for() {
    let server = server();
    let client = server.client();
    // "Save & test".
    let answer = post(client, "/api/v1/query", "query=1%2B1&time=4");
    assert_eq!(
        answer.text().trim_end(),
        r#"{"status":"success","data":{"resultType":"scalar","result":[4,"2"]}}"#
    );
    let build = client.get_json("/api/v1/status/buildinfo");
    assert_eq!(build["data"]["features"], Value::Null);
    // A panel: float seconds, in a form.
    let form = format!(
        "end={}.123&query=requests_total%7Bcode%3D%22500%22%7D&start={T}.123&step=15.000",
        T + 30
    );
    let answer = post(client, "/api/v1/query_range", &form).json();
    assert_eq!(
        answer["data"]["result"][0]["values"],
        json!([
            [1_700_000_000.123, "0"],
            [1_700_000_015.123, "3"],
            [1_700_000_030.123, "6"]
        ])
    );
    // The editor, and variables.
    let within = format!("start={T}&end={}&limit=40000", T + 300);
    let values = client.get_json(&format!("/api/v1/label/U__job/values?{within}"));
    assert_eq!(values["data"], json!(["house", "shop"]));
    let labels = post(
        client,
        "/api/v1/labels",
        &format!("{within}&match%5B%5D=temperature"),
    );
    assert_eq!(labels.json()["data"], json!(["__name__", "job"]));
    let quoted = escape("{\"temperature\",job!=\"\"}");
    let series = post(
        client,
        "/api/v1/series",
        &format!("{within}&match[]={quoted}"),
    );
    assert_eq!(series.json()["data"].as_array().unwrap().len(), 1);
    let exemplars = format!("query=requests_total&{within}");
    assert_eq!(
        post(client, "/api/v1/query_exemplars", &exemplars).status,
        200
    );
    for path in ["metadata", "rules", "alerts"] {
        assert_eq!(client.get(&format!("/api/v1/{path}")).status, 200, "{path}");
    }
    // It asks again by GET after a 400 or 405: a POST that is fine must be neither.
    assert_eq!(
        client.send("POST", "/api/v1/metadata", &[], b"").status,
        405
    );
}
