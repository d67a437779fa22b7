//! Server: from a configuration to a running server and back to nothing.
//!
//! Start: bind, open the store, serve. Stop: not ready, no new connections, drain, close the store.
//!
//! I-SERVE-1  The port is taken before the store is opened, and the store is open before the first
//!            request is answered: who reaches us reaches a whole server.
//! I-SERVE-2  The store is closed after the last request, so that what was acknowledged is in it.
//! I-SERVE-3  After a fatal store error nothing is acknowledged any more, and the process ends.
//! Proved by: server/tests.rs, tests/it/lifecycle.rs.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tinyobs_model::limits;
use tinyobs_store::{EngineKind, Store, StoreError};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use crate::config::Config;
use crate::groups::Groups;
use crate::groups::file::FileError;
use crate::state::App;
use crate::{background, connection, process, routes};

mod listeners;

use listeners::{Listeners, bind, local_addr};

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address is not one to listen on.
    #[error("cannot listen on {listen}: {source}")]
    Address {
        /// As configured.
        listen: String,
        /// What is wrong with it.
        source: io::Error,
    },
    /// Anybody on the network could read and write.
    #[error(
        "{listen} can be reached from other machines, and the server asks nobody for a key: \
         listen on 127.0.0.1, or say --allow-anonymous if that is what you want"
    )]
    NotLoopback {
        /// As configured.
        listen: String,
    },
    /// Another program listens there.
    #[error(
        "cannot listen on {listen}: another program does; stop it, or choose another port with \
         --listen 127.0.0.1:0 (0 takes any free one)"
    )]
    InUse {
        /// As configured.
        listen: String,
    },
    /// The pushed groups cannot be read.
    #[error("{source}; check its owner and permissions")]
    Groups {
        /// What is wrong, naming the file.
        source: FileError,
    },
    /// The data directory cannot be used.
    #[error("{source}; {}", way_out(source))]
    Store {
        /// What is wrong there, naming the place.
        source: StoreError,
    },
}

/// Why a server ended otherwise than it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StopError {
    /// The store could no longer keep what it acknowledges.
    #[error("the store failed and the server ended: {0}")]
    Fatal(String),
    /// The store could not be closed; the log still has everything that was acknowledged.
    #[error("the store could not be closed: {0}")]
    Close(StoreError),
}

/// Starts servers.
#[derive(Debug)]
pub struct Server;

/// A running server.
#[derive(Debug)]
pub struct Running {
    addr: SocketAddr,
    otlp_addr: Option<SocketAddr>,
    stop: Stop,
    served: JoinHandle<Result<(), StopError>>,
}

/// Asks a running server to stop.
#[derive(Debug, Clone)]
pub struct Stop(Arc<watch::Sender<bool>>);

impl Stop {
    /// Begins to drain, and returns at once.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Server {
    /// Starts a server on the runtime this is called on.
    ///
    /// # Errors
    /// The address or the data directory cannot be used.
    pub async fn start(config: Config) -> Result<Running, StartError> {
        let listener = bind(&config.listen, config.allow_anonymous).await?;
        let addr = local_addr(&listener, &config.listen)?;
        let otlp = listeners::bind_otlp(&config).await?;
        let otlp_addr = otlp.as_ref().and_then(|otlp| otlp.local_addr().ok());
        let store = open(&config).await?;
        let groups = groups(&config)?;
        let app = App::with_groups(store, config, groups);
        let stop = Stop(Arc::new(watch::Sender::new(false)));
        let served = tokio::spawn(serve(
            Listeners::new(listener, otlp),
            app,
            stop.0.subscribe(),
        ));
        Ok(Running {
            addr,
            otlp_addr,
            stop,
            served,
        })
    }
}

impl Running {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where it listens for OTLP besides.
    pub fn otlp_addr(&self) -> Option<SocketAddr> {
        self.otlp_addr
    }

    /// A handle that stops it.
    pub fn stop_handle(&self) -> Stop {
        self.stop.clone()
    }

    /// Begins to drain, and returns at once.
    pub fn shutdown(&self) {
        self.stop.stop();
    }

    /// Waits until everything is answered and the store is closed.
    ///
    /// # Errors
    /// The store failed, now or while it was served.
    pub async fn wait(self) -> Result<(), StopError> {
        match self.served.await {
            Ok(result) => result,
            Err(error) => Err(StopError::Fatal(error.to_string())),
        }
    }
}

async fn open(config: &Config) -> Result<Store, StartError> {
    let options = config.store_options();
    let opened = tokio::task::spawn_blocking(move || Store::open(options)).await;
    match opened {
        Ok(opened) => opened.map_err(|source| StartError::Store { source }),
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

/// The memory engine forgets groups as well.
fn groups(config: &Config) -> Result<Groups, StartError> {
    match config.engine {
        EngineKind::Memory => Ok(Groups::default()),
        EngineKind::Disk => {
            Groups::open(&config.data_dir).map_err(|source| StartError::Groups { source })
        }
    }
}

/// What to do about it.
fn way_out(error: &StoreError) -> &'static str {
    match error {
        StoreError::Locked { .. } => "stop it, or choose another directory with --data-dir",
        StoreError::Corrupt { .. } => "restore the file from a backup, or move it away",
        StoreError::NewerFormat { .. } | StoreError::OlderFormat { .. } => {
            "or choose another directory with --data-dir"
        }
        StoreError::Full { .. } => "make room, or choose another directory with --data-dir",
        _ => "check its owner and permissions, or choose another directory with --data-dir",
    }
}

async fn serve(
    listeners: Listeners,
    app: App,
    mut stop: watch::Receiver<bool>,
) -> Result<(), StopError> {
    let router = routes::router(app.clone());
    let slots = Arc::new(Semaphore::new(connections_max()));
    let drain = watch::Sender::new(false);
    let background = tokio::spawn(background::run(app.clone(), drain.subscribe()));
    let mut connections = JoinSet::new();
    let fatal = loop {
        tokio::select! {
            // An error means that whoever could stop us is gone.
            _ = stop.wait_for(|stopping| *stopping) => break None,
            error = app.fatal() => break Some(error),
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            (stream, slot) = listeners.accept(&slots) => {
                let served = connection::serve(stream, router.clone(), drain.subscribe());
                connections.spawn(async move {
                    served.await;
                    drop(slot);
                });
            }
        }
    };
    app.begin_drain();
    drop(listeners);
    drain.send_replace(true);
    let all = async { while connections.join_next().await.is_some() {} };
    if timeout(Duration::from_secs(limits::DRAIN_SECONDS), all)
        .await
        .is_err()
    {
        tracing::warn!(
            left = connections.len(),
            "requests were cut off by the shutdown"
        );
        connections.shutdown().await;
    }
    // I-BACK-1
    let _ = background.await;
    // I-SERVE-2
    let store = Arc::clone(&app.store);
    let closed = tokio::task::spawn_blocking(move || store.close()).await;
    match (fatal, closed) {
        (Some(error), _) => Err(StopError::Fatal(error)),
        (None, Ok(closed)) => closed.map_err(StopError::Close),
        (None, Err(panic)) => std::panic::resume_unwind(panic.into_panic()),
    }
}

/// The store needs files as well, so connections get half of what the process may open.
fn connections_max() -> usize {
    let half = process::open_files_max().map_or(limits::CONNECTIONS, |files| files / 2);
    limits::CONNECTIONS.min(half).max(1)
}

#[cfg(test)]
mod tests;
