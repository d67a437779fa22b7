//! Clients: which processes push at the moment, and the `up` that says so.
//!
//!   push ─▶ [`App::clients_pushed`] ─▶ `up{job,instance}` = 1 ─▶ store
//!   [`background`](crate::background) ─▶ [`Clients::overdue`] ─▶ 0, at last a stale marker ─▶ store
//!
//! I-CLIENT-1  At most `limits::CLIENTS` are remembered; the silent ones make room. Who they are is
//!             looked for once a second at most, however many come that have no room.
//! I-CLIENT-2  `up` is 1 once a push interval at most, 0 once three intervals went by without a push
//!             and then once a minute, and ends with the client's last push, or after
//!             `limits::CLIENT_DOWN_MS` of silence.
//! I-CLIENT-3  Who sends an `up` of its own keeps it: ours is not written beside it.
//! I-CLIENT-4  Nobody waits while a batch is looked through for an `up`.
//! Proved by: clients/tests.rs, tests/it/up.rs.

use std::cell::LazyCell;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tinyobs_model::{
    Kind, Labels, LabelsBuilder, METRIC_NAME, Sample, WriteBatch, labels, limits, stale_marker,
};
use tinyobs_wire::json::Source;

use crate::state::App;

mod interval;

pub use interval::{INTERVALS_MISSED, Interval};

/// The metric that says whether a client pushes.
pub const UP: &str = "up";
/// Own `up` of senders that are looked at in one push.
const OWN_UPS_MAX: usize = 1_000;
/// Between two zeros of a client that is silent.
const DOWN_EVERY_MS: i64 = 60_000;
/// Between two searches of a full table for those who are silent.
const MAKE_ROOM_EVERY_MS: u64 = 1_000;

/// A push, as far as it says something of its sender.
#[derive(Debug, Clone, Copy)]
pub struct Push<'a> {
    /// The label `job`, such as the service's name. Without it there is no `up`.
    pub job: &'a str,
    /// The label `instance`, or "".
    pub instance: &'a str,
    /// How long it is between two pushes, if the sender says so.
    pub interval_ms: Option<u64>,
    /// Whether the sender ends with this push.
    pub is_final: bool,
}

impl<'a> From<&'a Source> for Push<'a> {
    fn from(source: &'a Source) -> Self {
        Self {
            job: &source.service,
            instance: &source.instance,
            interval_ms: source.interval_ms,
            is_final: source.is_final,
        }
    }
}

impl App {
    /// Notes that pushes came, with `batch` in them, and makes their clients' `up` follow. For
    /// every way in; call it where blocking is fine.
    pub fn clients_pushed<'a>(
        &self,
        pushes: impl Iterator<Item = Push<'a>>,
        batch: &WriteBatch,
        now_ms: i64,
    ) {
        // Looked for once, and only when a sample is due.
        let own = LazyCell::new(|| own_ups(batch));
        let saw = |push: Push<'a>| {
            let has_own = || own.iter().any(|labels| is_up_of(labels, &push));
            self.clients.saw(&push, has_own, now_ms)
        };
        let ups: Vec<Up> = pushes.filter_map(saw).collect();
        self.write_ups(&ups);
    }

    /// Writes samples of `up`. A series too many is none the sender could do something about.
    pub fn write_ups(&self, ups: &[Up]) {
        if ups.is_empty() {
            return;
        }
        let mut batch = WriteBatch::new();
        for (item, up) in (0..).zip(ups) {
            push_row(&mut batch, item, &up.labels, Kind::Gauge, up.sample, None);
        }
        if let Err(error) = self.store.append(&batch) {
            tracing::debug!(%error, "`up` could not be written");
            if error.is_fatal() {
                self.raise_fatal(error.to_string());
            }
        }
    }
}

/// Adds a sample of a series whose labels were checked before.
pub fn push_row(
    batch: &mut WriteBatch,
    item: u32,
    labels: &Labels,
    kind: Kind,
    sample: Sample,
    start_ms: Option<i64>,
) {
    let mut builder = LabelsBuilder::new();
    builder.begin(labels.metric_name());
    for (name, value) in labels.iter_without_name() {
        builder.push(name, value);
    }
    let pushed = batch.push(item, &mut builder, kind, sample, start_ms);
    debug_assert!(pushed.is_ok(), "labels are checked when they are made");
}

/// I-CLIENT-3: the senders' own `up` among the samples.
fn own_ups(batch: &WriteBatch) -> Vec<Labels> {
    let rows = batch.rows().iter().map(|row| batch.labels(row));
    let is_up = |bytes: &&[u8]| labels::pairs(bytes).any(|pair| pair == (METRIC_NAME, UP));
    let ups = rows.filter(is_up).filter_map(Labels::from_canonical);
    // Who sends more of them is no client of ours, but collects from others.
    ups.take(OWN_UPS_MAX).collect()
}

fn is_up_of(labels: &Labels, push: &Push<'_>) -> bool {
    let is = |label: &str, wanted: &str| labels.get(label).unwrap_or_default() == wanted;
    (is("job", push.job) || is("service", push.job)) && is("instance", push.instance)
}

/// A sample of a client's `up`.
#[derive(Debug, Clone, PartialEq)]
pub struct Up {
    /// `up{job,instance}`
    pub labels: Labels,
    /// 1, 0 or the end.
    pub sample: Sample,
}

/// The processes that pushed with a source.
#[derive(Debug, Default)]
pub struct Clients {
    // A std mutex, never held across an await, nor while a batch is looked through (I-CLIENT-4).
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    by_name: HashMap<Name, Client>,
    /// When those who are silent were looked for last.
    made_room_ms: Option<i64>,
}

/// A client as others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The label `job`.
    pub job: String,
    /// The label `instance`, or "".
    pub instance: String,
    /// Between two pushes.
    pub interval_ms: i64,
    /// By our own clock.
    pub last_push_ms: i64,
    /// Whether it still pushes.
    pub is_pushing: bool,
}

/// `job` and `instance`.
type Name = (String, String);

/// What a push brings about.
enum Due {
    Nothing,
    /// A 1, unless the sender has an `up` of its own.
    Up,
    End,
}

#[derive(Debug)]
struct Client {
    /// By our own clock: theirs may be wrong.
    last_push_ms: i64,
    interval: Interval,
    /// When its `up` was written last; none before the first time.
    sampled_ms: Option<i64>,
    has_own_up: bool,
}

impl Client {
    fn is_gone(&self, now_ms: i64) -> bool {
        now_ms - self.last_push_ms > INTERVALS_MISSED * self.interval.ms()
    }

    /// A little early is in time: senders are not on time to the millisecond.
    fn is_due(&self, now_ms: i64) -> bool {
        let wait_ms = self.interval.ms() * 3 / 4;
        self.sampled_ms.is_none_or(|at| now_ms - at >= wait_ms)
    }
}

impl Clients {
    /// Notes a push; the sample of `up` that it brings about, if one is due. `has_own_up` is asked
    /// only then.
    pub fn saw(
        &self,
        push: &Push<'_>,
        has_own_up: impl FnOnce() -> bool,
        now_ms: i64,
    ) -> Option<Up> {
        if push.job.len() + push.instance.len() > 2 * limits::LABEL_VALUE_BYTES {
            return None;
        }
        let name = (push.job.to_owned(), push.instance.to_owned());
        match self.lock().saw(&name, push, now_ms) {
            Due::Nothing => return None,
            Due::End => return up(&name, now_ms, stale_marker()),
            Due::Up => {}
        }
        // I-CLIENT-4
        let has_own_up = has_own_up();
        let mut state = self.lock();
        // None: it has ended meanwhile.
        let client = state.by_name.get_mut(&name)?;
        client.has_own_up = has_own_up;
        if has_own_up {
            return None;
        }
        up(&name, now_ms, 1.0)
    }

    /// The samples that are due because nothing came: 0 of who is silent, and the end of who has
    /// been so for long.
    pub fn overdue(&self, now_ms: i64) -> Vec<Up> {
        let mut ups = Vec::new();
        self.lock().by_name.retain(|name, client| {
            if !client.is_gone(now_ms) {
                return true;
            }
            let is_forgotten = now_ms - client.last_push_ms > limits::CLIENT_DOWN_MS;
            let since_ms = client.sampled_ms.filter(|_| !client.has_own_up);
            let Some(since_ms) = since_ms else {
                return !is_forgotten;
            };
            if is_forgotten {
                ups.extend(up(name, now_ms, stale_marker()));
                return false;
            }
            // The 1 was written no later than with the last push.
            let is_first = since_ms <= client.last_push_ms;
            if is_first || now_ms - since_ms >= DOWN_EVERY_MS {
                client.sampled_ms = Some(now_ms);
                ups.extend(up(name, now_ms, 0.0));
            }
            true
        });
        ups
    }

    /// Everyone who is remembered and has a name, by it.
    pub fn known(&self, now_ms: i64) -> Vec<Known> {
        let state = self.lock();
        let named = state.by_name.iter().filter(|((job, _), _)| !job.is_empty());
        let mut known: Vec<Known> = named
            .map(|((job, instance), client)| Known {
                job: job.clone(),
                instance: instance.clone(),
                interval_ms: client.interval.ms(),
                last_push_ms: client.last_push_ms,
                is_pushing: !client.is_gone(now_ms),
            })
            .collect();
        drop(state);
        known.sort_unstable_by(|a, b| (&a.job, &a.instance).cmp(&(&b.job, &b.instance)));
        known
    }

    /// How many push at the moment.
    pub fn pushing(&self, now_ms: i64) -> usize {
        let state = self.lock();
        let clients = state.by_name.values();
        clients.filter(|client| !client.is_gone(now_ms)).count()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here can be half done when a thread panics.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn saw(&mut self, name: &Name, push: &Push<'_>, now_ms: i64) -> Due {
        if push.is_final {
            let client = self.by_name.remove(name);
            let written = client.filter(|one| one.sampled_ms.is_some() && !one.has_own_up);
            return written.map_or(Due::Nothing, |_| Due::End);
        }
        if !self.by_name.contains_key(name) && !self.has_room(now_ms) {
            return Due::Nothing;
        }
        let client = self.by_name.entry(name.clone()).or_insert_with(|| Client {
            last_push_ms: now_ms,
            interval: Interval::new(push.interval_ms),
            sampled_ms: None,
            has_own_up: false,
        });
        let was_gone = client.is_gone(now_ms);
        client
            .interval
            .saw(push.interval_ms, now_ms - client.last_push_ms);
        client.last_push_ms = now_ms;
        if client.has_own_up || !(was_gone || client.is_due(now_ms)) {
            return Due::Nothing;
        }
        // At once: another push of the same client finds that it is on its way.
        client.sampled_ms = Some(now_ms);
        Due::Up
    }

    /// I-CLIENT-1
    fn has_room(&mut self, now_ms: i64) -> bool {
        if self.by_name.len() < limits::CLIENTS {
            return true;
        }
        let is_soon = |at: i64| now_ms.abs_diff(at) < MAKE_ROOM_EVERY_MS;
        if !self.made_room_ms.is_some_and(is_soon) {
            self.made_room_ms = Some(now_ms);
            self.by_name.retain(|_, client| !client.is_gone(now_ms));
        }
        self.by_name.len() < limits::CLIENTS
    }
}

/// None for who has no name, or one that no label may have.
fn up((job, instance): &(String, String), time_ms: i64, value: f64) -> Option<Up> {
    if job.is_empty() {
        return None;
    }
    let labels = Labels::new(UP, [("job", job.as_str()), ("instance", instance)]);
    Some(Up {
        labels: labels.ok()?,
        sample: Sample::new(time_ms, value),
    })
}

#[cfg(test)]
mod tests;
