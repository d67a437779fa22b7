//! Start and stop: nothing that was acknowledged is lost, and what goes wrong says so.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;
use tinyobs_server::config::Config;
use tinyobs_server::{Server, StartError};
use tinyobs_store::EngineKind;

use crate::cli::Process;
use crate::client::{head, read_answer};
use crate::server::TestServer;

fn start_error(config: Config) -> StartError {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(Server::start(config)).unwrap_err()
}

#[test]
fn i_serve_2_a_request_under_way_is_answered_and_kept() {
    let mut server = TestServer::start();
    let client = server.client();
    let body = br#"{"metrics":[{"name":"late","value":7}]}"#;
    let mut stream = client.connect();
    let headers = [("content-type", "application/json")];
    let head = head(client.0, "POST", "/v1/ingest", &headers, Some(body.len()));
    stream.write_all(&head).unwrap();
    stream.write_all(&body[..10]).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    server.shutdown();
    // The door closes while the one inside is still served.
    let began = Instant::now();
    while std::net::TcpStream::connect(client.0).is_ok() {
        assert!(began.elapsed() < Duration::from_secs(5));
        std::thread::sleep(Duration::from_millis(5));
    }
    stream.write_all(&body[10..]).unwrap();
    let answer = read_answer(&mut stream);
    assert_eq!(answer.status, 200, "{}", answer.text());
    server.wait();
    let again = TestServer::with(|config| config.data_dir = server.data_dir());
    let rows = again.client().get_json("/v1/query?metric=late");
    assert_eq!(rows["metrics"][0]["value"], 7);
}

#[test]
fn i_conn_2_an_idle_connection_does_not_hold_up_the_end() {
    let mut server = TestServer::start();
    let _idle = server.client().connect();
    std::thread::sleep(Duration::from_millis(50));
    let began = Instant::now();
    server.shutdown();
    server.wait();
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn a_restart_keeps_everything() {
    let mut server = TestServer::start();
    for i in 0..20 {
        let body = format!(r#"{{"metrics":[{{"name":"m{i}","value":{i}}}]}}"#);
        assert_eq!(server.client().push(&body).status, 200);
    }
    server.restart();
    for i in 0..20 {
        let rows = server.client().get_json(&format!("/v1/query?metric=m{i}"));
        assert_eq!(rows["metrics"][0]["value"], i);
    }
}

#[test]
fn i_serve_1_what_prevents_a_start_is_said() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let memory = Config {
        engine: EngineKind::Memory,
        listen: "127.0.0.1:0".to_owned(),
        otlp_listen: None,
        ..Config::default()
    };
    let message = start_error(Config {
        listen: listen.clone(),
        ..memory.clone()
    })
    .to_string();
    assert!(message.starts_with(&format!("cannot listen on {listen}: another program does")));
    // The data directory is not even touched.
    let dir = tempfile::tempdir().unwrap();
    let data_dir = dir.path().join("data");
    let disk = Config {
        listen,
        engine: EngineKind::Disk,
        data_dir: data_dir.clone(),
        ..memory.clone()
    };
    assert!(matches!(start_error(disk), StartError::InUse { .. }));
    assert!(!data_dir.exists());
    let open = Config {
        listen: "0.0.0.0:0".to_owned(),
        ..memory.clone()
    };
    assert!(matches!(
        start_error(open.clone()),
        StartError::NotLoopback { .. }
    ));
    let nowhere = Config {
        listen: "203.0.113.1:0".to_owned(),
        allow_anonymous: true,
        ..memory.clone()
    };
    assert!(matches!(start_error(nowhere), StartError::Address { .. }));
    let server = TestServer::start();
    let locked = Config {
        data_dir: server.data_dir(),
        engine: EngineKind::Disk,
        ..memory.clone()
    };
    let message = start_error(locked).to_string();
    assert!(
        message.ends_with(
            "is in use by another tinyobs process; \
             stop it, or choose another directory with --data-dir"
        ),
        "{message}"
    );
    let file = tempfile::NamedTempFile::new().unwrap();
    let no_dir = Config {
        data_dir: file.path().to_owned(),
        engine: EngineKind::Disk,
        ..memory
    };
    let message = start_error(no_dir).to_string();
    assert!(
        message.contains("choose another directory with --data-dir"),
        "{message}"
    );
    let allowed = TestServer::with(|config| {
        config.listen = "0.0.0.0:0".to_owned();
        config.allow_anonymous = true;
    });
    drop(allowed);
}

#[test]
fn sigterm_ends_the_program_with_0_and_keeps_everything() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let data = data.to_str().unwrap();
    for round in 0..3 {
        let mut process = Process::serve(&["--data-dir", data]);
        for before in 0..round {
            let rows = process
                .client()
                .get_json(&format!("/v1/query?metric=m{before}"));
            assert_eq!(rows["metrics"][0]["value"], before);
        }
        let body = format!(r#"{{"metrics":[{{"name":"m{round}","value":{round}}}]}}"#);
        assert_eq!(process.client().push(&body).status, 200);
        let signal = if round == 0 { "-INT" } else { "-TERM" };
        process.signal(signal);
        assert_eq!(process.wait(), Some(0));
    }
}

#[test]
fn a_second_signal_ends_the_program_at_once() {
    let mut process = Process::serve(&[]);
    let client = process.client();
    // A request that holds up the drain.
    let mut stream = client.connect();
    let headers = [("content-type", "application/json")];
    stream
        .write_all(&head(client.0, "POST", "/v1/ingest", &headers, Some(100)))
        .unwrap();
    std::thread::sleep(Duration::from_millis(100));
    process.signal("-TERM");
    std::thread::sleep(Duration::from_millis(200));
    assert!(process.is_running());
    // Within the first second it would be taken for an echo of the first one.
    std::thread::sleep(Duration::from_secs(1));
    let began = Instant::now();
    process.signal("-TERM");
    assert_eq!(process.wait(), Some(1));
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[test]
fn the_demo_pushes_and_its_last_push_arrives() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let arguments = ["--data-dir", data.to_str().unwrap()];
    let mut process = Process::serve(&[&arguments[..], &["--demo"]].concat());
    assert!(process.greeting.contains("  demo shop   http://127.0.0.1:"));
    let began = Instant::now();
    loop {
        let stats = process.client().get_json("/v1/stats");
        if stats["Clients"] == 1 && stats["TotalSeries"].as_u64().unwrap() > 20 {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{stats}");
        std::thread::sleep(Duration::from_millis(50));
    }
    process.signal("-TERM");
    assert_eq!(process.wait(), Some(0));
    // Its last push ended its series, so none of them is live any more.
    let again = Process::serve(&arguments);
    let page = again.client().get("/metrics");
    assert!(
        page.text().starts_with("# HELP tinyobs_build_info"),
        "{}",
        page.text()
    );
    assert!(
        again.client().get_json("/v1/stats")["TotalSeries"]
            .as_u64()
            .unwrap()
            > 20
    );
}

/// As a killed process would leave it.
fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let from = entry.unwrap().path();
        let to = to.join(from.file_name().unwrap());
        if from.is_dir() {
            copy_dir(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}

#[test]
fn damage_that_a_start_found_is_shown() {
    let server = TestServer::start();
    for name in ["first", "second"] {
        let body = format!(r#"{{"metrics":[{{"name":"{name}","value":7}}]}}"#);
        assert_eq!(server.client().push(&body).status, 200);
    }
    let dir = tempfile::tempdir().unwrap();
    copy_dir(&server.data_dir(), dir.path());
    let segments = fs::read_dir(dir.path().join("wal")).unwrap();
    let segments = segments.map(|entry| entry.unwrap().path());
    let segment = segments.max_by_key(|path| path.metadata().unwrap().len());
    let segment = segment.unwrap();
    // In the first record: there is one behind it, so this is no torn end.
    let mut bytes = fs::read(&segment).unwrap();
    bytes[30] ^= 1;
    fs::write(&segment, &bytes).unwrap();

    let damaged = TestServer::with(|config| config.data_dir = dir.path().to_owned());
    let health = damaged.client().get_json("/v1/health");
    assert_eq!(
        (&health["status"], &health["store"]["healthy"]),
        (&json!("damaged"), &json!(true))
    );
    let damage = health["store"]["damage"].as_array().unwrap();
    let name = segment.file_name().unwrap().to_str().unwrap();
    assert!(damage[0].as_str().unwrap().contains(name), "{damage:?}");
    let page = damaged.client().get("/metrics");
    let gauge = format!("tinyobs_store_damage {}", damage.len());
    assert!(
        page.text().lines().any(|line| line == gauge),
        "{}",
        page.text()
    );
}
