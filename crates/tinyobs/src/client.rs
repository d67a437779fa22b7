//! Client: what a program holds.
//!
//!   your code ─▶ [Client] ─▶ registry ─▶ handles          flush, stop, drop ─▶ control ─▶ flusher
//!
//! I-HANDLE-1  When the last clone goes, the last values are delivered, within two seconds.
//! I-HANDLE-2  Handles outlive their client and stay harmless.
//! Proved by: tests/it/lifetime.rs.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::builder::ClientBuilder;
use crate::control::Control;
use crate::counter::Counter;
use crate::error::Error;
use crate::flusher::Flusher;
use crate::gauge::Gauge;
use crate::histogram::Histogram;
use crate::limits::DROP_DEADLINE;
use crate::notice::{Notices, Topic};
use crate::registry::Registry;
use crate::report::Report;

/// A service's connection to a TinyObs server: makes metrics, and pushes their values from a
/// thread of its own.
///
/// Cheap to clone. When the last clone is dropped, the last values are delivered, within two
/// seconds; [`stop`](Self::stop) does the same with a deadline of yours and tells what came of it.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the client and its flush thread share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) identity: Identity,
    pub(crate) registry: Registry,
    pub(crate) control: Control,
    pub(crate) notices: Arc<Notices>,
}

/// Who pushes.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) service: String,
    pub(crate) instance: String,
    pub(crate) start_ms: i64,
    pub(crate) interval: Duration,
}

impl Client {
    /// Configures a client for a service of this name.
    pub fn builder(service: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(service.into())
    }

    /// The counter of this name and these labels, whatever their order. Looking it up costs a
    /// hash; keep the handle where you can.
    ///
    /// A name has one kind: when it is taken by another, or breaks a rule, the handle works and
    /// leads nowhere, and one notice tells why.
    pub fn counter(&self, name: &str, labels: &[(&str, &str)]) -> Counter {
        self.inner.shared.registry.counter(name, labels)
    }

    /// The gauge of this name and these labels; see [`counter`](Self::counter).
    pub fn gauge(&self, name: &str, labels: &[(&str, &str)]) -> Gauge {
        self.inner.shared.registry.gauge(name, labels)
    }

    /// The histogram of this name and these labels, with the bounds it has, or else with
    /// [`DEFAULT_BOUNDS`](crate::DEFAULT_BOUNDS); see [`counter`](Self::counter).
    pub fn histogram(&self, name: &str, labels: &[(&str, &str)]) -> Histogram {
        self.inner.shared.registry.histogram(name, labels, None)
    }

    /// The histogram of this name and these labels, with bounds of yours. The first bounds of a
    /// metric are those of all its series: only then can they be added up.
    pub fn histogram_with(&self, name: &str, labels: &[(&str, &str)], bounds: &[f64]) -> Histogram {
        let registry = &self.inner.shared.registry;
        registry.histogram(name, labels, Some(bounds))
    }

    /// Tells what a metric measures, and in which unit. Before or after its first use.
    pub fn describe(&self, name: &str, unit: &str, help: &str) {
        self.inner.shared.registry.describe(name, unit, help);
    }

    /// Pushes now, and waits until everything recorded before this call is delivered, but no
    /// longer than `timeout`; with `Duration::MAX`, however long it takes.
    ///
    /// Blocks the thread. In async code, call it through `spawn_blocking` or at the very end.
    pub fn flush(&self, timeout: Duration) -> Report {
        self.inner.push(timeout, false)
    }

    /// Pushes a last time, marked as such, and ends the flush thread. Waits no longer than
    /// `timeout`. Handles stay valid, but nothing is sent any more. A second call is harmless and
    /// reports the same.
    ///
    /// Blocks the thread. In async code, call it through `spawn_blocking` or at the very end.
    pub fn stop(&self, timeout: Duration) -> Report {
        self.inner.stop(timeout)
    }

    /// The service's name.
    pub fn service(&self) -> &str {
        &self.inner.shared.identity.service
    }

    /// What tells this process from others of the same service.
    pub fn instance(&self) -> &str {
        &self.inner.shared.identity.instance
    }

    pub(crate) fn start(shared: Arc<Shared>, flusher: Flusher) -> Result<Self, Error> {
        let thread = thread::Builder::new()
            .name("tinyobs-flush".to_owned())
            .spawn(move || flusher.run())?;
        Ok(Self {
            inner: Arc::new(Inner {
                shared,
                thread: Mutex::new(Some(thread)),
            }),
        })
    }

    /// For layers that record on behalf of the client without keeping it alive.
    #[cfg(feature = "tower")]
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.inner.shared
    }
}

impl Inner {
    fn push(&self, timeout: Duration, last: bool) -> Report {
        let series = self.shared.registry.read().series.len();
        self.shared.control.push(timeout, last, series)
    }

    fn stop(&self, timeout: Duration) -> Report {
        let report = self.push(timeout, true);
        if self.shared.control.is_ended() {
            let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(thread) = thread.take() {
                // It has said goodbye already, so this takes no time.
                let _ = thread.join();
            }
        }
        report
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.shared.control.is_stopped() {
            return;
        }
        let report = self.stop(DROP_DEADLINE);
        if !report.is_complete() {
            self.shared.notices.say(Topic::Stopped, || {
                let Identity {
                    service, instance, ..
                } = &self.shared.identity;
                format!("{service} ({instance}) ends; last push: {report}")
            });
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("service", &self.service())
            .field("instance", &self.instance())
            .finish_non_exhaustive()
    }
}
