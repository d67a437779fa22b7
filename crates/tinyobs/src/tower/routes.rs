//! Routes: the handles of each route, resolved once.
//!
//! I-ROUTES-1  The cache is bounded; what does not fit is resolved by the registry each time, and
//!             that one is bounded too.
//! Proved by: tests/it/tower_layer.rs.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use http::StatusCode;

use crate::client::Shared;
use crate::counter::Counter;
use crate::histogram::Histogram;
use crate::limits::SERIES_PER_METRIC;

const REQUESTS: &str = "http_requests_total";
const DURATION: &str = "http_request_duration_seconds";

/// Combinations of method and status kept for a route; real ones have a handful.
const OUTCOMES: usize = 64;

#[derive(Debug)]
pub(super) struct Routes {
    shared: Arc<Shared>,
    known: RwLock<HashMap<Box<str>, Arc<Route>>>,
}

/// One route and what came of its requests so far.
#[derive(Debug)]
pub(super) struct Route {
    endpoint: Box<str>,
    outcomes: RwLock<Vec<Outcome>>,
}

#[derive(Debug)]
struct Outcome {
    method: Method,
    status: StatusCode,
    requests: Counter,
    seconds: Histogram,
}

impl Routes {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let registry = &shared.registry;
        registry.describe(REQUESTS, "", "HTTP requests answered.");
        let help = "Time from a request's arrival to the head of its response.";
        registry.describe(DURATION, "seconds", help);
        Self {
            shared,
            known: RwLock::default(),
        }
    }

    pub(super) fn get(&self, endpoint: &str) -> Arc<Route> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(route) = known.get(endpoint) {
            return route.clone();
        }
        let full = known.len() >= SERIES_PER_METRIC;
        drop(known);
        let route = Arc::new(Route {
            endpoint: endpoint.into(),
            outcomes: RwLock::default(),
        });
        if full {
            return route;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.entry(endpoint.into()).or_insert(route).clone()
    }

    pub(super) fn record(&self, route: &Route, method: Method, status: StatusCode, took: Duration) {
        if !route.record_known(method, status, took) {
            let outcome = self.resolve(route, method, status);
            outcome.record(took);
            route.keep(outcome);
        }
    }

    fn resolve(&self, route: &Route, method: Method, status: StatusCode) -> Outcome {
        let labels = [
            ("method", method.0),
            ("endpoint", &route.endpoint),
            ("status", status.as_str()),
        ];
        let registry = &self.shared.registry;
        Outcome {
            method,
            status,
            requests: registry.counter(REQUESTS, &labels),
            seconds: registry.histogram(DURATION, &labels, None),
        }
    }
}

impl Route {
    fn record_known(&self, method: Method, status: StatusCode, took: Duration) -> bool {
        let outcomes = self.outcomes.read().unwrap_or_else(PoisonError::into_inner);
        let is_it = |outcome: &&Outcome| outcome.method == method && outcome.status == status;
        let known = outcomes.iter().find(is_it);
        known.is_some_and(|outcome| {
            outcome.record(took);
            true
        })
    }

    /// Two threads may keep the same outcome; both lead to the same series.
    fn keep(&self, outcome: Outcome) {
        let mut outcomes = self
            .outcomes
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if outcomes.len() < OUTCOMES {
            outcomes.push(outcome);
        }
    }
}

impl Outcome {
    fn record(&self, took: Duration) {
        self.requests.inc();
        self.seconds.observe(took);
    }
}

/// A method's label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Method(&'static str);

impl Method {
    /// Clients may send any word as a method; those that HTTP does not define share one label.
    pub(super) fn of(method: &http::Method) -> Self {
        const KNOWN: [&str; 9] = [
            "GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "CONNECT", "TRACE",
        ];
        let known = KNOWN.iter().find(|known| **known == method.as_str());
        Self(known.copied().unwrap_or("_OTHER"))
    }
}
