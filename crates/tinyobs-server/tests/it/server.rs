//! A server of this process on a free port, gone when it is dropped.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use tempfile::TempDir;
use tinyobs_server::config::Config;
use tinyobs_server::{Running, Server};
use tinyobs_store::EngineKind;
use tokio::runtime::Runtime;

use crate::client::Client;

pub struct TestServer {
    runtime: Runtime,
    running: Option<Running>,
    dir: TempDir,
    config: Config,
}

impl TestServer {
    pub fn start() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config {
            listen: "127.0.0.1:0".to_owned(),
            otlp_listen: None,
            data_dir: dir.path().join("data"),
            ..Config::default()
        };
        change(&mut config);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let running = runtime.block_on(Server::start(config.clone())).unwrap();
        Self {
            runtime,
            running: Some(running),
            dir,
            config,
        }
    }

    /// One server for each engine.
    pub fn both_engines() -> [Self; 2] {
        [EngineKind::Disk, EngineKind::Memory].map(|engine| Self::with(|c| c.engine = engine))
    }

    pub fn client(&self) -> Client {
        Client(self.running.as_ref().unwrap().addr())
    }

    /// To the port for OTLP.
    pub fn otlp_client(&self) -> Option<Client> {
        self.running.as_ref().unwrap().otlp_addr().map(Client)
    }

    pub fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Begins to drain.
    pub fn shutdown(&self) {
        self.running.as_ref().unwrap().shutdown();
    }

    /// Waits for the end.
    pub fn wait(&mut self) {
        let running = self.running.take().unwrap();
        self.runtime.block_on(running.wait()).unwrap();
    }

    /// Stops and starts again with the same data.
    pub fn restart(&mut self) {
        self.shutdown();
        self.wait();
        let server = self.runtime.block_on(Server::start(self.config.clone()));
        self.running = Some(server.unwrap());
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.shutdown();
            let _ = self.runtime.block_on(running.wait());
        }
    }
}

/// Milliseconds since the epoch.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_millis() as i64
}

/// `text` as the value of a query parameter.
pub fn escape(text: &str) -> String {
    let bytes: Vec<String> = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    bytes.concat()
}
