//! The stats page: three files, written by hand, that load nothing from elsewhere.
//!
//! The HTML is the same for everybody: every number and text is put in by the script, as text and
//! never as markup.

use std::sync::Arc;

use axum::Router;
use axum::http::HeaderName;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::routing::get;

use crate::shop::Shop;

const HTML: &str = include_str!("../assets/index.html");
const CSS: &str = include_str!("../assets/app.css");
const JS: &str = include_str!("../assets/app.js");

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

pub(crate) fn routes() -> Router<Arc<Shop>> {
    Router::new()
        .route(
            "/",
            get(|| async { file("text/html; charset=utf-8", HTML) }),
        )
        .route(
            "/app.css",
            get(|| async { file("text/css; charset=utf-8", CSS) }),
        )
        .route(
            "/app.js",
            get(|| async { file("text/javascript; charset=utf-8", JS) }),
        )
}

type File = ([(HeaderName, &'static str); 3], &'static str);

fn file(content_type: &'static str, content: &'static str) -> File {
    let headers = [
        (CONTENT_TYPE, content_type),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, content)
}
