//! `tinyobs push`: values from arguments and from standard input.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Stdio;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::cli::{Process, tinyobs};
use crate::export::export;
use crate::server::now_ms;
use crate::transfer::{run, with_input};

#[test]
fn push_sends_arguments_or_lines() {
    let process = Process::serve(&[]);
    let url = format!("http://{}", process.client().0);
    let dir = tempfile::tempdir().unwrap();
    let push = ["push", "--url", &url];
    let one = [
        &push[..],
        &["temperature", "-3.5", "room=a b", "--type", "gauge"],
    ]
    .concat();
    assert_eq!(run(&dir, &one), (Some(0), String::new(), String::new()));
    let mut lines = tinyobs(&dir);
    lines.args(push);
    let input = b"jobs 1 queue=mail\n# a comment\n\njobs two\njobs 3 queue=sms\n";
    let (code, _, stderr) = with_input(lines, input);
    assert_eq!(code, Some(1));
    assert_eq!(
        stderr,
        "line 4: \"two\" is not a finite number\nerror: 1 line was not stored\n"
    );
    let values: Vec<String> = export(process.client(), "format=csv")
        .lines()
        .map(|line| line.split(',').skip(1).collect::<Vec<_>>().join(","))
        .collect();
    assert_eq!(
        values,
        [
            "name,type,value,resolution,queue,room",
            "jobs,unknown,1,raw,mail,",
            "jobs,unknown,3,raw,sms,",
            "temperature,gauge,-3.5,raw,,a b",
        ]
    );
    let mut nothing = tinyobs(&dir);
    nothing.args(push);
    let (code, _, stderr) = with_input(nothing, b"# only this\n");
    let said = "nothing was pushed: there was no sample on standard input\n";
    assert_eq!((code, stderr.as_str()), (Some(0), said));
    let (code, _, stderr) = run(&dir, &[&push[..], &["m"]].concat());
    assert_eq!(code, Some(1));
    assert!(
        stderr.contains("a sample is a name, a value, and labels such as host=db1"),
        "{stderr}"
    );
    let nobody = [
        "push",
        "--retry",
        "0",
        "--url",
        "http://127.0.0.1:1",
        "m",
        "1",
    ];
    let nobody = run(&dir, &nobody);
    assert_eq!(nobody.0, Some(1));
    assert!(nobody.2.contains("nothing listens there"), "{}", nobody.2);
}

#[test]
fn push_takes_labels_in_braces_and_a_byte_order_mark() {
    let process = Process::serve(&[]);
    let url = format!("http://{}", process.client().0);
    let dir = tempfile::tempdir().unwrap();
    let one = ["push", "--url", &url, "b{l=\"x y\"}", "2"];
    assert_eq!(run(&dir, &one), (Some(0), String::new(), String::new()));
    let mut lines = tinyobs(&dir);
    lines.args(["push", "--url", &url]);
    let input = "\u{feff}a{l=\"x y\",m=\"}\"} 1 n=z\nc{l=x} 3\n";
    let (code, _, stderr) = with_input(lines, input.as_bytes());
    assert_eq!(code, Some(1));
    assert!(
        stderr.starts_with("line 2: \"c{l=x}\": a quoted text is missing; "),
        "{stderr}"
    );
    let stored: Vec<Value> = export(process.client(), "")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let labels: Vec<_> = stored.iter().map(|line| &line["metric"]).collect();
    let a = json!({"__name__": "a", "l": "x y", "m": "}", "n": "z"});
    assert_eq!(labels, [&a, &json!({"__name__": "b", "l": "x y"})]);
}

#[test]
fn i_push_2_no_line_is_ahead_of_the_clock() {
    let process = Process::serve(&[]);
    let url = format!("http://{}", process.client().0);
    let dir = tempfile::tempdir().unwrap();
    let begun = now_ms();
    // The second run begins as soon as the first has ended.
    for run in 0..2 {
        let mut lines = tinyobs(&dir);
        lines.args(["push", "--url", &url]);
        let lines_of: Vec<_> = (0..500).map(|i| format!("x {}\n", run * 500 + i)).collect();
        let input = lines_of.concat();
        let (code, _, stderr) = with_input(lines, input.as_bytes());
        assert_eq!((code, stderr.as_str()), (Some(0), ""));
        let ended = now_ms();
        let stored: Value = serde_json::from_str(&export(process.client(), "")).unwrap();
        let times = stored["timestamps"].as_array().unwrap();
        let newest = times.last().unwrap().as_i64().unwrap();
        assert!(newest <= ended, "{newest} is ahead of {ended}");
        assert!(times[0].as_i64().unwrap() >= begun);
        let all: Vec<i64> = (0..(run + 1) * 500).collect();
        assert_eq!(stored["values"], json!(all));
    }
}

/// A server that answers one connection after the other so, and closes them; to nothing it does not
/// even listen. Returns what it was sent.
fn answering(answers: Vec<String>) -> (String, JoinHandle<Vec<Value>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = thread::spawn(move || {
        let mut bodies = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            if answer.is_empty() {
                continue;
            }
            let mut request = Vec::new();
            let body = loop {
                let mut some = [0; 4_096];
                let read = stream.read(&mut some).unwrap();
                request.extend_from_slice(&some[..read]);
                let text = String::from_utf8_lossy(&request);
                let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
                if let Ok(body) = serde_json::from_str(body) {
                    break body;
                }
            };
            bodies.push(body);
            stream.write_all(answer.as_bytes()).unwrap();
        }
        bodies
    });
    (url, serving)
}

fn answer(status: &str, body: &str) -> String {
    let len = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {len}\r\nconnection: close\r\n\r\n{body}")
}

#[test]
fn i_push_5_what_is_not_answered_is_sent_again() {
    let refused = r#"{"count":1,"refused":1,"errors":[{"index":1,"message":"no"}]}"#;
    let (url, serving) = answering(vec![
        String::new(),
        answer("503 Service Unavailable", r#"{"message":"stopping"}"#),
        answer("200 OK", refused),
    ]);
    let dir = tempfile::tempdir().unwrap();
    let mut lines = tinyobs(&dir);
    lines.args(["push", "--url", &url]);
    let (code, _, stderr) = with_input(lines, b"a 1\n# b\nc 2\n");
    assert_eq!(code, Some(1), "{stderr}");
    let said: Vec<&str> = stderr.lines().collect();
    let silent = format!("no server answers at {url}: ");
    assert!(
        said[0].starts_with(&silent) && said[0].ends_with("; trying again for 30 seconds"),
        "{stderr}"
    );
    assert_eq!(said[1..], ["line 3: no", "error: 1 line was not stored"]);
    let bodies = serving.join().unwrap();
    assert_eq!(bodies.len(), 2);
    // With the same times.
    assert_eq!(bodies[0], bodies[1]);
    assert!(bodies[0]["metrics"][1]["timestamp"].is_i64());
}

#[test]
fn i_push_5_nobody_is_waited_for_longer_than_was_said() {
    let dir = tempfile::tempdir().unwrap();
    let mut lines = tinyobs(&dir);
    lines.args(["push", "--url", "http://127.0.0.1:1", "--retry", "1"]);
    let begun = Instant::now();
    let (code, _, stderr) = with_input(lines, b"# a\nb 1\nc 2\n");
    assert_eq!(code, Some(1));
    let nobody = "no server answers at http://127.0.0.1:1: nothing listens there";
    let expected = format!(
        "{nobody}; trying again for 1 seconds\nerror: {nobody}; nothing is stored from line 2 on\n"
    );
    assert_eq!(stderr, expected);
    let took = begun.elapsed().as_millis();
    assert!((700..10_000).contains(&took), "{took} ms");
}

#[test]
fn i_push_2_lines_of_one_series_are_all_stored() {
    let process = Process::serve(&[]);
    let url = format!("http://{}", process.client().0);
    let dir = tempfile::tempdir().unwrap();
    let push = ["push", "--url", &url];
    let at = now_ms() - 60_000;
    let rfc3339 = tinyobs_wire::time::format_rfc3339(at + 1);
    let mut lines = tinyobs(&dir);
    lines.args(push);
    let input =
        format!("x 1\nx 2\nx 3\ny 4 {at}\ny 5 {rfc3339}\ny 6 {at}\ny 7 2026-11-22T00:00:00\n");
    let (code, _, stderr) = with_input(lines, input.as_bytes());
    assert_eq!(code, Some(1));
    assert_eq!(
        stderr,
        "line 6: takes the place of line 4, which has the same series and time\n\
         line 7: \"2026-11-22T00:00:00\" has no zone: end it with Z for UTC, or with an offset such as \
         +01:00\nerror: 1 line was not stored\n"
    );
    let stored: Vec<Value> = export(process.client(), "")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(stored[0]["values"], json!([1, 2, 3]));
    assert_eq!(stored[1]["values"], json!([6, 5]));
    assert_eq!(stored[1]["timestamps"], json!([at, at + 1]));
    // More than the server names one by one.
    let mut lines = tinyobs(&dir);
    lines.args(push);
    let future: Vec<String> = (0..250)
        .map(|i| format!("f 1 2040-01-01T00:00:00Z i={i}"))
        .collect();
    let input = format!("g 1\n{}\n", future.join("\n"));
    let (code, _, stderr) = with_input(lines, input.as_bytes());
    assert_eq!(code, Some(1));
    assert!(
        stderr
            .ends_with("150 more of these lines were refused\nerror: 250 lines were not stored\n"),
        "{stderr}"
    );
    let at = at.to_string();
    let one = [&push[..], &["z", "8", &at]].concat();
    assert_eq!(run(&dir, &one).0, Some(0));
    assert!(export(process.client(), "match[]=z").contains(&format!("[{at}]")));
}

#[test]
fn i_push_3_a_line_does_not_wait_for_the_next() {
    let process = Process::serve(&[]);
    let url = format!("http://{}", process.client().0);
    let dir = tempfile::tempdir().unwrap();
    let mut child = tinyobs(&dir)
        .args(["push", "--url", &url])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"x 1\n").unwrap();
    let begun = Instant::now();
    while export(process.client(), "").is_empty() {
        assert!(begun.elapsed().as_secs() < 20, "it waits for more");
        thread::sleep(Duration::from_millis(50));
    }
    drop(input);
    assert!(child.wait().unwrap().success());
}
