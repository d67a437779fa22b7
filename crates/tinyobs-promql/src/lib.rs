//! PromQL: a query as text, as a tree, and as text again.
//!
//! Nothing here does I/O: a value goes in, a value comes out. In reading order:
//!
//! - [`ast`]: the tree; what everything else is about.
//! - [`number`], [`duration`], [`binary`], [`aggregate`], [`functions`]: what stands in it.
//! - [`span`]: where it stood in the text.

pub mod aggregate;
pub mod ast;
pub mod binary;
pub mod duration;
pub mod functions;
pub mod number;
pub mod span;

pub use aggregate::AggregateOp;
pub use ast::{
    Aggregate, At, Binary, Call, Expr, ExprKind, Extension, Grouping, RangeSelector, Selector,
    Subquery, TimeShift, UnaryOp, ValueType,
};
pub use binary::{BinaryOp, Cardinality, Matching};
pub use duration::{DurationExpr, DurationKind, DurationOp, QueryTimes};
pub use functions::{Function, Signature};
pub use number::Number;
pub use span::{Position, Span};
