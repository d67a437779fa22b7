//! Item times: which rows of an item have a time that is taken, and what is said of the others.
//!
//!   item ─▶ [`ItemTimes::of`] ─▶ [runs](ItemTimes::kept) to be admitted, and refusals
//!
//! I-ITEMTIMES-1  Of a loose batch every sample in time is kept, and each rule that others of its
//!                series break is said once, with the first sample that breaks it and how many more.
//! I-ITEMTIMES-2  Where all are in time, which is nearly always, nothing is allocated.
//! Proved by: store/tests.rs, tests/it/remote_write.rs of the server.

use tinyobs_model::{Refusal, Refused, Row};

use super::plan::Item;
use super::times::TimesTaken;

/// What the times of an item's rows come to.
pub struct ItemTimes {
    times: TimesTaken,
    is_loose: bool,
    /// By rule; empty when every time is taken.
    pub refused: Vec<Refused>,
}

impl ItemTimes {
    pub fn of(item: &Item<'_>, times: TimesTaken) -> Self {
        let mut found = Self {
            times,
            is_loose: item.batch.is_loose(),
            refused: Vec::new(),
        };
        let broken = |row: &Row| times.rule(row.sample.time_ms);
        if let Some(first) = item.rows.iter().find_map(broken) {
            found.refuse(item, first);
            // The other rule, where one is as likely broken as the other.
            let mut others = item.rows.iter().filter_map(broken);
            if found.is_loose
                && let Some(other) = others.find(|rule| *rule != first)
            {
                found.refuse(item, other);
            }
        }
        found
    }

    /// The rows that are kept, in pieces of neighbours.
    pub fn kept<'i>(&self, item: &Item<'i>) -> impl Iterator<Item = Item<'i>> {
        let (times, is_loose) = (self.times, self.is_loose);
        let are_all_kept = self.refused.is_empty();
        let is_kept =
            move |row: &Row| are_all_kept || is_loose && times.rule(row.sample.time_ms).is_none();
        let Item {
            batch,
            index,
            rows,
            known,
        } = *item;
        let mut place = 0;
        let runs = rows.chunk_by(move |a, b| are_all_kept || is_kept(a) == is_kept(b));
        runs.filter_map(move |rows| {
            let from = place;
            place += rows.len();
            is_kept(&rows[0]).then_some(Item {
                batch,
                index,
                rows,
                known: &known[from..place],
            })
        })
    }

    fn refuse(&mut self, item: &Item<'_>, rule: Refusal) {
        let mut rows = item.rows.iter().enumerate();
        let is_broken = |row: &Row| self.times.rule(row.sample.time_ms) == Some(rule);
        let Some((place, first)) = rows.find(|(_, row)| is_broken(row)) else {
            return;
        };
        let message = self.times.message(rule, first.sample.time_ms);
        let message = match rows.filter(|(_, row)| is_broken(row)).count() {
            _ if !self.is_loose => message,
            0 => format!("sample {place}: {message}"),
            more => format!("sample {place}, and {more} more: {message}"),
        };
        self.refused.push(Refused {
            item: item.number(),
            rule,
            message,
        });
    }
}
