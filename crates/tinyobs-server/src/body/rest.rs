//! Rest: what nobody has read of a request's body when the answer is there.
//!
//!   request ─▶ [`discard`] ─▶ handler, which reads some of the body ─▶ the rest is read ─▶ answer
//!
//! I-REST-1  Whoever looks at an answer only after having sent everything, as most clients do, sees it,
//!           whatever refused the request, and not a connection that was reset: as long as it goes on
//!           sending, up to `limits::DISCARDED_BYTES` and as long as a request may take. One that was
//!           let go because it fell silent is not waited for again.
//! I-REST-2  A client that asks before it sends (`Expect: 100-continue`) and is refused sends nothing.
//!           (If it sends all the same, because the answer was long in coming, it may see a reset.)
//! Proved by: tests/it/limits.rs.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::Response;
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use tinyobs_model::limits;
use tokio::time::timeout;

/// A body that its handler reads, and whoever answers may read on.
#[derive(Clone)]
struct Shared(Arc<Mutex<Sent>>);

struct Sent {
    body: Body,
    /// Whether somebody has asked for any of it.
    is_asked_for: bool,
}

impl Shared {
    fn sent(&self) -> MutexGuard<'_, Sent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HttpBody for Shared {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut sent = self.sent();
        sent.is_asked_for = true;
        Pin::new(&mut sent.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.sent().body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.sent().body.size_hint()
    }
}

/// Answers once the body is read or enough of it.
pub async fn discard(request: Request, next: impl AsyncFnOnce(Request) -> Response) -> Response {
    if request.body().is_end_stream() {
        return next(request).await;
    }
    let asks_first = request.headers().contains_key(header::EXPECT);
    let (head, body) = request.into_parts();
    let shared = Shared(Arc::new(Mutex::new(Sent {
        body,
        is_asked_for: false,
    })));
    let request = Request::from_parts(head, Body::new(shared.clone()));
    let response = next(request).await;
    // None while a handler's task still reads it.
    if let Some(sent) = Arc::into_inner(shared.0) {
        let sent = sent.into_inner().unwrap_or_else(PoisonError::into_inner);
        let fell_silent = response.status() == StatusCode::REQUEST_TIMEOUT;
        if !fell_silent && (sent.is_asked_for || !asks_first) {
            read(sent.body).await;
        }
    }
    response
}

/// Reads on for a while without keeping anything.
async fn read(mut body: Body) {
    let drain = async {
        let mut read = 0;
        while let Ok(Some(Ok(frame))) = timeout(super::WAIT, body.frame()).await {
            read += frame.data_ref().map_or(0, Bytes::len);
            if read > limits::DISCARDED_BYTES {
                break;
            }
        }
    };
    let _ = timeout(Duration::from_secs(limits::REQUEST_SECONDS), drain).await;
}
