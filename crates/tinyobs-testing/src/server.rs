//! Server: the real binary, started, killed and asked.

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

/// Longer than any start should take on a busy machine.
const START_WITHIN: Duration = Duration::from_secs(30);

impl Server {
    /// Starts the binary on a free port and waits until it answers.
    pub fn start(start: &Start) -> Result<Self> {
        let port = free_port()?;
        let begun = Instant::now();
        let child = Command::new(&start.binary)
            .arg("serve")
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .arg("--data-dir")
            .arg(&start.data_dir)
            .args(&start.args)
            .env_clear()
            .current_dir(start.data_dir.parent().unwrap_or(Path::new("/")))
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .with_context(|| format!("cannot start {}", start.binary.display()))?;
        let url = format!("http://127.0.0.1:{port}");
        let mut server = Self {
            child,
            url,
            started_in: Duration::ZERO,
            agent: agent(),
        };
        while server.get_status("/readyz").ok() != Some(200) {
            if let Some(status) = server.child.try_wait()? {
                bail!("the server ended while starting: {status}");
            }
            if begun.elapsed() > START_WITHIN {
                bail!("the server did not answer within {START_WITHIN:?}");
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        server.started_in = begun.elapsed();
        Ok(server)
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

    /// Kills it as `kill -9` does.
    pub fn kill(mut self) -> Result<()> {
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

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
