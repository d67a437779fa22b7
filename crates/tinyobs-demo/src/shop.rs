//! Shop: routes, handlers, and what they record.
//!
//! Requests are counted and timed by the SDK's layer; the handlers only add what the layer cannot
//! know.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode, header};
use axum::middleware::{self, Next};
use axum::routing::get;
use serde_json::{Value as Json, json};
use tinyobs::{Client, Counter, Gauge, Histogram};

use crate::page;

/// The endpoints that customers use.
pub(crate) const ENDPOINTS: [&str; 3] = ["/api/users", "/api/orders", "/api/products"];
const PAYMENTS: [&str; 3] = ["card", "invoice", "voucher"];

#[derive(Debug)]
pub(crate) struct Shop {
    started: Instant,
    /// Where the dashboard is, for a link on the page.
    dashboard: String,
    requests: AtomicU64,
    errors: AtomicU64,
    user_errors: Counter,
    orders: [Counter; 3],
    order_value: Histogram,
    pub(crate) active_users: Gauge,
    pub(crate) load: Gauge,
    pub(crate) queue_depth: Gauge,
    pub(crate) queue_done: Counter,
}

impl Shop {
    pub(crate) fn new(client: &Client, endpoint: &str) -> Self {
        for (name, unit, help) in [
            ("errors_total", "", "Requests that failed."),
            ("orders_total", "", "Orders taken."),
            ("order_value_euros", "euros", "What an order is worth."),
            ("active_users", "", "Customers in the shop."),
            ("demo_load", "", "Customers as a share of the busiest hour."),
            ("queue_depth", "", "Parcels that wait to be packed."),
            ("queue_packed_total", "", "Parcels packed."),
        ] {
            client.describe(name, unit, help);
        }
        let errors = [("type", "api_error"), ("endpoint", "/api/users")];
        let values = [5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0];
        Self {
            started: Instant::now(),
            dashboard: endpoint.trim_end_matches("/v1/ingest").to_owned(),
            requests: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            user_errors: client.counter("errors_total", &errors),
            orders: PAYMENTS.map(|kind| client.counter("orders_total", &[("payment", kind)])),
            order_value: client.histogram_with("order_value_euros", &[], &values),
            active_users: client.gauge("active_users", &[]),
            load: client.gauge("demo_load", &[]),
            queue_depth: client.gauge("queue_depth", &[]),
            queue_done: client.counter("queue_packed_total", &[]),
        }
    }

    /// How long it is open.
    pub(crate) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    fn stats(&self) -> Json {
        json!({
            "requests": self.requests.load(Relaxed),
            "errors": self.errors.load(Relaxed),
            "active": self.active_users.value(),
            "queue": self.queue_depth.value(),
            "uptime": in_words(self.uptime()),
            "dashboard": self.dashboard,
            "endpoints": ENDPOINTS,
        })
    }
}

/// All routes, recorded into `client`.
pub(crate) fn router(shop: Arc<Shop>, client: &Client) -> Router {
    Router::new()
        .route("/api/users", get(users))
        .route("/api/orders", get(orders))
        .route("/api/products", get(products))
        .route("/api/stats", get(stats))
        .route("/health", get(health))
        .merge(page::routes())
        .layer(middleware::from_fn_with_state(shop.clone(), count))
        .layer(tinyobs::tower::layer(client))
        .with_state(shop)
}

/// The page's own numbers; what goes to TinyObs is counted by the layer.
async fn count(State(shop): State<Arc<Shop>>, request: Request, next: Next) -> Response<Body> {
    shop.requests.fetch_add(1, Relaxed);
    let response = next.run(request).await;
    if response.status().is_server_error() {
        shop.errors.fetch_add(1, Relaxed);
    }
    response
}

async fn users(State(shop): State<Arc<Shop>>) -> Response<Body> {
    takes(50..=100).await;
    if one_in(50) {
        shop.user_errors.inc();
        let error = json!({"error": "the user database did not answer"});
        return answer(StatusCode::INTERNAL_SERVER_ERROR, &error);
    }
    answer(
        StatusCode::OK,
        &json!({"users": [{"id": 1, "name": "Alice"}, {"id": 2, "name": "Bob"}]}),
    )
}

async fn orders(State(shop): State<Arc<Shop>>) -> Response<Body> {
    takes(80..=120).await;
    if one_in(80) {
        let error = json!({"error": "the voucher has expired"});
        return answer(StatusCode::UNPROCESSABLE_ENTITY, &error);
    }
    // Most orders are small; the product of two random numbers is skewed like that.
    let value = 3.0 + fastrand::f64() * fastrand::f64() * 400.0;
    shop.orders[fastrand::usize(..PAYMENTS.len())].inc();
    shop.order_value.observe(value);
    shop.queue_depth.inc();
    answer(
        StatusCode::OK,
        &json!({"orders": [{"id": 4711, "euros": value.round()}]}),
    )
}

async fn products() -> Response<Body> {
    takes(30..=60).await;
    if one_in(60) {
        let error = json!({"error": "there is no such product"});
        return answer(StatusCode::NOT_FOUND, &error);
    }
    answer(
        StatusCode::OK,
        &json!({"products": [{"id": 7, "name": "Kettle"}, {"id": 8, "name": "Lamp"}]}),
    )
}

async fn stats(State(shop): State<Arc<Shop>>) -> Response<Body> {
    answer(StatusCode::OK, &shop.stats())
}

async fn health(State(shop): State<Arc<Shop>>) -> Response<Body> {
    let now = jiff::Timestamp::now().to_string();
    answer(
        StatusCode::OK,
        &json!({"status": "healthy", "uptime": in_words(shop.uptime()), "timestamp": now}),
    )
}

fn answer(status: StatusCode, body: &Json) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let json = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

async fn takes(ms: std::ops::RangeInclusive<u64>) {
    tokio::time::sleep(Duration::from_millis(fastrand::u64(ms))).await;
}

fn one_in(times: u32) -> bool {
    fastrand::u32(..times) == 0
}

/// Such as `1h 2m 3s`.
fn in_words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m {}s", seconds % 60),
        _ => format!("{hours}h {minutes}m {}s", seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_in_words() {
        for (seconds, words) in [(0, "0s"), (59, "59s"), (61, "1m 1s"), (7_205, "2h 0m 5s")] {
            assert_eq!(in_words(Duration::from_secs(seconds)), words);
        }
    }
}
