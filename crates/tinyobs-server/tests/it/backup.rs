//! Backups of a running and of a stopped server, and what becomes of them.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cli::{Process, text, tinyobs};
use crate::client::Client;
use crate::server::{TestServer, now_ms};

fn push(client: Client, name: &str, values: std::ops::Range<u64>, end: i64) {
    let items: Vec<Value> = values
        .map(|i| json!({"name": name, "type": "counter", "value": i, "timestamp": end - 5_000 + i as i64}))
        .collect();
    let answer = client.push(&json!({ "metrics": items }).to_string());
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// Everything that is stored, in order.
fn all(client: Client) -> Value {
    client.get_json("/v1/query?limit=1000000")["metrics"].clone()
}

/// A server over a data directory that is there already.
fn serving(dir: &Path) -> TestServer {
    TestServer::with(|config| config.data_dir = dir.to_path_buf())
}

fn run(dir: &TempDir, arguments: &[&str]) -> (Option<i32>, String, String) {
    text(&tinyobs(dir).args(arguments).output().unwrap())
}

#[test]
fn i_backup_1_a_backup_of_a_running_server_is_all_that_was_acknowledged() {
    let process = Process::serve(&[]);
    let (client, dir) = (process.client(), process.dir());
    let now = now_ms();
    push(client, "a", 0..1_000, now);
    client.send("POST", "/v1/admin/maintenance", &[], b"");
    // Some in tables, some in the log.
    push(client, "b", 0..10, now);
    let before = all(client);
    let listen = client.0.to_string();
    let (code, stdout, stderr) = run(dir, &["backup", "all.tar", "--listen", &listen]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.ends_with(" in all.tar\n"), "{stdout}");
    push(client, "late", 0..5, now);

    let (code, stdout, stderr) = run(dir, &["restore", "all.tar", "--data-dir", "new"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.starts_with("sound: "), "{stdout}");
    assert!(stdout.contains(" with 1010 samples in "), "{stdout}");
    let restored = serving(&dir.path().join("new"));
    assert_eq!(all(restored.client()), before);
    // It goes on from there like any other.
    push(restored.client(), "c", 0..3, now);
    assert_eq!(
        restored.client().get_json("/v1/stats")["TotalMetrics"],
        1_013
    );
    let names = |dir: &Path| -> Vec<String> {
        let entries = fs::read_dir(dir).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(dir.path()), ["all.tar", "new", "tinyobs-data"]);
}

#[test]
fn i_backup_1_also_while_pushes_come_and_tables_are_merged() {
    let server = TestServer::start();
    let client = server.client();
    let now = now_ms();
    let acknowledged = AtomicU64::new(0);
    let dir = tempfile::tempdir().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            for i in 0..150_u64 {
                push(client, "a", i * 10..(i + 1) * 10, now);
                acknowledged.store((i + 1) * 10, Ordering::SeqCst);
            }
        });
        for round in 0..5 {
            let before = acknowledged.load(Ordering::SeqCst);
            let answer = client.get("/v1/admin/backup");
            let after = acknowledged.load(Ordering::SeqCst) + 10;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("content-type"), Some("application/x-tar"));
            let length: usize = answer.header("content-length").unwrap().parse().unwrap();
            assert_eq!(answer.body.len(), length);
            let (tar, new) = (format!("{round}.tar"), format!("new{round}"));
            fs::write(dir.path().join(&tar), &answer.body).unwrap();
            let (code, stdout, stderr) = run(&dir, &["restore", &tar, "--data-dir", &new]);
            assert_eq!(code, Some(0), "{stdout}{stderr}");
            let restored = serving(&dir.path().join(&new));
            let rows = all(restored.client());
            let values: Vec<u64> = rows
                .as_array()
                .unwrap()
                .iter()
                .map(|row| row["value"].as_u64().unwrap())
                .collect();
            // Nothing acknowledged is missing, nothing is there that was not sent, and in order.
            let held = values.len() as u64;
            assert!((before..=after).contains(&held), "{before} {held} {after}");
            assert_eq!(values, (0..held).collect::<Vec<u64>>());
            assert_eq!(
                client
                    .send("POST", "/v1/admin/maintenance", &[], b"")
                    .status,
                200
            );
        }
    });
}

#[test]
fn a_stopped_store_is_backed_up_too() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let before = {
        let server = serving(&data);
        push(server.client(), "a", 0..100, now_ms());
        all(server.client())
    };
    let (code, _, stderr) = run(&dir, &["backup", "x.tar", "--data-dir", "data"]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let (code, _, _) = run(&dir, &["restore", "x.tar", "--data-dir", "deep/er/new"]);
    assert_eq!(code, Some(0));
    assert_eq!(
        all(serving(&dir.path().join("deep/er/new")).client()),
        before
    );

    let (code, _, stderr) = run(&dir, &["backup", "x.tar", "--data-dir", "data"]);
    assert_eq!(code, Some(1));
    assert_eq!(
        stderr,
        "error: x.tar is there already: choose another name\n"
    );
    let (code, _, stderr) = run(&dir, &["restore", "x.tar", "--data-dir", "data"]);
    assert_eq!(code, Some(1));
    assert!(
        stderr.contains("data is not empty: choose another directory"),
        "{stderr}"
    );
}

#[test]
fn i_restore_1_what_is_damaged_is_not_restored() {
    let dir = tempfile::tempdir().unwrap();
    {
        let server = serving(&dir.path().join("data"));
        push(server.client(), "a", 0..2_000, now_ms());
    }
    assert_eq!(
        run(&dir, &["backup", "x.tar", "--data-dir", "data"]).0,
        Some(0)
    );
    let whole = fs::read(dir.path().join("x.tar")).unwrap();
    let restore = |archive: &[u8]| {
        fs::write(dir.path().join("y.tar"), archive).unwrap();
        let result = run(&dir, &["restore", "y.tar", "--data-dir", "new"]);
        assert_eq!(result.0, Some(1), "{result:?}");
        // Neither the directory nor a half of it.
        assert!(!dir.path().join("new").exists());
        assert!(!dir.path().join("new.restoring").exists());
        result
    };
    // In the content of each file.
    let mut places = Vec::new();
    let mut archive = tar::Archive::new(&*whole);
    for entry in archive.entries().unwrap() {
        let entry = entry.unwrap();
        places.push(entry.raw_file_position() as usize + entry.size() as usize / 2);
    }
    assert!(places.len() >= 3, "{places:?}");
    for place in places {
        let mut flipped = whole.clone();
        flipped[place] ^= 4;
        let (_, stdout, stderr) = restore(&flipped);
        assert!(
            stdout.contains("damaged: ") || stderr.contains("damaged"),
            "{stdout}{stderr}"
        );
    }
    let (_, _, stderr) = restore(&whole[..whole.len() / 2]);
    assert!(stderr.starts_with("error: y.tar: it "), "{stderr}");
    let (_, _, stderr) = restore(b"not a tar");
    assert!(stderr.starts_with("error: y.tar: it "), "{stderr}");
    let (code, _, stderr) = run(&dir, &["restore", "none.tar", "--data-dir", "new"]);
    assert_eq!(code, Some(1));
    assert!(
        stderr.starts_with("error: cannot read none.tar: "),
        "{stderr}"
    );
    fs::create_dir(dir.path().join("new")).unwrap();
    assert_eq!(
        run(&dir, &["restore", "x.tar", "--data-dir", "new"]).0,
        Some(0)
    );
}

#[test]
fn what_is_sound_of_a_damaged_backup_can_be_had() {
    let dir = tempfile::tempdir().unwrap();
    {
        let server = serving(&dir.path().join("data"));
        // Of two days, so that there are two tables of samples.
        push(server.client(), "new", 0..2_000, now_ms());
        push(server.client(), "old", 0..2_000, now_ms() - 3 * 86_400_000);
    }
    let (code, _, _) = run(&dir, &["backup", "x.tar", "--data-dir", "data"]);
    assert_eq!(code, Some(0));
    let mut bytes = fs::read(dir.path().join("x.tar")).unwrap();
    let mut archive = tar::Archive::new(bytes.as_slice());
    let entries = archive.entries().unwrap().map(Result::unwrap);
    let is_table = |entry: &tar::Entry<'_, _>| entry.path().unwrap().starts_with("tables");
    let largest = entries.filter(is_table).max_by_key(tar::Entry::size);
    // In the middle of the blocks.
    let place = largest.map(|entry| entry.raw_file_position() + entry.size() / 3);
    bytes[place.unwrap() as usize] ^= 4;
    fs::write(dir.path().join("x.tar"), &bytes).unwrap();

    let arguments = ["restore", "x.tar", "--data-dir", "new"];
    let (code, _, stderr) = run(&dir, &arguments);
    assert_eq!(code, Some(1));
    assert!(
        stderr.contains("--keep-damaged restores what is sound"),
        "{stderr}"
    );
    let (code, stdout, stderr) = run(&dir, &[&arguments[..], &["--keep-damaged"]].concat());
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.contains("damaged: "), "{stdout}");
    let restored = serving(&dir.path().join("new"));
    // Each on its own day: the damaged unit is a table, that is to say a day.
    let rows = |name: &str| {
        let now = now_ms();
        let (from, to) = if name == "new" {
            (now - 86_400_000, now)
        } else {
            (now - 4 * 86_400_000, now - 2 * 86_400_000)
        };
        let path = format!("/v1/query?metric={name}&start={from}&end={to}&limit=10000");
        let answer = restored.client().get(&path);
        (answer.status, answer.text().matches("\"value\"").count())
    };
    let (new, old) = (rows("new"), rows("old"));
    assert!(
        new == (200, 2_000) && old.0 != 200 || old == (200, 2_000) && new.0 != 200,
        "one of the two is whole, the other an error: {new:?} {old:?}"
    );
}

#[test]
fn i_backup_4_what_broke_off_leaves_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let url = "http://127.0.0.1:1";
    let (code, _, stderr) = run(&dir, &["backup", "x.tar", "--url", url]);
    assert_eq!(code, Some(1));
    assert!(
        stderr.starts_with("error: no server answers at http://127.0.0.1:1: "),
        "{stderr}"
    );
    let (code, _, stderr) = run(&dir, &["backup", "x.tar", "--url", "127.0.0.1:8080"]);
    assert_eq!(code, Some(1));
    assert!(
        stderr.contains("is not the address of a server, such as"),
        "{stderr}"
    );
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn i_backup_5_pushed_groups_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let groups = |server: &TestServer| server.client().get_json("/api/v1/metrics")["data"].clone();
    let before = {
        let server = serving(&dir.path().join("data"));
        let text = [("content-type", "text/plain")];
        for (job, body) in [
            ("a", "# TYPE rows_total counter\nrows_total 3\n"),
            ("b", "size NaN\n"),
        ] {
            let path = format!("/metrics/job/{job}?ttl=1h");
            let answer = server.client().send("PUT", &path, &text, body.as_bytes());
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
        let answer = server.client().get("/v1/admin/backup");
        let length: usize = answer.header("content-length").unwrap().parse().unwrap();
        assert_eq!(answer.body.len(), length);
        fs::write(dir.path().join("running.tar"), &answer.body).unwrap();
        groups(&server)
    };
    assert_eq!(before[1]["rows_total"]["metrics"], Value::Null);
    assert_eq!(before[0]["rows_total"]["metrics"][0]["value"], "3");
    let (code, _, stderr) = run(&dir, &["backup", "stopped.tar", "--data-dir", "data"]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    for (tar, new) in [("running.tar", "new1"), ("stopped.tar", "new2")] {
        let (code, stdout, stderr) = run(&dir, &["restore", tar, "--data-dir", new]);
        assert_eq!(code, Some(0), "{stdout}{stderr}");
        let restored = serving(&dir.path().join(new));
        assert_eq!(groups(&restored), before, "{tar}");
        // A delete ends them there, as it would have where they came from.
        let answer = restored.client().send("DELETE", "/metrics/job/a", &[], b"");
        assert_eq!(answer.status, 202);
    }
    // Damage in them is not restored unsaid.
    let mut bytes = fs::read(dir.path().join("running.tar")).unwrap();
    let place = bytes
        .windows(9)
        .position(|at| at == b"\"version\"")
        .unwrap();
    bytes[place] = b'x';
    fs::write(dir.path().join("damaged.tar"), &bytes).unwrap();
    let (code, stdout, _) = run(&dir, &["restore", "damaged.tar", "--data-dir", "new3"]);
    assert_eq!(code, Some(1));
    assert!(stdout.contains("pushed-groups.json at byte 0"), "{stdout}");
    assert!(!dir.path().join("new3").exists());
}

#[test]
fn i_groupfile_2_a_backup_says_that_the_groups_are_damaged_and_leaves_them() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = serving(&data);
    let answer = server
        .client()
        .send("PUT", "/metrics/job/a", &[], b"rows_total 3\n");
    assert_eq!(answer.status, 200, "{}", answer.text());
    drop(server);
    let path = data.join("pushed-groups.json");
    fs::write(&path, "{\"version\":1,").unwrap();
    let (code, stdout, stderr) = run(&dir, &["backup", "x.tar", "--data-dir", "data"]);
    assert_eq!(code, Some(3), "{stderr}");
    assert!(stdout.ends_with(" in x.tar\n"), "{stdout}");
    let (damaged, error) = stderr.trim_end().split_once('\n').unwrap();
    let named = format!("damaged: {} at byte 0: ", path.display());
    assert!(damaged.starts_with(&named), "{damaged}");
    assert_eq!(
        error,
        "error: x.tar was written, but the pushed groups are not in it, since their file is damaged"
    );
    assert_eq!(fs::read(&path).unwrap(), b"{\"version\":1,");
    // What is there is sound.
    let (code, _, stderr) = run(&dir, &["restore", "x.tar", "--data-dir", "new"]);
    assert_eq!(code, Some(0), "{stderr}");
}
