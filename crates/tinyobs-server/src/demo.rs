//! Demo: the example app behind `--demo`, pushing to this very server.

use std::net::SocketAddr;

use tinyobs_demo::{DemoError, DemoOptions};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The running example app.
pub struct Demo {
    addr: SocketAddr,
    /// Dropped to end it.
    running: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

impl Demo {
    /// Starts the app, pushing to the server at `server`.
    pub async fn start(server: SocketAddr) -> Result<Self, DemoError> {
        let options = DemoOptions {
            endpoint: format!("http://{server}"),
            ..DemoOptions::default()
        };
        let demo = tinyobs_demo::Demo::bind(options).await?;
        let addr = demo.address();
        let (running, end) = oneshot::channel::<()>();
        let ended = tokio::spawn(async move {
            let shutdown = async { end.await.unwrap_or_default() };
            if let Err(error) = demo.run(shutdown).await {
                tracing::error!(%error, "the demo ended");
            }
        });
        Ok(Self {
            addr,
            running,
            ended,
        })
    }

    /// Where its page is.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Ends it; its last push has been made when this returns.
    pub async fn stop(self) {
        drop(self.running);
        // A panic has been reported where it happened.
        let _ = self.ended.await;
    }
}
