//! Error: what is wrong with a query, and where.
//!
//!   lexer, parser, check ─▶ [Fault] ─▶ with the text: [ParseError] ─▶ 400, terminal
//!
//! I-ERROR-1  Every error names a place inside of the text, or its end.
//! I-ERROR-2  A message does not grow with the query: what it quotes is cut.
//! Proved by: error/tests.rs, fuzz `promql`.

use std::fmt;

use crate::span::{Position, Span};

/// Something wrong, at a place of a text that whoever made it does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Fault {
    /// Where.
    pub span: Span,
    /// What is wrong and, where known, what to write instead.
    pub reason: String,
}

/// A text is no query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{position}: parse error: {reason}")]
pub struct ParseError {
    /// Where it begins, as people count.
    pub position: Position,
    /// Where, in bytes.
    pub span: Span,
    /// What is wrong and, where known, what to write instead.
    pub reason: String,
}

/// Characters shown left and right of a place.
const AROUND: usize = 60;
/// Bytes of a query that a message quotes.
const QUOTED: usize = 40;

impl Fault {
    /// Something wrong at `span`.
    pub fn new(span: Span, reason: impl Into<String>) -> Self {
        Self {
            span,
            reason: reason.into(),
        }
    }

    /// The error with its position in `text`.
    #[must_use]
    pub fn in_text(self, text: &str) -> ParseError {
        ParseError {
            position: self.span.position(text),
            span: self.span,
            reason: self.reason,
        }
    }
}

impl ParseError {
    /// The line of `text` that is meant and, below it, carets under the place. Long lines are cut.
    pub fn caret(&self, text: &str) -> String {
        let start = floor_char(text, self.span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line = text[line_start..].lines().next().unwrap_or_default();
        let before: Vec<char> = text[line_start..start].chars().collect();
        let rest = line.get(start - line_start..).unwrap_or_default();
        let end = floor_char(text, self.span.end.clamp(start, line_start + line.len()));
        let wide = text[start..end].chars().count().clamp(1, AROUND);

        let skipped = before.len().saturating_sub(AROUND);
        let ellipsis = if skipped > 0 { "…" } else { "" };
        let left: String = before[skipped..].iter().collect();
        let right: String = rest.chars().take(AROUND).collect();
        let cut = if rest.chars().nth(AROUND).is_some() {
            "…"
        } else {
            ""
        };
        // Tabs stay tabs, so that the caret stands under what it means.
        let blank = |c: char| if c == '\t' { '\t' } else { ' ' };
        let indent: String = ellipsis.chars().chain(left.chars()).map(blank).collect();
        format!("{ellipsis}{left}{right}{cut}\n{indent}{}", "^".repeat(wide))
    }
}

/// The last place at or before `at` where a character begins.
fn floor_char(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at)
        .rev()
        .find(|&i| text.is_char_boundary(i))
        .unwrap_or(0)
}

/// `text` in quotes, cut when long (I-ERROR-2).
pub(crate) fn quoted(text: &str) -> String {
    if text.len() <= QUOTED {
        return format!("{text:?}");
    }
    format!("{:?}…", &text[..floor_char(text, QUOTED)])
}

/// `, did you mean "rate"?` when one of `known` is nearly `name`; else nothing.
pub(crate) fn did_you_mean<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    struct Suggestion<'a>(Option<&'a str>);
    impl fmt::Display for Suggestion<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0
                .map_or(Ok(()), |name| write!(f, ", did you mean \"{name}\"?"))
        }
    }
    // Longer names than any we have are not worth comparing, whatever they cost.
    if name.len() > QUOTED {
        return String::new();
    }
    let name = name.to_lowercase();
    let near = known
        .map(|known| (distance(&name, known), known))
        .filter(|&(distance, known)| distance <= 1 + known.len() / 5)
        .min();
    Suggestion(near.map(|(_, known)| known)).to_string()
}

/// How many characters must be put in, taken out or replaced to make `a` of `b`.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, to) in b.chars().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
