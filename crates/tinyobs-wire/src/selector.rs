//! Selector: `name{label="value",other=~"a.*"}` as it stands in a `match[]` parameter.
//!
//!   `?match[]=…` ─▶ [parse] ─▶ conditions ─▶ [Condition::compile] ─▶ matchers ─▶ store::select
//!
//! In two steps, because a few bytes of a regular expression can take much longer to compile than
//! to read: whoever asks counts the conditions in between.
//!
//! Names may be quoted (`{"my.metric","my.label"="x"}`), as in Prometheus 3. Unlike there, `{}` is
//! taken and selects everything: what an answer may hold is bounded anyway.
//!
//! I-SELECTOR-1  Every text is a list of conditions or an error that names the character.
//! I-SELECTOR-2  Reading takes time and memory by the length of the text, whatever is in it.
//! Proved by: selector/tests.rs.

use tinyobs_model::{METRIC_NAME, MatchOp, Matcher, limits};

mod text;

/// Text that is no selector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at character {character}")]
pub struct BadSelector {
    /// What is wrong.
    pub reason: String,
    /// Where, counted from 1.
    pub character: usize,
}

/// One condition of a selector, its regular expression not yet looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The label.
    pub name: String,
    /// How it is compared.
    pub op: MatchOp,
    /// With what.
    pub value: String,
    /// Where the value stands, for errors; in bytes.
    value_at: usize,
}

impl Condition {
    /// Whether compiling it takes more than a moment.
    pub fn is_regex(&self) -> bool {
        matches!(self.op, MatchOp::Regex | MatchOp::NotRegex)
    }

    /// The condition as a store takes it; `text` is what it was parsed from.
    ///
    /// # Errors
    /// Its regular expression is not usable.
    pub fn compile(self, text: &str) -> Result<Matcher, BadSelector> {
        Matcher::new(self.op, self.name, self.value).map_err(|error| BadSelector {
            reason: error.to_string(),
            character: character(text, self.value_at),
        })
    }
}

/// The conditions of a selector.
///
/// # Errors
/// `text` is not a selector, or is too long.
pub fn parse(text: &str) -> Result<Vec<Condition>, BadSelector> {
    if text.len() > limits::SELECTOR_BYTES {
        return Err(BadSelector {
            reason: format!("selector is longer than {} bytes", limits::SELECTOR_BYTES),
            character: limits::SELECTOR_BYTES,
        });
    }
    let mut parser = Parser {
        text,
        at: 0,
        conditions: Vec::new(),
        metric_named: false,
    };
    parser.selector()?;
    Ok(parser.conditions)
}

struct Parser<'a> {
    text: &'a str,
    /// In bytes, always at a character's border.
    at: usize,
    conditions: Vec<Condition>,
    metric_named: bool,
}

impl<'a> Parser<'a> {
    fn selector(&mut self) -> Result<(), BadSelector> {
        self.space();
        let name = self.identifier(true);
        if !name.is_empty() {
            self.add(0, METRIC_NAME, MatchOp::Equal, name.to_owned(), 0)?;
        }
        self.space();
        if self.eat("{") {
            self.conditions_until_brace()?;
        } else if name.is_empty() {
            return Err(self.error("expected a metric name or `{`"));
        }
        self.space();
        if self.rest().is_empty() {
            Ok(())
        } else {
            Err(self.error("expected the end of the selector"))
        }
    }

    fn conditions_until_brace(&mut self) -> Result<(), BadSelector> {
        loop {
            self.space();
            if self.eat("}") {
                return Ok(());
            }
            self.condition()?;
            self.space();
            // A comma may stand behind the last one too.
            if !self.eat(",") && !self.rest().starts_with('}') {
                return Err(self.error("expected `,` or `}`"));
            }
        }
    }

    fn condition(&mut self) -> Result<(), BadSelector> {
        let from = self.at;
        let quoted = text::string(self)?;
        let label = match &quoted {
            Some(label) => label.as_str(),
            None => self.identifier(false),
        };
        if label.is_empty() {
            return Err(self.error("expected a label name"));
        }
        self.space();
        let op = match self.operator() {
            Some(op) => op,
            // A quoted name alone is the metric's.
            None if quoted.is_some() => {
                return self.add(from, METRIC_NAME, MatchOp::Equal, label.to_owned(), from);
            }
            None => return Err(self.error("expected `=`, `!=`, `=~` or `!~`")),
        };
        self.space();
        let value_at = self.at;
        let value = text::string(self)?.ok_or_else(|| self.error("expected a quoted value"))?;
        self.add(from, label, op, value, value_at)
    }

    /// Adds the condition that begins at `from` and whose value begins at `value_at`.
    fn add(
        &mut self,
        from: usize,
        name: &str,
        op: MatchOp,
        value: String,
        value_at: usize,
    ) -> Result<(), BadSelector> {
        if name == METRIC_NAME && op == MatchOp::Equal {
            if self.metric_named {
                return Err(BadSelector {
                    reason: "the metric name is given twice".to_owned(),
                    character: self.character(from),
                });
            }
            self.metric_named = true;
        }
        self.conditions.push(Condition {
            name: name.to_owned(),
            op,
            value,
            value_at,
        });
        Ok(())
    }

    fn operator(&mut self) -> Option<MatchOp> {
        // The longer ones first.
        [
            ("=~", MatchOp::Regex),
            ("!~", MatchOp::NotRegex),
            ("!=", MatchOp::NotEqual),
            ("=", MatchOp::Equal),
        ]
        .into_iter()
        .find_map(|(sign, op)| self.eat(sign).then_some(op))
    }

    /// A name that needs no quotes; "" when there is none.
    fn identifier(&mut self, colons: bool) -> &'a str {
        let rest = self.rest();
        let len = rest
            .bytes()
            .enumerate()
            .take_while(|(i, byte)| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'_' => true,
                b':' => colons,
                b'0'..=b'9' => *i > 0,
                _ => false,
            })
            .count();
        self.at += len;
        &rest[..len]
    }

    fn space(&mut self) {
        self.at = self.text.len()
            - self
                .rest()
                .trim_start_matches([' ', '\t', '\n', '\r'])
                .len();
    }

    fn eat(&mut self, sign: &str) -> bool {
        let is_next = self.rest().starts_with(sign);
        if is_next {
            self.at += sign.len();
        }
        is_next
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn error(&self, reason: &str) -> BadSelector {
        BadSelector {
            reason: reason.to_owned(),
            character: self.character(self.at),
        }
    }

    fn character(&self, at: usize) -> usize {
        character(self.text, at)
    }
}

/// The place of byte `at`, which is at a character's border, counted from 1.
fn character(text: &str, at: usize) -> usize {
    text.get(..at).map_or(0, |before| before.chars().count()) + 1
}

#[cfg(test)]
mod tests;
