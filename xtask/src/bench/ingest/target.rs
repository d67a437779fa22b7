//! Target: one of the servers that a load is sent to, started fresh and weighed from outside.
//!
//!   start ─▶ send ─▶ CPU until idle, peak memory ─▶ count ─▶ stop ─▶ CPU until stopped, disk
//!
//! I-TARGET-1  Everybody is measured alike: the CPU time of the process by the system's account, from
//!             its first answer on, and the blocks that its data directory occupies.
//! I-TARGET-2  Nobody wins by dropping: each sample is accepted, and counted afterwards.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;
use serde_json::Value;
use tinyobs_testing::process::{cpu_seconds, memory_bytes};
use tinyobs_testing::{Agent, agent};

use super::body::Protocol;
use super::machine::Used;
use super::mix::{INTERVAL_MS, Mix};
use super::payload::Payload;
use super::send;
use crate::bench::allocated_bytes;
use crate::peers::{self, Peer};
use crate::tools;

/// Whom the load is sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Target {
    /// The release build.
    #[value(name = "tinyobs")]
    TinyObs,
    /// With its remote-write receiver.
    Prometheus,
    /// Single node.
    #[value(name = "victoriametrics")]
    VictoriaMetrics,
    /// A server that decodes and forgets.
    Null,
}

/// The program of each target; `server` is ours, which is built when it is not given.
pub fn programs(targets: &[Target], server: Option<&Path>) -> Result<BTreeMap<Target, PathBuf>> {
    let mut programs = BTreeMap::new();
    for &target in targets {
        let program = match target {
            Target::TinyObs => match server {
                Some(path) => path.canonicalize()?,
                None => tools::build_server(true)?,
            },
            Target::Prometheus => peers::find(Peer::Prometheus)?.program,
            Target::VictoriaMetrics => peers::find(Peer::VictoriaMetrics)?.program,
            Target::Null => env::current_exe()?,
        };
        programs.insert(target, program);
    }
    Ok(programs)
}

impl Target {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::TinyObs => "TinyObs",
            Self::Prometheus => "Prometheus",
            Self::VictoriaMetrics => "VictoriaMetrics",
            Self::Null => "null server",
        }
    }

    /// JSON is our own.
    pub fn speaks(self, protocol: Protocol) -> bool {
        protocol == Protocol::RemoteWrite || matches!(self, Self::TinyObs | Self::Null)
    }

    fn ready_path(self) -> &'static str {
        match self {
            Self::TinyObs => "/readyz",
            Self::Prometheus => "/-/ready",
            Self::VictoriaMetrics => "/health",
            Self::Null => "/",
        }
    }

    /// Limits are out of the way, and so is what costs without being asked for.
    fn arguments(self, dir: &Path, listen: &str, mix: &Mix) -> Vec<String> {
        let data = dir.join("data").display().to_string();
        let arguments = match self {
            Self::TinyObs => format!(
                "serve --listen {listen} --data-dir {data} --max-series {} --max-storage 64GiB",
                mix.series + 1_000
            ),
            Self::Prometheus => format!(
                "--config.file={}/prometheus.yml --storage.tsdb.path={data} \
                 --web.enable-remote-write-receiver --web.listen-address={listen} --log.level=warn",
                dir.display()
            ),
            // A query that found nothing yet must not be remembered; all series may be counted.
            Self::VictoriaMetrics => format!(
                "-storageDataPath={data} -retentionPeriod=1y -httpListenAddr={listen} \
                 -search.disableCache -search.latencyOffset=0s -loggerLevel=WARN \
                 -search.maxUniqueTimeseries=5000000 -http.maxGracefulShutdownDuration=1s"
            ),
            Self::Null => format!("null-server --listen {listen}"),
        };
        arguments.split(' ').map(str::to_owned).collect()
    }
}

/// What one run of a target came to.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// Samples per CPU-second until it was idle again.
    pub until_idle: f64,
    /// Samples per CPU-second until it had stopped.
    pub until_stopped: f64,
    /// The most memory that was resident.
    pub peak_bytes: f64,
    /// Bytes a sample on disk; none of a target that keeps nothing.
    pub disk_bytes: Option<f64>,
    /// Requests that had to be repeated.
    pub repeated: f64,
    /// The share of the machine that others had while it took in.
    pub others: f64,
}

/// Longer than any start should take on a busy machine.
const START_WITHIN: Duration = Duration::from_secs(30);
/// VictoriaMetrics writes out what it holds in memory every five seconds, the others sooner.
const IDLE_FOR: Duration = Duration::from_secs(6);
/// Of one core, while idle: what timers take.
const IDLE_SHARE: f64 = 0.03;
/// Longer than merging should go on.
const IDLE_WITHIN: Duration = Duration::from_mins(5);
/// Until what was acknowledged can be asked for.
const VISIBLE_WITHIN: Duration = Duration::from_mins(1);

/// Starts a target with nothing in it, sends all to it, and weighs it.
pub fn measure(target: Target, program: &Path, payload: &Payload, mix: &Mix) -> Result<Measured> {
    let dir = tempfile::tempdir()?;
    let mut running = Running::start(target, program, dir.path(), mix)?;
    let measured = running.measure(payload, mix);
    measured.with_context(|| {
        let log = fs::read_to_string(dir.path().join("log")).unwrap_or_default();
        let tail: Vec<&str> = log.lines().rev().take(5).collect();
        format!("{}, which last said {tail:?}", target.name())
    })
}

/// A target's process, killed when it is dropped.
pub struct Running {
    target: Target,
    child: Child,
    /// Where it listens.
    pub url: String,
    data: PathBuf,
    agent: Agent,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    fn start(target: Target, program: &Path, dir: &Path, mix: &Mix) -> Result<Self> {
        Self::start_with(target, program, dir, mix, &[])
    }

    /// Starts it with further arguments.
    pub fn start_with(
        target: Target,
        program: &Path,
        dir: &Path,
        mix: &Mix,
        further: &[&str],
    ) -> Result<Self> {
        fs::write(dir.join("prometheus.yml"), "global: {}\n")?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let listen = format!("127.0.0.1:{port}");
        let log = File::create(dir.join("log"))?;
        let child = Command::new(program)
            .args(target.arguments(dir, &listen, mix))
            .args(further)
            .current_dir(dir)
            .env_clear()
            .env("TINYOBS_OTLP_LISTEN", "off")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let mut running = Self {
            target,
            child,
            url: format!("http://{listen}"),
            data: dir.join("data"),
            agent: agent(),
        };
        let begun = Instant::now();
        let ready = format!("{}{}", running.url, target.ready_path());
        while !(running.agent.get(&ready).call()).is_ok_and(|answer| answer.status() == 200) {
            if let Some(status) = running.child.try_wait()? {
                let said = fs::read_to_string(dir.join("log"))?;
                bail!("{} ended while starting ({status}): {said}", target.name());
            }
            ensure!(
                begun.elapsed() < START_WITHIN,
                "{} does not start",
                target.name()
            );
            thread::sleep(Duration::from_millis(5));
        }
        Ok(running)
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends all to it and waits until it has it and rests.
    pub fn fill(&self, payload: &Payload, mix: &Mix) -> Result<()> {
        send::send(payload, &self.url)?;
        settle(self.pid())?;
        self.wait_for(payload.samples(), mix)
    }

    fn measure(&mut self, payload: &Payload, mix: &Mix) -> Result<Measured> {
        let pid = self.child.id();
        let samples = payload.samples();
        let (before, machine) = (cpu_seconds(pid)?, Used::now(pid)?);
        let sent = send::send(payload, &self.url)?;
        ensure!(
            sent.accepted == samples,
            "{} of {samples} accepted",
            sent.accepted
        );
        let others = Used::now(pid)?.by_others_since(machine);
        let idle = settle(pid)? - before;
        let peak_bytes = memory_bytes(pid, "VmHWM")? as f64;
        let asking = cpu_seconds(pid)?;
        self.wait_for(samples, mix)?;
        let asking = cpu_seconds(pid)? - asking;
        // Questions are not its work here.
        let stopped = self.stop()? - before - asking;
        let disk_bytes = match self.target {
            Target::Null => None,
            _ => Some(allocated_bytes(&self.data)? as f64 / samples as f64),
        };
        Ok(Measured {
            until_idle: samples as f64 / idle,
            until_stopped: samples as f64 / stopped,
            peak_bytes,
            disk_bytes,
            repeated: sent.repeated as f64,
            others,
        })
    }

    /// Waits until it has all samples (I-TARGET-2).
    fn wait_for(&self, samples: u64, mix: &Mix) -> Result<()> {
        let begun = Instant::now();
        loop {
            let held = self.count(mix)?;
            if held == samples {
                return Ok(());
            }
            let is_hopeless = held > samples || begun.elapsed() > VISIBLE_WITHIN;
            ensure!(!is_hopeless, "it holds {held} of {samples} samples");
            thread::sleep(Duration::from_secs(1));
        }
    }

    fn count(&self, mix: &Mix) -> Result<u64> {
        match self.target {
            Target::TinyObs => {
                let count = &self.get("/v1/stats", &[])?["TotalMetrics"];
                count.as_u64().context("no count")
            }
            Target::Null => self.get("/", &[])?.as_u64().context("no count"),
            Target::Prometheus | Target::VictoriaMetrics => {
                // Name by name: Prometheus does not count over series that differ in nothing else.
                let counts = mix.names().into_iter().map(|name| self.count_of(name, mix));
                counts.sum()
            }
        }
    }

    fn count_of(&self, name: &str, mix: &Mix) -> Result<u64> {
        let seconds = (i64::from(mix.steps) + 2) * INTERVAL_MS / 1_000;
        let query = format!("sum(count_over_time({name}[{seconds}s]))");
        let at = (mix.end_ms / 1_000 + 1).to_string();
        let pairs = [("query", query.as_str()), ("time", at.as_str())];
        let answer = self.get("/api/v1/query", &pairs)?;
        ensure!(answer["status"] == "success", "{query}: {answer}");
        // Nothing of it is visible yet.
        let count = answer["data"]["result"][0]["value"][1]
            .as_str()
            .unwrap_or("0");
        Ok(count.parse::<f64>()? as u64)
    }

    fn get(&self, path: &str, pairs: &[(&str, &str)]) -> Result<Value> {
        let mut request = self.agent.get(format!("{}{path}", self.url));
        for (name, value) in pairs {
            request = request.query(name, value);
        }
        let text = request.call()?.body_mut().read_to_string()?;
        serde_json::from_str(&text).context(text)
    }

    /// Stops it as an init system does; the CPU seconds of its whole life.
    pub fn stop(&mut self) -> Result<f64> {
        let pid = self.child.id();
        let signal = Command::new("kill")
            .args(["-TERM", &pid.to_string()])
            .status()?;
        ensure!(signal.success(), "cannot signal {}", self.target.name());
        let begun = Instant::now();
        // What has ended and nobody has asked about yet still has its account.
        while !has_ended(pid)? {
            ensure!(
                begun.elapsed() < IDLE_WITHIN,
                "{} does not stop",
                self.target.name()
            );
            thread::sleep(Duration::from_millis(20));
        }
        let used = cpu_seconds(pid)?;
        let status = self.child.wait()?;
        // The null server knows no signals.
        let is_clean = status.success() || self.target == Target::Null;
        ensure!(is_clean, "{} stopped with {status}", self.target.name());
        Ok(used)
    }
}

fn has_ended(pid: u32) -> Result<bool> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let state = stat.rsplit_once(") ").context("a stat line")?.1;
    Ok(state.starts_with('Z'))
}

/// Waits until the process has been idle for a while; the CPU seconds that it has used by then.
pub fn settle(pid: u32) -> Result<f64> {
    let begun = Instant::now();
    let (mut since, mut used) = (Instant::now(), cpu_seconds(pid)?);
    while begun.elapsed() < IDLE_WITHIN {
        thread::sleep(Duration::from_millis(200));
        let now = cpu_seconds(pid)?;
        if now - used > IDLE_SHARE * IDLE_FOR.as_secs_f64() {
            (since, used) = (Instant::now(), now);
        } else if since.elapsed() > IDLE_FOR {
            return Ok(now);
        }
    }
    bail!("it does not come to rest")
}
