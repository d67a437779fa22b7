//! Ast: a query as a tree.
//!
//!   text ─▶ lexer ─▶ parser ─▶ [Expr] ─▶ check ─▶ evaluation
//!                                  └─▶ print
//!
//! Every node knows the bytes of the text it was read from ([`Span`]), because errors and
//! annotations name the place. Parentheses are nodes of their own: a printer may add none, and what
//! was written is what is shown.
//!
//! I-AST-1  Equality asks for the meaning: places never differ, NaN equals NaN, and conditions
//!          that must all hold may stand in any order.
//! I-AST-2  A tree is at most `limits::QUERY_DEPTH` nodes high, so that walking, printing and
//!          dropping it by recursion is safe; the parser refuses what is higher.
//! I-AST-3  Children are in the order in which they are written.
//! Proved by: ast/tests.rs, parser/tests.rs.

use tinyobs_model::Matcher;

use crate::aggregate::AggregateOp;
use crate::binary::{BinaryOp, Matching};
use crate::duration::DurationExpr;
use crate::functions::Function;
use crate::number::Number;
use crate::span::Span;

/// An expression and where it stands.
#[derive(Debug, Clone)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// The bytes it was read from.
    pub span: Span,
    /// 1 for a leaf; see I-AST-2.
    height: u32,
}

/// The kinds of expressions.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// `12.5`, `0x1f`, `Inf`, `1h30m`; a minus right before it belongs to it.
    Number(Number),
    /// `"text"`, without its quotes and escapes.
    String(String),
    /// `name{label="value"} offset 5m`: a vector.
    Vector(Selector),
    /// `name{label="value"}[5m] offset 5m`: a matrix.
    Matrix(RangeSelector),
    /// `expr[5m:1m] offset 5m`: a matrix.
    Subquery(Subquery),
    /// `(expr)`
    Paren(Box<Expr>),
    /// `-expr`, `+expr`
    Unary(UnaryOp, Box<Expr>),
    /// `expr + expr`
    Binary(Binary),
    /// `rate(x[5m])`
    Call(Call),
    /// `sum by (job) (x)`
    Aggregate(Aggregate),
}

/// What an expression evaluates to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// One number per step.
    Scalar,
    /// Series with one value per step: an instant vector.
    Vector,
    /// Series with a stretch of samples per step: a range vector.
    Matrix,
    /// Text.
    String,
}

/// Which series, and where in time.
#[derive(Debug, Clone, Default)]
pub struct Selector {
    /// The metric name before the braces; one in quotes inside of them is only a condition.
    pub name: Option<String>,
    /// What a series must satisfy, in the order written; the last is on `name`, if there is one.
    pub matchers: Vec<Matcher>,
    /// `{… or …}`: a series may satisfy all of one of these lists instead; each ends with the
    /// condition on `name` too. Nearly always empty.
    pub alternatives: Vec<Vec<Matcher>>,
    /// `offset …` and `@ …`.
    pub time: TimeShift,
    /// `anchored` or `smoothed`.
    pub extension: Option<Extension>,
}

/// A selector with the stretch of time to look at.
#[derive(Debug, Clone, PartialEq)]
pub struct RangeSelector {
    /// Which series; its time shift and extension stand after the range in the text.
    pub selector: Selector,
    /// How far back.
    pub range: DurationExpr,
}

/// An expression evaluated at many moments.
#[derive(Debug, Clone, PartialEq)]
pub struct Subquery {
    /// What is evaluated: a vector.
    pub expr: Box<Expr>,
    /// How far back.
    pub range: DurationExpr,
    /// Time between two moments; without it, the default of the server.
    pub step: Option<DurationExpr>,
    /// `offset …` and `@ …`.
    pub time: TimeShift,
}

/// Where in time a selector or subquery looks, instead of at the moment of evaluation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TimeShift {
    /// `offset 5m`: so much earlier, or later when negative. Also applies to `at`.
    pub offset: Option<DurationExpr>,
    /// `@ 1609746000`: at this moment, whatever the step.
    pub at: Option<At>,
}

/// A fixed moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// Milliseconds since the epoch.
    Time(i64),
    /// `start()` of the query.
    Start,
    /// `end()` of the query.
    End,
}

/// Samples next to the range that a selector also takes into account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Extension {
    /// `anchored`: the sample before the range stands at its start.
    Anchored,
    /// `smoothed`: values at both ends are interpolated from the neighbours.
    Smoothed,
}

/// Signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    /// `+`
    Plus,
    /// `-`
    Minus,
}

/// Two operands and how they meet.
#[derive(Debug, Clone, PartialEq)]
pub struct Binary {
    /// The operator.
    pub op: BinaryOp,
    /// Left.
    pub lhs: Box<Expr>,
    /// Right.
    pub rhs: Box<Expr>,
    /// `bool`: 0 or 1 in place of a filter.
    pub return_bool: bool,
    /// Which series of both sides belong together; only between two vectors.
    pub matching: Option<Matching>,
}

/// A function and its arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Which.
    pub function: Function,
    /// As written; arguments left out stay out.
    pub args: Vec<Expr>,
}

/// An aggregation over series.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// Which.
    pub op: AggregateOp,
    /// `by` and `without`.
    pub grouping: Grouping,
    /// The first argument of `topk`, `quantile`, `count_values` and their like.
    pub param: Option<Box<Expr>>,
    /// What is aggregated: a vector.
    pub expr: Box<Expr>,
}

/// Labels by which series are put together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grouping {
    /// `without`: all labels but these.
    pub without: bool,
    /// In the order written.
    pub labels: Vec<String>,
}

impl Expr {
    /// A node; its height follows from its children.
    pub fn new(kind: ExprKind, span: Span) -> Self {
        let mut expr = Self {
            kind,
            span,
            height: 0,
        };
        let of_children = expr.children().map(|child| child.height).max();
        let of_durations = expr.durations().map(DurationExpr::height).max();
        expr.height = 1 + of_children.max(of_durations).unwrap_or_default();
        expr
    }

    /// Nodes on the longest way down, itself included.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// What it evaluates to. A tree that was not checked may say something its parts contradict.
    pub fn value_type(&self) -> ValueType {
        match &self.kind {
            ExprKind::Number(_) => ValueType::Scalar,
            ExprKind::String(_) => ValueType::String,
            ExprKind::Vector(_) | ExprKind::Aggregate(_) => ValueType::Vector,
            ExprKind::Matrix(_) | ExprKind::Subquery(_) => ValueType::Matrix,
            ExprKind::Paren(inner) | ExprKind::Unary(_, inner) => inner.value_type(),
            ExprKind::Binary(Binary { lhs, rhs, .. }) => {
                match (lhs.value_type(), rhs.value_type()) {
                    (ValueType::Scalar, ValueType::Scalar) => ValueType::Scalar,
                    _ => ValueType::Vector,
                }
            }
            ExprKind::Call(call) => call.function.signature().returns,
        }
    }

    /// Its direct parts, in the order written (I-AST-3).
    pub fn children(&self) -> impl Iterator<Item = &Expr> {
        let (first, second, rest): (Option<&Expr>, Option<&Expr>, &[Expr]) = match &self.kind {
            ExprKind::Number(_)
            | ExprKind::String(_)
            | ExprKind::Vector(_)
            | ExprKind::Matrix(_) => (None, None, &[]),
            ExprKind::Subquery(subquery) => (Some(&subquery.expr), None, &[]),
            ExprKind::Paren(inner) | ExprKind::Unary(_, inner) => (Some(inner), None, &[]),
            ExprKind::Binary(binary) => (Some(&binary.lhs), Some(&binary.rhs), &[]),
            ExprKind::Call(call) => (None, None, &call.args),
            ExprKind::Aggregate(aggregate) => {
                (aggregate.param.as_deref(), Some(&aggregate.expr), &[])
            }
        };
        first.into_iter().chain(second).chain(rest)
    }

    /// The durations of this very node.
    pub fn durations(&self) -> impl Iterator<Item = &DurationExpr> {
        let [range, step, offset] = match &self.kind {
            ExprKind::Vector(selector) => [None, None, selector.time.offset.as_ref()],
            ExprKind::Matrix(RangeSelector { selector, range }) => {
                [Some(range), None, selector.time.offset.as_ref()]
            }
            ExprKind::Subquery(subquery) => [
                Some(&subquery.range),
                subquery.step.as_ref(),
                subquery.time.offset.as_ref(),
            ],
            _ => [None, None, None],
        };
        range.into_iter().chain(step).chain(offset)
    }

    /// What is inside all parentheses around it.
    pub fn without_parens(&self) -> &Expr {
        let mut expr = self;
        while let ExprKind::Paren(inner) = &expr.kind {
            expr = inner;
        }
        expr
    }

    /// Calls `visit` with this node and every one below it, parents first.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Expr)) {
        visit(self);
        for child in self.children() {
            child.walk(visit);
        }
    }
}

/// I-AST-1.
impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl PartialEq for Selector {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
            && self.time == other.time
            && self.extension == other.extension
            && same(&self.matchers, &other.matchers)
            && self.alternatives.len() == other.alternatives.len()
            && self
                .alternatives
                .iter()
                .zip(&other.alternatives)
                .all(|(a, b)| same(a, b))
    }
}

/// Whether both lists ask for the same, in any order.
fn same(a: &[Matcher], b: &[Matcher]) -> bool {
    // Their texts, because compiled regular expressions have no equality.
    let [a, b] = [a, b].map(|list| {
        let mut texts: Vec<String> = list.iter().map(ToString::to_string).collect();
        texts.sort_unstable();
        texts
    });
    a == b
}

impl Extension {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Anchored => "anchored",
            Self::Smoothed => "smoothed",
        }
    }
}

impl ValueType {
    /// As the HTTP API names it in `resultType`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Vector => "vector",
            Self::Matrix => "matrix",
            Self::String => "string",
        }
    }

    /// As people name it in errors.
    pub fn description(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Vector => "instant vector",
            Self::Matrix => "range vector",
            Self::String => "string",
        }
    }
}

#[cfg(test)]
mod tests;
