//! The subcommands that look at a store or take care of it: maintain, check, inspect.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cli::{Process, text, tinyobs};
use crate::client::Client;
use crate::server::{TestServer, now_ms};

fn run(dir: &TempDir, arguments: &[&str]) -> (Option<i32>, String, String) {
    text(&tinyobs(dir).args(arguments).output().unwrap())
}

fn push(client: Client) {
    let now = now_ms();
    let items: Vec<Value> = (0..600)
        .map(|i| {
            json!({"name": "room_celsius", "type": "gauge", "value": f64::from(i % 9) / 2.0,
                   "labels": {"room": "a"}, "timestamp": now - 600_000 + 1_000 * i64::from(i)})
        })
        .collect();
    let answer = client.push(&json!({ "metrics": items }).to_string());
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// A directory with a stopped store in `data`.
fn stopped() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = TestServer::with(|config| config.data_dir = data);
    push(server.client());
    drop(server);
    dir
}

fn tables(dir: &Path) -> Vec<PathBuf> {
    let listed = fs::read_dir(dir.join("data/tables")).unwrap();
    let mut tables: Vec<PathBuf> = listed.map(|entry| entry.unwrap().path()).collect();
    tables.sort();
    tables
}

#[test]
fn maintain_opens_a_stopped_store_and_asks_a_running_server() {
    let dir = stopped();
    let (code, stdout, stderr) = run(&dir, &["maintain", "--data-dir", "data"]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(stdout.starts_with("rolled up "), "{stdout}");
    assert!(!stdout.starts_with("rolled up 0 "), "{stdout}");
    let again = run(&dir, &["maintain", "--data-dir", "data"]).1;
    assert!(
        again.starts_with("rolled up 0 windows, merged 0 tables, dropped 0 "),
        "{again}"
    );

    let process = Process::serve(&[]);
    push(process.client());
    let listen = process.client().0.to_string();
    let (code, stdout, stderr) = run(process.dir(), &["maintain", "--listen", &listen]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(!stdout.starts_with("rolled up 0 "), "{stdout}");
    let url = format!("http://{listen}/");
    let (code, stdout, _) = run(&dir, &["maintain", "--url", &url]);
    assert_eq!(code, Some(0));
    assert!(stdout.starts_with("rolled up 0 windows"), "{stdout}");
    // Nor is one asked for a directory that is not there.
    let arguments = ["maintain", "--data-dir", "typo", "--listen", &listen];
    let (code, _, stderr) = run(process.dir(), &arguments);
    assert_eq!(code, Some(1));
    assert!(
        stderr.starts_with("error: there is no store in "),
        "{stderr}"
    );
    // The server of another directory is not the one that is meant.
    let elsewhere = Process::serve(&[]);
    let other = elsewhere.client().0.to_string();
    let arguments = ["maintain", "--data-dir", "tinyobs-data", "--listen", &other];
    let (code, _, stderr) = run(process.dir(), &arguments);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("has its data in"), "{stderr}");
    assert!(stderr.contains("name the right one with --url"), "{stderr}");
}

#[test]
fn i_target_2_a_leftover_store_is_not_taken_for_the_server_that_was_named() {
    // In the default place, as an earlier try leaves it.
    let dir = stopped();
    fs::rename(dir.path().join("data"), dir.path().join("tinyobs-data")).unwrap();
    let server = TestServer::start();
    let body = r#"{"metrics":[{"name":"of_the_server","value":1}]}"#;
    assert_eq!(server.client().push(body).status, 200);
    let listen = server.client().0.to_string();
    let url = format!("http://{listen}");
    let exported = |arguments: &[&str], listen: Option<&str>| {
        let mut command = tinyobs(&dir);
        command.arg("export").args(arguments);
        if let Some(listen) = listen {
            command.env("TINYOBS_LISTEN", listen);
        }
        let (code, stdout, stderr) = text(&command.output().unwrap());
        assert_eq!(code, Some(0), "{arguments:?}: {stderr}");
        (stdout.contains("of_the_server"), stderr)
    };
    let quiet = |is_server| (is_server, String::new());
    assert_eq!(exported(&["--listen", &listen], None), quiet(true));
    assert_eq!(exported(&["--url", &url], None), quiet(true));
    assert_eq!(exported(&[], Some(&listen)), quiet(true));
    // A flag is stronger than a variable, and a directory than an address.
    let named = ["--data-dir", "tinyobs-data"];
    assert_eq!(exported(&named, Some(&listen)), quiet(false));
    let both = ["--data-dir", "tinyobs-data", "--listen", &listen];
    assert_eq!(exported(&both, None), quiet(false));

    // Nobody named anything: what is running counts, and is named.
    let config = format!("listen = \"{listen}\"\n");
    fs::write(dir.path().join("tinyobs.toml"), config).unwrap();
    let (is_server, stderr) = exported(&[], None);
    assert!(is_server);
    assert!(
        stderr.starts_with(&format!(
            "using the server at {url}, which has its data in "
        )),
        "{stderr}"
    );
    assert!(
        stderr.ends_with("tinyobs-data give --data-dir\n"),
        "{stderr}"
    );
    drop(server);
    let (is_server, stderr) = exported(&[], None);
    assert!(!is_server);
    assert!(stderr.starts_with("using the store in "), "{stderr}");
}

#[test]
fn i_target_1_a_stopped_store_drops_only_what_somebody_said() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    {
        let server = TestServer::with(|config| {
            config.data_dir = data;
            config.retention.raw_ms = 0;
        });
        let old = now_ms() - 20 * 24 * 3_600_000;
        let body = format!(r#"{{"metrics":[{{"name":"m","value":1,"timestamp":{old}}}]}}"#);
        assert_eq!(server.client().push(&body).status, 200);
        push(server.client());
    }
    // Who knows what its server was told to keep.
    let by_default = run(&dir, &["maintain", "--data-dir", "data"]).1;
    assert!(
        by_default.contains(" dropped 0 partitions, "),
        "{by_default}"
    );
    let arguments = ["maintain", "--data-dir", "data", "--retention-raw", "1d"];
    let (code, stdout, stderr) = run(&dir, &arguments);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.contains(" dropped 1 partitions, "), "{stdout}");
    let wrong = run(
        &dir,
        &["maintain", "--data-dir", "data", "--retention-raw", "1"],
    );
    assert_eq!(wrong.0, Some(1));
    assert_eq!(
        wrong.2,
        "error: --retention-raw: \"1\" is not a duration, such as 12h, 14d, 1y or 0 for ever\n"
    );
}

#[test]
fn without_a_store_and_a_server_the_words_say_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    for (arguments, message) in [
        (
            &["maintain", "--listen", "127.0.0.1:1"][..],
            "no server answers at http://127.0.0.1:1: ",
        ),
        (
            &["backup", "x.tar", "--listen", "127.0.0.1:1"][..],
            "no server answers at http://127.0.0.1:1: ",
        ),
        (&["check"][..], "there is no store in "),
        (&["inspect"][..], "there is no store in "),
    ] {
        let (code, _, stderr) = run(&dir, arguments);
        assert_eq!(code, Some(1), "{arguments:?}");
        assert!(stderr.starts_with(&format!("error: {message}")), "{stderr}");
        assert_eq!(stderr.lines().count(), 1);
    }
    // Asking made nothing.
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn check_names_what_is_damaged_and_fails() {
    let dir = stopped();
    let (code, stdout, stderr) = run(&dir, &["check", "--data-dir", "data"]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(stdout.starts_with("sound: "), "{stdout}");
    assert!(stdout.contains(" with 600 samples in "), "{stdout}");
    let tables = tables(dir.path());
    for table in &tables {
        let whole = fs::read(table).unwrap();
        let mut flipped = whole.clone();
        flipped[whole.len() / 3] ^= 1;
        fs::write(table, &flipped).unwrap();
        let (code, stdout, stderr) = run(&dir, &["check", "--data-dir", "data"]);
        assert_eq!(code, Some(1));
        let line = format!("damaged: {} at byte ", table.display());
        assert!(stdout.starts_with(&line), "{stdout}");
        assert!(stderr.ends_with("data is damaged\n"), "{stderr}");
        let (code, stdout, _) = run(&dir, &["check", "--data-dir", "data", "--json"]);
        assert_eq!(code, Some(1));
        let json: Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!(json["sound"], false);
        assert_eq!(json["damage"][0]["file"], table.display().to_string());
        assert!(json["damage"][0]["offset"].is_u64());
        fs::write(table, &whole).unwrap();
    }
    assert_eq!(run(&dir, &["check", "--data-dir", "data"]).0, Some(0));
}

#[test]
fn check_and_inspect_work_beside_a_running_server() {
    let process = Process::serve(&[]);
    push(process.client());
    let (code, stdout, stderr) = run(process.dir(), &["check"]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(
        stdout.starts_with("note: a server has this store open: "),
        "{stdout}"
    );
    assert!(stdout.contains("1 log segments"), "{stdout}");
    let (code, stdout, _) = run(process.dir(), &["inspect", "wal", "--json"]);
    assert_eq!(code, Some(0));
    let records: Value = serde_json::from_str(&stdout).unwrap();
    let kinds: Vec<&str> = records
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["record"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["series", "metadata", "floats"]);
    assert_eq!(
        records[0]["offset"],
        tinyobs_store::wal::segment::HEADER_BYTES
    );
    assert_eq!(records[0]["first"], "1 = room_celsius{room=\"a\"}");
    assert_eq!(records[2]["items"], 600);
    assert_eq!(process.client().get("/readyz").status, 200);
}

#[test]
fn inspect_shows_chunks_and_rollups() {
    let dir = stopped();
    run(&dir, &["maintain", "--data-dir", "data"]);
    let rows = |arguments: &[&str]| -> Vec<Value> {
        let mut all = vec!["inspect", "--data-dir", "data", "--json"];
        all.extend(arguments);
        let (code, stdout, stderr) = run(&dir, &all);
        assert_eq!(code, Some(0), "{stderr}");
        serde_json::from_str(&stdout).unwrap()
    };
    let sum = |rows: &[Value], column: &str| -> u64 {
        rows.iter().map(|row| row[column].as_u64().unwrap()).sum()
    };
    let summary = rows(&[]);
    assert_eq!(summary[0]["series"], 1);
    assert_eq!(summary[0]["in_use"], false);
    let raw = summary.iter().find(|row| row["space"] == "raw").unwrap();
    assert_eq!(raw["samples_or_windows"], 600);
    let chunks = rows(&["series", "room_celsius{room=~\"a|b\"}"]);
    assert_eq!(sum(&chunks, "samples"), 600);
    for chunk in &chunks {
        assert_eq!(chunk["series"], "room_celsius{room=\"a\"}");
        assert!(chunk["ratio"].as_f64().unwrap() > 1.0, "{chunk}");
        assert!(chunk["where"].as_str().unwrap().starts_with("table "));
    }
    let rollups = rows(&["rollups", "room_celsius"]);
    for window in ["5m", "1h"] {
        let of: Vec<Value> = rollups
            .iter()
            .filter(|row| row["window"] == window)
            .cloned()
            .collect();
        assert_eq!(sum(&of, "count"), 600);
        assert!(of.iter().all(|row| row["max"].as_f64().unwrap() <= 4.0));
    }
    let files: Vec<String> = rows(&["tables"])
        .iter()
        .map(|row| row["table"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(files.len(), tables(dir.path()).len());
    assert_eq!(rows(&["series", "{room=\"none\"}"]), [Value::Null; 0]);

    // For people: a heading, and columns.
    let (code, stdout, _) = run(&dir, &["inspect", "tables", "--data-dir", "data"]);
    assert_eq!(code, Some(0));
    assert!(stdout.starts_with("space"), "{stdout}");
    assert_eq!(stdout.lines().count(), 1 + files.len());
    let (code, _, stderr) = run(&dir, &["inspect", "series", "{room", "--data-dir", "data"]);
    assert_eq!(code, Some(1));
    assert!(stderr.starts_with("error: expected "), "{stderr}");
    let (code, _, stderr) = run(&dir, &["inspect", "series", "--data-dir", "data"]);
    assert_eq!(code, Some(2), "{stderr}");
}
