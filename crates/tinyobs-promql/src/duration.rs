//! Duration: arithmetic where a length of time is asked for: `[5m]`, `offset (step() * 2)`.
//!
//!   parser ─▶ [DurationExpr] ─▶ [DurationExpr::milliseconds] with what the query is asked for
//!
//! I-DURATION-1  Everything is in seconds, as floats, until the end.
//! I-DURATION-2  What comes out is a number of milliseconds that a query can count with, or an error.
//! Proved by: duration/tests.rs.

use crate::error::Fault;
use crate::number::{MILLISECONDS_MAX, Number};
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
    /// `min_of(…, …)`
    Min(Box<DurationExpr>, Box<DurationExpr>),
    /// `max_of(…, …)`
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

    /// A number alone is the same with units, and with a sign in place of parentheses: `[(300)]`
    /// is `[5m]`.
    #[must_use]
    pub(crate) fn simplified(self) -> Self {
        let (mut inner, mut negative) = (&self, false);
        loop {
            match &inner.kind {
                DurationKind::Paren(deeper) => inner = deeper,
                DurationKind::Negative(deeper) => (inner, negative) = (deeper, !negative),
                DurationKind::Number(number) => {
                    let number = if negative { number.negated() } else { *number };
                    let kind = DurationKind::Number(number.with_units());
                    return Self::new(kind, self.span);
                }
                _ => return self,
            }
        }
    }

    /// Whether it is written as 0.
    pub(crate) fn is_zero(&self) -> bool {
        matches!(self.kind, DurationKind::Number(number) if number.value == 0.0)
    }

    /// Whether it is the same for every query.
    pub fn is_constant(&self) -> bool {
        match &self.kind {
            DurationKind::Number(_) => true,
            DurationKind::Step | DurationKind::Range => false,
            DurationKind::Paren(inner) | DurationKind::Negative(inner) => inner.is_constant(),
            DurationKind::Binary(_, a, b) | DurationKind::Min(a, b) | DurationKind::Max(a, b) => {
                a.is_constant() && b.is_constant()
            }
        }
    }

    /// Its length in milliseconds, of any sign.
    ///
    /// # Errors
    /// A division by zero, or more than Prometheus' 292 years.
    pub fn milliseconds(&self, times: QueryTimes) -> Result<i64, Fault> {
        let ms = (self.seconds(times)? * 1_000.0).round();
        if ms.is_nan() || ms.abs() > MILLISECONDS_MAX as f64 {
            return Err(Fault::new(self.span, "the duration is out of range"));
        }
        Ok(ms as i64)
    }

    /// Its length in milliseconds, where it must be more than nothing: ranges and steps.
    ///
    /// # Errors
    /// As [`DurationExpr::milliseconds`], and when it is 0 or negative.
    pub fn positive_milliseconds(&self, times: QueryTimes) -> Result<i64, Fault> {
        let ms = self.milliseconds(times)?;
        if ms <= 0 {
            return Err(Fault::new(self.span, "the duration must be greater than 0"));
        }
        Ok(ms)
    }

    fn seconds(&self, times: QueryTimes) -> Result<f64, Fault> {
        Ok(match &self.kind {
            DurationKind::Number(number) => number.value,
            DurationKind::Step => times.step_ms as f64 / 1_000.0,
            DurationKind::Range => times.range_ms as f64 / 1_000.0,
            DurationKind::Paren(inner) => inner.seconds(times)?,
            DurationKind::Negative(inner) => -inner.seconds(times)?,
            DurationKind::Binary(op, a, b) => {
                let divisor = b.seconds(times)?;
                if divisor == 0.0 && matches!(op, DurationOp::Div | DurationOp::Mod) {
                    return Err(Fault::new(b.span, "a duration is divided by zero"));
                }
                op.apply(a.seconds(times)?, divisor)
            }
            DurationKind::Min(a, b) => a.seconds(times)?.min(b.seconds(times)?),
            DurationKind::Max(a, b) => a.seconds(times)?.max(b.seconds(times)?),
        })
    }
}

impl DurationOp {
    const ALL: [Self; 6] = [
        Self::Add,
        Self::Sub,
        Self::Mul,
        Self::Div,
        Self::Mod,
        Self::Pow,
    ];

    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Mod => "%",
            Self::Pow => "^",
        }
    }

    /// The operator that is written so.
    pub fn of(symbol: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|op| op.symbol() == symbol)
    }

    /// How tightly it binds: the higher, the tighter. A sign binds like `*`.
    pub const fn precedence(self) -> u8 {
        match self {
            Self::Add | Self::Sub => 1,
            Self::Mul | Self::Div | Self::Mod => 2,
            Self::Pow => 3,
        }
    }

    fn apply(self, a: f64, b: f64) -> f64 {
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

#[cfg(test)]
mod tests;
