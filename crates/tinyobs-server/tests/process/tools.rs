//! The subcommands on what a killed server leaves, and beside one that is being written to.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tinyobs_testing::Server;

use super::start_in;

/// Exit code, and what was printed.
fn run(dir: &Path, args: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_tinyobs"))
        .args(args)
        .env_clear()
        .current_dir(dir)
        .output()
        .expect("runs");
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).expect("text"))
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("after 1970").as_millis() as u64
}

/// Pushes until it is told to stop, or the server is gone; returns what was acknowledged.
fn write(server: &Server, begin_ms: u64, stop: &AtomicBool, acked: &AtomicU64) {
    for i in 0_u64.. {
        let time = begin_ms + i;
        let body = format!(
            r#"{{"metrics":[{{"name":"m","type":"counter","value":{i},"timestamp":{time}}}]}}"#
        );
        match server.ingest(&body) {
            Ok((200, _)) => acked.store(i + 1, Ordering::SeqCst),
            _ => return,
        }
        if stop.load(Ordering::SeqCst) {
            return;
        }
    }
}

#[test]
fn what_a_killed_server_leaves_is_sound_and_can_be_maintained_and_backed_up() {
    let dir = tempfile::tempdir().expect("a directory");
    let start = start_in(dir.path());
    let server = Server::start(&start).expect("starts");
    let (stop, acked) = (AtomicBool::new(false), AtomicU64::new(0));
    let begin_ms = now_ms() - 60_000;
    thread::scope(|scope| {
        let writer = scope.spawn(|| write(&server, begin_ms, &stop, &acked));
        thread::sleep(Duration::from_millis(500));
        let killed = Command::new("kill")
            .args(["-KILL", &server.pid().to_string()])
            .status();
        assert!(killed.expect("kills").success());
        writer.join().expect("no panic");
    });
    drop(server);
    let acked = acked.load(Ordering::SeqCst);
    assert!(acked > 0);

    let (code, text) = run(dir.path(), &["check", "--data-dir", "data"]);
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = run(
        dir.path(),
        &["inspect", "wal", "--data-dir", "data", "--json"],
    );
    assert_eq!(code, Some(0), "{text}");
    let records: Value = serde_json::from_str(&text).expect("JSON");
    let records = records.as_array().expect("a list");
    let logged = records
        .iter()
        .filter(|record| record["record"] == "floats")
        .count() as u64;
    // The last one may be in the log without its answer having arrived.
    assert!(
        (acked..=acked + 1).contains(&logged),
        "{logged} logged, {acked} acknowledged"
    );

    let (code, text) = run(dir.path(), &["maintain", "--data-dir", "data"]);
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = run(dir.path(), &["backup", "b.tar", "--data-dir", "data"]);
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = run(dir.path(), &["restore", "b.tar", "--data-dir", "restored"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains(&format!(" with {logged} samples in ")),
        "{text}"
    );

    let mut start = start;
    start.data_dir = dir.path().join("restored");
    let server = Server::start(&start).expect("starts");
    let stats = server.get("/v1/stats").expect("an answer");
    assert_eq!(stats["TotalMetrics"], logged);
    assert_eq!(stats["RollupLagSeconds"], 0.0);
}

#[test]
fn all_of_them_work_beside_a_server_that_is_written_to() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = Server::start(&start_in(dir.path())).expect("starts");
    let (stop, acked) = (AtomicBool::new(false), AtomicU64::new(0));
    let begin_ms = now_ms() - 60_000;
    let listen = server.url.strip_prefix("http://").expect("an address");
    thread::scope(|scope| {
        scope.spawn(|| write(&server, begin_ms, &stop, &acked));
        for round in 0..5 {
            let at_server = ["--data-dir", "data", "--listen", listen];
            let (code, text) = run(dir.path(), &[&["maintain"][..], &at_server].concat());
            assert_eq!(code, Some(0), "{text}");
            let (code, text) = run(dir.path(), &["check", "--data-dir", "data"]);
            assert_eq!(code, Some(0), "{text}");
            let before = acked.load(Ordering::SeqCst);
            let (tar, new) = (format!("{round}.tar"), format!("new{round}"));
            let (code, text) = run(dir.path(), &[&["backup", &tar][..], &at_server].concat());
            assert_eq!(code, Some(0), "{text}");
            let after = acked.load(Ordering::SeqCst) + 1;
            let (code, text) = run(dir.path(), &["restore", &tar, "--data-dir", &new]);
            assert_eq!(code, Some(0), "{text}");
            let samples = text
                .split(" with ")
                .nth(1)
                .and_then(|rest| rest.split(' ').next());
            let samples: u64 = samples.expect("a number").parse().expect("a number");
            assert!(
                (before..=after).contains(&samples),
                "{before} {samples} {after}"
            );
            let selector = ["inspect", "series", "m", "--data-dir", "data", "--json"];
            let (code, text) = run(dir.path(), &selector);
            assert_eq!(code, Some(0), "{text}");
        }
        stop.store(true, Ordering::SeqCst);
    });
    assert!(server.stop().expect("stops").success());
    let (code, text) = run(dir.path(), &["check", "--data-dir", "data"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(!text.contains("a server has this store open"), "{text}");
}
