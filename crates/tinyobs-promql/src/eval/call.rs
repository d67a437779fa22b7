//! Call: functions, each by what it works on.
//!
//!   [Call] ─▶ value by value   math, clamp, dates       here, date
//!          ─▶ window by window rate, *_over_time        range_call
//!          ─▶ labels, order, whole histograms           label_calls, sort, histogram, absent, info

use super::grid::Grid;
use super::selector::{Look, Wanted};
use super::value::{Series, Value, distinct, is_present, signed};
use super::{Evaluated, Evaluator, date};
use crate::ast::{Call, Expr, ExprKind};
use crate::functions::Function;
use crate::span::Span;

impl Evaluator<'_> {
    pub(super) fn call(&mut self, call: &Call, span: Span, grid: Grid) -> Evaluated<Value> {
        use Function as F;
        let args = &call.args;
        match call.function {
            F::Time | F::Pi | F::Start | F::End | F::Step | F::Range => {
                self.scalar_of_query(call.function, grid)
            }
            F::MaxOf | F::MinOf | F::Scalar => self.scalar_call(call, grid),
            F::Vector => {
                let values = self.eval_scalar(&args[0], grid)?;
                Ok(Value::Vector(vec![Series::unnamed(values)]))
            }
            F::Absent => self.absent(&args[0], grid),
            F::AbsentOverTime => self.absent_over_time(&args[0], grid),
            F::Timestamp => self.timestamp(&args[0], span, grid),
            F::Clamp | F::ClampMax | F::ClampMin | F::Round => self.with_scalars(call, span, grid),
            F::LabelReplace => self.label_replace(args, span, grid),
            F::LabelJoin => self.label_join(args, span, grid),
            F::Sort | F::SortDesc => self.sort_values(&args[0], call.function, grid),
            F::SortByLabel | F::SortByLabelDesc => self.sort_labels(args, call.function, grid),
            F::HistogramQuantile => self.histogram_quantile(args, span, grid),
            F::HistogramQuantiles => self.histogram_quantiles(args, span, grid),
            F::HistogramFraction => self.histogram_fraction(args, span, grid),
            // There are no native histograms yet, and no start timestamps.
            F::HistogramAvg
            | F::HistogramCount
            | F::HistogramStddev
            | F::HistogramStdvar
            | F::HistogramSum
            | F::StartTimestamp => {
                self.eval_vector(&args[0], grid)?;
                Ok(Value::Vector(Vec::new()))
            }
            F::Info => self.info(args, span, grid),
            function if date::is_date(function) => self.dates(call, span, grid),
            function => match math(function) {
                Some(f) => self.value_by_value(&args[0], span, grid, f),
                None => self.range_call(call, span, grid),
            },
        }
    }

    fn scalar_of_query(&mut self, function: Function, grid: Grid) -> Evaluated<Value> {
        let (query, times) = (self.query, self.query_times());
        let seconds = |ms: i64| ms as f64 / 1_000.0;
        let value = match function {
            Function::Pi => std::f64::consts::PI,
            Function::Start => seconds(query.start_ms),
            Function::End => seconds(query.end_ms),
            Function::Step => seconds(times.step_ms),
            Function::Range => seconds(times.range_ms),
            _ => 0.0,
        };
        let mut values = self.column(value, grid)?;
        if function == Function::Time {
            for (value, time) in values.iter_mut().zip(grid.times()) {
                *value = seconds(time);
            }
        }
        Ok(Value::Scalar(values))
    }

    fn scalar_call(&mut self, call: &Call, grid: Grid) -> Evaluated<Value> {
        if call.function == Function::Scalar {
            return self.only_value(&call.args[0], grid);
        }
        let mut a = self.eval_scalar(&call.args[0], grid)?;
        let b = self.eval_scalar(&call.args[1], grid)?;
        let choose = if call.function == Function::MaxOf {
            max
        } else {
            min
        };
        for (a, b) in a.iter_mut().zip(b) {
            // Unlike the bounds of `clamp`, these know no infinity beyond what is no number.
            *a = if a.is_nan() || b.is_nan() {
                f64::NAN
            } else {
                choose(*a, b)
            };
        }
        Ok(Value::Scalar(a))
    }

    /// `scalar`: the value of the only series, where there is one.
    fn only_value(&mut self, arg: &Expr, grid: Grid) -> Evaluated<Value> {
        let series = self.eval_vector(arg, grid)?;
        let mut values = self.column(f64::NAN, grid)?;
        for (i, value) in values.iter_mut().enumerate() {
            let mut there = series
                .iter()
                .map(|s| s.values[i])
                .filter(|&v| is_present(v));
            if let (Some(only), None) = (there.next(), there.next()) {
                *value = only;
            }
        }
        Ok(Value::Scalar(values))
    }

    /// The time of the samples themselves where a selector tells, else of the step.
    fn timestamp(&mut self, arg: &Expr, span: Span, grid: Grid) -> Evaluated<Value> {
        let mut series = match &arg.without_parens().kind {
            ExprKind::Vector(selector) if selector.extension.is_none() => {
                let look = Look {
                    wanted: Wanted::Time,
                    ..self.look(selector, arg.span)?
                };
                self.select_columns(look, grid)?
            }
            _ => {
                let mut series = self.eval_vector(arg, grid)?;
                for one in &mut series {
                    one.filter_map(|i, _| Some(grid.time(i) as f64 / 1_000.0));
                }
                series
            }
        };
        for one in &mut series {
            self.drop_name(one);
        }
        distinct(series, span).map(Value::Vector)
    }

    pub(super) fn value_by_value(
        &mut self,
        arg: &Expr,
        span: Span,
        grid: Grid,
        f: impl Fn(f64) -> f64,
    ) -> Evaluated<Value> {
        let mut series = self.eval_vector(arg, grid)?;
        for one in &mut series {
            self.drop_name(one);
            one.map(&f);
        }
        distinct(series, span).map(Value::Vector)
    }

    /// `clamp` and `round`: a vector and scalars.
    fn with_scalars(&mut self, call: &Call, span: Span, grid: Grid) -> Evaluated<Value> {
        let mut series = self.eval_vector(&call.args[0], grid)?;
        let mut scalars = Vec::new();
        for arg in &call.args[1..] {
            scalars.push(self.eval_scalar(arg, grid)?);
        }
        let at = |n: usize, i: usize| scalars.get(n).map(|values| values[i]);
        let f = |i: usize, value: f64| match call.function {
            Function::Clamp => {
                let (low, high) = (at(0, i)?, at(1, i)?);
                (high >= low || high.is_nan() || low.is_nan()).then(|| max(low, min(high, value)))
            }
            Function::ClampMax => Some(min(at(0, i)?, value)),
            Function::ClampMin => Some(max(at(0, i)?, value)),
            _ => {
                // As Prometheus does it, the inverse first: it is the more exact one.
                let inverse = 1.0 / at(0, i).unwrap_or(1.0);
                Some((value * inverse + 0.5).floor() / inverse)
            }
        };
        for one in &mut series {
            self.drop_name(one);
            one.filter_map(f);
        }
        distinct(series, span).map(Value::Vector)
    }
}

/// Functions of one value.
fn math(function: Function) -> Option<fn(f64) -> f64> {
    use Function as F;
    Some(match function {
        // I-VALUE-1
        F::Abs => |value| signed(value, f64::abs),
        F::Acos => f64::acos,
        F::Acosh => f64::acosh,
        F::Asin => f64::asin,
        F::Asinh => f64::asinh,
        F::Atan => f64::atan,
        F::Atanh => f64::atanh,
        F::Ceil => f64::ceil,
        F::Cos => f64::cos,
        F::Cosh => f64::cosh,
        F::Deg => |value| value * 180.0 / std::f64::consts::PI,
        F::Exp => f64::exp,
        F::Floor => f64::floor,
        F::Ln => f64::ln,
        F::Log10 => f64::log10,
        F::Log2 => f64::log2,
        F::Rad => |value| value * std::f64::consts::PI / 180.0,
        F::Sgn => |value| match value {
            v if v > 0.0 => 1.0,
            v if v < 0.0 => -1.0,
            v => v,
        },
        F::Sin => f64::sin,
        F::Sinh => f64::sinh,
        F::Sqrt => f64::sqrt,
        F::Tan => f64::tan,
        F::Tanh => f64::tanh,
        _ => return None,
    })
}

/// The larger one, as Go has it: infinity is larger than what is no number, 0 is larger than -0.
fn max(a: f64, b: f64) -> f64 {
    if a == f64::INFINITY || b == f64::INFINITY {
        return f64::INFINITY;
    }
    if a.is_nan() || b.is_nan() {
        return f64::NAN;
    }
    if a == 0.0 && b == 0.0 {
        // Both signs are set in -0 only if both are -0.
        return f64::from_bits(a.to_bits() & b.to_bits());
    }
    if a > b { a } else { b }
}

/// The smaller one, likewise.
fn min(a: f64, b: f64) -> f64 {
    -max(-a, -b)
}
