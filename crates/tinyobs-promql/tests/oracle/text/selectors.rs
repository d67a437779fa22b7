//! Selectors: series, ranges and moments.

use super::Writer;

const NAMES: [&str; 10] = [
    "x",
    "x",
    "x",
    "y",
    "y",
    "c_total",
    "c_total",
    "h_bucket",
    "none",
    "target_info",
];
const CONDITIONS: [&str; 15] = [
    "n=\"1\"",
    "n!=\"1\"",
    "n=~\"[01]\"",
    "n!~\"0|1\"",
    "n=\"\"",
    "m=\"a\"",
    "m=~\"a|b\"",
    "k!=\"\"",
    "m=~\".+\"",
    "n=~\".*\"",
    "m=\"none\"",
    "n=\"0\",m=\"a\"",
    "n=\"1\" or m=\"b\"",
    "n!=\"0\",n=\"2\"",
    "le=~\"1|5\"",
];
const WHOLE: [&str; 5] = [
    "{__name__=~\"x|y\"}",
    "{__name__=~\"x|c_total\",n=\"0\"}",
    "{\"x\"}",
    "{n=\"1\"}",
    "{__name__!=\"\",m=\"a\"}",
];
const RANGES: [&str; 14] = [
    "5s", "15s", "30s", "30s", "1m", "1m", "90s", "2m", "5m", "5m", "10m", "1ms", "47", "1m30s",
];
const COMPUTED: [&str; 6] = [
    "step() * 2",
    "max_of(step(), 30s)",
    "range()",
    "1m + 15s",
    "min_of(range() / 2, 5m)",
    "5m % 2m",
];
const OFFSETS: [&str; 8] = [
    "15s",
    "1m",
    "-1m",
    "5m",
    "7s",
    "-30s",
    "(step() + 5s)",
    "1ms",
];

/// What `anchored` and `smoothed` mean something to.
const ANCHORED: [&str; 5] = ["rate", "increase", "delta", "changes", "resets"];
const SMOOTHED: [&str; 3] = ["rate", "increase", "delta"];

impl Writer<'_> {
    pub fn selector(&mut self) -> String {
        let extension = if self.random.once_in(25) {
            " smoothed"
        } else {
            ""
        };
        format!("{}{extension}{}", self.series(), self.shift())
    }

    fn series(&mut self) -> String {
        if self.random.once_in(8) {
            return self.random.pick(&WHOLE).to_owned();
        }
        let name = self.random.pick(&NAMES);
        if self.random.once_in(2) {
            return name.to_owned();
        }
        format!("{name}{{{}}}", self.random.pick(&CONDITIONS))
    }

    /// A range vector for `function`.
    pub fn range(&mut self, depth: u32, function: &str) -> String {
        if depth > 0 && self.subqueries > 0 && self.random.once_in(4) {
            return self.subquery(depth);
        }
        let mut extension = "";
        if ANCHORED.contains(&function) && self.random.once_in(6) {
            extension = " anchored";
        } else if SMOOTHED.contains(&function) && self.random.once_in(6) {
            extension = " smoothed";
        }
        format!(
            "{}[{}]{extension}{}",
            self.series(),
            self.length(),
            self.shift()
        )
    }

    fn subquery(&mut self, depth: u32) -> String {
        self.subqueries -= 1;
        let inner = self.vector(depth - 1);
        let range = self.random.pick(&["30s", "1m", "2m", "5m", "47s"]);
        let step = self
            .random
            .pick(&["", "", "15s", "30s", "1m", "7s", "max_of(step(), 10s)"]);
        format!("({inner})[{range}:{step}]{}", self.shift())
    }

    fn length(&mut self) -> &'static str {
        if self.random.once_in(10) {
            return self.random.pick(&COMPUTED);
        }
        self.random.pick(&RANGES)
    }

    fn shift(&mut self) -> String {
        let mut text = String::new();
        if self.random.once_in(8) {
            text.push_str(" offset ");
            text.push_str(self.random.pick(&OFFSETS));
        }
        if self.random.once_in(10) {
            let second = self.base_s + self.random.below(900) as i64 / 15 * 15;
            let at = match self.random.below(4) {
                0 => "start()".to_owned(),
                1 => "end()".to_owned(),
                2 => format!("{second}.5"),
                _ => second.to_string(),
            };
            text.push_str(" @ ");
            text.push_str(&at);
        }
        text
    }
}
