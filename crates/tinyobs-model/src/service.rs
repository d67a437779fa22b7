//! Service: which service a series is of, for lists and the dashboard.
//!
//!   labels ─▶ [`Labels::service`] ─▶ /v1/metrics/list, /v1/stats     (ui/src/derive/service.ts is its twin)
//!
//! I-SERVICE-1  The label `service` counts, else `service_name`, as OpenTelemetry's resources are
//!              stored, else `job`, as Prometheus has it.
//! Proved by: service/tests.rs, tinyobs-store index/tests.rs.

use crate::labels::Labels;

/// Labels that may name a service; the first that a series has counts.
pub const SERVICE_LABELS: [&str; 3] = ["service", "service_name", "job"];

impl Labels {
    /// The label that names the series' service, and the service; none when it has no such label.
    pub fn service(&self) -> Option<(&'static str, &str)> {
        let mut labels = SERVICE_LABELS.into_iter();
        labels.find_map(|label| Some((label, self.get(label)?)))
    }
}

#[cfg(test)]
mod tests;
