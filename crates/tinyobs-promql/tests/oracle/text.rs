//! Text: queries made up, of everything that the language has.
//!
//! What comes out nearly always parses, and mostly has an answer: labels, ranges and moments are
//! those of the generated series.

use crate::random::Random;

mod calls;
mod selectors;

/// Makes queries of one another.
pub struct Writer<'a> {
    pub random: &'a mut Random,
    /// Where the series begin, in seconds, for `@`.
    pub base_s: i64,
    /// Subqueries that may still be written: each multiplies the work.
    pub subqueries: u32,
}

const FOLDS: [&str; 9] = [
    "sum", "avg", "min", "max", "count", "group", "stddev", "stdvar", "sum",
];
const RANKED: [&str; 6] = [
    "topk",
    "bottomk",
    "limitk",
    "quantile",
    "limit_ratio",
    "topk",
];
const GROUPINGS: [&str; 12] = [
    "",
    "",
    "",
    " by (n)",
    " by (n, m)",
    " by ()",
    " by (__name__)",
    " by (m, le)",
    " without (n)",
    " without (m, k)",
    " without ()",
    " by (none)",
];
const ARITHMETIC: [&str; 7] = ["+", "-", "*", "/", "%", "^", "atan2"];
const COMPARISONS: [&str; 6] = ["==", "!=", ">", "<", ">=", "<="];
const MATCHINGS: [&str; 16] = [
    "",
    "",
    "",
    "on(n)",
    "on(n, m)",
    "on()",
    "ignoring(m)",
    "ignoring(m, k)",
    "ignoring(n)",
    "on(n) group_left",
    "on(n) group_right",
    "on(n) group_left(k)",
    "on(n) group_right(k, m)",
    "ignoring(m, k) group_left",
    "ignoring(m) group_right(k)",
    "on(n, __name__)",
];
const FILLS: [&str; 8] = [
    "",
    "",
    "",
    "",
    " fill(0)",
    " fill_left(1)",
    " fill_right(2.5)",
    " fill_left(-1) fill_right(3)",
];
const NUMBERS: [&str; 20] = [
    "0", "1", "2", "3", "0.5", "-1", "10", "-0.1", "1e3", "NaN", "Inf", "-Inf", "0.3", "1.5",
    "0.9", "100", "-2", "0x1f", "1m", "1e-3",
];

impl Writer<'_> {
    /// Any query of an instant or a range.
    pub fn query(&mut self, instant: bool) -> String {
        match self.random.below(24) {
            0 => self.scalar(3),
            1 if instant => self.range(2, ""),
            2 if instant => "\"some text\"".to_owned(),
            3..=8 => self.vector(2),
            9..=16 => self.vector(3),
            _ => self.vector(4),
        }
    }

    /// An instant vector.
    pub fn vector(&mut self, depth: u32) -> String {
        if depth == 0 {
            return self.leaf();
        }
        match self.random.below(30) {
            0..=2 => self.leaf(),
            3..=9 => self.over_time(depth),
            10..=14 => self.aggregation(depth),
            15..=19 => self.between_vectors(depth),
            20..=22 => self.with_number(depth),
            23..=26 => self.of_values(depth),
            27 => self.histogram(depth),
            28 => self.odd_call(depth),
            _ => format!("({})", self.vector(depth)),
        }
    }

    /// A number for each moment.
    pub fn scalar(&mut self, depth: u32) -> String {
        if depth == 0 {
            return self.number();
        }
        match self.random.below(12) {
            0 => "time()".to_owned(),
            1 => format!("scalar({})", self.vector(depth - 1)),
            2 => {
                let op = self.random.pick(&ARITHMETIC);
                format!(
                    "({} {op} {})",
                    self.scalar(depth - 1),
                    self.scalar(depth - 1)
                )
            }
            3 => {
                let op = self.random.pick(&COMPARISONS);
                format!(
                    "({} {op} bool {})",
                    self.scalar(depth - 1),
                    self.scalar(depth - 1)
                )
            }
            4 => {
                let name = self.random.pick(&["min_of", "max_of"]);
                format!(
                    "{name}({}, {})",
                    self.scalar(depth - 1),
                    self.scalar(depth - 1)
                )
            }
            5 => {
                let name = self.random.pick(&["start", "end", "step", "range", "pi"]);
                format!("{name}()")
            }
            6 => format!("-({})", self.scalar(depth - 1)),
            _ => self.number(),
        }
    }

    pub fn number(&mut self) -> String {
        self.random.pick(&NUMBERS).to_owned()
    }

    fn leaf(&mut self) -> String {
        if self.random.once_in(8) {
            return format!("vector({})", self.scalar(1));
        }
        self.selector()
    }

    fn aggregation(&mut self, depth: u32) -> String {
        let by = self.random.pick(&GROUPINGS);
        let inner = self.vector(depth - 1);
        match self.random.below(12) {
            0 => {
                let label = self.random.pick(&["v", "n", "m", "__name__", "\"u v\""]);
                let label = label.trim_matches('"');
                format!("count_values{by} (\"{label}\", {inner})")
            }
            1..=5 => {
                let name = self.random.pick(&RANKED);
                let parameter = match name {
                    "quantile" => self
                        .random
                        .pick(&["0", "0.5", "0.9", "1", "0.25", "-1", "2", "NaN"]),
                    "limit_ratio" => self
                        .random
                        .pick(&["0.5", "-0.5", "0.3", "1", "-1", "0", "1.5"]),
                    _ => self.random.pick(&["1", "2", "3", "0", "-1", "1.9", "9"]),
                };
                let parameter = if self.random.once_in(6) {
                    self.scalar(1)
                } else {
                    parameter.to_owned()
                };
                format!("{name}{by} ({parameter}, {inner})")
            }
            _ => {
                let name = self.random.pick(&FOLDS);
                if self.random.once_in(2) {
                    format!("{name}{by} ({inner})")
                } else {
                    format!("{name}({inner}){by}")
                }
            }
        }
    }

    fn between_vectors(&mut self, depth: u32) -> String {
        let (lhs, rhs) = (self.vector(depth - 1), self.vector(depth - 1));
        let mut on = self.random.pick(&MATCHINGS);
        let fill = self.random.pick(&FILLS);
        match self.random.below(4) {
            0 => {
                if on.contains("group") {
                    on = "";
                }
                let op = self.random.pick(&["and", "or", "unless", "or"]);
                format!("({lhs} {op} {on} {rhs})")
            }
            1 => {
                let op = self.random.pick(&COMPARISONS);
                let bool = self.random.pick(&["", "bool "]);
                format!("({lhs} {op} {bool}{on}{fill} {rhs})")
            }
            _ => {
                let op = self.random.pick(&ARITHMETIC);
                format!("({lhs} {op} {on}{fill} {rhs})")
            }
        }
    }

    fn with_number(&mut self, depth: u32) -> String {
        let (vector, number) = (self.vector(depth - 1), self.scalar(1));
        let op = if self.random.once_in(2) {
            let bool = self.random.pick(&["", " bool"]);
            format!("{}{bool}", self.random.pick(&COMPARISONS))
        } else {
            self.random.pick(&ARITHMETIC).to_owned()
        };
        if self.random.once_in(3) {
            format!("({number} {op} {vector})")
        } else {
            format!("({vector} {op} {number})")
        }
    }
}
