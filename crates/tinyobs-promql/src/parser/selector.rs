//! Selector: `name{label="value", other=~"a.*"}`.

use tinyobs_model::{METRIC_NAME, MatchOp, Matcher, limits};

use super::{Parser, Read, node};
use crate::ast::{ExprKind, Selector};
use crate::error::Fault;
use crate::lexer::TokenKind;

impl Parser<'_> {
    /// A name, conditions in braces, or both; no range and nothing else behind.
    pub(super) fn bare_selector(&mut self) -> Read {
        let start = self.peek().span;
        let mut selector = Selector::default();
        if self.peek().kind == TokenKind::Word {
            let token = self.next();
            selector.name = Some(self.text_of(token).to_owned());
        }
        if self.is_symbol(0, "{") {
            self.braces(&mut selector)?;
        } else if selector.name.is_none() {
            return Err(self.unexpected("where a selector begins", "a metric name or \"{\""));
        }
        if let Some(name) = &selector.name {
            for all in std::iter::once(&mut selector.matchers).chain(&mut selector.alternatives) {
                all.push(Matcher::equal(METRIC_NAME, name));
            }
        }
        node(ExprKind::Vector(selector), self.span_from(start))
    }

    /// Conditions between braces; a comma may stand behind the last.
    fn braces(&mut self, selector: &mut Selector) -> Result<(), Fault> {
        self.expect("{", "where conditions begin")?;
        while !self.take("}") {
            self.condition(selector)?;
            while self.take_keyword("or") {
                selector.alternatives.push(Vec::new());
                self.condition(selector)?;
            }
            self.separator("}", "between conditions")?;
        }
        Ok(())
    }

    /// `label="value"`, or `"name"` alone.
    fn condition(&mut self, selector: &mut Selector) -> Result<(), Fault> {
        let token = self.peek();
        let label = match token.kind {
            TokenKind::Word => {
                self.next();
                self.text_of(token).to_owned()
            }
            TokenKind::String => {
                let text = self.string()?;
                let next = self.peek().kind;
                if matches!(next, TokenKind::Symbol("," | "}")) || self.keyword() == "or" {
                    conditions(selector).push(Matcher::equal(METRIC_NAME, text));
                    return Ok(());
                }
                text
            }
            _ => return Err(self.unexpected("in braces", "a label")),
        };
        if label.is_empty() {
            return Err(Fault::new(token.span, "a label needs a name"));
        }
        let op = match self.peek().kind {
            TokenKind::Symbol("=") => MatchOp::Equal,
            TokenKind::Symbol("!=") => MatchOp::NotEqual,
            TokenKind::Symbol("=~") => MatchOp::Regex,
            TokenKind::Symbol("!~") => MatchOp::NotRegex,
            _ => return Err(self.unexpected("behind a label", "one of = != =~ !~")),
        };
        self.next();
        if self.peek().kind != TokenKind::String {
            return Err(self.unexpected("behind a label", "a value in quotes"));
        }
        let matcher = self.matcher(op, label)?;
        conditions(selector).push(matcher);
        Ok(())
    }

    /// The condition with the value that comes next, its regular expression counted before it is
    /// compiled (I-PARSER-2).
    fn matcher(&mut self, op: MatchOp, label: String) -> Result<Matcher, Fault> {
        let span = self.peek().span;
        let value = self.string()?;
        if matches!(op, MatchOp::Regex | MatchOp::NotRegex) {
            self.regexes += 1;
            if self.regexes > limits::QUERY_REGEXES {
                let most = limits::QUERY_REGEXES;
                let reason = format!("the query has more than {most} regular expressions");
                return Err(Fault::new(span, reason));
            }
        }
        Matcher::new(op, label, value).map_err(|error| Fault::new(span, error.to_string()))
    }
}

/// The conditions that are being read: those behind the last `or`.
fn conditions(selector: &mut Selector) -> &mut Vec<Matcher> {
    let last = selector.alternatives.last_mut();
    last.unwrap_or(&mut selector.matchers)
}
