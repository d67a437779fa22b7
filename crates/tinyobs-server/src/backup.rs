//! Backup: `GET /v1/admin/backup`, everything stored as one tar while the server goes on.
//!
//!   store::backup, pushed groups ─▶ archive ─▶ [`streamed`] ─▶ HTTP body
//!
//! A backup that cannot be finished ends without its last byte (I-STREAM-1); when its reader leaves,
//! what it kept on disk may go (I-STREAM-2).
//! Proved by: tests/it/backup.rs.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use tinyobs_wire::time;

use crate::error::ApiError;
use crate::params::Params;
use crate::state::App;
use crate::{archive, streamed};

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
        let store = app.store.backup()?;
        let content = archive::Content::new(store, app.groups.text());
        let bytes = archive::size(&content)?;
        Ok::<_, ApiError>((content, bytes))
    });
    let made = made.await;
    let (content, bytes) =
        made.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
    let mut response = streamed::answer(place, "a backup", move |out| {
        archive::write(&content, out, now_ms as u64 / 1_000)
    });
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
