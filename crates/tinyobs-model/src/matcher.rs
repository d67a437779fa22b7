//! Matcher: one condition on one label, as PromQL writes it.
//!
//! I-MATCH-1  An absent label matches like the empty string.
//! I-MATCH-2  A regular expression must match the whole value.

use std::fmt;

use regex::{Regex, RegexBuilder};

use crate::labels::Labels;
use crate::limits;

/// The four operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MatchOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`
    Regex,
    /// `!~`
    NotRegex,
}

/// One condition on one label.
#[derive(Debug, Clone)]
pub struct Matcher {
    name: String,
    op: MatchOp,
    value: String,
    /// Present for the two regular-expression operators.
    regex: Option<Regex>,
}

/// The regular expression of a matcher does not compile, or compiles to too much.
#[derive(Debug, thiserror::Error)]
#[error("regular expression {pattern:?} is not usable: {reason}")]
pub struct BadRegex {
    pattern: String,
    reason: String,
}

impl Matcher {
    /// A matcher of label `name`.
    ///
    /// # Errors
    /// The pattern of `=~` or `!~` does not compile within `limits::REGEX_BYTES`.
    pub fn new(
        op: MatchOp,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> Result<Self, BadRegex> {
        let value = value.into();
        let regex = match op {
            MatchOp::Equal | MatchOp::NotEqual => None,
            MatchOp::Regex | MatchOp::NotRegex => Some(compile(&value)?),
        };
        Ok(Self {
            name: name.into(),
            op,
            value,
            regex,
        })
    }

    /// The matcher `name = value`.
    pub fn equal(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            op: MatchOp::Equal,
            value: value.into(),
            regex: None,
        }
    }

    /// The label it looks at.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its operator.
    pub fn op(&self) -> MatchOp {
        self.op
    }

    /// The text right of the operator.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether a label of this value matches; "" stands for an absent label (I-MATCH-1).
    pub fn matches(&self, value: &str) -> bool {
        match self.op {
            MatchOp::Equal => value == self.value,
            MatchOp::NotEqual => value != self.value,
            MatchOp::Regex => self.regex_matches(value),
            MatchOp::NotRegex => !self.regex_matches(value),
        }
    }

    /// Whether the series matches.
    pub fn matches_labels(&self, labels: &Labels) -> bool {
        self.matches(labels.get(&self.name).unwrap_or_default())
    }

    fn regex_matches(&self, value: &str) -> bool {
        self.regex
            .as_ref()
            .is_some_and(|regex| regex.is_match(value))
    }
}

/// Anchors the pattern at both ends (I-MATCH-2). As in Prometheus, `.` matches a newline too.
fn compile(pattern: &str) -> Result<Regex, BadRegex> {
    let build = |text: &str| {
        RegexBuilder::new(text)
            .dot_matches_new_line(true)
            .size_limit(limits::REGEX_BYTES)
            .build()
            .map_err(|error| BadRegex {
                pattern: pattern.to_owned(),
                reason: error.to_string(),
            })
    };
    // On its own first: `a)(b` is wrong, though `^(?:a)(b)$` would compile.
    build(pattern)?;
    build(&format!("^(?:{pattern})$"))
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let op = match self.op {
            MatchOp::Equal => "=",
            MatchOp::NotEqual => "!=",
            MatchOp::Regex => "=~",
            MatchOp::NotRegex => "!~",
        };
        write!(f, "{}{op}{:?}", self.name, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(op: MatchOp, pattern: &str, value: &str) -> bool {
        Matcher::new(op, "l", pattern)
            .expect("compiles")
            .matches(value)
    }

    #[test]
    fn i_match_1_absent_is_empty() {
        let labels = Labels::new("m", [("a", "1")]).expect("valid");
        assert!(Matcher::equal("b", "").matches_labels(&labels));
        assert!(!Matcher::equal("a", "").matches_labels(&labels));
        assert!(matches(MatchOp::NotEqual, "x", ""));
        assert!(matches(MatchOp::Regex, ".*", ""));
        assert!(!matches(MatchOp::Regex, ".+", ""));
    }

    #[test]
    fn i_match_2_regexes_are_anchored() {
        assert!(matches(MatchOp::Regex, "a|b", "b"));
        assert!(!matches(MatchOp::Regex, "a|b", "ab"));
        assert!(matches(MatchOp::NotRegex, "a|b", "ab"));
        assert!(matches(MatchOp::Regex, "a.b", "a\nb"));
    }

    #[test]
    fn bad_or_huge_patterns_are_errors() {
        assert!(Matcher::new(MatchOp::Regex, "l", "(").is_err());
        assert!(Matcher::new(MatchOp::Regex, "l", "a)(b").is_err());
        assert!(Matcher::new(MatchOp::Regex, "l", r"(\w{1000}){1000}").is_err());
    }
}
