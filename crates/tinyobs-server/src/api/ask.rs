//! Ask: what a query asks for, read from its parameters.
//!
//!   [Form] ─▶ [Ask] ─▶ promql::Query
//!
//! I-ASK-1  Times are Unix seconds, whole or not, or RFC 3339; lengths of time are seconds or
//!          durations such as `1h30m`. What is neither is an error that says so. A time farther away
//!          than the engine counts is as far away as it does.
//! I-ASK-2  A range query has at most `limits::RANGE_STEPS` steps from its first moment to its last.
//! Proved by: api/ask/tests.rs, tests/it/api.rs.

use std::time::Duration;

use tinyobs_model::{TimeRange, limits};
use tinyobs_promql::{Expr, ExprKind, Query, parse};
use tinyobs_wire::time;

use super::failure::Failure;
use super::form::{Form, cut};

/// Prometheus' names for the first and the last moment that it knows, which clients send for "all".
const EARLIEST: &str = "-292273086-05-16T16:47:06Z";
const LATEST: &str = "292277025-08-18T07:12:54.999999999Z";
/// Milliseconds that the engine counts with, either way.
const TIME_MS_MAX: f64 = (1_u64 << 53) as f64;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The query.
    pub text: String,
    /// The first moment.
    pub start_ms: i64,
    /// The last one.
    pub end_ms: i64,
    /// Between two of them; 0 for an instant query.
    pub step_ms: i64,
    /// How far a selector looks back, unless as usual.
    pub lookback_ms: Option<i64>,
    /// Series that are wanted at most.
    pub limit: usize,
    /// What it may take.
    pub timeout: Duration,
    /// Whether figures of what it took are wanted.
    pub stats: bool,
}

impl Ask {
    /// One moment: `query`, `time`.
    pub fn instant(form: &Form, now_ms: i64) -> Result<Self, Failure> {
        let at_ms = time_of(form, "time")?.unwrap_or(now_ms);
        Self::new(form, at_ms, at_ms, 0)
    }

    /// Many moments: `query`, `start`, `end`, `step`.
    pub fn range(form: &Form) -> Result<Self, Failure> {
        let missing = |name| Failure::parameter(name, "it is missing");
        let start_ms = time_of(form, "start")?.ok_or_else(|| missing("start"))?;
        let end_ms = time_of(form, "end")?.ok_or_else(|| missing("end"))?;
        in_order(TimeRange::new(start_ms, end_ms))?;
        let step = form.required("step")?;
        let step_ms = length_ms("step", step)?;
        if step_ms <= 0 {
            let reason = format!(
                "{:?} is not a step, which is a millisecond at least: use seconds or a duration \
                 such as 15s",
                cut(step)
            );
            return Err(Failure::parameter("step", reason));
        }
        Self::of_range(form, start_ms, end_ms, step_ms)
    }

    /// The same of times that are known.
    pub fn of_range(
        form: &Form,
        start_ms: i64,
        end_ms: i64,
        step_ms: i64,
    ) -> Result<Self, Failure> {
        // I-ASK-2.
        let length_ms = end_ms.saturating_sub(start_ms);
        let steps = length_ms / step_ms;
        if steps.unsigned_abs() > limits::RANGE_STEPS {
            let fitting = length_ms.unsigned_abs().div_ceil(limits::RANGE_STEPS);
            let reason = format!(
                "{steps} steps are more than the {} that one answer may have: a step of {} seconds \
                 would fit",
                limits::RANGE_STEPS,
                fitting as f64 / 1_000.0
            );
            return Err(Failure::parameter("step", reason));
        }
        Self::new(form, start_ms, end_ms, step_ms)
    }

    fn new(form: &Form, start_ms: i64, end_ms: i64, step_ms: i64) -> Result<Self, Failure> {
        let most = Duration::from_secs(limits::QUERY_SECONDS);
        let timeout = match form.text("timeout") {
            Some(text) => {
                let ms = length_ms("timeout", text)?;
                let ms = u64::try_from(ms)
                    .map_err(|_| Failure::parameter("timeout", "it must not be negative"))?;
                Duration::from_millis(ms).min(most)
            }
            None => most,
        };
        let lookback_ms = match form.text("lookback_delta") {
            Some(text) => Some(length_ms("lookback_delta", text)?),
            None => None,
        };
        if lookback_ms.is_some_and(|ms| ms < 0) {
            let reason = "it must not be negative; 0 is as usual";
            return Err(Failure::parameter("lookback_delta", reason));
        }
        Ok(Self {
            text: form.text("query").unwrap_or_default().to_owned(),
            start_ms,
            end_ms,
            step_ms,
            lookback_ms: lookback_ms.filter(|&ms| ms > 0),
            limit: form.limit("limit")?,
            timeout,
            stats: form.text("stats").is_some(),
        })
    }

    /// The tree of the query.
    pub fn parse(&self) -> Result<Expr, Failure> {
        parse(&self.text).map_err(|error| Failure::unparsed("query", &error))
    }

    /// The query as the engine takes it.
    pub fn query<'a>(&'a self, expr: &'a Expr) -> Query<'a> {
        let mut query = Query::instant(expr, &self.text, self.start_ms);
        query.end_ms = self.end_ms;
        query.step_ms = self.step_ms;
        // On, as everything that Prometheus keeps behind a flag: more queries have an answer.
        query.delayed_names = true;
        query.explain = self.stats;
        if let Some(lookback_ms) = self.lookback_ms {
            query.lookback_ms = lookback_ms;
        }
        query
    }
}

/// The value of `name` as milliseconds since the epoch.
pub fn time_of(form: &Form, name: &str) -> Result<Option<i64>, Failure> {
    form.text(name).map(|text| time_ms(name, text)).transpose()
}

/// `start` and `end`, all of time where they are not given. Between a start and an earlier end there is
/// nothing.
pub fn range_of(form: &Form) -> Result<TimeRange, Failure> {
    let start_ms = time_of(form, "start")?.unwrap_or(TimeRange::ALL.start_ms);
    let end_ms = time_of(form, "end")?.unwrap_or(TimeRange::ALL.end_ms);
    Ok(TimeRange::new(start_ms, end_ms))
}

/// For those who want more of a range than what is in it: an error if it ends before it starts.
pub fn in_order(range: TimeRange) -> Result<(), Failure> {
    if range.is_empty() {
        return Err(Failure::parameter("end", "it lies before the start"));
    }
    Ok(())
}

fn time_ms(name: &str, text: &str) -> Result<i64, Failure> {
    match text {
        EARLIEST => return Ok(-(TIME_MS_MAX as i64)),
        LATEST => return Ok(TIME_MS_MAX as i64),
        _ => {}
    }
    let ms = match text.parse::<f64>() {
        Ok(seconds) if seconds.is_nan() => None,
        Ok(seconds) => Some((seconds * 1_000.0).round().clamp(-TIME_MS_MAX, TIME_MS_MAX) as i64),
        Err(_) => time::parse_rfc3339(text).ok(),
    };
    ms.ok_or_else(|| {
        let shown = cut(text);
        let reason = format!("{shown:?} is not a time: use Unix seconds or RFC 3339");
        Failure::parameter(name, reason)
    })
}

/// A length of time as milliseconds.
pub fn length_ms(name: &str, text: &str) -> Result<i64, Failure> {
    let ms = match text.parse::<f64>() {
        Ok(seconds) => Some(seconds * 1_000.0),
        Err(_) => duration_seconds(text).map(|seconds| seconds * 1_000.0),
    };
    // What is there is not rounded down to nothing.
    match ms.map(f64::round) {
        Some(ms) if ms.abs() <= TIME_MS_MAX => Ok(ms as i64),
        _ => {
            let reason = format!(
                "{:?} is not a length of time: use seconds or a duration such as 1h30m",
                cut(text)
            );
            Err(Failure::parameter(name, reason))
        }
    }
}

/// `1h30m` as PromQL writes it.
fn duration_seconds(text: &str) -> Option<f64> {
    let (sign, plain) = match text.strip_prefix('-') {
        Some(plain) => (-1.0, plain),
        None => (1.0, text),
    };
    if !plain.starts_with(|c: char| c.is_ascii_digit()) || plain.len() > 64 {
        return None;
    }
    match parse(plain).ok()?.kind {
        ExprKind::Number(number) if number.duration => Some(sign * number.value),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
