//! `tinyobs query`.

use std::process::Output;

use serde_json::json;
use tempfile::TempDir;

use crate::api::{T, server};
use crate::cli::{text, tinyobs};

fn ask(dir: &TempDir, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output: Output = tinyobs(dir).arg("query").args(arguments).output().unwrap();
    text(&output)
}

const TABLE: &str = "requests_total{code=\"200\", job=\"shop\"}  600\n\
                     requests_total{code=\"500\", job=\"shop\"}   60\n";

#[test]
fn i_cliquery_1_a_server_and_its_store_answer_alike() {
    let mut server = server();
    let dir = tempfile::tempdir().unwrap();
    let url = format!("http://{}", server.client().0);
    let at = (T + 300).to_string();
    let end = (T + 45).to_string();
    let start = T.to_string();
    let questions: [&[&str]; 4] = [
        &["requests_total", "--time", &at],
        &["requests_total", "--time", &at, "--json"],
        &[
            "temperature",
            "--range",
            "45s",
            "--end",
            &end,
            "--step",
            "15",
        ],
        &[
            "requests_total",
            "--start",
            &start,
            "--end",
            &end,
            "--step",
            "15s",
        ],
    ];
    let mut answers = Vec::new();
    for question in questions {
        let (code, out, err) = ask(&dir, &[question, &["--url", &url]].concat());
        assert_eq!((code, err.as_str()), (Some(0), ""), "{question:?}");
        answers.push(out);
    }
    assert_eq!(answers[0], TABLE);
    let json: serde_json::Value = serde_json::from_str(&answers[1]).unwrap();
    assert_eq!(json["data"]["result"][0]["value"], json!([T + 300, "600"]));
    assert!(answers[2].contains("\n     20.5 ┤▁▁▁▁\n"), "{}", answers[2]);
    assert!(answers[2].contains("2023-11-14T22:13:20.000Z … 2023-11-14T22:14:05.000Z"));
    assert_eq!(
        answers[3],
        "requests_total{code=\"200\", job=\"shop\"}  min 0  max 90  last 90\n  ▁▃▆█\n\
         requests_total{code=\"500\", job=\"shop\"}  min 0  max 9  last 9\n  ▁▃▆█\n"
    );
    server.shutdown();
    server.wait();
    let data = server.data_dir();
    for (question, answer) in questions.iter().zip(answers) {
        let store = ["--data-dir", data.to_str().unwrap()];
        let (code, out, err) = ask(&dir, &[question, &store[..]].concat());
        assert_eq!((code, err.as_str()), (Some(0), ""), "{question:?}");
        assert_eq!(out, answer);
    }
}

#[test]
fn i_cliquery_2_what_is_wrong_is_shown_under_its_place() {
    let server = server();
    let dir = tempfile::tempdir().unwrap();
    let url = format!("http://{}", server.client().0);
    let (code, out, err) = ask(&dir, &["sum(rate(x[5m])", "--url", &url]);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(err.starts_with("error: 1:16: parse error: "), "{err}");
    assert!(
        err.ends_with("\nsum(rate(x[5m])\n               ^\n"),
        "{err}"
    );
    let at = (T + 300).to_string();
    let query = "1 + (requests_total * on(job) requests_total)";
    let (code, _, err) = ask(&dir, &[query, "--time", &at, "--url", &url]);
    assert_eq!(code, Some(1));
    assert!(
        err.contains("\n1 + (requests_total * on(job) requests_total)\n     ^^^"),
        "{err}"
    );
    for (arguments, message) in [
        (
            &["up", "--step", "1"][..],
            "--step needs --range, or --start and --end",
        ),
        (&["up", "--end", "1"], "--end needs --start or --range"),
        (&["up", "--range", "0"], "--range must be greater than 0"),
        (
            &["up", "--range", "1h", "--time", "1"],
            "--time is for one moment: use --end with --range",
        ),
        (
            &["up", "--start", "noon"],
            "invalid parameter \"start\": \"noon\" is not a time",
        ),
        (
            &["up", "--time", "1795306562347"],
            "--time 1795306562347 looks like milliseconds: use Unix seconds, 1795306562.347, or RFC 3339",
        ),
        (
            &["up", "--range", "1h", "--end", "1795306562000"],
            "--end 1795306562000 looks like milliseconds: use Unix seconds, 1795306562, or RFC 3339",
        ),
    ] {
        let (code, _, err) = ask(&dir, &[arguments, &["--url", &url]].concat());
        assert_eq!(code, Some(1), "{arguments:?}");
        assert!(err.starts_with(&format!("error: {message}")), "{err}");
    }
}

#[test]
fn explain_says_what_it_took() {
    let server = server();
    let dir = tempfile::tempdir().unwrap();
    let url = format!("http://{}", server.client().0);
    let at = (T + 300).to_string();
    let question = [
        "sum(requests_total)",
        "--time",
        &at,
        "--explain",
        "--url",
        &url,
    ];
    let (code, out, err) = ask(&dir, &question);
    assert_eq!((code, out.as_str()), (Some(0), "{}  660\n"));
    let words: Vec<&str> = err
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(
        words,
        [
            "waited",
            "read",
            "evaluated",
            "series",
            "samples",
            "held",
            "stored",
            "raw",
            "",
            ""
        ]
    );
    let lines: Vec<&str> = err.lines().rev().take(2).collect();
    assert!(
        lines[1].ends_with(" ms       1 series        40 samples  sum(requests_total)"),
        "{err}"
    );
    assert!(
        lines[0].ends_with(" ms       2 series        40 samples    requests_total"),
        "{err}"
    );
    assert!(err.contains("series     2\nsamples    40\n"), "{err}");
}
