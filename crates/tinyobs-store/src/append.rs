//! Append: a batch becomes samples of known series, is logged, and then seen.
//!
//!   wire ─▶ look up ─▶ admit ─▶ log ─▶ index and head ─▶ wait until durable ─▶ acknowledge
//!
//! Looking up runs beside other batches. From admission to the head one batch runs at a time, so
//! the order of the log is the order of the head, and a replay ends where the live store stood.
//!
//! I-APPEND-1  Nothing is seen before it is in the log: not a sample, not a series.
//! I-APPEND-2  An item is stored whole or refused whole; its neighbours do not notice. Of a loose
//!             batch, where an item is a series, a sample out of time costs only itself.
//! I-APPEND-3  The series limit is checked against what is there while nobody else can add to it.
//! I-APPEND-4  A counter that began at 0 at a known time has that 0 before its first sample.
//! I-APPEND-5  Whoever writes faster than the log is written out waits, before anybody is refused.
//! Proved by: append/tests.rs, store/tests.rs, tests/model.rs, `cargo xtask crash`.

mod item_times;
mod plan;
mod times;

use std::sync::PoisonError;
use std::thread;
use std::time::Duration;

use tinyobs_model::limits;
use tinyobs_model::{Kind, Labels, Refusal, Refused, Row, Sample, WriteBatch};

use tinyobs_model::labels::BYTES_MAX;

use self::item_times::ItemTimes;
use self::plan::{Item, Known, Plan, plan_descriptions};
pub use self::times::TimesTaken;
use crate::cardinality::{self, LastRefusal};
use crate::error::StoreError;
use crate::inner::{Inner, Writer};
use crate::maintenance::LOG_BYTES_MAX;
use crate::select::last_stored_ms;
use crate::wal::record::{self, Definition, SeriesId};
use crate::wal::segment;
use crate::wal::syncer::Position;

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// Samples stored.
    pub stored: u64,
    /// Items refused, by ascending number.
    pub refused: Vec<Refused>,
}

impl Inner {
    /// Stores a batch. When this returns `Ok`, what it calls stored survives what the durability
    /// mode promises.
    pub fn append(&self, batch: &WriteBatch) -> Result<Appended, StoreError> {
        self.check_open()?;
        let expiries = self.writer().expiries;
        let mut known = self.look_up(batch)?;
        let mut writer = self.writer();
        // Again, now that nobody can close it meanwhile.
        self.check_open()?;
        self.check_room(writer.log.bytes_on_device())?;
        if writer.expiries != expiries {
            // Ids that were looked up may be gone (I-RETENTION-2).
            known = vec![None; known.len()];
        }
        let plan = self.plan(&mut writer, batch, &known);
        let position = match writer.write(&plan) {
            Ok(position) => position,
            Err(error) => {
                self.note(&error);
                return Err(error);
            }
        };
        let (stored, refused) = self.apply(&mut writer, plan);
        let is_log_long = writer.log.newest_bytes() >= self.log_bytes_max(LOG_BYTES_MAX);
        writer.shrink();
        let log_bytes = writer.log.bytes();
        drop(writer);
        if let (Some(position), Some(syncer)) = (position, &self.syncer) {
            syncer
                .wait_durable(position)
                .inspect_err(|error| self.note(error))?;
        }
        if is_log_long {
            self.wake.raise();
        }
        thread::sleep(hold_up(log_bytes));
        Ok(Appended { stored, refused })
    }

    fn look_up(&self, batch: &WriteBatch) -> Result<Vec<Known>, StoreError> {
        let known: Vec<Known> = {
            let index = self.index();
            let mut finder = index.finder();
            let mut known: Vec<Known> = Vec::with_capacity(batch.len());
            let mut before: Option<&Row> = None;
            for row in batch.rows() {
                // What it costs follows the bytes that were sent: many rows may share their labels,
                // and longer ones than may be belong to nobody.
                let labels = batch.labels(row);
                let found = match (before, known.last()) {
                    (Some(before), Some(found)) if row.shares_labels(before) => *found,
                    _ if labels.len() > BYTES_MAX => None,
                    _ => finder.find(labels),
                };
                known.push(found);
                before = Some(row);
            }
            known
        };
        // I-APPEND-4 needs each series' newest time. After a start the engine knows it; it is asked
        // here, once a series, where nobody waits for a lock.
        for (row, known) in batch.rows().iter().zip(&known) {
            if let Some((id, _)) = known
                && row.start_ms.is_some()
                && *id < self.first_new_series
            {
                self.recall(*id)?;
            }
        }
        Ok(known)
    }

    /// Tells the head the newest time of a series that is older than this start.
    fn recall(&self, id: SeriesId) -> Result<(), StoreError> {
        let is_known = {
            let recalled = self.recalled.read();
            recalled
                .unwrap_or_else(PoisonError::into_inner)
                .contains(&id)
        };
        if !is_known {
            let last_ms = match last_stored_ms(self.engine.view().as_ref(), id) {
                // Where nobody knows, no 0 is put in.
                Err(StoreError::Corrupt { .. }) => Some(i64::MAX),
                other => other?,
            };
            self.head.recall(id, last_ms.unwrap_or(i64::MIN));
            let recalled = self.recalled.write();
            recalled.unwrap_or_else(PoisonError::into_inner).insert(id);
        }
        Ok(())
    }

    fn plan(&self, writer: &mut Writer, batch: &WriteBatch, known: &[Known]) -> Plan {
        let times = self.times_taken();
        let index = self.index();
        let mut plan = Plan::default();
        plan.samples.reserve(batch.len());
        let mut place = 0;
        let mut ids = Vec::new();
        for item in batch.rows().chunk_by(|a, b| a.item == b.item) {
            let rows = place..place + item.len();
            place = rows.end;
            let item = Item {
                batch,
                index: &index,
                rows: item,
                known: &known[rows.clone()],
            };
            let times = ItemTimes::of(&item, times);
            for run in times.kept(&item) {
                let admitted = match plan.turned_away_again(&run) {
                    Some(refused) => Err(refused),
                    None => self.admit(writer, &run, &mut plan, &mut ids),
                };
                match admitted {
                    Ok(()) => self.plan_item(&run, &ids, &mut plan),
                    // What is wrong with a series is wrong with all of its samples.
                    Err(refused) => {
                        plan.turn_away(&run, refused);
                        break;
                    }
                }
            }
            plan.refused.extend(times.refused);
        }
        plan_descriptions(batch, &index, &mut plan);
        plan
    }

    /// Puts the ids of an item's series into `ids`; new ones are taken from the writer's counter.
    fn admit(
        &self,
        writer: &mut Writer,
        item: &Item<'_>,
        plan: &mut Plan,
        ids: &mut Vec<SeriesId>,
    ) -> Result<(), Refused> {
        ids.clear();
        ids.extend(item.known.iter().map_while(|known| known.map(|(id, _)| id)));
        if ids.len() == item.rows.len() {
            return Ok(());
        }
        ids.clear();
        let (first_new, next) = (plan.series.len(), writer.next_series);
        for (row, known) in item.rows.iter().zip(item.known) {
            if let Some((id, _)) = known {
                ids.push(*id);
                continue;
            }
            if let Some((before, id)) = &plan.newcomer
                && row.shares_labels(before)
            {
                ids.push(*id);
                continue;
            }
            let labels = item.checked(row).inspect_err(|_| {
                plan.forget_new(first_new);
                writer.next_series = next;
            })?;
            let known = item.index.find(labels.as_bytes()).map(|(id, _)| id);
            if let Some(id) = known.or_else(|| plan.admitted.get(labels.as_bytes()).copied()) {
                plan.newcomer = Some((row.clone(), id));
                ids.push(id);
                continue;
            }
            let id = writer.next_series;
            writer.next_series += 1;
            plan.admitted.insert(labels.as_bytes().to_vec(), id);
            plan.series.push((id, labels));
            plan.newcomer = Some((row.clone(), id));
            ids.push(id);
        }
        if let Some((rule, what)) = self.over_limit(item, plan, first_new) {
            let over = plan.forget_new(first_new);
            writer.next_series = next;
            return Err(self.refuse_series(item, plan, &over, rule, &what));
        }
        plan.count_new(first_new);
        Ok(())
    }

    /// Which limit the item's new series would break, and how (I-APPEND-3).
    fn over_limit(
        &self,
        item: &Item<'_>,
        plan: &Plan,
        first_new: usize,
    ) -> Option<(Refusal, String)> {
        let new = &plan.series[first_new..];
        if new.is_empty() {
            return None;
        }
        let series = (item.index.len() + plan.series.len()) as u64;
        let max = self.options.max_series;
        if series > max {
            // What the batch has been given so far counts as well.
            let held = item.index.len() + first_new;
            let what = format!("the store holds {held} of at most {max} (--max-series)");
            return Some((Refusal::SeriesLimit, what));
        }
        // The rows of an item are of one metric, or of the families of one histogram.
        let max = self.options.max_series_per_metric;
        if max == 0 {
            return None;
        }
        let mut names: Vec<&str> = new.iter().map(|(_, labels)| labels.metric_name()).collect();
        names.dedup();
        let held = |name: &str| item.index.metric_series(name) + plan.new_series(name);
        let wanted = |name: &str| new.iter().filter(|(_, l)| l.metric_name() == name).count();
        let over = names
            .into_iter()
            .find(|name| held(name) + wanted(name) as u64 > max)?;
        let what = format!(
            "the metric holds {} of at most {max} (--max-series-per-metric)",
            held(over)
        );
        Some((Refusal::MetricSeriesLimit, what))
    }

    fn refuse_series(
        &self,
        item: &Item<'_>,
        plan: &mut Plan,
        over: &[Definition],
        rule: Refusal,
        what: &str,
    ) -> Refused {
        let now_ms = self.options.clock.now_ms();
        let (_, first) = over.first().expect("something is over the limit");
        let count = over.len() as u64;
        let metric = first.metric_name();
        let added = plan.values_added(item.index);
        let (label, values) = cardinality::offender(item.index, added, first);
        let refusal = LastRefusal {
            at_ms: now_ms,
            metric: metric.to_owned(),
            label: label.to_owned(),
            values,
            rule,
        };
        self.watch.refused(count, refusal);
        let label = match label {
            "" => String::new(),
            label => format!("; its label {label:?} has {values} values already"),
        };
        let message = format!(
            "metric {metric:?} needs {count} new series, and {what}{label}: see /v1/cardinality"
        );
        self.watch.warn(&message, now_ms);
        Refused {
            item: item.number(),
            rule,
            message,
        }
    }

    fn plan_item(&self, item: &Item<'_>, ids: &[SeriesId], plan: &mut Plan) {
        let rows = item.rows.iter().zip(item.known).zip(ids);
        for ((row, known), &id) in rows {
            if let Some(start_ms) = self.zero_needed(row, id)
                && plan.newest_ms(id) < start_ms
            {
                plan.put(id, Sample::new(start_ms, 0.0));
            }
            plan.put(id, row.sample);
            plan.stored += 1;
            let before = known.map_or(Kind::Unknown, |(_, kind)| kind);
            let is_said = plan.kinds.last() == Some(&(id, row.kind));
            if row.kind != Kind::Unknown && row.kind != before && !is_said {
                plan.kinds.push((id, row.kind));
                let labels = item.checked(row);
                let name = labels.as_ref().map_or("", Labels::metric_name);
                plan.describe(item.index, name, |known| known.kind = row.kind);
            }
        }
    }

    /// When the series must be given a 0 (I-APPEND-4): it says when it began, and there is no
    /// sample of it since. Without that 0, what it counted before its first sample would be
    /// missing from every rate.
    fn zero_needed(&self, row: &Row, id: SeriesId) -> Option<i64> {
        let start_ms = row
            .start_ms
            .filter(|start_ms| *start_ms < row.sample.time_ms)?;
        if !row.kind.is_cumulative() {
            return None;
        }
        // A 0 long before the raw samples that are kept would make a partition of its own.
        if start_ms < self.raw_kept_from_ms() {
            return None;
        }
        // None: `look_up` has asked the engine, and there is nothing of the series.
        let newest_ms = self.head.newest_ms(id);
        (newest_ms < start_ms).then_some(start_ms)
    }

    /// Makes a logged plan visible (I-APPEND-1).
    fn apply(&self, writer: &mut Writer, plan: Plan) -> (u64, Vec<Refused>) {
        let changes = !plan.series.is_empty() || !plan.metadata.is_empty();
        if changes || !plan.kinds.is_empty() {
            let mut index = self.index_mut();
            for (name, metadata) in plan.metadata {
                index.describe(name.clone(), metadata.clone());
                writer.unsaved_metadata.insert(name, metadata);
            }
            for (id, labels) in plan.series {
                index.insert(id, labels.clone());
                writer.unsaved_series.push((id, labels));
            }
            for (id, kind) in plan.kinds {
                index.set_kind(id, kind);
            }
        }
        self.head.put(&plan.samples);
        (plan.stored, plan.refused)
    }
}

/// I-APPEND-5: how long a push waits when so much of the log waits. The thread that writes it out gets
/// that time of the processor; without it, eight pushes at once left it a ninth.
fn hold_up(log_bytes: u64) -> Duration {
    const FROM: u64 = limits::LOG_BYTES / 4;
    const MOST: Duration = Duration::from_millis(100);
    let over = log_bytes.saturating_sub(FROM);
    MOST.mul_f64((over as f64 / (limits::LOG_BYTES - FROM) as f64).min(1.0))
}

impl Writer {
    /// Gives back what an unusually large batch has taken.
    fn shrink(&mut self) {
        const KEPT: usize = 1 << 20;
        self.frames.clear();
        self.frames.shrink_to(KEPT);
        self.payload.clear();
        self.payload.shrink_to(KEPT);
    }

    /// Writes the plan to the log; nothing to write is no position to wait for.
    fn write(&mut self, plan: &Plan) -> Result<Option<Position>, StoreError> {
        let Self {
            frames,
            payload,
            log,
            ..
        } = self;
        let mark = log.mark();
        frames.clear();
        let mut frame = |put: &mut dyn FnMut(&mut Vec<u8>)| {
            payload.clear();
            put(payload);
            segment::put_frame(frames, mark, payload);
        };
        // A definition before the first sample of its series.
        if !plan.series.is_empty() {
            frame(&mut |out| record::put_series(out, &plan.series));
        }
        if !plan.metadata.is_empty() {
            let metadata: Vec<_> = plan.metadata.clone().into_iter().collect();
            frame(&mut |out| record::put_metadata(out, &metadata));
        }
        if !plan.samples.is_empty() {
            frame(&mut |out| record::put_floats(out, &plan.samples));
        }
        if self.frames.is_empty() {
            return Ok(None);
        }
        let bytes = self.log.bytes();
        if bytes > limits::LOG_BYTES {
            return Err(StoreError::Backlog { bytes });
        }
        self.log.append(&self.frames).map(Some)
    }
}

#[cfg(test)]
mod tests;
