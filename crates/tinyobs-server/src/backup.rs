//! Backup: `GET /v1/admin/backup`, everything stored as one tar while the server goes on.
//!
//!   store::backup ─▶ archive ─▶ pieces ─▶ HTTP body
//!
//! I-BACKUP-2  A backup that cannot be finished ends without its last byte, so that nobody takes it
//!             for a whole one.
//! I-BACKUP-3  A reader that leaves ends its backup, and what it kept on disk may go.
//! Proved by: tests/it/backup.rs.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use http_body_util::channel::{Channel, Sender};
use tinyobs_wire::time;
use tokio::runtime::Handle;

use crate::archive;
use crate::error::ApiError;
use crate::params::Params;
use crate::state::App;

/// Bytes that are sent at once, and how many such pieces may wait for the reader.
const PIECE_BYTES: usize = 256 << 10;
const PIECES: usize = 4;

/// `GET /v1/admin/backup`
pub async fn backup(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    Params::parse(request.uri().query(), &[])?;
    let place = Arc::clone(&app.backups).try_acquire_owned();
    let place = place.map_err(|_| {
        let message = "as many backups as may be are being read; ask again when one has ended";
        ApiError::unavailable(message).retry_after(10)
    })?;
    let now_ms = app.now_ms();
    let made = tokio::task::spawn_blocking(move || {
        let backup = app.store.backup()?;
        let bytes = archive::size(&backup)?;
        Ok::<_, ApiError>((backup, bytes))
    });
    let made = made.await;
    let (backup, bytes) =
        made.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
    let (sender, body) = Channel::<Bytes, io::Error>::new(PIECES);
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || {
        let _place = place;
        let mut out = BufWriter::with_capacity(PIECE_BYTES, Pieces { sender, runtime });
        if let Err(error) = archive::write(&backup, &mut out, now_ms as u64 / 1_000) {
            if error.kind() == io::ErrorKind::BrokenPipe {
                tracing::debug!("the reader of a backup left");
            } else {
                tracing::error!(%error, "a backup could not be finished");
            }
            // Not the rest of the buffer: it would end a body that is not whole.
            out.into_parts().0.sender.abort(error);
        }
    });
    let mut response = Response::new(Body::new(body));
    let headers = response.headers_mut();
    let content_type = HeaderValue::from_static("application/x-tar");
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes));
    // Not packed: tables are already, and its length tells how far it is.
    let encoding = HeaderValue::from_static("identity");
    headers.insert(header::CONTENT_ENCODING, encoding);
    let day = &time::format_rfc3339(now_ms)[..10];
    let disposition = format!("attachment; filename=\"tinyobs-{day}.tar\"");
    let disposition = HeaderValue::from_str(&disposition).expect("a date is ASCII");
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    Ok(response)
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
        // I-BACKUP-3
        sent.map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "the reader left"))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
