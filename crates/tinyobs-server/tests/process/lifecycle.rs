//! Starting, stopping, and being told why not.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tinyobs_testing::{Server, agent};

use super::start_in;

#[test]
fn a_stop_under_load_loses_nothing_acknowledged() {
    let dir = tempfile::tempdir().expect("a directory");
    let start = start_in(dir.path());
    let server = Server::start(&start).expect("starts");
    let stopped = Arc::new(AtomicBool::new(false));
    let acked = Arc::new(AtomicU64::new(0));
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let now_ms = since.expect("after 1970").as_millis() as u64;
    let writers: Vec<_> = (0..4u64)
        .map(|writer| {
            let (url, stopped, acked) =
                (server.url.clone(), Arc::clone(&stopped), Arc::clone(&acked));
            thread::spawn(move || {
                let agent = agent();
                for i in 0.. {
                    let body = format!(
                        r#"{{"metrics":[{{"name":"w{writer}","value":{i},"timestamp":{}}}]}}"#,
                        now_ms + i
                    );
                    let answer = agent
                        .post(format!("{url}/v1/ingest"))
                        .header("Content-Type", "application/json")
                        .send(&body);
                    match answer {
                        Ok(answer) if answer.status() == 200 => {
                            acked.fetch_add(1, Ordering::SeqCst)
                        }
                        _ => break,
                    };
                    if stopped.load(Ordering::SeqCst) {
                        break;
                    }
                }
            })
        })
        .collect();
    thread::sleep(Duration::from_millis(300));
    let status = server.stop().expect("stops");
    stopped.store(true, Ordering::SeqCst);
    assert!(status.success(), "{status}");
    for writer in writers {
        writer.join().expect("no panic");
    }
    let acked = acked.load(Ordering::SeqCst);
    assert!(acked > 0);
    let server = Server::start(&start).expect("starts again");
    let stats = server.get("/v1/stats").expect("an answer");
    let held = stats["TotalMetrics"].as_u64().expect("a number");
    // Up to one request a writer may be stored without its answer having arrived.
    assert!(
        (acked..=acked + 4).contains(&held),
        "{held} held, {acked} acknowledged"
    );
}

/// `timeout` and init systems may deliver one wish to stop twice.
#[test]
fn two_signals_at_once_are_one_wish_to_stop() {
    for _ in 0..5 {
        let dir = tempfile::tempdir().expect("a directory");
        let server = Server::start(&start_in(dir.path())).expect("starts");
        server.terminate().expect("signals");
        let status = server.stop().expect("stops");
        assert!(status.success(), "{status}");
    }
}

#[test]
fn a_second_server_says_why_it_cannot_start() {
    let dir = tempfile::tempdir().expect("a directory");
    let start = start_in(dir.path());
    let server = Server::start(&start).expect("starts");
    let address = server.url.strip_prefix("http://").expect("an address");

    let same_data = run(
        &start.binary,
        &["--listen", "127.0.0.1:0", "--data-dir", "data"],
        dir.path(),
    );
    assert_eq!(same_data.0, Some(1), "{}", same_data.1);
    assert!(
        same_data.1.contains("in use by another tinyobs"),
        "{}",
        same_data.1
    );

    let same_port = run(
        &start.binary,
        &["--listen", address, "--data-dir", "other"],
        dir.path(),
    );
    assert_eq!(same_port.0, Some(1), "{}", same_port.1);
    assert!(same_port.1.contains(address), "{}", same_port.1);

    let open = run(
        &start.binary,
        &["--listen", "0.0.0.0:0", "--data-dir", "other"],
        dir.path(),
    );
    assert_ne!(open.0, Some(0), "{}", open.1);
    assert!(open.1.contains("--allow-anonymous"), "{}", open.1);
}

/// Exit code and what was printed to standard error.
fn run(binary: &std::path::Path, args: &[&str], dir: &std::path::Path) -> (Option<i32>, String) {
    let output = Command::new(binary)
        .arg("serve")
        .args(args)
        .env_clear()
        .env("TINYOBS_OTLP_LISTEN", "off")
        .current_dir(dir)
        .output()
        .expect("runs");
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}
