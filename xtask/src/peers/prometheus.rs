//! Prometheus: a running one, asked over its API.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tinyobs_testing::{Agent, agent};

/// A running Prometheus, killed when it is dropped.
pub struct Prometheus {
    child: Child,
    url: String,
    agent: Agent,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Prometheus {
    /// Starts it with everything of its own in `dir`. It may take a moment until it answers.
    pub fn start(program: &Path, dir: &Path, config: &str, args: &[&str]) -> Result<Self> {
        let file = dir.join("prometheus.yml");
        fs::write(&file, config)?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let log = File::create(dir.join("prometheus.log"))?;
        let data = dir.join("tsdb");
        let child = Command::new(program)
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", data.display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .args(args)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        Ok(Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
            agent: agent(),
        })
    }

    /// The data that a path of its API answers.
    pub fn get(&self, path: &str, pairs: &[(&str, &str)]) -> Result<Value> {
        let mut request = self.agent.get(format!("{}{path}", self.url));
        for (name, value) in pairs {
            request = request.query(name, value);
        }
        let text = request.call()?.body_mut().read_to_string()?;
        let answer: Value = serde_json::from_str(&text).with_context(|| text.clone())?;
        ensure!(answer["status"] == "success", "{answer}");
        Ok(answer["data"].clone())
    }

    /// A page that it serves, as text.
    pub fn page(&self, path: &str) -> Result<String> {
        let mut answer = self.agent.get(format!("{}{path}", self.url)).call()?;
        Ok(answer.body_mut().read_to_string()?)
    }

    /// What a query comes to now.
    pub fn query(&self, query: &str) -> Result<Vec<Value>> {
        let data = self.get("/api/v1/query", &[("query", query)])?;
        let result = data["result"].as_array();
        Ok(result.context("no result")?.clone())
    }
}
