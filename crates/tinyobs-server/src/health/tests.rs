use std::time::Duration;

use tinyobs_store::{MaintenanceStatus, Phase};

use super::compaction::Compaction;

const HOUR_MS: i64 = 3_600_000;
const NOW_MS: i64 = 1_795_306_562_347;

fn of(status: &MaintenanceStatus, uptime_hours: u64) -> Compaction {
    Compaction::of(status, NOW_MS, Duration::from_hours(uptime_hours))
}

#[test]
fn durations_read_like_gos() {
    assert_eq!(super::duration_text(59), "59s");
    assert_eq!(super::duration_text(61), "1m1s");
    assert_eq!(super::duration_text(7_200), "2h0m0s");
}

#[test]
fn i_health_1_a_start_is_healthy_whatever_was_before() {
    let mut status = MaintenanceStatus::default();
    assert!(of(&status, 0).healthy);
    assert_eq!(of(&status, 0).time_since_success, None);
    status.last_success_ms = Some(NOW_MS - 100 * HOUR_MS);
    assert!(of(&status, 3).healthy);
    // Had there been one since, it would be newer.
    assert!(!of(&status, 4).healthy);
}

#[test]
fn three_silent_hours_and_four_errors_are_too_much() {
    let mut status = MaintenanceStatus::default();
    assert!(!of(&status, 4).healthy);
    status.last_success_ms = Some(NOW_MS - 3 * HOUR_MS);
    assert!(of(&status, 100).healthy);
    assert_eq!(of(&status, 9).time_since_success.as_deref(), Some("3h0m0s"));
    status.last_success_ms = Some(NOW_MS - 3 * HOUR_MS - 1);
    assert!(!of(&status, 100).healthy);
    status.last_success_ms = Some(NOW_MS);
    for (errors, healthy) in [(0, true), (3, true), (4, false)] {
        status.consecutive_errors = errors;
        assert_eq!(of(&status, 100).healthy, healthy, "{errors} errors");
    }
    // A clock that was set back is no reason to worry.
    status.last_success_ms = Some(NOW_MS + HOUR_MS);
    status.consecutive_errors = 0;
    assert!(of(&status, 100).healthy);
}

#[test]
fn the_originals_fields_and_ours() {
    let status = MaintenanceStatus {
        phase: Some(Phase::Rollup),
        done: 3,
        total: 12,
        last_success_ms: Some(NOW_MS - 61_000),
        last_attempt_ms: Some(NOW_MS - 1_000),
        consecutive_errors: 1,
        last_error: Some("no space".to_owned()),
        rolled_until_ms: Some(NOW_MS - HOUR_MS),
        lag_ms: 90_500,
        ..MaintenanceStatus::default()
    };
    let json = serde_json::to_value(of(&status, 1)).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "healthy": true,
            "last_success": "2026-11-22T00:15:01.347Z",
            "time_since_success": "1m1s",
            "last_attempt": "2026-11-22T00:16:01.347Z",
            "consecutive_errors": 1,
            "last_error": "no space",
            "rolled_until": "2026-11-21T23:16:02.347Z",
            "lag_seconds": 90.5,
            "phase": "rollup",
            "progress": 0.25,
        })
    );
}
