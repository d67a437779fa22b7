//! Compaction: how the store's maintenance does, in the original's words and some of our own.

use std::time::Duration;

use serde::Serialize;
use tinyobs_store::{MaintenanceStatus, Phase};
use tinyobs_wire::time;

use super::duration_text;

/// Cycles come once an hour; three that never came are no accident.
const SILENT_MAX: Duration = Duration::from_hours(3);
/// As the original had it.
const ERRORS_MAX: u64 = 3;

/// How the store's maintenance does.
#[derive(Debug, Serialize)]
pub struct Compaction {
    pub healthy: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_success: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_since_success: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_attempt: Option<String>,
    pub consecutive_errors: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// The newest time that stands in rollups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rolled_until: Option<String>,
    pub lag_seconds: f64,
    /// What is being done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<&'static str>,
    /// Of the phase, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<f64>,
}

impl Compaction {
    /// At `now_ms` of a server that has been up for so long.
    pub fn of(status: &MaintenanceStatus, now_ms: i64, uptime: Duration) -> Self {
        let since = status.last_success_ms.map(|success_ms| {
            let ms = now_ms.saturating_sub(success_ms);
            Duration::from_millis(u64::try_from(ms).unwrap_or(0))
        });
        // I-HEALTH-1: also a success of long ago is none of this process.
        let silent = since.unwrap_or(uptime).min(uptime);
        Self {
            healthy: status.consecutive_errors <= ERRORS_MAX && silent <= SILENT_MAX,
            last_success: status.last_success_ms.map(time::format_rfc3339),
            time_since_success: since.map(|since| duration_text(since.as_secs())),
            last_attempt: status.last_attempt_ms.map(time::format_rfc3339),
            consecutive_errors: status.consecutive_errors,
            last_error: status.last_error.clone(),
            rolled_until: status.rolled_until_ms.map(time::format_rfc3339),
            lag_seconds: status.lag_ms as f64 / 1_000.0,
            phase: status.phase.map(Phase::as_str),
            progress: status
                .phase
                .map(|_| status.done as f64 / status.total.max(1) as f64),
        }
    }
}
