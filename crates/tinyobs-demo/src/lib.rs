//! The TinyObs example app: a small web shop that is its own customer.
//!
//!   traffic ─▶ router ─▶ tower layer ─▶ SDK ─▶ TinyObs          browser ─▶ stats page
//!   batch, queue ───────────────────────┘
//!
//! It shows what a service looks like that uses the SDK, and gives the dashboard something to
//! draw. In reading order:
//!
//! - [`run`]: the shop's whole life, from a free port to the last push.
//! - `shop`: routes, handlers, and the metrics they record.
//! - `traffic`: customers, steady and in bursts, along a day that lasts ten minutes.
//! - `work`: what goes on behind the counter: a queue, and a batch job every minute.
//! - `page`: the stats page.

mod page;
mod shop;
mod traffic;
mod work;

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tinyobs::{Client, Report};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use shop::Shop;

/// The name under which the shop shows up.
pub const SERVICE: &str = "example-app";
/// What a graceful end may take: requests under way first, then the last push.
const DRAIN: Duration = Duration::from_secs(3);
const LAST_PUSH: Duration = Duration::from_secs(5);

/// Where the shop pushes to, and where it listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoOptions {
    /// The TinyObs server's address.
    pub endpoint: String,
    /// Where the shop's own page is served. When the port is taken, a free one is used.
    pub listen: SocketAddr,
}

impl Default for DemoOptions {
    fn default() -> Self {
        Self {
            endpoint: "http://127.0.0.1:8080".to_owned(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 3000)),
        }
    }
}

/// Why the shop could not open, or had to close.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// The SDK does not take the configuration.
    #[error(transparent)]
    Client(#[from] tinyobs::Error),
    /// Neither the wanted port nor another one can be had.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The wanted address.
        address: SocketAddr,
        /// What the operating system says.
        source: io::Error,
    },
    /// The listening socket broke.
    #[error("cannot serve any longer: {0}")]
    Serve(#[from] io::Error),
}

/// A shop that has its port, and is not open yet.
#[derive(Debug)]
pub struct Demo {
    listener: TcpListener,
    address: SocketAddr,
    client: Client,
    shop: Arc<Shop>,
}

/// Opens the shop and keeps it open until `shutdown` is done; tells what the last push delivered.
///
/// # Errors
/// When there is no port to listen on, or the endpoint cannot be used.
pub async fn run(
    options: DemoOptions,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<Report, DemoError> {
    Demo::bind(options).await?.run(shutdown).await
}

impl Demo {
    /// Takes a port and starts the client.
    ///
    /// # Errors
    /// As [`run`].
    pub async fn bind(options: DemoOptions) -> Result<Self, DemoError> {
        let (listener, address) = listen(options.listen).await?;
        let client = Client::builder(SERVICE)
            .endpoint(options.endpoint.as_str())
            .start()?;
        let shop = Arc::new(Shop::new(&client, &options.endpoint));
        Ok(Self {
            listener,
            address,
            client,
            shop,
        })
    }

    /// Where the shop's page is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Opens, and closes gracefully once `shutdown` is done: requests under way are answered, then
    /// the last values are pushed.
    ///
    /// # Errors
    /// When the listening socket breaks.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) -> Result<Report, DemoError> {
        tracing::info!(page = %format!("http://{}", self.address), "demo app is open");
        let router = shop::router(self.shop.clone(), &self.client);
        let (close, closing) = watch::channel(());
        let mut work = JoinSet::new();
        work.spawn(work::queue(self.shop.clone()));
        work.spawn(work::batches(self.client.clone()));
        let traffic = traffic::run(router.clone(), self.shop.clone(), closing.clone());
        let mut traffic = tokio::spawn(traffic);
        let server = axum::serve(self.listener, router).with_graceful_shutdown(closed(closing));
        let mut server = tokio::spawn(server.into_future());

        let served = tokio::select! {
            () = shutdown => Ok(()),
            ended = &mut server => ended.unwrap_or_else(|error| Err(io::Error::other(error))),
        };
        // Everybody leaves first, so that nothing is counted after the last push.
        drop(close);
        if served.is_ok() && timeout(DRAIN, &mut server).await.is_err() {
            server.abort();
        }
        if timeout(DRAIN, &mut traffic).await.is_err() {
            traffic.abort();
        }
        work.shutdown().await;
        let report = stop(self.client).await;
        served?;
        Ok(report)
    }
}

/// The last push blocks its thread, so it gets one that may block.
async fn stop(client: Client) -> Report {
    let stopped = tokio::task::spawn_blocking(move || client.stop(LAST_PUSH)).await;
    let report = stopped.unwrap_or_default();
    if report.is_complete() {
        tracing::info!(%report, "demo app is closed");
    } else {
        tracing::warn!(%report, "demo app is closed; its last values did not all arrive");
    }
    report
}

async fn closed(mut closing: watch::Receiver<()>) {
    // An error means that the sender is gone, which is the sign to close.
    while closing.changed().await.is_ok() {}
}

async fn listen(wanted: SocketAddr) -> Result<(TcpListener, SocketAddr), DemoError> {
    let bound = match TcpListener::bind(wanted).await {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            TcpListener::bind((wanted.ip(), 0)).await
        }
        bound => bound,
    };
    bound
        .and_then(|listener| {
            let address = listener.local_addr()?;
            Ok((listener, address))
        })
        .map_err(|source| DemoError::Listen {
            address: wanted,
            source,
        })
}

#[cfg(test)]
mod tests;
