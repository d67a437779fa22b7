//! Streamed: an answer that is sent while it is still being written.
//!
//!   writer on a blocking thread ─▶ [PIECES] pieces ─▶ HTTP body
//!
//! I-STREAM-1  An answer that cannot be finished ends without its last byte, so that nobody takes it
//!             for a whole one.
//! I-STREAM-2  A reader that leaves ends the writing, and a slow one holds it up: what waits is
//!             bounded.
//! I-STREAM-3  What was written before an answer is broken off reaches also a slow reader, as long as
//!             it reads at all.
//! Proved by: streamed/tests.rs, tests/it/backup.rs, tests/it/export.rs.

use std::io::{self, BufWriter, Write};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::response::Response;
use http_body_util::BodyExt;
use http_body_util::channel::{Channel, Sender};
use tinyobs_model::limits;
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;

/// Bytes that are sent at once, and how many such pieces may wait for the reader.
const PIECE_BYTES: usize = 256 << 10;
const PIECES: usize = 4;
/// So long an answer that is broken off is still sent, at least.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// So long a reader may take nothing before it is no longer waited for.
const IDLE: Duration = Duration::from_secs(limits::IDLE_SECONDS);

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
            // Not the rest of the buffer: it would end a body that is not whole.
            let mut sender = out.into_parts().0.sender;
            if error.kind() == io::ErrorKind::BrokenPipe {
                tracing::debug!("the reader of {what} left");
            } else {
                tracing::error!(%error, "{what} could not be finished");
                // What was sent may say why, and goes out before the connection does.
                deliver(&mut sender);
            }
            // I-STREAM-1
            sender.abort(error);
        }
    });
    // Whoever packs the answer asks once more after its end, which this channel does not stand.
    Response::new(Body::new(body.fuse()))
}

/// Waits until what was written is on its way (I-STREAM-3): the connection drops what it still holds
/// when the body ends in an error.
fn deliver(sender: &mut Sender<Bytes, io::Error>) {
    const LOOK: Duration = Duration::from_millis(10);
    let begun = Instant::now();
    let (mut room, mut since) = (sender.capacity(), begun);
    // A reader that leaves gives the room back, too.
    while room < PIECES && since.elapsed() < IDLE {
        std::thread::sleep(LOOK);
        let now = sender.capacity();
        if now != room {
            (room, since) = (now, Instant::now());
        }
    }
    // What the connection itself holds is less than the pieces were, and takes no longer than they.
    std::thread::sleep(begun.elapsed().clamp(LAST_WORDS, IDLE));
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
