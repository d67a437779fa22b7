//! Builder: a client's configuration, checked once, at the start.
//!
//! Builder call > environment (`TINYOBS_ENDPOINT`, `TINYOBS_API_KEY`) > default.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;
use std::{env, fs, process};

use tinyobs_model::labels::Labels;
use tinyobs_model::limits::LABEL_VALUE_BYTES;
use ureq::http::{HeaderValue, Uri};

use crate::client::{Client, Identity, Shared};
use crate::clock::now_ms;
use crate::control::Control;
use crate::error::Error;
use crate::flusher::Flusher;
use crate::key::OwnLabels;
use crate::limits::{INTERVAL_LONGEST, INTERVAL_SHORTEST, SERIES_PER_METRIC};
use crate::notice::Notices;
use crate::own::OwnMetrics;
use crate::process::{ProcessMetrics, start_ms};
use crate::registry::Registry;
use crate::transport::Transport;

const DEFAULT_ENDPOINT: &str = "http://127.0.0.1:8080";
const INGEST_PATH: &str = "/v1/ingest";
const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);

/// Configures a [`Client`]; made by [`Client::builder`].
#[derive(Debug, Clone)]
#[must_use = "nothing is sent before `start`"]
pub struct ClientBuilder {
    service: String,
    endpoint: Option<String>,
    instance: Option<String>,
    interval: Duration,
    labels: Vec<(String, String)>,
    api_key: Option<String>,
    process_metrics: bool,
    self_metrics: bool,
    series_per_metric: usize,
}

impl ClientBuilder {
    pub(crate) fn new(service: String) -> Self {
        Self {
            service,
            endpoint: None,
            instance: None,
            interval: DEFAULT_INTERVAL,
            labels: Vec::new(),
            api_key: None,
            process_metrics: true,
            self_metrics: true,
            series_per_metric: SERIES_PER_METRIC,
        }
    }

    /// The server's address, such as `http://127.0.0.1:8080`, which is the default; `/v1/ingest`
    /// is added unless it is there. The environment variable `TINYOBS_ENDPOINT` says the same.
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    /// What tells this process from others of the same service; `host:pid` by default. Two
    /// processes of one instance would write into each other's series.
    pub fn instance(mut self, instance: impl Into<String>) -> Self {
        self.instance = Some(instance.into());
        self
    }

    /// How often values are pushed: every 5 seconds by default, from 10 ms to 1 h.
    pub fn flush_interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// A label that every series gets, such as `env`. A series' own label of that name wins.
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.push((name.into(), value.into()));
        self
    }

    /// Sent as `Authorization: Bearer …`. The environment variable `TINYOBS_API_KEY` says the same.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(key.into());
        self
    }

    /// Whether to send `process_*` metrics: CPU, memory, threads, file descriptors. On by default;
    /// turn it off for all but one client of a process.
    pub fn process_metrics(mut self, on: bool) -> Self {
        self.process_metrics = on;
        self
    }

    /// Whether to send `tinyobs_sdk_*` metrics: pushes, failures, skipped values. On by default.
    pub fn self_metrics(mut self, on: bool) -> Self {
        self.self_metrics = on;
        self
    }

    /// How many series one metric may have in this process; [`SERIES_PER_METRIC`] by default.
    /// Further label sets share one series, labelled `tinyobs_overflow="true"`.
    pub fn series_per_metric(mut self, most: usize) -> Self {
        self.series_per_metric = most;
        self
    }

    /// Starts the flush thread.
    ///
    /// # Errors
    /// When the configuration cannot work. A server that is not there is no error: the client
    /// keeps trying.
    pub fn start(self) -> Result<Client, Error> {
        if self.interval < INTERVAL_SHORTEST || self.interval > INTERVAL_LONGEST {
            return Err(Error::FlushInterval(self.interval));
        }
        let transport = self.transport()?;
        let instance = self.instance.clone().unwrap_or_else(default_instance);
        let service = self.service.trim().to_owned();
        check_name("service", &service)?;
        check_name("instance", &instance)?;
        let own = self.own_labels(&service, &instance)?;
        let notices = Arc::new(Notices::default());
        let registry = Registry::new(own, self.series_per_metric, notices.clone());
        let own_metrics = self.self_metrics.then(|| OwnMetrics::new(&registry));
        let process_metrics = if self.process_metrics {
            ProcessMetrics::new(&registry)
        } else {
            None
        };
        let shared = Arc::new(Shared {
            identity: Identity {
                service,
                instance,
                start_ms: start_ms().unwrap_or_else(|| now_ms() - 1),
                interval: self.interval,
            },
            registry,
            control: Control::default(),
            notices,
        });
        let flusher = Flusher::new(shared.clone(), transport, own_metrics, process_metrics);
        Client::start(shared, flusher)
    }

    fn transport(&self) -> Result<Transport, Error> {
        let endpoint = self
            .endpoint
            .clone()
            .or_else(|| environment("TINYOBS_ENDPOINT"))
            .unwrap_or_else(|| DEFAULT_ENDPOINT.to_owned());
        let key = self
            .api_key
            .clone()
            .or_else(|| environment("TINYOBS_API_KEY"));
        let authorization = key.map(|key| authorization(&key)).transpose()?;
        Ok(Transport::new(ingest_uri(&endpoint)?, authorization))
    }

    fn own_labels(&self, service: &str, instance: &str) -> Result<OwnLabels, Error> {
        let pairs = self.labels.iter().map(|(n, v)| (n.as_str(), v.as_str()));
        // The rules are those of any series; the name only stands in for one.
        Labels::new("up", pairs).map_err(|(_, message)| Error::Label(message))?;
        let mut extra = self.labels.clone();
        extra.retain(|(_, value)| !value.is_empty());
        Ok(OwnLabels {
            extra,
            implied: vec![
                ("service".to_owned(), service.to_owned()),
                ("instance".to_owned(), instance.to_owned()),
            ],
        })
    }
}

fn environment(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.trim().is_empty())
}

fn check_name(what: &'static str, name: &str) -> Result<(), Error> {
    // Both become label values.
    if name.is_empty() || name.len() > LABEL_VALUE_BYTES {
        return Err(Error::Name {
            what,
            len: name.len(),
            most: LABEL_VALUE_BYTES,
        });
    }
    Ok(())
}

fn authorization(key: &str) -> Result<HeaderValue, Error> {
    let mut value =
        HeaderValue::from_str(&format!("Bearer {}", key.trim())).map_err(|_| Error::ApiKey)?;
    value.set_sensitive(true);
    Ok(value)
}

/// The address to post to.
fn ingest_uri(endpoint: &str) -> Result<Uri, Error> {
    let unusable = |reason| Error::Endpoint {
        endpoint: endpoint.to_owned(),
        reason,
    };
    let base = endpoint.trim().trim_end_matches('/');
    let uri: Uri = base.parse().map_err(|_| unusable("it is no URL"))?;
    match uri.scheme_str() {
        Some("http") => {}
        Some("https") => return Err(unusable("this build speaks no TLS; use http://")),
        _ => return Err(unusable("it must begin with http://")),
    }
    if uri.host().is_none_or(str::is_empty) {
        return Err(unusable("it names no host"));
    }
    if uri.query().is_some() {
        return Err(unusable("it must not have a query"));
    }
    if uri.path().ends_with(INGEST_PATH) {
        return Ok(uri);
    }
    format!("{base}{INGEST_PATH}")
        .parse()
        .map_err(|_| unusable("it is no URL"))
}

/// `host:pid`, and a number behind it for the second client of a process and all later ones: two
/// clients must not write into each other's series.
fn default_instance() -> String {
    static CLIENTS: AtomicU32 = AtomicU32::new(0);
    let host = fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| environment("HOSTNAME"))
        .or_else(|| environment("COMPUTERNAME"))
        .unwrap_or_else(|| "localhost".to_owned());
    let (host, pid) = (host.trim(), process::id());
    match CLIENTS.fetch_add(1, Relaxed) {
        0 => format!("{host}:{pid}"),
        earlier => format!("{host}:{pid}:{}", earlier + 1),
    }
}

#[cfg(test)]
mod tests;
