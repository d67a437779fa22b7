use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::HttpBody;
use axum::response::IntoResponse;
use hyper::body::Frame;

use super::*;

/// A body of these bytes, and then silence.
struct Silent(Option<Bytes>);

impl HttpBody for Silent {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.0.take() {
            Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            None => Poll::Pending,
        }
    }
}

fn status(error: ApiError) -> u16 {
    error.into_response().status().as_u16()
}

#[tokio::test]
async fn i_body_2_a_share_is_held_until_the_body_is_dropped() {
    let budget = Arc::new(Semaphore::new(1 << 20));
    let sent = vec![b'x'; 100_000];
    let held = read(&budget, &HeaderMap::new(), Body::from(sent.clone()))
        .await
        .unwrap();
    assert_eq!(held.bytes, sent);
    assert_eq!(
        budget.available_permits(),
        (1 << 20) - held.bytes.capacity()
    );
    drop(held);
    assert_eq!(budget.available_permits(), 1 << 20);
}

#[tokio::test]
async fn i_body_2_what_a_body_may_unfold_to_counts() {
    let budget = Arc::new(Semaphore::new(1 << 20));
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_ENCODING, "gzip".parse().unwrap());
    let held = read(&budget, &headers, Body::from(vec![0; 100]))
        .await
        .unwrap();
    let unfolded = Encoding::Gzip.unfolded_bytes_max(100, limits::DECOMPRESSED_BYTES);
    assert_eq!(
        budget.available_permits(),
        (1 << 20) - FIRST_BYTES - unfolded
    );
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn i_body_2_without_memory_the_sender_comes_again() {
    let budget = Arc::new(Semaphore::new(64 << 10));
    let body = Body::from(vec![b'x'; 100_000]);
    let error = read(&budget, &HeaderMap::new(), body).await.unwrap_err();
    assert_eq!(status(error), 503);
    assert_eq!(budget.available_permits(), 64 << 10);
}

#[tokio::test(start_paused = true)]
async fn i_body_3_a_silent_sender_is_let_go() {
    let budget = Arc::new(Semaphore::new(1 << 20));
    let body = Body::new(Silent(Some(Bytes::from_static(b"{"))));
    let began = tokio::time::Instant::now();
    let error = read(&budget, &HeaderMap::new(), body).await.unwrap_err();
    assert_eq!(status(error), 408);
    assert_eq!(began.elapsed().as_secs(), limits::IDLE_SECONDS);
    assert_eq!(budget.available_permits(), 1 << 20);
}
