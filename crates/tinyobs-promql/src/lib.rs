//! PromQL: a query as text, as a tree, as text again, and as an answer.
//!
//!   text ─▶ [parse] ─▶ [Expr] ─▶ [evaluate] ─▶ [Answer]
//!                         └─▶ `to_string()`, [`Expr::pretty`] ─▶ text
//!
//! Nothing here does I/O: a value goes in, a value comes out. In reading order:
//!
//! - [`ast`]: the tree; what everything else is about.
//! - [`number`], [`duration`], [`binary`], [`aggregate`], [`functions`]: what stands in it.
//! - [`span`]: where it stood in the text.
//! - `lexer`, [`parser`], `check`: from text to a tree that fits together.
//! - `print`: and back.
//! - [`error`]: what is wrong, where, and what to write instead.
//! - [`eval`]: from a tree and series to an answer.

pub mod aggregate;
pub mod ast;
pub mod binary;
mod check;
pub mod duration;
pub mod error;
pub mod eval;
pub mod functions;
mod lexer;
pub mod number;
pub mod parser;
mod print;
pub mod span;

pub use aggregate::AggregateOp;
pub use ast::{
    Aggregate, At, Binary, Call, Expr, ExprKind, Extension, Grouping, RangeSelector, Selector,
    Subquery, TimeShift, UnaryOp, ValueType,
};
pub use binary::{BinaryOp, Cardinality, Matching};
pub use duration::{DurationExpr, DurationKind, DurationOp, QueryTimes};
pub use error::{Fault, ParseError};
pub use eval::{
    Answer, AnswerValue, Budget, Control, EvalError, NodeStats, Query, ResolutionRead,
    SeriesPoints, Stats, evaluate,
};
pub use functions::{Function, Signature};
pub use number::Number;
pub use parser::{parse, parse_selector};
pub use span::{Position, Span};
