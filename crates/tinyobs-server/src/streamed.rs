//! Streamed: an answer that is sent while it is still being written.
//!
//!   writer on a blocking thread ─▶ [PIECES] pieces ─▶ HTTP body
//!
//! I-STREAM-1  An answer that cannot be finished ends without its last byte, so that nobody takes it
//!             for a whole one.
//! I-STREAM-2  A reader that leaves ends the writing, and a slow one holds it up: what waits is
//!             bounded.
//! Proved by: tests/it/backup.rs, tests/it/export.rs.

use std::io::{self, BufWriter, Write};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::Response;
use http_body_util::BodyExt;
use http_body_util::channel::{Channel, Sender};
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;

/// Bytes that are sent at once, and how many such pieces may wait for the reader.
const PIECE_BYTES: usize = 256 << 10;
const PIECES: usize = 4;
/// So long an answer that is broken off is still sent.
const LAST_WORDS: Duration = Duration::from_millis(250);

/// Answers with what `write` writes, on a thread where it may block. `place` is given back when it
/// ends; `what` names it in the log.
pub fn answer<F>(place: OwnedSemaphorePermit, what: &'static str, write: F) -> Response
where
    F: FnOnce(&mut dyn Write) -> io::Result<()> + Send + 'static,
{
    let (sender, body) = Channel::<Bytes, io::Error>::new(PIECES);
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || {
        let _place = place;
        let mut out = BufWriter::with_capacity(PIECE_BYTES, Pieces { sender, runtime });
        if let Err(error) = write(&mut out).and_then(|()| out.flush()) {
            if error.kind() == io::ErrorKind::BrokenPipe {
                tracing::debug!("the reader of {what} left");
            } else {
                tracing::error!(%error, "{what} could not be finished");
            }
            // What was sent may say why, and goes out before the connection does.
            std::thread::sleep(LAST_WORDS);
            // I-STREAM-1. Not the rest of the buffer: it would end a body that is not whole.
            out.into_parts().0.sender.abort(error);
        }
    });
    // Whoever packs the answer asks once more after its end, which this channel does not stand.
    Response::new(Body::new(body.fuse()))
}

/// Writes into a body that is being sent.
struct Pieces {
    sender: Sender<Bytes, io::Error>,
    runtime: Handle,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = Bytes::copy_from_slice(bytes);
        let sent = self.runtime.block_on(self.sender.send_data(piece));
        // I-STREAM-2
        sent.map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "the reader left"))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
