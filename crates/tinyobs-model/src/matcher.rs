//! Matcher: one condition on one label, as PromQL writes it.
//!
//! I-MATCH-1  An absent label matches like the empty string.
//! I-MATCH-2  A regular expression must match the whole value.
//! I-MATCH-3  Compiling one takes bounded time and memory, whatever the pattern: it is short, not
//!            deep, and compiled once, up to `limits::REGEX_BYTES`.

use std::fmt;

use regex::{Regex, RegexBuilder};
use regex_syntax::ast::parse::ParserBuilder;

use crate::labels::{Labels, quoted};
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
#[error("regular expression {pattern} is not usable: {reason}")]
pub struct BadRegex {
    /// In quotes, cut when long.
    pattern: String,
    reason: String,
}

impl Matcher {
    /// A matcher of label `name`.
    ///
    /// # Errors
    /// The pattern of `=~` or `!~` is not a regular expression, or passes a limit of those.
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
    let bad = |reason: String| BadRegex {
        pattern: quoted(pattern),
        reason,
    };
    // I-MATCH-3: before anything is made of it.
    if pattern.len() > limits::REGEX_PATTERN_BYTES {
        let most = limits::REGEX_PATTERN_BYTES;
        return Err(bad(format!("it has more than {most} bytes")));
    }
    // On its own first: `a)(b` is wrong, though `^(?:a)(b)$` would compile.
    ParserBuilder::new()
        .nest_limit(limits::REGEX_NESTING)
        .build()
        .parse(pattern)
        .map_err(|error| bad(error.kind().to_string()))?;
    RegexBuilder::new(&format!("^(?:{pattern})$"))
        .dot_matches_new_line(true)
        .size_limit(limits::REGEX_BYTES)
        .dfa_size_limit(limits::REGEX_BYTES)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(most) => {
                bad(format!("it compiles to more than {most} bytes"))
            }
            other => bad(other.to_string()),
        })
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

    fn error(pattern: &str) -> String {
        let matcher = Matcher::new(MatchOp::Regex, "l", pattern);
        matcher.expect_err("not usable").to_string()
    }

    #[test]
    fn bad_patterns_are_errors() {
        assert_eq!(
            error("("),
            "regular expression \"(\" is not usable: unclosed group"
        );
        assert_eq!(
            error("a)(b"),
            "regular expression \"a)(b\" is not usable: unopened group"
        );
        assert!(error(r"\p{Nonsense}").contains("Unicode property not found"));
    }

    #[test]
    fn i_match_3_patterns_are_short_flat_and_small() {
        let most = limits::REGEX_PATTERN_BYTES;
        // A list of names, as people write it, has room.
        let names = "checkout|payment|".repeat(most / 17);
        assert!(matches(MatchOp::Regex, &names, "payment"));
        assert!(error(&"a".repeat(most + 1)).ends_with("it has more than 4096 bytes"));
        let deep = |levels: usize| format!("{}a{}", "(".repeat(levels), ")".repeat(levels));
        assert!(matches(MatchOp::Regex, &deep(100), "a"));
        assert!(error(&deep(101)).contains("nest"), "{}", error(&deep(101)));
        for huge in [r"(\w{1000}){1000}", r"\w{800}", r"(?:a{1000}){1000}"] {
            assert!(error(huge).ends_with("it compiles to more than 262144 bytes"));
        }
        assert!(matches(MatchOp::Regex, r"\w{4}-\d+(?i:é|x)*", "ab1ß-42ÉX"));
    }
}
