//! Observe: counts every answer and logs it at debug.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::response::Response;

use crate::routes;
use crate::state::App;

/// Counts and logs one request.
pub async fn observe(
    app: &App,
    request: Request,
    next: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    let began = Instant::now();
    let matched = request.extensions().get::<MatchedPath>();
    let route = routes::label(matched.map(MatchedPath::as_str), request.uri().path());
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let response = next(request).await;
    let (status, took) = (response.status().as_u16(), began.elapsed());
    app.counters.answered(route, status, took);
    tracing::debug!(%method, path, status, took_us = took.as_micros() as u64, "request");
    response
}
