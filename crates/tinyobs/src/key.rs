//! Key: the label set of a lookup, in canonical order, without an allocation.
//!
//!   counter(name, labels) ─▶ [Key] ─▶ registry lookup
//!
//! I-KEY-1  Labels in any order give the same key; an empty value is an absent label.
//! I-KEY-2  Up to 24 labels the key lives on the stack.
//! Proved by: registry/tests.rs, tests/resources.rs.

use std::hash::{BuildHasher, Hash, Hasher};

use crate::series::Series;

const ON_STACK: usize = 24;

/// Labels that every series of a client has.
#[derive(Debug, Default)]
pub(crate) struct OwnLabels {
    /// Extra labels by the builder.
    pub(crate) extra: Vec<(String, String)>,
    /// `service` and `instance`, which the server adds to each item that lacks them: naming them
    /// once more must not make a second series.
    pub(crate) implied: Vec<(String, String)>,
}

/// A metric name and its labels, sorted by name.
#[derive(Debug)]
pub(crate) struct Key<'a> {
    pub(crate) name: &'a str,
    stack: [(&'a str, &'a str); ON_STACK],
    heap: Vec<(&'a str, &'a str)>,
    len: usize,
}

impl<'a> Key<'a> {
    pub(crate) fn new(name: &'a str, labels: &[(&'a str, &'a str)], own: &'a OwnLabels) -> Self {
        let mut key = Self {
            name,
            stack: [("", ""); ON_STACK],
            heap: Vec::new(),
            len: 0,
        };
        for &(label, value) in labels {
            let implied = own.implied.iter().any(|(n, v)| n == label && v == value);
            if !implied && !value.is_empty() {
                key.push((label, value));
            }
        }
        for (label, value) in &own.extra {
            if !labels.iter().any(|(given, _)| given == label) {
                key.push((label, value));
            }
        }
        key.pairs_mut().sort_unstable();
        key
    }

    pub(crate) fn pairs(&self) -> &[(&'a str, &'a str)] {
        if self.heap.is_empty() {
            &self.stack[..self.len]
        } else {
            &self.heap
        }
    }

    pub(crate) fn hash(&self, hasher: &impl BuildHasher) -> u64 {
        let mut state = hasher.build_hasher();
        self.name.hash(&mut state);
        self.pairs().hash(&mut state);
        state.finish()
    }

    pub(crate) fn is_of(&self, series: &Series) -> bool {
        *self.name == *series.family.name
            && series
                .labels
                .iter_without_name()
                .eq(self.pairs().iter().copied())
    }

    fn push(&mut self, pair: (&'a str, &'a str)) {
        if self.heap.is_empty() && self.len < ON_STACK {
            self.stack[self.len] = pair;
            self.len += 1;
            return;
        }
        if self.heap.is_empty() {
            self.heap.extend_from_slice(&self.stack);
        }
        self.heap.push(pair);
    }

    fn pairs_mut(&mut self) -> &mut [(&'a str, &'a str)] {
        if self.heap.is_empty() {
            &mut self.stack[..self.len]
        } else {
            &mut self.heap
        }
    }
}
