//! `tinyobs export`, `tinyobs import`: from and into running servers and stopped stores.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::cli::{Process, text, tinyobs};
use crate::export::export;

pub fn run(dir: &TempDir, arguments: &[&str]) -> (Option<i32>, String, String) {
    text(&tinyobs(dir).args(arguments).output().unwrap())
}

pub fn with_input(mut command: Command, input: &[u8]) -> (Option<i32>, String, String) {
    let piped = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    text(&child.wait_with_output().unwrap())
}

#[test]
fn help_of_those_who_ask_says_what_they_take() {
    let dir = tempfile::tempdir().unwrap();
    let (_, help, _) = run(&dir, &["push", "--help"]);
    let usage = help.lines().find(|line| line.starts_with("Usage")).unwrap();
    assert_eq!(
        usage,
        "Usage: tinyobs push [OPTIONS] [NAME] [VALUE] [TIME|LABEL=VALUE]..."
    );
    for wrong in ["--data-dir", "Where to listen", "port 0"] {
        assert!(!help.contains(wrong), "{help}");
    }
    let (_, help, _) = run(&dir, &["export", "--help"]);
    assert!(help.contains("Where the running server listens"), "{help}");
    let words = |help: &str| help.split_whitespace().collect::<Vec<_>>().join(" ");
    let back = "`tinyobs import` reads the JSON back, bit for bit, and the CSV.";
    assert!(words(&help).contains(back), "{help}");
    let (_, help, _) = run(&dir, &["import", "--help"]);
    let table = "a table as `tinyobs export --format csv` writes it";
    assert!(words(&help).contains(table), "{help}");
}

#[test]
fn import_names_a_directory_before_it_stores_anything() {
    let process = Process::serve(&[]);
    let url = format!("http://{}", process.client().0);
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("files")).unwrap();
    let line = "{\"metric\":{\"__name__\":\"m\"},\"values\":[1],\"timestamps\":[1795306562347]}\n";
    fs::write(dir.path().join("good.jsonl"), line).unwrap();
    let (code, stdout, stderr) = run(&dir, &["import", "good.jsonl", "files", "--url", &url]);
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert_eq!(
        stderr,
        "error: files is a directory: name the files in it\n"
    );
    assert_eq!(export(process.client(), ""), "");
}

#[test]
fn i_export_4_out_of_a_server_into_a_store_and_back() {
    let process = Process::serve(&[]);
    let url = format!("http://{}", process.client().0);
    let dir = tempfile::tempdir().unwrap();
    for (name, value) in [("a", "0.1"), ("b", "-0"), ("c", "7")] {
        assert_eq!(run(&dir, &["push", "--url", &url, name, value]).0, Some(0));
    }
    let whole = export(process.client(), "");
    let done = run(&dir, &["export", "--url", &url, "-o", "all.jsonl"]);
    assert_eq!(done, (Some(0), String::new(), String::new()));
    assert_eq!(
        fs::read_to_string(dir.path().join("all.jsonl")).unwrap(),
        whole
    );
    // Never over something else, and never half.
    let again = run(&dir, &["export", "--url", &url, "-o", "all.jsonl"]);
    assert!(
        again.2.contains("all.jsonl is there already"),
        "{}",
        again.2
    );
    let bad = run(
        &dir,
        &["export", "--url", &url, "-o", "bad", "--match", "{"],
    );
    assert_eq!(bad.0, Some(1));
    assert!(bad.2.contains("match[]"), "{}", bad.2);
    assert!(!dir.path().join("bad").exists() && !dir.path().join("bad.part").exists());

    let pick = [
        "export",
        "--url",
        &url,
        "--match",
        "a",
        "--match",
        "{__name__=\"c\"}",
        "--format",
        "csv",
    ];
    let (_, stdout, _) = run(&dir, &pick);
    let names: Vec<&str> = stdout
        .lines()
        .map(|line| line.split(',').nth(1).unwrap())
        .collect();
    assert_eq!(names, ["name", "a", "c"]);

    // A store that nobody has open: made by a server that has ended.
    let stopped =
        crate::server::TestServer::with(|config| config.data_dir = dir.path().join("data"));
    drop(stopped);
    let here = ["--data-dir", "data"];
    let done = run(&dir, &[&["import", "all.jsonl"], &here[..]].concat());
    assert_eq!(
        done.1, "all.jsonl: 3 samples stored of 3 lines\n",
        "{}",
        done.2
    );
    assert_eq!(run(&dir, &[&["export"], &here[..]].concat()).1, whole);
    let selected = run(&dir, &[&["export", "--match", "b"], &here[..]].concat());
    assert_eq!(selected.1.lines().count(), 1);
    let wrong = run(&dir, &[&["export", "--start", "soon"], &here[..]].concat());
    assert!(wrong.2.contains("is not a time"), "{}", wrong.2);
}

#[test]
fn i_import_5_what_was_not_stored_is_named_and_fails() {
    let process = Process::serve(&[]);
    let url = format!("http://{}", process.client().0);
    let dir = tempfile::tempdir().unwrap();
    let good = format!(
        "{{\"metric\":{{\"__name__\":\"m\"}},\"values\":[1],\"timestamps\":[{}]}}\n",
        crate::server::now_ms()
    );
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(format!("{good}bad\n").as_bytes()).unwrap();
    fs::write(dir.path().join("some.jsonl.gz"), packed.finish().unwrap()).unwrap();
    let (code, stdout, stderr) = run(&dir, &["import", "--url", &url, "some.jsonl.gz"]);
    assert_eq!(code, Some(1));
    assert_eq!(stdout, "some.jsonl.gz: 1 samples stored of 2 lines\n");
    assert!(
        stderr.starts_with("some.jsonl.gz: line 2: line is malformed"),
        "{stderr}"
    );
    assert!(
        stderr.ends_with("error: 1 line was not stored whole\n"),
        "{stderr}"
    );
    let mut from_input = tinyobs(&dir);
    from_input.args(["import", "--url", &url, "-"]);
    let done = with_input(from_input, good.as_bytes());
    assert_eq!(
        done,
        (
            Some(0),
            "-: 1 samples stored of 1 lines\n".to_owned(),
            String::new()
        )
    );
    let missing = run(&dir, &["import", "--url", &url, "nowhere"]);
    assert!(
        missing.2.starts_with("error: nowhere: No such file"),
        "{}",
        missing.2
    );
}

#[test]
fn i_export_4_what_came_before_the_connection_broke_is_kept_under_another_name() {
    use std::io::Read;
    // A server that goes away in the middle of its answer.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = [0; 4096];
        let _ = stream.read(&mut head).unwrap();
        let answer = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhalf\n\r\n";
        stream.write_all(answer.as_bytes()).unwrap();
    });
    let dir = tempfile::tempdir().unwrap();
    let (code, _, stderr) = run(&dir, &["export", "-o", "x.jsonl", "--url", &url]);
    serving.join().unwrap();
    assert_eq!(code, Some(1), "{stderr}");
    assert!(
        stderr.starts_with("error: the export broke off: "),
        "{stderr}"
    );
    assert!(
        stderr.ends_with("; what came before, 5 B, is in x.jsonl.part\n"),
        "{stderr}"
    );
    assert!(!dir.path().join("x.jsonl").exists());
    let kept = fs::read_to_string(dir.path().join("x.jsonl.part")).unwrap();
    assert_eq!(kept, "half\n");
}

#[test]
fn i_export_6_a_series_without_a_name_of_its_own_is_named() {
    let process = Process::serve(&[]);
    let url = format!("http://{}", process.client().0);
    let dir = tempfile::tempdir().unwrap();
    for (name, value) in [("http.server", "1"), ("http_server", "2"), ("other", "3")] {
        assert_eq!(run(&dir, &["push", "--url", &url, name, value]).0, Some(0));
    }
    let open = ["export", "--url", &url, "--format", "openmetrics"];
    let sentence = "1 series are left out, because OpenMetrics has no name for them that is not \
                    another's: http.server{}; export them by themselves with match[], or all as JSON";
    let (code, stdout, stderr) = run(&dir, &open);
    assert_eq!((code, stderr), (Some(3), format!("error: {sentence}\n")));
    let lines: Vec<&str> = stdout.lines().collect();
    let shown = |line: &str| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    assert_eq!(shown(lines[1]), "http_server 2");
    assert_eq!(shown(lines[3]), "other 3");
    assert_eq!(lines[4], format!("# error: {sentence}"));
    assert_eq!(lines.len(), 5);
    // By itself it has its place, and the export is whole.
    let alone = [&open[..], &["--match", "{__name__=\"http.server\"}"]].concat();
    let (code, stdout, _) = run(&dir, &alone);
    assert_eq!(code, Some(0));
    assert!(
        stdout.contains("\nhttp_server 1 ") && stdout.ends_with("# EOF\n"),
        "{stdout}"
    );
}
