//! Date: the calendar, counted year by year and month by month.

use tinyobs_promql::Function;

pub fn part(function: Function, value: f64) -> f64 {
    // What is no date is the last second there is.
    let seconds = if value.abs() < 9.2e18 {
        value as i64
    } else {
        i64::MAX
    };
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let date = Date::of(days);
    let part = match function {
        Function::Minute => second % 3_600 / 60,
        Function::Hour => second / 3_600,
        // 1970-01-01 was a Thursday.
        Function::DayOfWeek => (days + 4).rem_euclid(7),
        Function::DayOfMonth => date.day,
        Function::DayOfYear => date.day_of_year,
        Function::DaysInMonth => days_in(date.year, date.month),
        Function::Month => date.month,
        Function::Year => date.year,
        other => panic!("{} is no part of a date", other.name()),
    };
    part as f64
}

struct Date {
    year: i64,
    month: i64,
    day: i64,
    day_of_year: i64,
}

impl Date {
    fn of(days: i64) -> Self {
        // Every 400 years the calendar begins again.
        let (mut year, mut left) = (
            1970 + days.div_euclid(146_097) * 400,
            days.rem_euclid(146_097),
        );
        while left >= days_of(year) {
            left -= days_of(year);
            year += 1;
        }
        let day_of_year = left + 1;
        let mut month = 1;
        while left >= days_in(year, month) {
            left -= days_in(year, month);
            month += 1;
        }
        Self {
            year,
            month,
            day: left + 1,
            day_of_year,
        }
    }
}

fn is_leap(year: i64) -> bool {
    year.rem_euclid(4) == 0 && year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0
}

fn days_of(year: i64) -> i64 {
    if is_leap(year) { 366 } else { 365 }
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
