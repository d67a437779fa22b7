//! Annotations: what whoever asked should know about the answer.
//!
//!   evaluation ─▶ [Annotations] ─▶ `warnings`, `infos` of the answer
//!
//! I-ANNOTATION-1  Each is there once, in order, and at most `limits::QUERY_ANNOTATIONS` of a kind.
//! Proved by: tests/eval.rs.

use std::collections::BTreeSet;

use tinyobs_model::limits;

use super::Evaluator;
use crate::span::Span;

/// What was noticed.
#[derive(Debug, Default)]
pub(super) struct Annotations {
    warnings: BTreeSet<String>,
    infos: BTreeSet<String>,
}

impl Annotations {
    pub fn into_lists(self) -> (Vec<String>, Vec<String>) {
        let list = |set: BTreeSet<String>| set.into_iter().collect();
        (list(self.warnings), list(self.infos))
    }
}

impl Evaluator<'_> {
    /// The answer may be wrong.
    pub(super) fn warn(&mut self, span: Span, text: &str) {
        let position = span.position(self.query.text);
        let text = format!("PromQL warning: {text} ({position})");
        add(&mut self.annotations.warnings, text);
    }

    /// The answer may not be what was meant.
    pub(super) fn inform(&mut self, span: Span, text: &str) {
        let position = span.position(self.query.text);
        let text = format!("PromQL info: {text} ({position})");
        add(&mut self.annotations.infos, text);
    }

    /// A quantile is of something between 0 and 1.
    pub(super) fn warn_of_quantile(&mut self, span: Span, q: f64) {
        if !(0.0..=1.0).contains(&q) {
            self.warn(span, &format!("a quantile is between 0 and 1, not {q}"));
        }
    }
}

fn add(set: &mut BTreeSet<String>, text: String) {
    if set.len() < limits::QUERY_ANNOTATIONS {
        set.insert(text);
    }
}
