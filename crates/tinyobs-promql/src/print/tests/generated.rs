//! Generated: trees as somebody could have written them.
//!
//! Operands that would be read otherwise are put in parentheses, which are nodes; numbers behind a
//! minus too, because the minus would become part of them.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use tinyobs_model::{METRIC_NAME, MatchOp, Matcher};

use crate::aggregate::AggregateOp;
use crate::ast::*;
use crate::binary::{BinaryOp, Cardinality, Matching};
use crate::functions::{self, Function};
use crate::number::Number;
use crate::parser::parse;
use crate::span::Span;

mod durations;

use durations::{range, time};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn i_print_1_generated_trees_survive(tree in vector()) {
        for printed in [tree.to_string(), tree.pretty()] {
            let read = parse(&printed);
            prop_assert!(read.is_ok(), "{printed}\n{read:?}");
            prop_assert_eq!(read.as_ref(), Ok(&tree), "{}", printed);
        }
    }

    #[test]
    fn i_parser_1_any_text_is_a_tree_or_an_error(text in "[a-c0-9(){}\\[\\]<>=!~+*/^@:,. \"'`\\\\_-]{0,60}|\\PC{0,30}") {
        match parse(&text) {
            Ok(tree) => prop_assert_eq!(parse(&tree.to_string()), Ok(tree)),
            Err(error) => {
                prop_assert!(text.get(error.span.start..error.span.end).is_some());
                prop_assert!(error.caret(&text).contains('^'));
            }
        }
    }
}

fn expr(kind: ExprKind) -> Expr {
    Expr::new(kind, Span::default())
}

fn paren(inner: Expr) -> Expr {
    expr(ExprKind::Paren(Box::new(inner)))
}

/// How tightly the outermost node of `inner` binds.
fn precedence(inner: &Expr) -> u8 {
    match &inner.kind {
        ExprKind::Binary(binary) => binary.op.precedence(),
        ExprKind::Unary(..) => BinaryOp::Mul.precedence(),
        ExprKind::Number(number) if number.value.is_sign_negative() => BinaryOp::Mul.precedence(),
        _ => u8::MAX,
    }
}

/// `inner`, in parentheses unless it binds at least as tightly as `least`.
fn at_least(least: u8, inner: Expr) -> Expr {
    if precedence(&inner) < least {
        paren(inner)
    } else {
        inner
    }
}

fn number() -> BoxedStrategy<Number> {
    prop_oneof![
        any::<f64>().prop_map(Number::plain),
        (-1_000_i32..1_000).prop_map(|n| Number::plain(f64::from(n))),
        (0..10_000_000_000_i64).prop_map(Number::milliseconds),
        Just(Number::plain(f64::NAN)),
        Just(Number::plain(f64::INFINITY)),
    ]
    .boxed()
}

/// Metrics that can stand before braces.
fn metric() -> BoxedStrategy<String> {
    let keywords = select(vec![
        "sum", "by", "offset", "or", "fill", "rate", "step", "end",
    ]);
    let plain = "[a-z_:][a-z0-9_:]{0,6}".prop_filter("no keyword", |name| {
        !matches!(name.as_str(), "on" | "bool" | "atan2" | "inf" | "nan")
    });
    prop_oneof![4 => plain, 1 => keywords.prop_map(str::to_owned)].boxed()
}

fn name() -> BoxedStrategy<String> {
    prop_oneof![
        4 => "[a-z_:][a-z0-9_:]{0,6}",
        1 => select(vec!["sum", "on", "by", "offset", "inf", "or", "fill", "rate", "BOOL", "step"])
            .prop_map(str::to_owned),
        1 => "\\PC{1,5}",
        1 => any::<String>().prop_filter("named", |name| !name.is_empty()),
    ]
    .boxed()
}

fn matcher() -> BoxedStrategy<Matcher> {
    let op = select(vec![
        MatchOp::Equal,
        MatchOp::NotEqual,
        MatchOp::Regex,
        MatchOp::NotRegex,
    ]);
    (name(), op, any::<String>())
        .prop_map(|(name, op, value)| {
            let equal = Matcher::equal(name.clone(), value.clone());
            Matcher::new(op, name, value).unwrap_or(equal)
        })
        .boxed()
}

fn selector() -> BoxedStrategy<Selector> {
    let lists = vec(vec(matcher(), 1..3), 0..2);
    let extension = option::weighted(0.1, select(vec![Extension::Anchored, Extension::Smoothed]));
    (
        option::of(metric()),
        vec(matcher(), 0..3),
        option::weighted(0.1, lists),
        time(),
        extension,
    )
        .prop_map(|(name, matchers, alternatives, time, extension)| {
            let mut selector = Selector {
                name,
                matchers,
                alternatives: alternatives.unwrap_or_default(),
                time,
                extension,
            };
            // Something must be asked for, at the place where it is read again.
            let last = match &selector.name {
                Some(name) => Matcher::equal(METRIC_NAME, name),
                None => Matcher::equal("x", "y"),
            };
            let lists = std::iter::once(&mut selector.matchers).chain(&mut selector.alternatives);
            for list in lists {
                list.retain(|matcher| matcher.name() != METRIC_NAME);
                list.push(last.clone());
            }
            let empty = |list: &Vec<Matcher>| list.len() < 2;
            if selector.name.is_some()
                && (empty(&selector.matchers) || selector.alternatives.iter().any(empty))
            {
                selector.alternatives.clear();
            }
            selector
        })
        .boxed()
}

fn labels() -> BoxedStrategy<Vec<String>> {
    vec(name(), 0..3).boxed()
}

fn matching(op: BinaryOp) -> BoxedStrategy<Matching> {
    let group = select(vec![
        Cardinality::OneToOne,
        Cardinality::ManyToOne,
        Cardinality::OneToMany,
    ]);
    let fill = option::weighted(0.2, any::<f64>().prop_map(Number::plain));
    (any::<bool>(), labels(), group, labels(), fill.clone(), fill)
        .prop_map(
            move |(on, labels, cardinality, include, fill_left, fill_right)| {
                let mut matching = Matching {
                    cardinality,
                    on,
                    labels,
                    include: Vec::new(),
                    fill_left,
                    fill_right,
                };
                if matching.cardinality != Cardinality::OneToOne {
                    matching.include = include;
                    matching
                        .include
                        .retain(|label| !on || !matching.labels.contains(label));
                }
                if op.is_set() {
                    matching.cardinality = Cardinality::ManyToMany;
                    matching.include.clear();
                    matching.fill_left = None;
                    matching.fill_right = None;
                }
                matching
            },
        )
        .boxed()
}

fn operator() -> BoxedStrategy<(BinaryOp, bool, Matching)> {
    use BinaryOp::*;
    let all = vec![
        Add, Sub, Mul, Div, Mod, Pow, Atan2, Eq, Ne, Gt, Lt, Ge, Le, TrimUpper, TrimLower, And, Or,
        Unless,
    ];
    select(all)
        .prop_flat_map(|op| {
            let return_bool = any::<bool>().prop_map(move |bool| bool && op.is_comparison());
            (Just(op), return_bool, matching(op))
        })
        .boxed()
}

fn binary((op, return_bool, matching): (BinaryOp, bool, Matching), lhs: Expr, rhs: Expr) -> Expr {
    let right = op == BinaryOp::Pow;
    let lhs = at_least(op.precedence() + u8::from(right), lhs);
    // A sign behind an operator is never taken for another.
    let signed = matches!(rhs.kind, ExprKind::Unary(..) | ExprKind::Number(_));
    let rhs = if signed {
        rhs
    } else {
        at_least(op.precedence() + u8::from(!right), rhs)
    };
    let vectors = lhs.value_type() == ValueType::Vector && rhs.value_type() == ValueType::Vector;
    let (lhs, rhs) = (Box::new(lhs), Box::new(rhs));
    let matching = vectors.then_some(matching);
    expr(ExprKind::Binary(Binary {
        op,
        lhs,
        rhs,
        return_bool,
        matching,
    }))
}

/// Instant vectors of every kind of node.
fn vector() -> BoxedStrategy<Expr> {
    let leaf = selector().prop_map(|selector| expr(ExprKind::Vector(selector)));
    leaf.prop_recursive(4, 24, 3, |inner| {
        let two = (inner.clone(), inner.clone());
        let scalar = number().prop_map(|number| expr(ExprKind::Number(number)));
        prop_oneof![
            inner.clone().prop_map(paren),
            inner.clone().prop_map(|inner| {
                let inner = at_least(BinaryOp::Pow.precedence(), inner);
                expr(ExprKind::Unary(UnaryOp::Minus, Box::new(inner)))
            }),
            (operator(), two.clone()).prop_map(|(op, (a, b))| binary(op, a, b)),
            (operator(), inner.clone(), scalar, any::<bool>()).prop_map(
                |(op, vector, scalar, left)| match op.0.is_set() {
                    true => vector,
                    false if left => binary(op, scalar, vector),
                    false => binary(op, vector, scalar),
                }
            ),
            aggregate(inner.clone()),
            (
                select(functions::ALL.to_vec()),
                vec(inner.clone(), 3),
                subquery(inner),
                selector(),
                range()
            )
                .prop_map(|((function, _), vectors, subquery, selector, range)| {
                    let matrix = ExprKind::Matrix(RangeSelector { selector, range });
                    call(function, vectors, subquery, matrix)
                }),
        ]
    })
    .boxed()
}

fn subquery(inner: impl Strategy<Value = Expr> + 'static) -> BoxedStrategy<Expr> {
    (inner, range(), option::of(range()), time())
        .prop_map(|(inner, range, step, time)| {
            let expr_ = Box::new(at_least(u8::MAX, inner));
            expr(ExprKind::Subquery(Subquery {
                expr: expr_,
                range,
                step,
                time,
            }))
        })
        .boxed()
}

fn aggregate(inner: impl Strategy<Value = Expr> + 'static) -> BoxedStrategy<Expr> {
    (
        select(AggregateOp::ALL.to_vec()),
        any::<bool>(),
        labels(),
        number(),
        inner,
    )
        .prop_map(|(op, without, labels, number, inner)| {
            let param = op.param_type().map(|wanted| match wanted {
                ValueType::String => ExprKind::String(number.to_string()),
                _ => ExprKind::Number(number),
            });
            expr(ExprKind::Aggregate(Aggregate {
                op,
                grouping: Grouping { without, labels },
                param: param.map(|kind| Box::new(expr(kind))),
                expr: Box::new(inner),
            }))
        })
        .boxed()
}

/// A call of `function` with arguments of the types it takes; a vector made of it, if it is none.
fn call(function: Function, vectors: Vec<Expr>, subquery: Expr, mut matrix: ExprKind) -> Expr {
    let signature = function.signature();
    if let ExprKind::Matrix(RangeSelector { selector, .. }) = &mut matrix {
        let extended = matches!(
            function,
            Function::Rate | Function::Increase | Function::Delta
        );
        selector.extension = selector.extension.filter(|_| extended);
    }
    let mut vectors = vectors.into_iter();
    let mut matrices = [expr(matrix), subquery].into_iter();
    let count = if function == Function::Info {
        1
    } else {
        signature.most.min(5)
    };
    let count = count.min(signature.args.len() + 1).max(signature.required);
    let arg = |i: usize| match signature.arg(i) {
        Some(ValueType::Matrix) => matrices.next(),
        Some(ValueType::Scalar) => Some(expr(ExprKind::Number(Number::plain(0.5)))),
        Some(ValueType::String) => Some(expr(ExprKind::String("a\"b".into()))),
        _ => vectors.next(),
    };
    let args = (0..count).map_while(arg).collect();
    let call = expr(ExprKind::Call(Call { function, args }));
    match signature.returns {
        ValueType::Vector => call,
        _ => expr(ExprKind::Call(Call {
            function: Function::Vector,
            args: vec![call],
        })),
    }
}
