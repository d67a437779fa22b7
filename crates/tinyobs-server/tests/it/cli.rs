//! The binary: its subcommands, its words, its exit codes.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use tempfile::TempDir;

use crate::client::Client;

/// The binary in a directory, without a word from the environment.
pub fn tinyobs(dir: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tinyobs"));
    command.current_dir(dir.path()).env_remove("PORT");
    for (name, _) in std::env::vars() {
        if name.starts_with("TINYOBS_") {
            command.env_remove(name);
        }
    }
    command
}

/// The running binary, killed when it is dropped.
pub struct Process {
    child: Child,
    client: Client,
    pub greeting: String,
    // Kept, so that the program can go on writing.
    _stdout: BufReader<ChildStdout>,
    dir: TempDir,
}

impl Process {
    /// Starts it on a free port, in a directory of its own.
    pub fn serve(arguments: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut child = tinyobs(&dir)
            .args(["serve", "--listen", "127.0.0.1:0", "--log-level", "warn"])
            .args(arguments)
            // Servers of tests stand beside each other.
            .env("TINYOBS_OTLP_LISTEN", "off")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = String::new();
        while !greeting.contains("  stop ") {
            assert_ne!(
                stdout.read_line(&mut greeting).unwrap(),
                0,
                "it ended: {greeting}"
            );
        }
        let addr = greeting.split("dashboard   http://").nth(1).unwrap();
        let addr = addr.split('/').next().unwrap().parse().unwrap();
        Self {
            child,
            client: Client(addr),
            greeting,
            _stdout: stdout,
            dir,
        }
    }

    pub fn client(&self) -> Client {
        self.client
    }

    /// Where it runs, with its data in `tinyobs-data`.
    pub fn dir(&self) -> &TempDir {
        &self.dir
    }

    pub fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    pub fn wait(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// The most memory it ever held in RAM.
    pub fn peak_memory_bytes(&mut self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let Some(line) = line else {
            panic!("it ended: {:?}", self.child.try_wait());
        };
        let kib = line.trim().strip_suffix(" kB").unwrap();
        kib.parse::<u64>().unwrap() << 10
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Exit code, standard output, standard error.
pub fn text(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

#[test]
fn config_shows_each_value_and_its_source() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join("tinyobs.toml"),
        "\nengine = \"memory\"\nmax-series = 5\n",
    )
    .unwrap();
    let output = tinyobs(&dir)
        .args(["config", "--max-series", "7"])
        .env("TINYOBS_DURABILITY", "sync")
        .env("PORT", "9000")
        .output()
        .unwrap();
    let (code, stdout, stderr) = text(&output);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let lines: Vec<(&str, &str)> = stdout
        .lines()
        .map(|line| line.split_once("  # ").unwrap())
        .map(|(value, source)| (value.trim_end(), source))
        .collect();
    assert_eq!(
        lines,
        [
            ("listen = \"127.0.0.1:9000\"", "environment variable PORT"),
            ("otlp-listen = \"127.0.0.1:4318\"", "default"),
            ("data-dir = \"./tinyobs-data\"", "default"),
            ("engine = \"memory\"", "tinyobs.toml, line 2"),
            (
                "durability = \"sync\"",
                "environment variable TINYOBS_DURABILITY"
            ),
            ("max-series = 7", "flag"),
            ("max-series-per-metric = 0", "default"),
            ("max-storage = \"1GiB\"", "default"),
            ("retention-raw = \"14d\"", "default"),
            ("retention-5m = \"90d\"", "default"),
            ("retention-1h = \"365d\"", "default"),
            ("allow-anonymous = false", "default"),
            ("allowed-hosts = \"\"", "default"),
            ("log-format = \"text\"", "default"),
            ("log-level = \"info\"", "default"),
        ]
    );
}

#[test]
fn config_points_out_what_is_hardly_meant() {
    let dir = tempfile::tempdir().unwrap();
    let output = tinyobs(&dir)
        .args(["config", "--retention-raw", "0"])
        .env("TINYOBS_MAX_STORAGE_GB", "2")
        .output()
        .unwrap();
    let (code, stdout, stderr) = text(&output);
    assert_eq!(code, Some(0));
    let line = "max-storage = \"2GiB\"";
    let found = stdout
        .lines()
        .find(|shown| shown.starts_with(line))
        .unwrap();
    assert!(
        found.ends_with("# environment variable TINYOBS_MAX_STORAGE_GB"),
        "{found}"
    );
    assert_eq!(
        stderr,
        "warning: --retention-raw keeps data longer than --retention-5m: what is coarser takes \
         less room, and is dropped first here\n"
    );
}

#[test]
fn a_variable_names_the_file_too() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("tinyobs.toml"), "max-series = 5\n").unwrap();
    std::fs::write(dir.path().join("other.toml"), "max-series = 6\n").unwrap();
    let shown = |command: &mut Command| text(&command.arg("config").output().unwrap()).1;
    assert!(shown(&mut tinyobs(&dir)).contains("max-series = 5  "));
    let stdout = shown(tinyobs(&dir).env("TINYOBS_CONFIG", "other.toml"));
    assert!(stdout.contains("max-series = 6  "), "{stdout}");
    assert!(stdout.contains("# other.toml, line 1"), "{stdout}");
}

#[test]
fn an_empty_variable_is_as_good_as_none() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = tinyobs(&dir);
    command
        .arg("config")
        .env("TINYOBS_MAX_SERIES", "")
        .env("PORT", "");
    let (code, stdout, stderr) = text(&command.output().unwrap());
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.contains("max-series = 10000"), "{stdout}");
}

#[test]
fn a_variable_that_nobody_knows_is_pointed_out() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = tinyobs(&dir);
    command.arg("config");
    for name in [
        "TINYOBS_BOGUS",
        "TINYOBS_ENDPOINT",
        "TINYOBS_MAX_STORAGE_GB",
        // As Kubernetes sets them beside a service of this name.
        "TINYOBS_SERVICE_HOST",
        "TINYOBS_SERVICE_PORT",
        "TINYOBS_SERVICE_PORT_HTTP",
        "TINYOBS_PORT",
        "TINYOBS_PORT_8080_TCP",
        "TINYOBS_PORT_8080_TCP_ADDR",
        // As they are mistyped.
        "TINYOBS_PORTS",
    ] {
        command.env(name, "1");
    }
    let (code, _, stderr) = text(&command.output().unwrap());
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(
        stderr,
        "warning: the environment variable TINYOBS_BOGUS is none that is known: `tinyobs serve \
         --help` has them all\nwarning: the environment variable TINYOBS_PORTS is none that is \
         known: `tinyobs serve --help` has them all\n"
    );
}

#[test]
fn those_who_make_no_store_do_not_say_so() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["check", "inspect", "export", "import", "backup", "maintain"] {
        let (_, stdout, _) = text(&tinyobs(&dir).args([name, "--help"]).output().unwrap());
        let words = stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        let asks_none = matches!(name, "check" | "inspect");
        let expected = if asks_none {
            "Where the store is; it must be there [env: TINYOBS_DATA_DIR, default: ./tinyobs-data]"
        } else {
            "The store in this directory, which must be there, and no other server's; while a server \
             has it open, that one is asked. Without it: see --url [env: TINYOBS_DATA_DIR]"
        };
        assert!(words.contains(expected), "{stdout}");
        assert!(!stdout.contains("made when it is not there"), "{stdout}");
    }
    let (_, stdout, _) = text(&tinyobs(&dir).args(["serve", "--help"]).output().unwrap());
    assert!(stdout.contains("made when it is not there"), "{stdout}");
}

#[test]
fn what_cannot_be_used_is_one_line_and_1() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("other.toml");
    std::fs::write(&file, "engine = \"disk\"\nlistne = 1\n").unwrap();
    for (arguments, message) in [
        (
            &["--engine", "tape"][..],
            "error: --engine: \"tape\" is neither disk nor memory\n",
        ),
        (
            &["--retention-raw", "-5d"][..],
            "error: --retention-raw: \"-5d\" is not a duration, such as 12h, 14d, 1y or 0 for ever\n",
        ),
        (
            &["--config", "other.toml"][..],
            "error: other.toml:2: unknown key \"listne\"; known: ",
        ),
        (
            &["--config", "none.toml"][..],
            "error: cannot read none.toml: ",
        ),
        (
            &["--listen", "0.0.0.0:0"][..],
            "error: 0.0.0.0:0 can be reached from other machines",
        ),
        (
            &["--data-dir", "other.toml", "--listen", "127.0.0.1:0"][..],
            "error: ",
        ),
        (
            &["healthcheck", "--listen", "127.0.0.1:1"][..],
            "error: no server answers at 127.0.0.1:1: ",
        ),
    ] {
        let (code, _, stderr) = text(&tinyobs(&dir).args(arguments).output().unwrap());
        assert_eq!(code, Some(1), "{arguments:?}: {stderr}");
        assert!(stderr.starts_with(message), "{arguments:?}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
    let (code, _, _) = text(&tinyobs(&dir).arg("--no-such-flag").output().unwrap());
    assert_eq!(code, Some(2));
}

#[test]
fn the_greeting_says_how_to_begin() {
    let process = Process::serve(&["--engine", "memory"]);
    let addr = process.client().0;
    let curl = format!("curl http://{addr}/v1/ingest -H 'content-type: application/json' -d '");
    let (_, rest) = process.greeting.split_once(&curl).unwrap();
    let body = rest.split('\'').next().unwrap();
    assert_eq!(process.client().push(body).status, 200);
    let rows = process
        .client()
        .get_json("/v1/query?metric=room_temperature_celsius");
    assert_eq!(rows["metrics"][0]["value"], 21.5);
    assert!(
        process
            .greeting
            .contains("in memory, gone when the server stops")
    );
}

#[test]
fn healthcheck_asks_the_server() {
    let process = Process::serve(&["--engine", "memory"]);
    let dir = tempfile::tempdir().unwrap();
    let addr = process.client().0.to_string();
    let output = tinyobs(&dir)
        .args(["healthcheck", "--listen", &addr])
        .output()
        .unwrap();
    assert_eq!(
        text(&output),
        (Some(0), "ready\n".to_owned(), String::new())
    );
}

#[test]
fn json_logs_are_json() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = tinyobs(&dir)
        .args([
            "--listen",
            "127.0.0.1:0",
            "--engine",
            "memory",
            "--log-format",
            "json",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    while !line.contains("  stop ") {
        assert_ne!(stdout.read_line(&mut line).unwrap(), 0);
    }
    let pid = child.id().to_string();
    Command::new("kill").args(["-TERM", &pid]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    let (code, _, stderr) = text(&output);
    assert_eq!(code, Some(0));
    let messages: Vec<serde_json::Value> = stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(messages.last().unwrap()["message"], "stopped");
}

#[test]
fn the_version() {
    let dir = tempfile::tempdir().unwrap();
    let output = tinyobs(&dir).arg("version").output().unwrap();
    assert_eq!(
        text(&output).1,
        format!("tinyobs {}\n", env!("CARGO_PKG_VERSION"))
    );
}
