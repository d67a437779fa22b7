//! Listeners: where connections come in.
//!
//!   `--listen`, `--otlp-listen` ─▶ [bind], [bind_otlp] ─▶ [Listeners::accept] ─▶ connection
//!
//! Both lead to the same router: whoever knows only OpenTelemetry's port finds all of TinyObs there,
//! behind the same checks.
//!
//! I-LISTEN-1  Another program on the port for OTLP is said once and keeps nobody from starting.
//! I-LISTEN-2  No listener can be reached from other machines unless that was asked for.
//! Proved by: tests/it/otlp.rs, tests/it/lifecycle.rs.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;

use super::StartError;
use crate::config::Config;

/// All there are.
pub struct Listeners {
    main: TcpListener,
    otlp: Option<TcpListener>,
}

/// Takes an address.
pub async fn bind(listen: &str, allow_anonymous: bool) -> Result<TcpListener, StartError> {
    let address = |source| StartError::Address {
        listen: listen.to_owned(),
        source,
    };
    let wanted = listen.to_owned();
    let addrs = tokio::task::spawn_blocking(move || {
        wanted.to_socket_addrs().map(Iterator::collect::<Vec<_>>)
    });
    let addrs = addrs.await.map_err(io::Error::from).map_err(address)?;
    let addrs = addrs.map_err(address)?;
    // I-LISTEN-2
    if !allow_anonymous && !addrs.iter().all(|addr| addr.ip().is_loopback()) {
        let listen = listen.to_owned();
        return Err(StartError::NotLoopback { listen });
    }
    TcpListener::bind(&*addrs).await.map_err(|error| {
        if error.kind() == io::ErrorKind::AddrInUse {
            let listen = listen.to_owned();
            return StartError::InUse { listen };
        }
        address(error)
    })
}

/// Where a listener has come to listen.
pub fn local_addr(listener: &TcpListener, listen: &str) -> Result<SocketAddr, StartError> {
    listener.local_addr().map_err(|source| StartError::Address {
        listen: listen.to_owned(),
        source,
    })
}

/// Takes the address for OTLP, if there is to be one and it is free (I-LISTEN-1).
pub async fn bind_otlp(config: &Config) -> Result<Option<TcpListener>, StartError> {
    let Some(listen) = &config.otlp_listen else {
        return Ok(None);
    };
    if *listen == config.listen && !listen.ends_with(":0") {
        // Everything is served there already.
        return Ok(None);
    }
    match bind(listen, config.allow_anonymous).await {
        Ok(listener) => Ok(Some(listener)),
        Err(StartError::InUse { .. }) => {
            tracing::warn!(
                "another program listens on {listen}, so OpenTelemetry clients must be told to push \
                 to {} (--otlp-listen off silences this)",
                config.listen
            );
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

impl Listeners {
    pub fn new(main: TcpListener, otlp: Option<TcpListener>) -> Self {
        Self { main, otlp }
    }

    /// The next connection, once there is room for it. What does not fit waits in the kernel's
    /// queue.
    pub async fn accept(&self, slots: &Arc<Semaphore>) -> (TcpStream, OwnedSemaphorePermit) {
        const PAUSE: Duration = Duration::from_millis(100);
        let slots = Arc::clone(slots);
        let slot = slots.acquire_owned().await.expect("never closed");
        loop {
            match self.next().await {
                Ok((stream, _)) => return (stream, slot),
                Err(error) => {
                    // Out of files, most likely; connections that end give some back.
                    tracing::warn!(%error, "a connection could not be accepted");
                    sleep(PAUSE).await;
                }
            }
        }
    }

    async fn next(&self) -> io::Result<(TcpStream, SocketAddr)> {
        match &self.otlp {
            None => self.main.accept().await,
            Some(otlp) => tokio::select! {
                next = self.main.accept() => next,
                next = otlp.accept() => next,
            },
        }
    }
}
