//! Maintenance: what the store does while nobody asks it to.
//!
//!   tinyobs-sync   once a second: what is written reaches the device
//!   tinyobs-flush  when the log is long or old: the head goes into the engine
//!
//! Rollups, retention and the merging of chunks take their place here.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::engine::Counters;
use crate::error::StoreError;
use crate::flush;
use crate::inner::{Inner, lock};

/// A log longer than this is flushed: a restart replays at most about this much.
pub(crate) const LOG_BYTES_MAX: u64 = 64 << 20;
/// A head older than this is flushed.
const FLUSH_EVERY: Duration = Duration::from_hours(2);
/// After a failed flush the next one waits, lest a full disk be asked in a loop.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// Starts the threads. They hold the store's inside alive only until it is closed.
pub(crate) fn spawn(inner: &Arc<Inner>) -> Result<Vec<JoinHandle<()>>, StoreError> {
    let mut threads = Vec::new();
    if let Some(syncer) = inner.syncer.clone() {
        threads.push(named("tinyobs-sync", inner, move || syncer.run())?);
    }
    let for_flush = Arc::clone(inner);
    threads.push(named("tinyobs-flush", inner, move || {
        for_flush.flush_when_due();
    })?);
    Ok(threads)
}

fn named(
    name: &str,
    inner: &Inner,
    body: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, StoreError> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .map_err(|e| StoreError::io("start a thread for", &inner.options.data_dir, e))
}

impl Inner {
    fn flush_when_due(&self) {
        // What several short lives have left is a long log, too.
        if self.writer().log.bytes() >= LOG_BYTES_MAX {
            self.wake.raise();
        }
        let mut next = Instant::now() + FLUSH_EVERY;
        let mut heed_raised = true;
        while self
            .wake
            .wait(next.saturating_duration_since(Instant::now()), heed_raised)
        {
            match self.flush() {
                Ok(()) => (next, heed_raised) = (Instant::now() + FLUSH_EVERY, true),
                Err(error) => {
                    tracing::error!(%error, "flush failed; the log keeps everything");
                    (next, heed_raised) = (Instant::now() + RETRY_AFTER, false);
                }
            }
        }
    }

    /// The steps are explained in [`crate::flush`].
    pub(crate) fn flush(&self) -> Result<(), StoreError> {
        let _one_at_a_time = lock(&self.flushing);
        if let Some(syncer) = &self.syncer {
            // The rotation syncs as well, but while others wait: leave it little to do.
            syncer.sync_now().inspect_err(|error| self.note(error))?;
        }
        let (segment, epoch, series, metadata, next_series) = {
            let mut writer = self.writer();
            let segment = writer.log.rotate().inspect_err(|error| self.note(error))?;
            (
                segment,
                self.head.rotate(),
                std::mem::take(&mut writer.unsaved_series),
                std::mem::take(&mut writer.unsaved_metadata),
                writer.next_series,
            )
        };
        let taken = self.head.take(epoch);
        if !taken.is_empty() || !series.is_empty() || !metadata.is_empty() {
            // I-FLUSH-2. Flushes come one at a time, so nobody else takes this number.
            let sequence = self.engine.counters().next_sequence;
            let counters = Counters {
                next_series,
                next_sequence: sequence + 1,
                first_segment: segment + 1,
            };
            let described: Vec<_> = metadata.clone().into_iter().collect();
            let committed = flush::commit_of(&taken, sequence, &series, &described, counters)
                .map_err(|e| StoreError::corrupt(std::path::Path::new("head"), 0, e.message))
                .and_then(|commit| self.engine.commit(commit));
            if let Err(error) = committed {
                self.note(&error);
                let mut writer = self.writer();
                // In front: ids must ascend.
                let newer = std::mem::replace(&mut writer.unsaved_series, series);
                writer.unsaved_series.extend(newer);
                for (name, older) in metadata {
                    writer.unsaved_metadata.entry(name).or_insert(older);
                }
                return Err(error);
            }
            self.head.forget(&taken);
            self.flushes.fetch_add(1, Ordering::Relaxed);
        }
        self.writer().log.truncate(segment)
    }
}
