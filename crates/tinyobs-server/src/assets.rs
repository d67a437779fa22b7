//! Assets: the dashboard, served from the binary itself.
//!
//! I-ASSET-1  Paths are looked up in a table, never on disk: `..` is just a name that is not there.
//! I-ASSET-2  A file whose name has its hash in it may be kept for ever; every other is asked for
//!            again, and answered 304 while it is the same.
//! Proved by: tests/it/assets.rs.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tinyobs_ui::Asset;

use crate::error::ApiError;
use crate::routes::failed;

/// The file at `path`, if it is one of the dashboard's.
pub fn find(path: &str) -> Option<&'static Asset> {
    tinyobs_ui::asset(path)
}

/// Every path that is not in the table of routes.
pub async fn fallback(request: Request) -> Response {
    let path = request.uri().path();
    let Some(asset) = find(path) else {
        let message = "there is nothing at this path; the dashboard is at / and the API under /v1/";
        return failed(path, None, ApiError::new(StatusCode::NOT_FOUND, message));
    };
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let message = "use GET or HEAD for the dashboard's files";
        let mut response = ApiError::new(StatusCode::METHOD_NOT_ALLOWED, message).into_response();
        let allow = HeaderValue::from_static("GET,HEAD");
        response.headers_mut().insert(header::ALLOW, allow);
        return response;
    }
    serve(asset, request.headers())
}

fn serve(asset: &'static Asset, asked: &HeaderMap) -> Response {
    // A weak comparison, as RFC 9110 asks for here.
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let is_known = header_text(asked, header::IF_NONE_MATCH).is_some_and(|known| {
        known.trim() == "*"
            || known
                .split(',')
                .any(|tag| opaque(tag) == opaque(asset.etag))
    });
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        content(asset, asked)
    };
    let headers = response.headers_mut();
    headers.insert(header::ETAG, HeaderValue::from_static(asset.etag));
    let cache = if asset.immutable {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    let encoding = HeaderValue::from_static("accept-encoding");
    headers.insert(header::VARY, encoding);
    response
}

fn content(asset: &'static Asset, asked: &HeaderMap) -> Response {
    let packed = asset.gzip.filter(|_| takes_gzip(asked));
    let mut response = Response::new(Body::from(packed.unwrap_or(asset.body)));
    let headers = response.headers_mut();
    let content_type = HeaderValue::from_static(asset.content_type);
    headers.insert(header::CONTENT_TYPE, content_type);
    if packed.is_some() {
        let gzip = HeaderValue::from_static("gzip");
        headers.insert(header::CONTENT_ENCODING, gzip);
    }
    response
}

fn takes_gzip(asked: &HeaderMap) -> bool {
    header_text(asked, header::ACCEPT_ENCODING).is_some_and(|list| {
        list.split(',').any(|one| {
            let (name, weight) = one.split_once(';').unwrap_or((one, ""));
            let is_off = weight
                .trim()
                .strip_prefix("q=")
                .is_some_and(|q| q.parse() == Ok(0.0));
            name.trim().eq_ignore_ascii_case("gzip") && !is_off
        })
    })
}

fn header_text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}
