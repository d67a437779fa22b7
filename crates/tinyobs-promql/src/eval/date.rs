//! Date: parts of the calendar date that a value stands for, in seconds since the epoch, in UTC.

use super::grid::Grid;
use super::value::{Series, Value};
use super::{Evaluated, Evaluator};
use crate::ast::Call;
use crate::functions::Function;
use crate::span::Span;

/// Whether [`Evaluator::dates`] knows `function`.
pub(super) fn is_date(function: Function) -> bool {
    use Function as F;
    matches!(
        function,
        F::DayOfMonth
            | F::DayOfWeek
            | F::DayOfYear
            | F::DaysInMonth
            | F::Hour
            | F::Minute
            | F::Month
            | F::Year
    )
}

impl Evaluator<'_> {
    /// Without an argument, of the moment of evaluation.
    pub(super) fn dates(&mut self, call: &Call, span: Span, grid: Grid) -> Evaluated<Value> {
        let function = call.function;
        if let Some(arg) = call.args.first() {
            return self.value_by_value(arg, span, grid, |value| part(function, value));
        }
        let mut values = self.column(0.0, grid)?;
        for (value, time) in values.iter_mut().zip(grid.times()) {
            *value = part(function, time as f64 / 1_000.0);
        }
        Ok(Value::Vector(vec![Series::unnamed(values)]))
    }
}

fn part(function: Function, value: f64) -> f64 {
    // What no date stands for, NaN among it, is the end of time: what Prometheus makes of it on
    // the machines it usually runs on.
    let seconds = if value.abs() < i64::MAX as f64 {
        value as i64
    } else {
        i64::MAX
    };
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let date = Date::of_days(days);
    let whole = match function {
        Function::Minute => of_day / 60 % 60,
        Function::Hour => of_day / 3_600,
        // The epoch was a Thursday.
        Function::DayOfWeek => (days + 4).rem_euclid(7),
        Function::DayOfMonth => date.day,
        Function::DayOfYear => days - Date::days_before(date.year, 1) + 1,
        Function::DaysInMonth => {
            let (year, month) = match date.month {
                12 => (date.year + 1, 1),
                month => (date.year, month + 1),
            };
            Date::days_before(year, month) - Date::days_before(date.year, date.month)
        }
        Function::Month => date.month,
        _ => date.year,
    };
    whole as f64
}

/// A moment as people write it.
pub(super) fn rfc3339(time_ms: i64) -> String {
    let seconds = time_ms.div_euclid(1_000);
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let Date { year, month, day } = Date::of_days(days);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// A day of the Gregorian calendar, before its time too.
struct Date {
    year: i64,
    month: i64,
    day: i64,
}

/// Days of 400 years, after which everything repeats.
const DAYS_OF_CYCLE: i64 = 146_097;

impl Date {
    /// `days` after the epoch.
    fn of_days(days: i64) -> Self {
        // A year and a month that are at most one too early, then forward from there.
        let mut year = 1970 + days.div_euclid(DAYS_OF_CYCLE) * 400;
        let rest = days.rem_euclid(DAYS_OF_CYCLE);
        year += (rest / 366).min(399);
        while Self::days_before(year + 1, 1) <= days {
            year += 1;
        }
        let mut month = 1;
        while month < 12 && Self::days_before(year, month + 1) <= days {
            month += 1;
        }
        let day = days - Self::days_before(year, month) + 1;
        Self { year, month, day }
    }

    /// Days from the epoch to the first of a month.
    fn days_before(year: i64, month: i64) -> i64 {
        const BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
        let past = year - 1;
        let leap_days = |y: i64| y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400);
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let of_month = BEFORE[(month - 1).clamp(0, 11) as usize];
        (year - 1970) * 365 + leap_days(past) - leap_days(1969)
            + of_month
            + i64::from(is_leap && month > 2)
    }
}
