//! A [tower] layer that counts and times HTTP requests. Behind the feature `tower`; with the
//! feature `axum` it knows axum's routes.
//!
//!   request ─▶ [MetricsService] ─▶ your service ─▶ response
//!                     └─▶ http_requests_total{method,endpoint,status}
//!                     └─▶ http_request_duration_seconds{method,endpoint,status}
//!
//! ```
//! # #[cfg(feature = "axum")] {
//! # let client = tinyobs::Client::builder("shop").start().unwrap();
//! # async fn user() {}
//! let app: axum::Router = axum::Router::new()
//!     .route("/users/{id}", axum::routing::get(user))
//!     .layer(tinyobs::tower::layer(&client));
//! # client.stop(std::time::Duration::ZERO);
//! # }
//! ```
//!
//! Time is taken until the response's head is there; the body passes through untouched. A request
//! that never gets a response counts too: with status 499 when its client went away, with 500 when
//! its handler panicked or returned an error.
//!
//! I-TOWER-1  Whatever clients send, labels stay few: `endpoint` is a route, never a path, and
//!            methods that HTTP does not define are `_OTHER`.
//! I-TOWER-2  A request on a known route costs one hash and no allocation.
//! I-TOWER-3  The layer does not keep the client alive: dropping the client still delivers.
//! Proved by: tests/it/tower_layer.rs, tests/resources.rs.
//!
//! [tower]: https://docs.rs/tower

mod routes;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use http::{Extensions, Request, Response, StatusCode};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::client::Client;
use routes::{Method, Route, Routes};

/// What a request without a known route is counted as.
pub const UNMATCHED: &str = "unmatched";

/// The client closed the connection before there was a response. No standard has a number for
/// that; 499 is what nginx made usual.
const CLIENT_GONE: u16 = 499;

type Endpoint = dyn for<'a> Fn(&'a Extensions) -> Option<&'a str> + Send + Sync;

/// A layer that records into `client`.
pub fn layer(client: &Client) -> MetricsLayer {
    MetricsLayer {
        routes: Arc::new(Routes::new(client.shared().clone())),
        endpoint: Arc::new(matched_path),
    }
}

/// The layer; made by [`layer()`].
#[derive(Clone)]
pub struct MetricsLayer {
    routes: Arc<Routes>,
    endpoint: Arc<Endpoint>,
}

impl MetricsLayer {
    /// Where the label `endpoint` comes from, for routers other than axum's: a template such as
    /// `/users/{id}` that the router left in the request's extensions. `None` counts as
    /// [`UNMATCHED`].
    #[must_use]
    pub fn endpoint(
        mut self,
        of: impl for<'a> Fn(&'a Extensions) -> Option<&'a str> + Send + Sync + 'static,
    ) -> Self {
        self.endpoint = Arc::new(of);
        self
    }
}

impl fmt::Debug for MetricsLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsLayer").finish_non_exhaustive()
    }
}

impl<S> Layer<S> for MetricsLayer {
    type Service = MetricsService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        MetricsService {
            inner,
            layer: self.clone(),
        }
    }
}

/// A service whose requests are recorded; made by [`MetricsLayer`].
#[derive(Debug, Clone)]
pub struct MetricsService<S> {
    inner: S,
    layer: MetricsLayer,
}

impl<S, B, R> Service<Request<B>> for MetricsService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let endpoint = (self.layer.endpoint)(request.extensions()).unwrap_or(UNMATCHED);
        let record = Record {
            route: self.layer.routes.get(endpoint),
            routes: self.layer.routes.clone(),
            method: Method::of(request.method()),
            started: Instant::now(),
            status: None,
        };
        ResponseFuture {
            inner: self.inner.call(request),
            record: Some(record),
        }
    }
}

pin_project! {
    /// The response that is on its way.
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        record: Option<Record>,
    }
}

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.inner.poll(context));
        if let Some(mut record) = this.record.take() {
            record.status = Some(match &result {
                Ok(response) => response.status(),
                Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
            });
        }
        Poll::Ready(result)
    }
}

/// One request under way. Recorded when it is dropped, so that none gets lost: not the one whose
/// handler panics, and not the one whose client hangs up.
#[derive(Debug)]
struct Record {
    routes: Arc<Routes>,
    route: Arc<Route>,
    method: Method,
    started: Instant,
    status: Option<StatusCode>,
}

impl Drop for Record {
    fn drop(&mut self) {
        let status = self.status.unwrap_or_else(|| {
            if std::thread::panicking() {
                StatusCode::INTERNAL_SERVER_ERROR
            } else {
                StatusCode::from_u16(CLIENT_GONE).unwrap_or(StatusCode::REQUEST_TIMEOUT)
            }
        });
        let took = self.started.elapsed();
        self.routes.record(&self.route, self.method, status, took);
    }
}

#[cfg(feature = "axum")]
fn matched_path(extensions: &Extensions) -> Option<&str> {
    let path = extensions.get::<axum::extract::MatchedPath>();
    path.map(axum::extract::MatchedPath::as_str)
}

#[cfg(not(feature = "axum"))]
fn matched_path(_: &Extensions) -> Option<&str> {
    None
}
