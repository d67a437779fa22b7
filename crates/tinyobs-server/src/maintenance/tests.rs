use axum::body::Body;
use axum::response::IntoResponse;
use tinyobs_store::{Store, StoreOptions};
use tokio::time::sleep;

use super::*;
use crate::config::Config;

#[tokio::test]
async fn i_admin_1_a_cycle_goes_on_when_its_client_leaves() {
    let store = Store::open(StoreOptions::memory()).unwrap();
    let app = App::new(store, Config::default());
    let request = Request::new(Body::empty());
    // Asked for once, and then dropped as a client's leaving does.
    let answer = timeout(Duration::ZERO, run(State(app.clone()), request));
    drop(answer.await);
    while app.store.maintenance().cycles < 1 {
        sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(app.store.maintenance().cycles, 1);
}

#[test]
fn i_admin_2_a_cycle_that_goes_on_says_how_far_it_is() {
    let status = MaintenanceStatus {
        phase: Some(Phase::Merge),
        done: 3,
        total: 10,
        ..MaintenanceStatus::default()
    };
    let response = goes_on(&status).into_response();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()["retry-after"], "25");
    let body = axum::body::to_bytes(response.into_body(), 10_000);
    let body = tokio::runtime::Runtime::new()
        .unwrap()
        .block_on(body)
        .unwrap();
    let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        json["message"],
        "maintenance goes on after 25 seconds (merge, 3 of 10); GET /v1/admin/maintenance shows \
         its progress"
    );
}
