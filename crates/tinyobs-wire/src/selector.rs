//! Selector: `name{label="value",other=~"a.*"}` as it stands in a `match[]` parameter.
//!
//!   `?match[]=…` ─▶ [parse] ─▶ matchers ─▶ store::select
//!
//! Names may be quoted (`{"my.metric","my.label"="x"}`), as in Prometheus 3. Unlike there, `{}` is
//! taken and selects everything: what an answer may hold is bounded anyway.
//!
//! I-SELECT-1  Every text is a list of matchers or an error that names the character.
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

/// The matchers of a selector.
///
/// # Errors
/// `text` is not a selector, is too long, or holds a regular expression that is not usable.
pub fn parse(text: &str) -> Result<Vec<Matcher>, BadSelector> {
    if text.len() > limits::SELECTOR_BYTES {
        return Err(BadSelector {
            reason: format!("selector is longer than {} bytes", limits::SELECTOR_BYTES),
            character: limits::SELECTOR_BYTES,
        });
    }
    let mut parser = Parser {
        text,
        at: 0,
        matchers: Vec::new(),
    };
    parser.selector()?;
    Ok(parser.matchers)
}

struct Parser<'a> {
    text: &'a str,
    /// In bytes, always at a character's border.
    at: usize,
    matchers: Vec<Matcher>,
}

impl<'a> Parser<'a> {
    fn selector(&mut self) -> Result<(), BadSelector> {
        self.space();
        let name = self.identifier(true);
        if !name.is_empty() {
            self.matchers.push(Matcher::equal(METRIC_NAME, name));
        }
        self.space();
        if self.eat("{") {
            self.matchers_until_brace()?;
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

    fn matchers_until_brace(&mut self) -> Result<(), BadSelector> {
        loop {
            self.space();
            if self.eat("}") {
                return Ok(());
            }
            self.matcher()?;
            self.space();
            // A comma may stand behind the last one too.
            if !self.eat(",") && !self.rest().starts_with('}') {
                return Err(self.error("expected `,` or `}`"));
            }
        }
    }

    fn matcher(&mut self) -> Result<(), BadSelector> {
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
                return self.add(from, Ok(Matcher::equal(METRIC_NAME, label)));
            }
            None => return Err(self.error("expected `=`, `!=`, `=~` or `!~`")),
        };
        self.space();
        let value_at = self.at;
        let value = text::string(self)?.ok_or_else(|| self.error("expected a quoted value"))?;
        let matcher = Matcher::new(op, label, value).map_err(|error| BadSelector {
            reason: error.to_string(),
            character: self.character(value_at),
        });
        self.add(from, matcher)
    }

    fn add(
        &mut self,
        from: usize,
        matcher: Result<Matcher, BadSelector>,
    ) -> Result<(), BadSelector> {
        let matcher = matcher?;
        let names = |one: &Matcher| one.name() == METRIC_NAME && one.op() == MatchOp::Equal;
        if names(&matcher) && self.matchers.iter().any(names) {
            return Err(BadSelector {
                reason: "the metric name is given twice".to_owned(),
                character: self.character(from),
            });
        }
        self.matchers.push(matcher);
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
        self.text[..at].chars().count() + 1
    }
}

#[cfg(test)]
mod tests;
