//! A damaged store: what health says, what answers say, and what can still be had of it.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cli::{text, tinyobs};
use crate::server::{TestServer, now_ms};

const SERIES: usize = 3_000;

fn run(dir: &TempDir, arguments: &[&str]) -> (Option<i32>, String, String) {
    text(&tinyobs(dir).args(arguments).output().unwrap())
}

fn serving(dir: &TempDir) -> TestServer {
    let data = dir.path().join("data");
    TestServer::with(|config| config.data_dir = data)
}

/// A directory with a stopped store of many series in `data`.
fn stopped() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let server = serving(&dir);
    let now = now_ms();
    let items: Vec<Value> = (0..SERIES)
        .map(|i| {
            let labels = json!({"room": format!("room number {i} of the house")});
            json!({"name": "celsius", "type": "gauge", "value": i, "labels": labels,
                   "timestamp": now - 10_000})
        })
        .collect();
    let answer = server
        .client()
        .push(&json!({ "metrics": items }).to_string());
    assert_eq!(answer.status, 200, "{}", answer.text());
    drop(server);
    dir
}

/// Damages a block of the only table of a space.
fn damage(dir: &TempDir, space: &str) -> PathBuf {
    let arguments = ["inspect", "--data-dir", "data", "--json", "tables"];
    let (_, stdout, stderr) = run(dir, &arguments);
    let rows: Vec<Value> = serde_json::from_str(&stdout).expect(&stderr);
    let of_space: Vec<&Value> = rows.iter().filter(|row| row["space"] == space).collect();
    assert_eq!(of_space.len(), 1, "{stdout}");
    let name = of_space[0]["table"].as_str().unwrap();
    let path = dir.path().join("data/tables").join(name);
    let mut bytes = fs::read(&path).unwrap();
    let place = bytes.len() / 3;
    bytes[place] ^= 4;
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn i_warn_1_answers_say_that_series_may_be_missing() {
    let dir = stopped();
    let lists = [
        "/v1/query?metric=celsius",
        "/v1/query/range?metric=celsius",
        "/v1/series?metric=celsius&limit=10000",
        "/v1/metrics/list",
    ];
    {
        let server = serving(&dir);
        assert_eq!(server.client().get_json("/v1/health")["status"], "healthy");
        for path in lists {
            assert_eq!(server.client().get_json(path)["warnings"], Value::Null);
        }
    }
    let table = damage(&dir, "catalogue");
    let server = serving(&dir);
    // I-HEALTH-2
    let health = server.client().get("/v1/health");
    assert_eq!(health.status, 200);
    assert_eq!(health.json()["status"], "damaged");
    let name = table.file_name().unwrap().to_str().unwrap();
    let found = health.json()["store"]["damage"][0].clone();
    assert!(found.as_str().unwrap().contains(name), "{found}");
    for path in lists {
        let warning = server.client().get_json(path)["warnings"][0].clone();
        let warning = warning.as_str().unwrap_or_default();
        assert!(warning.contains("series may be missing"), "{path}");
    }
    let left = server.client().get_json(lists[2])["count"].clone();
    let left = left.as_u64().unwrap();
    assert!(left > 0 && left < SERIES as u64, "{left} series are left");
}

#[test]
fn i_backup_6_a_backup_of_a_damaged_store_names_what_is() {
    let dir = stopped();
    let table = damage(&dir, "raw");
    let name = table.file_name().unwrap().to_str().unwrap();
    let check = |result: (Option<i32>, String, String), file: &str| {
        let (code, stdout, stderr) = result;
        assert_eq!(code, Some(3), "{stderr}");
        assert!(stdout.ends_with(&format!(" in {file}\n")), "{stdout}");
        let lines: Vec<&str> = stderr.lines().collect();
        assert!(
            lines[0].starts_with(&format!("damaged: tables/{name} at byte ")),
            "{stderr}"
        );
        assert_eq!(
            lines[1],
            format!(
                "error: {file} was written, but 1 place in it is damaged, as in the store; \
                     `tinyobs restore --keep-damaged` restores what is sound"
            )
        );
    };
    check(
        run(&dir, &["backup", "a.tar", "--data-dir", "data"]),
        "a.tar",
    );
    {
        let server = serving(&dir);
        let url = format!("http://{}", server.client().0);
        check(run(&dir, &["backup", "b.tar", "--url", &url]), "b.tar");
    }
    for file in ["a.tar", "b.tar"] {
        let (code, stdout, stderr) = run(&dir, &["restore", file, "--data-dir", "new"]);
        assert_eq!(code, Some(1));
        // As it is called in the archive: the directory is not made.
        assert!(
            stdout.starts_with(&format!("damaged: tables/{name} at byte ")),
            "{stdout}"
        );
        assert!(
            stderr.contains(": 1 place in the backup is damaged, "),
            "{stderr}"
        );
    }
    let (code, _, stderr) = run(
        &dir,
        &["restore", "a.tar", "--data-dir", "new", "--keep-damaged"],
    );
    assert_eq!(code, Some(0), "{stderr}");
}

#[test]
fn i_export_5_a_damaged_block_costs_the_series_in_it_alone() {
    let dir = stopped();
    damage(&dir, "raw");
    let server = serving(&dir);
    let url = format!("http://{}", server.client().0);
    let check = |arguments: &[&str], format: &str, file: &str| {
        let all = [&["export", "--format", format, "-o", file], arguments].concat();
        let (code, _, stderr) = run(&dir, &all);
        assert_eq!(code, Some(3), "{stderr}");
        let (count, names) = stderr
            .strip_prefix("error: ")
            .and_then(|rest| rest.split_once(" series could not be read to their end, "))
            .expect(&stderr);
        let count: usize = count.parse().unwrap();
        assert!(count > 0 && count < SERIES, "{stderr}");
        assert!(names.contains(": celsius{room=\"room number "), "{names}");
        assert!(names.contains(".table is damaged at byte "), "{names}");
        let text = fs::read_to_string(dir.path().join(file)).unwrap();
        let whole = |line: &&str| line.contains("room number") && !line.contains("could not be");
        assert_eq!(
            text.lines().filter(whole).count(),
            SERIES - count,
            "{format}"
        );
        let last = text.lines().last().unwrap();
        assert!(
            last.contains(" series could not be read to their end"),
            "{last}"
        );
        assert!(last.starts_with(if format == "json" {
            "{\"error\":"
        } else {
            "# error: "
        }));
    };
    for format in ["json", "csv", "openmetrics"] {
        check(&["--url", &url], format, &format!("of-server.{format}"));
    }
    drop(server);
    check(&["--data-dir", "data"], "json", "of-store.json");
}

#[test]
fn i_health_2_other_damage_is_no_reason_to_doubt_the_list_of_series() {
    let dir = stopped();
    // One of the two copies: the other is believed.
    let path = dir.path().join("data/MANIFEST");
    let mut manifest = fs::read(&path).unwrap();
    let place = manifest.len() / 4;
    manifest[place] ^= 1;
    fs::write(&path, manifest).unwrap();
    let server = serving(&dir);
    let health = server.client().get("/v1/health");
    assert_eq!(
        (health.status, &health.json()["status"]),
        (200, &json!("damaged"))
    );
    let listed = server.client().get_json("/v1/series?limit=10000");
    assert_eq!(listed["count"], SERIES);
    assert_eq!(listed["warnings"], Value::Null);
}
