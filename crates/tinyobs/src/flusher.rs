//! Flusher: the one thread that sends.
//!
//!   registry ─▶ snapshot ─▶ [Flusher] ─▶ transport ─▶ server
//!
//! 1. Wait for the next tick, or for a caller of `flush` or `stop`.
//! 2. Take a snapshot: cumulative values of all series at one moment.
//! 3. Send it in requests below the server's limits.
//! 4. What may work later is tried again after a back-off, until a newer snapshot replaces it.
//!
//! I-PUSH-1  There is one snapshot and one body in memory at any time, however long the server is
//!           away: values are cumulative, so the newest snapshot says it all.
//! I-PUSH-2  One request that is always refused does not keep the others from going: a pass tries
//!           each, and a new snapshot begins with what the one before could not deliver.
//! I-PUSH-3  Every request of the last snapshot carries the final mark.
//! I-PUSH-4  If this thread should ever panic, callers still return.
//! I-PUSH-5  One request that the server asks to hold back does not slow the others: when others
//!           were taken, the next snapshot comes in time.
//! I-PUSH-6  No request exceeds what the server takes at once: in items, in bytes, and in bytes
//!           once each bucket of a histogram repeats its labels.
//! Proved by: tests/it/delivery.rs, the test below.

use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tinyobs_model::limits::ITEMS_PER_REQUEST;
use tinyobs_wire::encode::{PushBody, Source};

use crate::answer::Answer;
use crate::backoff::Backoff;
use crate::client::Shared;
use crate::clock::{Timeline, now_ms};
use crate::control::{Next, Work};
use crate::limits::{BODY_BYTES, FIRST_PUSH, UNFOLDED_BYTES};
use crate::notice::{Notices, Topic};
use crate::own::OwnMetrics;
use crate::process::ProcessMetrics;
use crate::report::Report;
use crate::snapshot::Snapshot;
use crate::transport::{Outcome, Transport};

pub(crate) struct Flusher {
    shared: Arc<Shared>,
    transport: Transport,
    own: Option<OwnMetrics>,
    process: Option<ProcessMetrics>,
    timeline: Timeline,
    backoff: Backoff,
    body: PushBody,
    /// Where the next snapshot begins: with the first series that could not be delivered.
    resume_at: usize,
    /// Whether the last pass left something undelivered.
    retrying: bool,
    /// Whether somebody was told that pushes fail, and not yet that they work again.
    worried: bool,
    report: Report,
}

/// What kept a pass from sending everything.
struct Setback {
    /// How long the server asked to wait.
    retry_after: Option<Duration>,
    /// Whether it was about single requests, not about the server or the way to it.
    others_may_pass: bool,
}

impl Flusher {
    pub(crate) fn new(
        shared: Arc<Shared>,
        transport: Transport,
        own: Option<OwnMetrics>,
        process: Option<ProcessMetrics>,
    ) -> Self {
        Self {
            shared,
            transport,
            own,
            process,
            timeline: Timeline::default(),
            backoff: Backoff::new(),
            body: PushBody::new(),
            resume_at: 0,
            retrying: false,
            worried: false,
            report: Report::default(),
        }
    }

    /// The thread's whole life.
    pub(crate) fn run(mut self) {
        let _ended = Ended(self.shared.clone());
        let interval = self.shared.identity.interval;
        let mut tick = Instant::now() + interval.min(FIRST_PUSH);
        loop {
            let work = self.shared.control.next_work(tick);
            tick = Instant::now() + interval;
            self.push(work, tick);
            if work.last {
                return;
            }
        }
    }

    fn push(&mut self, work: Work, superseded_at: Instant) {
        if work.fresh {
            self.backoff.reset();
            self.retrying = false;
        }
        let snapshot = self.snapshot();
        self.begin_report(&snapshot);
        let mut pending = self.order(&snapshot);
        while !pending.is_empty() {
            let setback = self.pass(work, &snapshot, &mut pending);
            let Some(first) = pending.first() else { break };
            self.resume_at = *first;
            self.retrying = true;
            let mut delay = self.backoff.next(setback.retry_after);
            // I-PUSH-5: what the server takes is not held up by what it does not. Behind the last
            // push there is no next one, so that one just waits.
            if setback.others_may_pass && !work.last && self.report.series_delivered > 0 {
                delay = delay.min(superseded_at.saturating_duration_since(Instant::now()));
            }
            let control = &self.shared.control;
            if control.before_retry(work, delay, superseded_at) == Next::GiveUp {
                return;
            }
        }
        self.resume_at = 0;
        self.retrying = false;
        self.backoff.reset();
        self.shared.control.settle(work, &self.report);
    }

    fn snapshot(&mut self) -> Snapshot {
        if let Some(process) = &mut self.process {
            process.update();
        }
        let at_ms = self.timeline.stamp(now_ms());
        let snapshot = Snapshot::take(&self.shared.registry, at_ms);
        if let Some(own) = &self.own {
            own.skipped(self.shared.registry.skipped(), snapshot.skipped);
        }
        if snapshot.skipped > 0 {
            self.shared.notices.say(Topic::Skipped, || {
                format!("{} series are NaN or infinite: not sent", snapshot.skipped)
            });
        }
        snapshot
    }

    fn begin_report(&mut self, snapshot: &Snapshot) {
        let before = mem::take(&mut self.report);
        // A caller's push may need several snapshots; its report tells of all their requests.
        let goes_on = self.retrying;
        self.report = Report {
            series_undelivered: snapshot.len() as u64,
            series_skipped: snapshot.skipped,
            ..if goes_on {
                Report {
                    requests: before.requests,
                    retries: before.retries,
                    last_error: before.last_error,
                    ..Report::default()
                }
            } else {
                Report::default()
            }
        };
        self.shared.control.show(&self.report);
    }

    /// All of a snapshot, beginning with what was undelivered (I-PUSH-2).
    fn order(&self, snapshot: &Snapshot) -> Vec<usize> {
        let resume_at = self.resume_at.min(snapshot.len());
        (resume_at..snapshot.len()).chain(0..resume_at).collect()
    }

    /// Tries to send all of `pending` once and leaves there what may work later.
    fn pass(&mut self, work: Work, snapshot: &Snapshot, pending: &mut Vec<usize>) -> Setback {
        let todo = mem::take(pending);
        let mut setback = Setback {
            retry_after: None,
            others_may_pass: true,
        };
        let mut next = 0;
        while next < todo.len() {
            if !self.shared.control.wants(work) {
                pending.extend(&todo[next..]);
                break;
            }
            let first = next;
            next = self.fill(work, snapshot, &todo, first);
            let series = (next - first) as u64;
            match self.send(work) {
                Outcome::Taken(answer) => self.taken(series, &answer),
                Outcome::Refused { error, answer } => self.refused(series, error, answer.refused),
                Outcome::Later {
                    error,
                    retry_after,
                    others_may_pass,
                } => {
                    self.failed(error);
                    self.shared.control.show(&self.report);
                    setback.retry_after = setback.retry_after.max(retry_after);
                    pending.extend(&todo[first..next]);
                    if !others_may_pass {
                        setback.others_may_pass = false;
                        pending.extend(&todo[next..]);
                        break;
                    }
                }
            }
            self.shared.control.show(&self.report);
        }
        setback
    }

    /// Writes the body of one request; returns the place of the first series that is not in it.
    fn fill(&mut self, work: Work, snapshot: &Snapshot, todo: &[usize], first: usize) -> usize {
        let identity = &self.shared.identity;
        self.body.begin(Some(&Source {
            service: &identity.service,
            instance: &identity.instance,
            start_ms: identity.start_ms,
            interval_ms: identity.interval.as_millis() as u64,
            is_final: work.last,
        }));
        let mut next = first;
        let mut unfolded_bytes = 0;
        while next < todo.len()
            && self.body.items() < ITEMS_PER_REQUEST
            && self.body.len() < BODY_BYTES
        {
            unfolded_bytes += snapshot.unfolded_bytes(todo[next]);
            // A series that is larger on its own goes alone.
            if unfolded_bytes > UNFOLDED_BYTES && next > first {
                break;
            }
            snapshot.encode(todo[next], &mut self.body);
            next += 1;
        }
        next
    }

    fn send(&mut self, work: Work) -> Outcome {
        self.report.requests += 1;
        if self.retrying {
            self.report.retries += 1;
            if let Some(own) = &self.own {
                own.retries.inc();
            }
        }
        let control = &self.shared.control;
        let timeout = control.begin_request(work, self.transport.interrupter());
        let outcome = self.transport.post(self.body.finish(), timeout);
        if control.end_request() {
            self.transport.renew();
        }
        outcome
    }

    fn taken(&mut self, series: u64, answer: &Answer) {
        let refused = answer.refused.min(series);
        self.report.series_undelivered -= series;
        self.report.series_delivered += series - refused;
        self.report.series_refused += refused;
        self.report.samples_delivered += answer.stored.unwrap_or(0);
        if let Some(own) = &self.own {
            own.pushes.inc();
            own.refused.add(refused);
        }
        if mem::take(&mut self.worried) {
            let uri = self.transport.uri();
            Notices::relieve(&format!("pushing to {uri} again, nothing was lost"));
        }
        if refused > 0 {
            let reason = answer.reason.clone().unwrap_or_default();
            self.say_refused(refused, &reason);
            self.report.last_error = Some(reason);
        }
    }

    fn refused(&mut self, series: u64, error: String, listed: u64) {
        self.report.series_undelivered -= series;
        self.report.series_refused += series;
        if let Some(own) = &self.own {
            own.failures.inc();
            own.refused.add(series);
        }
        self.say_refused(series.max(listed), &error);
        self.report.last_error = Some(error);
    }

    fn failed(&mut self, error: String) {
        if let Some(own) = &self.own {
            own.failures.inc();
        }
        let said = self.shared.notices.say(Topic::Delivery, || {
            let uri = self.transport.uri();
            format!("cannot push to {uri}: {error}; nothing is lost yet, trying again")
        });
        self.worried |= said;
        self.report.last_error = Some(error);
    }

    fn say_refused(&self, series: u64, reason: &str) {
        self.shared.notices.say(Topic::Refused, || {
            let uri = self.transport.uri();
            format!("{uri} refused {series} series; the first: {reason}")
        });
    }
}

/// Tells that the thread is gone, even when it was a panic that ended it (I-PUSH-4).
struct Ended(Arc<Shared>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.control.end();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::client::Identity;
    use crate::control::Control;
    use crate::key::OwnLabels;
    use crate::registry::Registry;

    #[test]
    fn i_push_4_callers_return_when_the_thread_has_panicked() {
        let shared = Arc::new(Shared {
            identity: Identity {
                service: "s".to_owned(),
                instance: "i".to_owned(),
                start_ms: 0,
                interval: Duration::from_secs(1),
            },
            registry: Registry::new(OwnLabels::default(), 1, Arc::default()),
            control: Control::default(),
            notices: Arc::default(),
        });
        let ended = Ended(shared.clone());
        let flusher = thread::spawn(move || {
            let _ended = ended;
            thread::sleep(Duration::from_millis(50));
            panic!("a mistake of ours");
        });
        let begin = Instant::now();
        let report = shared.control.push(Duration::from_secs(30), true, 3);
        assert!(begin.elapsed() < Duration::from_secs(10));
        assert_eq!(report.series_undelivered, 3);
        assert_eq!(
            report.last_error.as_deref(),
            Some("the flush thread has ended")
        );
        assert!(flusher.join().is_err());
    }
}
