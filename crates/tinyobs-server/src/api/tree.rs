//! Tree: a query as JSON, in the shape of Prometheus' `/api/v1/parse_query`.
//!
//! I-TREE-1  Fields that Prometheus has are all there, in its types: lists are never `null`, lengths
//!           of time are whole milliseconds.
//! Proved by: tests/it/api.rs.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};
use tinyobs_model::{MatchOp, Matcher};
use tinyobs_promql::functions::ANY;
use tinyobs_promql::{
    Aggregate, At, Binary, Call, Cardinality, DurationExpr, Expr, ExprKind, Extension, Matching,
    Number, QueryTimes, RangeSelector, Selector, Subquery, TimeShift, UnaryOp, ValueType,
};

/// A node with all below it.
pub struct Tree<'a>(pub &'a Expr);

impl Serialize for Tree<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match &self.0.kind {
            ExprKind::Number(number) => {
                map.serialize_entry("type", "numberLiteral")?;
                map.serialize_entry("val", &plain(*number))?;
            }
            ExprKind::String(text) => {
                map.serialize_entry("type", "stringLiteral")?;
                map.serialize_entry("val", text)?;
            }
            ExprKind::Vector(selector) => {
                map.serialize_entry("type", "vectorSelector")?;
                write_selector(&mut map, selector)?;
            }
            ExprKind::Matrix(RangeSelector { selector, range }) => {
                map.serialize_entry("type", "matrixSelector")?;
                write_selector(&mut map, selector)?;
                map.serialize_entry("range", &milliseconds(Some(range)))?;
            }
            ExprKind::Subquery(subquery) => write_subquery(&mut map, subquery)?,
            ExprKind::Paren(inner) => {
                map.serialize_entry("type", "parenExpr")?;
                map.serialize_entry("expr", &Tree(inner))?;
            }
            ExprKind::Unary(op, inner) => {
                let op = match op {
                    UnaryOp::Plus => "+",
                    UnaryOp::Minus => "-",
                };
                map.serialize_entry("type", "unaryExpr")?;
                map.serialize_entry("op", op)?;
                map.serialize_entry("expr", &Tree(inner))?;
            }
            ExprKind::Binary(binary) => write_binary(&mut map, binary)?,
            ExprKind::Call(call) => write_call(&mut map, call)?,
            ExprKind::Aggregate(aggregate) => write_aggregate(&mut map, aggregate)?,
        }
        map.end()
    }
}

fn write_selector<M: SerializeMap>(map: &mut M, selector: &Selector) -> Result<(), M::Error> {
    let name = selector.name.as_deref().unwrap_or_default();
    map.serialize_entry("name", name)?;
    map.serialize_entry("matchers", &matchers(&selector.matchers))?;
    if !selector.alternatives.is_empty() {
        // Prometheus has none of these.
        let all: Vec<Value> = selector
            .alternatives
            .iter()
            .map(|one| matchers(one))
            .collect();
        map.serialize_entry("alternatives", &all)?;
    }
    write_time(map, &selector.time)?;
    match selector.extension {
        Some(Extension::Anchored) => map.serialize_entry("anchored", &true),
        Some(Extension::Smoothed) => map.serialize_entry("smoothed", &true),
        None => Ok(()),
    }
}

fn write_subquery<M: SerializeMap>(map: &mut M, subquery: &Subquery) -> Result<(), M::Error> {
    map.serialize_entry("type", "subquery")?;
    map.serialize_entry("expr", &Tree(&subquery.expr))?;
    map.serialize_entry("range", &milliseconds(Some(&subquery.range)))?;
    map.serialize_entry("step", &milliseconds(subquery.step.as_ref()))?;
    write_time(map, &subquery.time)
}

fn write_time<M: SerializeMap>(map: &mut M, time: &TimeShift) -> Result<(), M::Error> {
    map.serialize_entry("offset", &milliseconds(time.offset.as_ref()))?;
    let (timestamp, edge) = match time.at {
        None => (None, None),
        Some(At::Time(ms)) => (Some(ms), None),
        Some(At::Start) => (None, Some("start")),
        Some(At::End) => (None, Some("end")),
    };
    map.serialize_entry("timestamp", &timestamp)?;
    map.serialize_entry("startOrEnd", &edge)
}

fn write_binary<M: SerializeMap>(map: &mut M, binary: &Binary) -> Result<(), M::Error> {
    map.serialize_entry("type", "binaryExpr")?;
    map.serialize_entry("op", binary.op.symbol())?;
    map.serialize_entry("lhs", &Tree(&binary.lhs))?;
    map.serialize_entry("rhs", &Tree(&binary.rhs))?;
    map.serialize_entry("bool", &binary.return_bool)?;
    map.serialize_entry("matching", &binary.matching.as_ref().map(matching))
}

fn write_call<M: SerializeMap>(map: &mut M, call: &Call) -> Result<(), M::Error> {
    let signature = call.function.signature();
    // How many arguments there may be beyond the listed ones; -1 is any number.
    let variadic = match signature.most {
        ANY => -1,
        most => (most - signature.required) as i64,
    };
    let types: Vec<&str> = signature.args.iter().map(|&arg| type_name(arg)).collect();
    let function = json!({
        "name": signature.name,
        "argTypes": types,
        "variadic": variadic,
        "returnType": type_name(signature.returns),
    });
    map.serialize_entry("type", "call")?;
    map.serialize_entry("func", &function)?;
    let args: Vec<Tree<'_>> = call.args.iter().map(Tree).collect();
    map.serialize_entry("args", &args)
}

fn write_aggregate<M: SerializeMap>(map: &mut M, aggregate: &Aggregate) -> Result<(), M::Error> {
    map.serialize_entry("type", "aggregation")?;
    map.serialize_entry("op", aggregate.op.name())?;
    map.serialize_entry("expr", &Tree(&aggregate.expr))?;
    map.serialize_entry("param", &aggregate.param.as_deref().map(Tree))?;
    map.serialize_entry("grouping", &aggregate.grouping.labels)?;
    map.serialize_entry("without", &aggregate.grouping.without)
}

fn matching(matching: &Matching) -> Value {
    let card = match matching.cardinality {
        Cardinality::OneToOne => "one-to-one",
        Cardinality::ManyToOne => "many-to-one",
        Cardinality::OneToMany => "one-to-many",
        Cardinality::ManyToMany => "many-to-many",
    };
    let mut value = json!({
        "card": card,
        "labels": matching.labels,
        "on": matching.on,
        "include": matching.include,
    });
    let fill = |number: Option<Number>| number.map(plain);
    if matching.fill_left.is_some() || matching.fill_right.is_some() {
        value["fillValues"] =
            json!({"lhs": fill(matching.fill_left), "rhs": fill(matching.fill_right)});
    }
    value
}

fn matchers(matchers: &[Matcher]) -> Value {
    let one = |matcher: &Matcher| {
        let op = match matcher.op() {
            MatchOp::Equal => "=",
            MatchOp::NotEqual => "!=",
            MatchOp::Regex => "=~",
            MatchOp::NotRegex => "!~",
        };
        json!({"name": matcher.name(), "value": matcher.value(), "type": op})
    };
    matchers.iter().map(one).collect()
}

/// 0 of what is not there, or is only known when the query runs.
fn milliseconds(duration: Option<&DurationExpr>) -> i64 {
    let known = duration.and_then(|one| one.milliseconds(QueryTimes::default()).ok());
    known.unwrap_or_default()
}

/// Without units.
fn plain(number: Number) -> String {
    Number::plain(number.value).to_string()
}

fn type_name(value: ValueType) -> &'static str {
    value.name()
}
