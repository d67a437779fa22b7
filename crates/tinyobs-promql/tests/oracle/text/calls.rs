//! Calls: functions with arguments that mean something to them.

use super::Writer;

const OVER_TIME: [&str; 27] = [
    "rate",
    "rate",
    "increase",
    "increase",
    "delta",
    "irate",
    "idelta",
    "changes",
    "resets",
    "deriv",
    "avg_over_time",
    "sum_over_time",
    "count_over_time",
    "min_over_time",
    "max_over_time",
    "last_over_time",
    "first_over_time",
    "present_over_time",
    "absent_over_time",
    "stddev_over_time",
    "stdvar_over_time",
    "mad_over_time",
    "ts_of_min_over_time",
    "ts_of_max_over_time",
    "ts_of_first_over_time",
    "ts_of_last_over_time",
    "sum_over_time",
];
const MATH: [&str; 33] = [
    "abs",
    "ceil",
    "floor",
    "exp",
    "ln",
    "log2",
    "log10",
    "sqrt",
    "sgn",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "cos",
    "cosh",
    "deg",
    "rad",
    "sin",
    "sinh",
    "tan",
    "tanh",
    "round",
    "sort",
    "sort_desc",
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "days_in_month",
    "hour",
    "minute",
    "timestamp",
];
const DATES: [&str; 8] = [
    "year",
    "month",
    "hour",
    "minute",
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "days_in_month",
];

impl Writer<'_> {
    /// A function of a range vector.
    pub fn over_time(&mut self, depth: u32) -> String {
        match self.random.below(12) {
            0 => {
                let q = self.scalar(1);
                format!("quantile_over_time({q}, {})", self.range(depth - 1, ""))
            }
            1 => {
                let range = self.range(depth - 1, "");
                format!("predict_linear({range}, {})", self.scalar(1))
            }
            2 => {
                let [level, trend] =
                    [(); 2].map(|()| self.random.pick(&["0.1", "0.5", "0.9", "0.3"]));
                let level = if self.random.once_in(20) { "1" } else { level };
                let range = self.range(depth - 1, "");
                format!("double_exponential_smoothing({range}, {level}, {trend})")
            }
            _ => {
                let name = self.random.pick(&OVER_TIME);
                format!("{name}({})", self.range(depth - 1, name))
            }
        }
    }

    /// A function of each value.
    pub fn of_values(&mut self, depth: u32) -> String {
        let inner = self.vector(depth - 1);
        match self.random.below(12) {
            0 => format!("clamp({inner}, {}, {})", self.scalar(1), self.scalar(1)),
            1 => format!("clamp_min({inner}, {})", self.scalar(1)),
            2 => format!("clamp_max({inner}, {})", self.scalar(1)),
            3 => format!("round({inner}, {})", self.scalar(1)),
            4 => format!("-{inner}"),
            5 => format!("absent({inner})"),
            6 => format!("+({inner})"),
            _ => format!("{}({inner})", self.random.pick(&MATH)),
        }
    }

    pub fn histogram(&mut self, depth: u32) -> String {
        let buckets = match self.random.below(5) {
            0 => self.vector(depth - 1),
            1 => format!("rate({})", self.buckets("[2m]")),
            2 => format!("sum by (le) ({})", self.buckets("")),
            3 => format!("increase({})", self.buckets("[5m]")),
            _ => self.buckets(""),
        };
        match self.random.below(4) {
            0 => {
                let (low, high) = (self.scalar(1), self.scalar(1));
                format!("histogram_fraction({low}, {high}, {buckets})")
            }
            1 => {
                let q = self.random.pick(&["0", "0.25", "1", "0.5"]);
                format!(
                    "histogram_quantiles({buckets}, \"q\", {q}, {})",
                    self.number()
                )
            }
            _ => {
                let q = self
                    .random
                    .pick(&["0", "0.1", "0.5", "0.9", "0.99", "1", "-1", "2", "NaN"]);
                format!("histogram_quantile({q}, {buckets})")
            }
        }
    }

    fn buckets(&mut self, range: &str) -> String {
        let offset = self.random.pick(&["", "", " offset 30s"]);
        let which = self.random.pick(&["", "", "{n=\"0\"}", "{le!=\"1\"}"]);
        format!("h_bucket{which}{range}{offset}")
    }

    /// What is like nothing else.
    pub fn odd_call(&mut self, depth: u32) -> String {
        let inner = self.vector(depth - 1);
        match self.random.below(9) {
            0 => {
                let (target, source) = self.two_labels();
                let with = self.random.pick(&["$1", "", "v-$1", "${1}x", "c", "$0$2"]);
                let regex = self
                    .random
                    .pick(&["(.*)", "(.)", "1", "", "([0-9])|(z)", "a("]);
                format!(
                    "label_replace({inner}, \"{target}\", \"{with}\", \"{source}\", \"{regex}\")"
                )
            }
            1 | 2 => {
                let (target, source) = self.two_labels();
                let by = self.random.pick(&["-", "", ","]);
                format!("label_join({inner}, \"{target}\", \"{by}\", \"{source}\", \"m\")")
            }
            3 => format!("{}()", self.random.pick(&DATES)),
            4 => format!("{}({inner})", self.random.pick(&DATES)),
            5 => format!(
                "histogram_{}({inner})",
                self.random.pick(&["avg", "sum", "count"])
            ),
            6 => format!(
                "histogram_{}({inner})",
                self.random.pick(&["stddev", "stdvar"])
            ),
            7 => {
                let labels = self.random.pick(&[
                    "",
                    ", {v=~\".+\"}",
                    ", {__name__=\"build_info\"}",
                    ", {w=\"u\"}",
                    ", {__name__=~\".+_info\"}",
                    ", {rev=~\".*\"}",
                ]);
                format!("info({inner}{labels})")
            }
            _ => format!(
                "sort_by_label{}({inner}, \"n\")",
                self.random.pick(&["", "_desc"])
            ),
        }
    }

    fn two_labels(&mut self) -> (&'static str, &'static str) {
        let target = self.random.pick(&["n", "m", "new", "__name__", "n", ""]);
        (
            target,
            self.random.pick(&["n", "m", "k", "__name__", "none"]),
        )
    }
}
