//! Routes: the table of what is answered, and the layers around it.
//!
//! A request passes, from the outside in: what is left of its body, counting, security, the bound on
//! its head, the deadline, compression, panics, its handler.
//!
//! I-ROUTE-1  Every path knows its methods: another one is 405 with `Allow`, and so is a path that
//!            a browser would ask about before it sends something from another site.

use std::any::Any;
use std::sync::LazyLock;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post, put};
use tinyobs_model::limits;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use crate::api::failure::Failure;
use crate::error::ApiError;
use crate::state::App;
use crate::{
    api, assets, backup, body, cardinality, catalogue, execute, export, head, health, import,
    influx, ingest, maintenance, observe, otlp, pushgateway, query, range, remote_write, scrape,
    security, stats, storage, stream,
};

/// What a path answers, and to which methods.
type Row = (&'static str, &'static str, MethodRouter<App>);

const GET: &str = "GET,HEAD";
const FORM: &str = "GET,HEAD,POST";

/// One row for each path.
fn table() -> Vec<Row> {
    let mut table = own();
    table.extend(prometheus());
    table
}

/// Prometheus' HTTP API.
fn prometheus() -> Vec<Row> {
    use api::{metadata, parse, query, series, status, targets};
    vec![
        (
            "/api/v1/query",
            FORM,
            get(query::instant).post(query::instant),
        ),
        (
            "/api/v1/query_range",
            FORM,
            get(query::range).post(query::range),
        ),
        (
            "/api/v1/query_exemplars",
            FORM,
            get(query::exemplars).post(query::exemplars),
        ),
        (
            "/api/v1/format_query",
            FORM,
            get(parse::format).post(parse::format),
        ),
        (
            "/api/v1/parse_query",
            FORM,
            get(parse::tree).post(parse::tree),
        ),
        (
            "/api/v1/labels",
            FORM,
            get(series::labels).post(series::labels),
        ),
        ("/api/v1/label/{name}/values", GET, get(series::values)),
        (
            "/api/v1/series",
            FORM,
            get(series::series).post(series::series),
        ),
        ("/api/v1/metadata", GET, get(metadata::metadata)),
        ("/api/v1/status/buildinfo", GET, get(status::build)),
        ("/api/v1/status/runtimeinfo", GET, get(status::runtime)),
        ("/api/v1/status/flags", GET, get(status::flags)),
        ("/api/v1/status/config", GET, get(status::config)),
        ("/api/v1/status/tsdb", GET, get(status::tsdb)),
        ("/api/v1/targets", GET, get(targets::targets)),
        ("/api/v1/rules", GET, get(targets::rules)),
        ("/api/v1/alerts", GET, get(targets::alerts)),
        ("/api/v1/alertmanagers", GET, get(targets::alertmanagers)),
        ("/-/healthy", GET, get(health::live)),
        ("/-/ready", GET, get(health::ready)),
    ]
}

/// Everything else.
fn own() -> Vec<Row> {
    vec![
        ("/v1/ingest", "POST", post(ingest::push)),
        ("/api/v1/write", "POST", post(remote_write::write)),
        ("/v1/metrics", "POST", post(otlp::metrics)),
        ("/api/v1/otlp/v1/metrics", "POST", post(otlp::metrics)),
        ("/opentelemetry/v1/metrics", "POST", post(otlp::metrics)),
        ("/v1/logs", "POST", post(otlp::logs)),
        ("/metrics/job/{*group}", "PUT,POST,DELETE", group()),
        ("/metrics/job@base64/{*group}", "PUT,POST,DELETE", group()),
        ("/api/v1/metrics", GET, get(pushgateway::list)),
        ("/write", "POST", post(influx::write_v1)),
        ("/api/v2/write", "POST", post(influx::write_v2)),
        (
            "/query",
            "GET,HEAD,POST",
            get(influx::query).post(influx::query),
        ),
        ("/ping", GET, get(influx::ping)),
        ("/health", GET, get(influx::health)),
        ("/v1/query", GET, get(query::dump)),
        ("/v1/query/range", GET, get(range::range)),
        ("/v1/query/execute", "POST", post(execute::execute)),
        (
            "/v1/query/instant",
            FORM,
            get(execute::instant).post(execute::instant),
        ),
        ("/v1/metrics/list", GET, get(catalogue::metrics)),
        ("/v1/series", GET, get(catalogue::series)),
        ("/v1/stats", GET, get(stats::stats)),
        ("/v1/cardinality", GET, get(cardinality::cardinality)),
        ("/v1/storage", GET, get(storage::storage)),
        ("/v1/limits", GET, get(stats::limits)),
        ("/v1/health", GET, get(health::health)),
        (
            "/v1/admin/maintenance",
            "GET,HEAD,POST",
            get(maintenance::progress).post(maintenance::run),
        ),
        ("/v1/admin/backup", GET, get(backup::backup)),
        ("/healthz", GET, get(health::live)),
        ("/readyz", GET, get(health::ready)),
        ("/v1/export", GET, get(export::export)),
        ("/v1/import", "POST", post(import::import)),
        ("/api/v1/export", GET, get(export::victoriametrics)),
        ("/api/v1/import", "POST", post(import::victoriametrics)),
        ("/metrics", GET, get(scrape::scrape)),
        ("/metrics/self", GET, get(scrape::own)),
        ("/federate", GET, get(scrape::federate)),
    ]
}

fn group() -> MethodRouter<App> {
    put(pushgateway::push)
        .post(pushgateway::push)
        .delete(pushgateway::delete)
}

/// Every path of the table with the methods it allows, as `Allow` has them.
pub fn paths() -> &'static [(&'static str, &'static str)] {
    static PATHS: LazyLock<Vec<(&'static str, &'static str)>> =
        LazyLock::new(|| table().iter().map(|row| (row.0, row.1)).collect());
    &PATHS
}

/// Whether a path of the table belongs to Prometheus' API, which has manners of its own.
pub fn is_prometheus(path: &str) -> bool {
    prometheus().iter().any(|row| row.0 == path)
}

/// Whether whoever asks for `path` reads errors as Prometheus writes them: below its API all that is not
/// one of our own.
fn reads_prometheus(path: &str) -> bool {
    static OWN: LazyLock<Vec<&'static str>> =
        LazyLock::new(|| own().iter().map(|row| row.0).collect());
    path.starts_with("/api/v1/") && !OWN.contains(&path)
}

/// The route's name for counting: one of our own, never what a client made up.
pub(crate) fn label(matched: Option<&str>, path: &str) -> &'static str {
    let known = matched.and_then(|matched| paths().iter().find(|(path, _)| *path == matched));
    match known {
        Some((path, _)) => path,
        None if assets::find(path).is_some() => "dashboard",
        None => "other",
    }
}

/// The whole service.
pub(crate) fn router(app: App) -> Router {
    let mut router = Router::new();
    for (path, _, handler) in table() {
        router = router.route(path, handler);
    }
    router
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(assets::fallback)
        .layer((
            from_fn_with_state(app.clone(), around),
            CompressionLayer::new().quality(CompressionLevel::Fastest),
            CatchPanicLayer::custom(panicked),
        ))
        .with_state(app)
}

/// `Allow` is added by axum.
async fn method_not_allowed(request: Request) -> Response {
    let message = format!("{} is not a method of this path", request.method());
    let error = ApiError::new(StatusCode::METHOD_NOT_ALLOWED, message);
    failed(
        request.uri().path(),
        request.headers().get(CONTENT_TYPE),
        error,
    )
}

/// An error that no handler has answered, in the shape that the clients of its path read.
pub fn failed(path: &str, content_type: Option<&HeaderValue>, error: ApiError) -> Response {
    match path {
        "/write" | "/api/v2/write" | "/query" => influx::failed_before(path, &error),
        "/v1/logs" | "/v1/metrics" | "/api/v1/otlp/v1/metrics" | "/opentelemetry/v1/metrics" => {
            otlp::failed_before(content_type, error)
        }
        _ if reads_prometheus(path) => {
            // A wrong method has a status of its own, and no `errorType`.
            let status = error.status();
            let mut response = Failure::from(error).into_response();
            *response.status_mut() = status;
            response
        }
        _ => error.into_response(),
    }
}

/// What is done with every request, as one layer: each costs a small push some memory and copies.
async fn around(State(app): State<App>, request: Request, next: Next) -> Response {
    let answered = async |request| next.run(request).await;
    let in_time = async |request| deadline(request, answered).await;
    let bounded = async |request| head::bound(request, in_time).await;
    let secured = async |request| security::secure(&app, request, bounded).await;
    let observed = async |request| observe::observe(&app, request, secured).await;
    body::rest::discard(request, observed).await
}

async fn deadline(request: Request, next: impl AsyncFnOnce(Request) -> Response) -> Response {
    // A stream may be of any length, and an import takes as long as its file is: both end when
    // nothing comes any more.
    let path = request.uri().path();
    let is_stream = path.ends_with("/v1/import")
        || path == "/v1/ingest" && stream::is_stream(request.headers());
    let uri = request.uri().clone();
    let content_type = request.headers().get(CONTENT_TYPE).cloned();
    let answer = next(request);
    if is_stream {
        return answer.await;
    }
    let seconds = limits::REQUEST_SECONDS;
    let answered = tokio::time::timeout(Duration::from_secs(seconds), answer).await;
    answered.unwrap_or_else(|_| {
        let error = ApiError::unavailable(format!("no answer within {seconds} seconds"));
        failed(uri.path(), content_type.as_ref(), error)
    })
}

/// The panic hook has reported it already.
fn panicked(_cause: Box<dyn Any + Send>) -> Response {
    let message = "a bug: the server's log has the details";
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, message).into_response()
}
