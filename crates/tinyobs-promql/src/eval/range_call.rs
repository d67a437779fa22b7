//! Range call: functions of range vectors, series by series and window by window.
//!
//!   [Call] ─▶ [Input] of each series ─▶ window by window: samples ─▶ `over_time`, `rate`, …
//!                                                        rows ─▶ `rows`, with what is to be told
//!
//! I-RANGE-1  The deadline is asked for while the windows of one series are looked at, too.
//! Proved by: tests/threads.rs; what comes out, scripts/windows.test, tests/steps.rs, tests/rolled.rs.

use tinyobs_model::{Labels, Resolution};

use super::annotations::RowDeed;
use super::grid::Grid;
use super::rate::Growth;
use super::rows::{self, Used};
use super::spread::Sink;
use super::value::{ABSENT, Series, Value};
use super::window::{Input, View, Window};
use super::{EvalError, Evaluated, Evaluator, over_time};
use crate::ast::Call;
use crate::functions::Function;
use crate::span::Span;

/// Samples that functions look at between two looks at the deadline.
const WORK: usize = 1 << 20;

impl<'e> Evaluator<'e> {
    /// A function of a range vector, window by window.
    pub(super) fn range_call(&mut self, call: &Call, span: Span, grid: Grid) -> Evaluated<Value> {
        let mut out: Vec<Series> = Vec::new();
        self.each_range_call(call, grid, &mut |_, series| {
            out.push(series);
            Ok(())
        })?;
        self.unique(out, span).map(Value::Vector)
    }

    /// The same, one series after the other; two of them may have the same labels.
    pub(super) fn each_range_call(
        &mut self,
        call: &Call,
        grid: Grid,
        sink: Sink<'_, 'e, Series>,
    ) -> Evaluated<()> {
        let matrix = usize::from(call.function == Function::QuantileOverTime);
        let mut scalars = Vec::new();
        for (_, arg) in call.args.iter().enumerate().filter(|(i, _)| *i != matrix) {
            scalars.push(self.eval_scalar(arg, grid)?);
        }
        check_scalars(call, &scalars)?;
        let keeps_name = matches!(
            call.function,
            Function::FirstOverTime | Function::LastOverTime
        );
        let arg = &call.args[matrix];
        let of_series = |evaluator: &mut Self, input: &Input<'_>| {
            evaluator.note_counter(call.function, input.labels, arg.span);
            let Some(values) = evaluator.window_by_window(call, arg.span, &scalars, input, grid)?
            else {
                return Ok(None);
            };
            let mut series = Series::new(input.labels.clone(), values);
            series.drop_name = input.drop_name;
            if !keeps_name {
                evaluator.drop_name(&mut series);
            }
            Ok(Some(series))
        };
        let mut any = false;
        self.each_window_series(arg, grid, &of_series, &mut |evaluator, series| {
            any = true;
            sink(evaluator, series)
        })?;
        if any && call.function == Function::QuantileOverTime {
            self.warn_of_quantiles(call.args[0].span, &scalars[0]);
        }
        Ok(())
    }

    /// What a function makes of one series at each step; none if nothing at any.
    fn window_by_window(
        &mut self,
        call: &Call,
        place: Span,
        scalars: &[Vec<f64>],
        input: &Input<'_>,
        grid: Grid,
    ) -> Evaluated<Option<Vec<f64>>> {
        let f = over_time::function(call.function);
        let mut values = self.column(ABSENT, grid)?;
        let (control, mut left, mut ended) = (self.control, WORK, Ok(()));
        let (mut empty, mut used) = (true, Used::default());
        let is_growth = matches!(call.function, Function::Rate | Function::Increase);
        let per_second = call.function == Function::Rate;
        let mut growth = if is_growth {
            Growth::of(input.values, per_second)
        } else {
            Growth::default()
        };
        let column = rows::by_column(call.function).filter(|_| !input.is_extended());
        input.slide(rows::windows_needed(call.function), |i, view| {
            if ended.is_err() {
                return;
            }
            let first = scalars.first().map_or(f64::NAN, |values| values[i]);
            let second = scalars.get(1).map_or(f64::NAN, |values| values[i]);
            let by_samples = |window: Window<'_>| f(window, [first, second]);
            let (looked_at, value) = match view {
                View::Samples(window) if is_growth => {
                    (window.values.len(), growth.in_window(window))
                }
                View::Samples(window) => (window.values.len(), by_samples(window)),
                View::Rows(window) => {
                    let lacks = is_growth && !rows::has_increase(window.cells);
                    used.note(window, column.is_none() || lacks);
                    let value = match column {
                        Some(column) => column(window.cells, window.lasts),
                        None => by_samples(window.lasts),
                    };
                    (window.cells.len(), value)
                }
            };
            if let Some(value) = value {
                values[i] = value;
                empty = false;
            }
            // One series of many samples and steps can be the work of minutes.
            left = left.saturating_sub(looked_at);
            if left == 0 {
                left = WORK;
                ended = control.check();
            }
        });
        ended?;
        self.tell_used(call, place, input, &used, column.is_some());
        if empty {
            self.meter.give_back(Series::bytes_of(grid.count));
            return Ok(None);
        }
        Ok(Some(values))
    }

    fn tell_used(
        &mut self,
        call: &Call,
        place: Span,
        input: &Input<'_>,
        used: &Used,
        has_column: bool,
    ) {
        let windows = rows::windows_needed(call.function);
        let counts = rows::counts_all(call.function);
        for resolution in Resolution::ALL {
            if let Some(stretch) = used.widened[resolution as usize] {
                let deed = RowDeed::Widened {
                    range_ms: input.range_ms(),
                    to_ms: windows * resolution.width_ms(),
                };
                self.note_rows(place, deed, resolution, stretch);
            }
            if let Some(stretch) = used.reaching[resolution as usize].filter(|_| counts) {
                let deed = RowDeed::Reaching {
                    range_ms: input.range_ms(),
                    by_ms: resolution.width_ms(),
                };
                self.note_rows(place, deed, resolution, stretch);
            }
            if let Some(stretch) = used.lasts[resolution as usize] {
                let what = call.function.name();
                let deed = if has_column {
                    RowDeed::EndValues { what }
                } else {
                    RowDeed::LastValues { what }
                };
                self.note_rows(place, deed, resolution, stretch);
            }
        }
    }

    /// A rate of something that does not look like a counter is often a mistake.
    fn note_counter(&mut self, function: Function, labels: &Labels, span: Span) {
        if !matches!(function, Function::Rate | Function::Increase) {
            return;
        }
        let name = labels.metric_name();
        let counted = ["_total", "_sum", "_count", "_bucket"];
        let told = labels.get("__type__");
        let is_counter = match told {
            Some(kind) => matches!(kind, "counter" | "histogram" | "summary"),
            None => counted.iter().any(|end| name.ends_with(end)),
        };
        if !name.is_empty() && !is_counter {
            let text = format!(
                "metric might not be a counter, its name does not end in \
                 _total/_sum/_count/_bucket: {name:?}"
            );
            self.inform(span, &text);
        }
    }
}

fn check_scalars(call: &Call, scalars: &[Vec<f64>]) -> Evaluated<()> {
    if call.function != Function::DoubleExponentialSmoothing {
        return Ok(());
    }
    for (arg, values) in call.args[1..].iter().zip(scalars) {
        if let Some(wrong) = values.iter().find(|&&f| !(f > 0.0 && f < 1.0)) {
            let reason = format!("a smoothing factor must be between 0 and 1, not {wrong}");
            return Err(EvalError::execution(arg.span, reason));
        }
    }
    Ok(())
}
