//! Durations, and times that are shifted by them.

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::ast::{At, TimeShift};
use crate::duration::{DurationExpr, DurationKind, DurationOp, QueryTimes};
use crate::number::Number;
use crate::span::Span;

pub(super) fn time() -> BoxedStrategy<TimeShift> {
    let at = prop_oneof![
        Just(At::Start),
        Just(At::End),
        (-(1_i64 << 51)..=1 << 51).prop_map(At::Time),
    ];
    // A parenthesis at its beginning would take in what follows the selector.
    let offset = duration().prop_map(|inner| {
        let alone = match &inner.kind {
            DurationKind::Negative(inner) => !matches!(inner.kind, DurationKind::Binary(..)),
            DurationKind::Binary(..) | DurationKind::Paren(_) => false,
            _ => true,
        };
        let negative = |inner| span_less(DurationKind::Negative(Box::new(wrap(inner))));
        let whole = if alone { inner } else { negative(inner) };
        let whole = valid(whole, |whole| {
            whole.milliseconds(QueryTimes::default()).is_ok()
        });
        if whole.is_zero() {
            span_less(DurationKind::Step)
        } else {
            whole
        }
    });
    (option::weighted(0.2, at), option::weighted(0.2, offset))
        .prop_map(|(at, offset)| TimeShift { offset, at })
        .boxed()
}

pub(super) fn range() -> BoxedStrategy<DurationExpr> {
    duration()
        .prop_map(|inner| {
            valid(inner, |whole| {
                whole.positive_milliseconds(QueryTimes::default()).is_ok()
            })
        })
        .boxed()
}

/// `whole`, or another if it is refused; a number alone as it is read.
fn valid(whole: DurationExpr, fits: impl Fn(&DurationExpr) -> bool) -> DurationExpr {
    if whole.is_constant() && !fits(&whole) {
        return span_less(DurationKind::Number(Number::milliseconds(60_000)));
    }
    whole.simplified()
}

fn span_less(kind: DurationKind) -> DurationExpr {
    DurationExpr::new(kind, Span::default())
}

fn wrap(inner: DurationExpr) -> DurationExpr {
    span_less(DurationKind::Paren(Box::new(inner)))
}

fn duration() -> BoxedStrategy<DurationExpr> {
    use DurationKind::{Binary, Max, Min, Negative, Range, Step};
    let ops = [
        DurationOp::Add,
        DurationOp::Sub,
        DurationOp::Mul,
        DurationOp::Div,
        DurationOp::Mod,
        DurationOp::Pow,
    ];
    let leaf = prop_oneof![
        3 => (1..10_000_000_i64).prop_map(|ms| DurationKind::Number(Number::milliseconds(ms))),
        1 => (0.0..1e6).prop_map(|value| DurationKind::Number(Number::plain(value))),
        1 => Just(Step),
        1 => Just(Range),
    ]
    .prop_map(span_less);
    leaf.prop_recursive(3, 8, 2, move |inner| {
        let two = (inner.clone(), inner.clone());
        let of = |(a, b): (DurationExpr, DurationExpr)| (Box::new(a), Box::new(b));
        prop_oneof![
            inner.prop_map(wrap),
            two.0.clone().prop_map(|inner| {
                let inner = tight(DurationOp::Pow.precedence(), inner);
                let number = matches!(inner.kind, DurationKind::Number(_));
                span_less(Negative(Box::new(if number { wrap(inner) } else { inner })))
            }),
            two.clone().prop_map(move |two| {
                let (a, b) = of(two);
                span_less(Min(a, b))
            }),
            two.clone().prop_map(move |two| {
                let (a, b) = of(two);
                span_less(Max(a, b))
            }),
            (select(ops.to_vec()), two).prop_map(move |(op, (a, b))| {
                let right = op == DurationOp::Pow;
                let a = tight(op.precedence() + u8::from(right), a);
                let b = tight(op.precedence() + u8::from(!right), b);
                span_less(Binary(op, Box::new(a), Box::new(b)))
            }),
        ]
    })
    .boxed()
}

fn tight(least: u8, inner: DurationExpr) -> DurationExpr {
    let precedence = match &inner.kind {
        DurationKind::Binary(op, ..) => op.precedence(),
        DurationKind::Negative(_) => DurationOp::Mul.precedence(),
        _ => u8::MAX,
    };
    if precedence < least {
        wrap(inner)
    } else {
        inner
    }
}
