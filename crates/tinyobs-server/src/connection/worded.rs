//! Worded: the answers to what is no request of HTTP, with the body that all errors have.
//!
//!   hyper ─▶ [Worded] ─▶ peer
//!
//! A head that cannot be read never becomes a request: hyper answers it itself, with a status and
//! nothing else, and has no place where to say more. So it is said here, where its answer passes.
//!
//! I-WORDED-1  Only a head with one of hyper's own statuses and no body is replaced: an answer of
//!             ours with such a status has one.
//! Proved by: connection/tests.rs, tests/it/limits.rs.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream whose bare errors get words.
pub struct Worded<S> {
    stream: S,
    /// What still has to be written in place of hyper's answer.
    rest: Vec<u8>,
}

impl<S: AsyncWrite + Unpin> Worded<S> {
    pub fn new(stream: S) -> Self {
        Self {
            stream,
            rest: Vec::new(),
        }
    }

    fn write_rest(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.rest.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(context, &self.rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.rest.drain(..written);
        }
        Poll::Ready(Ok(()))
    }
}

/// The answer in place of one of hyper's own; none for all others (I-WORDED-1).
fn worded(answer: &[u8]) -> Option<Vec<u8>> {
    // A head of hyper's own is short, and nothing stands behind it.
    const LONGEST: usize = 256;
    if answer.len() > LONGEST || !answer.starts_with(b"HTTP/1.1 4") {
        return None;
    }
    let head = std::str::from_utf8(answer).ok()?.to_ascii_lowercase();
    let is_bare = head.ends_with("\r\n\r\n") && head.contains("\r\ncontent-length: 0\r\n");
    let status = StatusCode::from_bytes(answer.get(9..12)?).ok()?;
    let message = match status {
        _ if !is_bare => return None,
        StatusCode::BAD_REQUEST => "this is no request of HTTP/1.1: its head cannot be read",
        StatusCode::URI_TOO_LONG => {
            "the path with its parameters is too long; parameters of queries may be sent as a form \
             by POST where the API says so"
        }
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
            "the head of the request has too many headers, or too long ones"
        }
        _ => return None,
    };
    let reason = status.canonical_reason().unwrap_or("Error");
    let body = serde_json::json!({ "error": reason, "message": message }).to_string();
    let head = format!(
        "HTTP/1.1 {} {reason}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\n\r\n",
        status.as_u16(),
        body.len()
    );
    Some([head.into_bytes(), body.into_bytes()].concat())
}

impl<S: AsyncRead + Unpin> AsyncRead for Worded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Worded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.write_rest(context))?;
        if let Some(answer) = worded(bytes) {
            self.rest = answer;
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.write_rest(context))?;
        let mut filled = slices.iter().filter(|slice| !slice.is_empty());
        if let (Some(only), None) = (filled.next(), filled.next())
            && let Some(answer) = worded(only)
        {
            self.rest = answer;
            return Poll::Ready(Ok(only.len()));
        }
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.write_rest(context))?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.write_rest(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests;
