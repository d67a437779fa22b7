//! Security: who may talk to a server that listens on localhost.
//!
//! A web page may make its reader's browser send requests to 127.0.0.1, and with DNS rebinding even
//! read the answers. Both leave traces: the `Host` is the page's own name, the `Origin` its site.
//!
//! I-SEC-1  A request is answered only when its host is an IP address, `localhost`, a name under
//!          it, or a configured name: a rebound name is none of these.
//! I-SEC-2  A request from another site's page is refused, whatever it asks.
//! I-SEC-3  Every answer forbids the browser to guess types, to be framed, and to run anything that
//!          is not a file of ours.
//! Proved by: security/tests.rs, tests/it/security.rs.

use std::net::{Ipv4Addr, Ipv6Addr};

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use crate::error::ApiError;
use crate::state::App;

const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'";

/// The headers of every answer.
pub const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
];

/// Checks a request and marks its answer.
pub async fn secure(
    app: &App,
    request: Request,
    next: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    let allowed = &app.config.allowed_hosts;
    let mut response = match check(request.uri(), request.headers(), allowed) {
        Ok(()) => next(request).await,
        Err(error) => error.into_response(),
    };
    for (name, value) in HEADERS {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

fn check(uri: &Uri, headers: &HeaderMap, allowed: &[String]) -> Result<(), ApiError> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = match (hosts.next().map(HeaderValue::to_str), hosts.next()) {
        (Some(Ok(host)), None) => host,
        (None, _) => return Err(ApiError::bad_request("the header `host` is missing")),
        _ => return Err(ApiError::bad_request("the header `host` is malformed")),
    };
    // `GET http://name/path` names the host a second time, and counts more.
    let named_twice = uri.authority().map(Authority::as_str);
    for one in [Some(host), named_twice].into_iter().flatten() {
        check_host(one, allowed)?;
    }
    let mut origins = headers.get_all(header::ORIGIN).iter();
    origins.try_for_each(|origin| {
        let origin = origin.to_str().unwrap_or_default();
        check_origin(origin, named_twice.unwrap_or(host), allowed)
    })
}

/// I-SEC-1
fn check_host(host: &str, allowed: &[String]) -> Result<(), ApiError> {
    let Some(name) = host_name(host) else {
        return Err(ApiError::bad_request("the header `host` is malformed"));
    };
    if is_ours(name) || is_allowed(name, allowed) {
        return Ok(());
    }
    let message = format!("this server does not answer for host {name:?}; --allowed-hosts adds it");
    Err(ApiError::new(StatusCode::FORBIDDEN, message))
}

/// I-SEC-2
fn check_origin(origin: &str, host: &str, allowed: &[String]) -> Result<(), ApiError> {
    let authority = origin
        .strip_prefix("http://")
        .or_else(|| origin.strip_prefix("https://"));
    let is_same = authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host));
    let is_allowed = || {
        authority
            .and_then(host_name)
            .is_some_and(|name| is_allowed(name, allowed))
    };
    if is_same || is_allowed() {
        return Ok(());
    }
    let shown: String = origin.chars().take(128).collect();
    let message = format!("requests from pages of {shown:?} are refused");
    Err(ApiError::new(StatusCode::FORBIDDEN, message))
}

/// The name in `name`, `name:8080` or `[::1]:8080`, brackets included; none when malformed.
fn host_name(host: &str) -> Option<&str> {
    let name_len = match host.strip_prefix('[') {
        Some(rest) => rest.find(']')? + 2,
        None => host.find(':').unwrap_or(host.len()),
    };
    let (name, port) = host.split_at(name_len);
    let port_is_fine = port.is_empty()
        || port
            .strip_prefix(':')
            .is_some_and(|port| port.parse::<u16>().is_ok());
    (!name.is_empty() && port_is_fine).then_some(name)
}

/// Names that no stranger's DNS can make point here.
fn is_ours(name: &str) -> bool {
    let bare = name.strip_suffix('.').unwrap_or(name);
    let is_localhost = bare.eq_ignore_ascii_case("localhost")
        || bare
            .len()
            .checked_sub(".localhost".len())
            .and_then(|at| bare.get(at..))
            .is_some_and(|end| end.eq_ignore_ascii_case(".localhost"));
    let in_brackets = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    is_localhost
        || name.parse::<Ipv4Addr>().is_ok()
        || in_brackets.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok())
}

fn is_allowed(name: &str, allowed: &[String]) -> bool {
    allowed.iter().any(|one| one.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests;
