//! Server: the real binary, started, killed and asked.

use std::fs::{File, TryLockError};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// A running `tinyobs serve`.
pub struct Server {
    child: Child,
    /// Where it listens, without a slash at the end.
    pub url: String,
    /// From the start of the process to its first answer.
    pub started_in: Duration,
    agent: ureq::Agent,
    /// Where it listens on 127.0.0.1.
    port: Port,
}

/// A port, kept for us for as long as this lives.
struct Port {
    number: u16,
    kept: File,
}

/// How to start it.
#[derive(Clone)]
pub struct Start {
    /// The binary.
    pub binary: PathBuf,
    /// Its data directory.
    pub data_dir: PathBuf,
    /// Further arguments.
    pub args: Vec<String>,
}

/// What is around the process.
#[derive(Clone, Default)]
pub struct Around {
    /// A command to put in front, such as `taskset -c 0`. It must become the server, so that pid
    /// and exit status are the server's.
    pub wrapper: Vec<String>,
    /// Where stderr is appended to; without it, to ours.
    pub log: Option<PathBuf>,
}

/// How a start ended.
pub enum Started {
    /// It answers.
    Ready(Server),
    /// The process ended before it answered.
    Ended(ExitStatus),
}

/// An answer, whatever its status.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Seconds of `Retry-After`.
    pub retry_after: Option<u64>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as text, for people.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body).with_context(|| self.text())
    }
}

/// Longer than any start should take on a busy machine.
const START_WITHIN: Duration = Duration::from_secs(30);

impl Server {
    /// Starts the binary on a free port and waits until it answers.
    pub fn start(start: &Start) -> Result<Self> {
        match Self::start_in(start, &Around::default())? {
            Started::Ready(server) => Ok(server),
            Started::Ended(status) => bail!("the server ended while starting: {status}"),
        }
    }

    /// Starts the binary with something around it, and waits until it answers or ends.
    pub fn start_in(start: &Start, around: &Around) -> Result<Started> {
        Self::start_on(free_port()?, start, around)
    }

    /// Starts it again where it was, for clients that know no other address; kills it first if it
    /// still runs.
    pub fn start_again(mut self, start: &Start) -> Result<Self> {
        self.kill_now()?;
        let port = Port {
            number: self.port.number,
            kept: self.port.kept.try_clone()?,
        };
        match Self::start_on(port, start, &Around::default())? {
            Started::Ready(server) => Ok(server),
            Started::Ended(status) => bail!("the server ended while starting again: {status}"),
        }
    }

    fn start_on(port: Port, start: &Start, around: &Around) -> Result<Started> {
        let begun = Instant::now();
        let mut words = around.wrapper.iter().map(AsRef::as_ref);
        let mut command = match words.next() {
            Some(first) => Command::new::<&Path>(first),
            None => Command::new(&start.binary),
        };
        if !around.wrapper.is_empty() {
            command.args(words).arg(&start.binary);
        }
        let stderr = match &around.log {
            Some(path) => File::options().create(true).append(true).open(path)?.into(),
            None => Stdio::inherit(),
        };
        let child = command
            .arg("serve")
            .args(["--listen", &format!("127.0.0.1:{}", port.number)])
            .arg("--data-dir")
            .arg(&start.data_dir)
            .args(&start.args)
            .env_clear()
            // Servers of tests stand beside each other. A variable, because older binaries, which
            // some tests start, know no such flag.
            .env("TINYOBS_OTLP_LISTEN", "off")
            .current_dir(start.data_dir.parent().unwrap_or(Path::new("/")))
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        let url = format!("http://127.0.0.1:{}", port.number);
        let mut server = Self {
            child,
            url,
            started_in: Duration::ZERO,
            agent: agent(),
            port,
        };
        while server.get_status("/readyz").ok() != Some(200) {
            if let Some(status) = server.child.try_wait()? {
                return Ok(Started::Ended(status));
            }
            if begun.elapsed() > START_WITHIN {
                bail!("the server did not answer within {START_WITHIN:?}");
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        server.started_in = begun.elapsed();
        Ok(Started::Ready(server))
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The JSON answer to a GET.
    pub fn get(&self, path: &str) -> Result<Value> {
        let url = format!("{}{path}", self.url);
        let mut answer = self.agent.get(&url).call().with_context(|| url.clone())?;
        let body = answer
            .body_mut()
            .with_config()
            .limit(1 << 30)
            .read_to_vec()?;
        if answer.status() != 200 {
            bail!(
                "{url}: {} {}",
                answer.status(),
                String::from_utf8_lossy(&body)
            );
        }
        Ok(serde_json::from_slice(&body)?)
    }

    /// The status of a GET.
    pub fn get_status(&self, path: &str) -> Result<u16> {
        let answer = self.agent.get(format!("{}{path}", self.url)).call()?;
        Ok(answer.status().as_u16())
    }

    /// The answer to a GET, whatever its status.
    pub fn ask(&self, path: &str) -> Result<Answer> {
        read(self.agent.get(format!("{}{path}", self.url)).call()?)
    }

    /// The answer to a POST of JSON, whatever its status.
    pub fn post(&self, path: &str, body: &str) -> Result<Answer> {
        post(&self.agent, &format!("{}{path}", self.url), body)
    }

    /// Status and JSON answer of a POST to `/v1/ingest`.
    pub fn ingest(&self, body: &str) -> Result<(u16, Value)> {
        let mut answer = self
            .agent
            .post(format!("{}/v1/ingest", self.url))
            .header("Content-Type", "application/json")
            .send(body)?;
        let text = answer.body_mut().read_to_vec()?;
        Ok((answer.status().as_u16(), serde_json::from_slice(&text)?))
    }

    /// Waits until the process ends by itself; none when it does not in time.
    pub fn ended_within(&mut self, time: Duration) -> Result<Option<ExitStatus>> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Some(status));
            }
            if begun.elapsed() > time {
                return Ok(None);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Kills it as `kill -9` does.
    pub fn kill(mut self) -> Result<()> {
        self.kill_now()
    }

    /// Likewise; what is left answers nothing.
    pub fn kill_now(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to stop, as an init system does.
    pub fn terminate(&self) -> Result<()> {
        let status = Command::new("kill")
            .args(["-TERM", &self.pid().to_string()])
            .status()?;
        if !status.success() {
            bail!("cannot signal the server");
        }
        Ok(())
    }

    /// Asks it to stop and waits until it has.
    pub fn stop(mut self) -> Result<ExitStatus> {
        self.terminate()?;
        Ok(self.child.wait()?)
    }
}

/// No server outlives the command that started it.
impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An HTTP client that reports every status instead of taking some for errors.
pub fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_mins(1)))
        .build();
    config.into()
}

/// The answer to a POST of JSON, whatever its status.
pub fn post(agent: &ureq::Agent, url: &str, body: &str) -> Result<Answer> {
    let request = agent.post(url).header("Content-Type", "application/json");
    read(request.send(body)?)
}

/// The answer to a POST of any bytes, whatever its status.
pub fn post_bytes(
    agent: &ureq::Agent,
    url: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Answer> {
    let mut request = agent.post(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    read(request.send(body)?)
}

fn read(mut answer: ureq::http::Response<ureq::Body>) -> Result<Answer> {
    let header = answer.headers().get("retry-after");
    let retry_after = header.and_then(|value| value.to_str().ok()?.parse().ok());
    let status = answer.status().as_u16();
    let body = answer.body_mut().with_config().limit(1 << 30);
    Ok(Answer {
        status,
        retry_after,
        body: body.read_to_vec()?,
    })
}

/// A port that is free, and kept for us among all that start servers by this crate: between looking
/// and listening, another one would take it, answer in our server's place, and nobody would know.
fn free_port() -> Result<Port> {
    let dir = std::env::temp_dir().join("tinyobs-testing-ports");
    std::fs::create_dir_all(&dir)?;
    loop {
        let number = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let path = dir.join(number.to_string());
        let kept = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)?;
        match kept.try_lock() {
            Ok(()) => return Ok(Port { number, kept }),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
    }
}
