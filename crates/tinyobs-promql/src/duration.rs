//! Duration: arithmetic where a length of time is asked for: `[5m]`, `offset (step() * 2)`.
//!
//!   parser ─▶ [DurationExpr] ─▶ [DurationExpr::seconds] with what the query is asked for
//!
//! Everything is in seconds, as floats, until the end.

use crate::number::Number;
use crate::span::Span;

/// A length of time and where it stands.
#[derive(Debug, Clone)]
pub struct DurationExpr {
    /// What it is.
    pub kind: DurationKind,
    /// The bytes it was read from.
    pub span: Span,
    height: u32,
}

/// The kinds of durations.
#[derive(Debug, Clone, PartialEq)]
pub enum DurationKind {
    /// `5m`, `300`; a minus right before it belongs to it.
    Number(Number),
    /// `step()` of the query.
    Step,
    /// `range()`: from the query's start to its end.
    Range,
    /// `(…)`
    Paren(Box<DurationExpr>),
    /// `-…`; a plus is not kept.
    Negative(Box<DurationExpr>),
    /// `… * …`
    Binary(DurationOp, Box<DurationExpr>, Box<DurationExpr>),
    /// `min(…, …)`
    Min(Box<DurationExpr>, Box<DurationExpr>),
    /// `max(…, …)`
    Max(Box<DurationExpr>, Box<DurationExpr>),
}

/// Arithmetic between durations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DurationOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Mod,
    /// `^`
    Pow,
}

/// What `step()` and `range()` stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueryTimes {
    /// Between two points; 0 for an instant query.
    pub step_ms: i64,
    /// From start to end; 0 for an instant query.
    pub range_ms: i64,
}

impl PartialEq for DurationExpr {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl DurationExpr {
    /// A node; its height follows from its children.
    pub fn new(kind: DurationKind, span: Span) -> Self {
        let below = match &kind {
            DurationKind::Number(_) | DurationKind::Step | DurationKind::Range => 0,
            DurationKind::Paren(inner) | DurationKind::Negative(inner) => inner.height,
            DurationKind::Binary(_, a, b) | DurationKind::Min(a, b) | DurationKind::Max(a, b) => {
                a.height.max(b.height)
            }
        };
        Self {
            kind,
            span,
            height: 1 + below,
        }
    }

    /// Nodes on the longest way down, itself included.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Its length in seconds, whatever comes out.
    pub fn seconds(&self, times: QueryTimes) -> f64 {
        match &self.kind {
            DurationKind::Number(number) => number.value,
            DurationKind::Step => times.step_ms as f64 / 1_000.0,
            DurationKind::Range => times.range_ms as f64 / 1_000.0,
            DurationKind::Paren(inner) => inner.seconds(times),
            DurationKind::Negative(inner) => -inner.seconds(times),
            DurationKind::Binary(op, a, b) => op.apply(a.seconds(times), b.seconds(times)),
            DurationKind::Min(a, b) => a.seconds(times).min(b.seconds(times)),
            DurationKind::Max(a, b) => a.seconds(times).max(b.seconds(times)),
        }
    }
}

impl DurationOp {
    /// The operator between two numbers.
    pub fn apply(self, a: f64, b: f64) -> f64 {
        match self {
            Self::Add => a + b,
            Self::Sub => a - b,
            Self::Mul => a * b,
            Self::Div => a / b,
            Self::Mod => a % b,
            Self::Pow => a.powf(b),
        }
    }
}
