//! State: what every handler shares.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tinyobs_model::limits;
use tinyobs_store::{Clock, Store, SystemClock};
use tokio::sync::{Notify, Semaphore};

use crate::api::lanes::Lanes;
use crate::api::send::Room;
use crate::clients::Clients;
use crate::config::Config;
use crate::counters::Counters;
use crate::error::ApiError;
use crate::gate::Gate;
use crate::groups::{GroupError, Groups};
use crate::intake::Spare;
use crate::otlp::deltas::Deltas;

/// What every handler shares.
#[derive(Clone)]
pub struct App(Arc<Inner>);

/// Behind one `Arc`, so that a clone for each request is cheap.
pub struct Inner {
    pub store: Arc<Store>,
    pub config: Config,
    pub clock: SystemClock,
    pub started: Instant,
    pub clients: Clients,
    /// What was pushed as to a Pushgateway.
    pub groups: Groups,
    pub counters: Counters,
    /// Who adds deltas to what is stored.
    pub deltas: Deltas,
    /// Queries under way and waiting.
    pub queries: Gate,
    /// PromQL queries under way and waiting.
    pub lanes: Arc<Lanes>,
    /// Room for their answers while they are sent.
    pub answers: Room,
    /// Memory for the next push.
    pub spare: Spare,
    /// Pushes being decoded and stored.
    pub ingest: Gate,
    /// Requests for maintenance: one at a time.
    pub maintenance: Gate,
    /// Backups being read.
    pub backups: Arc<Semaphore>,
    /// Exports being read.
    pub exports: Arc<Semaphore>,
    /// Imports being read.
    pub imports: Arc<Semaphore>,
    /// Bytes of bodies that may still be taken into memory.
    pub body_bytes: Arc<Semaphore>,
    /// Set first of all when a shutdown begins, so that load balancers look elsewhere.
    draining: AtomicBool,
    /// The store error after which nothing may be acknowledged any more.
    fatal: OnceLock<String>,
    fatal_raised: Notify,
}

impl std::ops::Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl App {
    /// The state around an open store, with groups in memory only.
    #[cfg(test)]
    pub fn new(store: Store, config: Config) -> Self {
        Self::with_groups(store, config, Groups::default())
    }

    /// The state around an open store.
    pub fn with_groups(store: Store, config: Config, groups: Groups) -> Self {
        Self(Arc::new(Inner {
            store: Arc::new(store),
            config,
            clock: SystemClock,
            started: Instant::now(),
            clients: Clients::default(),
            groups,
            counters: Counters::default(),
            deltas: Deltas::default(),
            queries: Gate::new(limits::QUERIES_AT_ONCE, limits::QUERIES_WAITING, "queries"),
            lanes: Arc::default(),
            answers: Room::default(),
            spare: Spare::default(),
            ingest: Gate::new(limits::INGEST_AT_ONCE, limits::INGEST_WAITING, "pushes")
                .refusing_after(Duration::from_millis(limits::REFUSED_PAUSE_MS)),
            maintenance: Gate::new(1, limits::MAINTENANCE_WAITING, "requests for maintenance"),
            backups: Arc::new(Semaphore::new(limits::BACKUPS_AT_ONCE)),
            exports: Arc::new(Semaphore::new(limits::EXPORTS_AT_ONCE)),
            imports: Arc::new(Semaphore::new(limits::IMPORTS_AT_ONCE)),
            body_bytes: Arc::new(Semaphore::new(limits::INGEST_BYTES_IN_FLIGHT)),
            draining: AtomicBool::new(false),
            fatal: OnceLock::new(),
            fatal_raised: Notify::new(),
        }))
    }

    /// Runs `read` against the store on a thread where it may block.
    pub async fn query<T, F>(&self, read: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&App, &crate::gate::Cancel) -> Result<T, ApiError> + Send + 'static,
    {
        let app = self.clone();
        self.queries.run(move |cancel| read(&app, cancel)).await
    }
}

impl App {
    /// A failed push to a group as an answer; what is fatal ends the server.
    pub fn group_failed(&self, error: GroupError) -> ApiError {
        if let GroupError::Store(error) = &error
            && error.is_fatal()
        {
            self.raise_fatal(error.to_string());
        }
        error.into()
    }
}

impl Inner {
    /// Milliseconds since the epoch.
    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// Says that the server is about to stop.
    pub fn begin_drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Whether new work should come here.
    pub fn is_ready(&self) -> bool {
        !self.draining.load(Ordering::Acquire) && self.fatal.get().is_none()
    }

    /// Ends the server: the store can no longer keep what it acknowledges.
    pub fn raise_fatal(&self, error: String) {
        // Logged once, where the process ends.
        if self.fatal.set(error).is_ok() {
            self.fatal_raised.notify_one();
        }
    }

    /// Waits for a fatal error and returns it. The store is asked as well, once a second: its own
    /// threads may have met one while nobody was pushing.
    pub async fn fatal(&self) -> String {
        const ASK_EVERY: Duration = Duration::from_secs(1);
        loop {
            if let Some(error) = self.fatal.get() {
                return error.clone();
            }
            if let Some(reason) = self.store.failure() {
                self.raise_fatal(reason);
                continue;
            }
            let _ = tokio::time::timeout(ASK_EVERY, self.fatal_raised.notified()).await;
        }
    }
}
