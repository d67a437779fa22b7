//! Spread: the same work for each of many series, on several threads.
//!
//!   series ─▶ blocks ─▶ threads: work ─▶ blocks in their order again ─▶ sink, on the caller's thread
//!
//! Threads of their own for each list of series: they take some ten microseconds, a list long
//! enough to be spread some milliseconds; and a pool would have to be told of deadlines. The sink
//! alone puts series together, so sums are added up in the same order whatever the number of
//! threads.
//!
//! I-SPREAD-1  The sink meets what was made in the order of the items: an answer does not depend on
//!             the number of threads, and of several errors the first item's is told.
//! I-SPREAD-2  No more than [`AHEAD`] blocks a thread wait for the sink.
//! Proved by: tests/threads.rs.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::vec::IntoIter;

use super::{Evaluated, Evaluator};

/// Items that a thread takes at once: few enough that all end at about the same time.
const BLOCK: usize = 32;
/// Blocks that may be begun before the oldest one has been taken by the sink, for each thread.
const AHEAD: usize = 4;
/// Items for which a thread is worth its while.
const ITEMS_MIN: usize = 128;
/// More threads than this are of little use: the sink is one.
const THREADS_MAX: usize = 8;

/// Makes something of an item, or nothing.
pub(super) type Work<'f, 'e, I, T> =
    &'f (dyn Fn(&mut Evaluator<'e>, I) -> Evaluated<Option<T>> + Sync);
/// Takes what was made.
pub(super) type Sink<'f, 'e, T> = &'f mut dyn FnMut(&mut Evaluator<'e>, T) -> Evaluated<()>;

/// The threads of a query that does not say: one core is left to whoever else has work.
pub(super) fn usual_threads() -> usize {
    static THREADS: OnceLock<usize> = OnceLock::new();
    *THREADS.get_or_init(|| {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        cores.saturating_sub(1).clamp(1, THREADS_MAX)
    })
}

impl<'e> Evaluator<'e> {
    /// Does `work` for each of `items` and hands what it makes to `sink`, in order.
    pub(super) fn spread<I: Send, T: Send>(
        &mut self,
        items: Vec<I>,
        work: Work<'_, 'e, I, T>,
        sink: Sink<'_, 'e, T>,
    ) -> Evaluated<()> {
        let threads = self.query.threads.min(items.len() / ITEMS_MIN);
        if threads > 1 {
            return self.spread_over(threads, items, work, sink);
        }
        for item in items {
            self.check()?;
            if let Some(made) = work(self, item)? {
                sink(self, made)?;
            }
        }
        Ok(())
    }

    fn spread_over<I: Send, T: Send>(
        &mut self,
        threads: usize,
        items: Vec<I>,
        work: Work<'_, 'e, I, T>,
        sink: Sink<'_, 'e, T>,
    ) -> Evaluated<()> {
        let blocks = items.len().div_ceil(BLOCK);
        let queue = Queue::new(items, threads * AHEAD);
        let (made, finished) = mpsc::channel();
        thread::scope(|scope| {
            let mut workers = Vec::with_capacity(threads);
            for _ in 0..threads {
                let (mut evaluator, queue, made) = (self.fork(), &queue, made.clone());
                workers.push(scope.spawn(move || {
                    evaluator.work_off(queue, work, &made);
                    evaluator.annotations
                }));
            }
            drop(made);
            let outcome = self.collect(blocks, &queue, &finished, sink);
            // However it ended: nobody waits for a sink that is gone.
            queue.stop();
            for worker in workers {
                match worker.join() {
                    Ok(annotations) => self.annotations.join(annotations),
                    Err(panic) => resume_unwind(panic),
                }
            }
            outcome
        })
    }

    fn work_off<I, T>(
        &mut self,
        queue: &Queue<I>,
        work: Work<'_, 'e, I, T>,
        made: &Sender<(usize, Evaluated<Vec<T>>)>,
    ) {
        while let Some((number, block)) = queue.next() {
            let outcome = self.work_block(block, work);
            let failed = outcome.is_err();
            if made.send((number, outcome)).is_err() || failed {
                break;
            }
        }
    }

    fn work_block<I, T>(&mut self, block: Vec<I>, work: Work<'_, 'e, I, T>) -> Evaluated<Vec<T>> {
        let mut all = Vec::with_capacity(block.len());
        for item in block {
            self.check()?;
            all.extend(work(self, item)?);
        }
        Ok(all)
    }

    /// I-SPREAD-1
    fn collect<I, T>(
        &mut self,
        blocks: usize,
        queue: &Queue<I>,
        finished: &Receiver<(usize, Evaluated<Vec<T>>)>,
        sink: Sink<'_, 'e, T>,
    ) -> Evaluated<()> {
        let mut early = BTreeMap::new();
        for number in 0..blocks {
            let outcome = loop {
                if let Some(outcome) = early.remove(&number) {
                    break outcome;
                }
                match finished.recv() {
                    Ok((number, outcome)) => early.insert(number, outcome),
                    // A thread panicked; whoever joins it is told.
                    Err(_) => return Ok(()),
                };
            };
            for made in outcome? {
                sink(self, made)?;
            }
            queue.taken();
        }
        Ok(())
    }
}

/// Items that are left, in blocks with numbers.
struct Queue<I> {
    left: Mutex<Left<I>>,
    room: Condvar,
    ahead: usize,
}

struct Left<I> {
    items: IntoIter<I>,
    next: usize,
    taken: usize,
    stopped: bool,
}

impl<I> Queue<I> {
    fn new(items: Vec<I>, ahead: usize) -> Self {
        Self {
            left: Mutex::new(Left {
                items: items.into_iter(),
                next: 0,
                taken: 0,
                stopped: false,
            }),
            room: Condvar::new(),
            ahead,
        }
    }

    /// The next block, once there is room for it; I-SPREAD-2.
    fn next(&self) -> Option<(usize, Vec<I>)> {
        let full = |left: &mut Left<I>| !left.stopped && left.next >= left.taken + self.ahead;
        let left = self.room.wait_while(self.lock(), full);
        let mut left = left.unwrap_or_else(PoisonError::into_inner);
        if left.stopped {
            return None;
        }
        let block: Vec<I> = left.items.by_ref().take(BLOCK).collect();
        let number = left.next;
        left.next += 1;
        (!block.is_empty()).then_some((number, block))
    }

    fn taken(&self) {
        self.lock().taken += 1;
        self.room.notify_all();
    }

    fn stop(&self) {
        self.lock().stopped = true;
        self.room.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Left<I>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
