//! Span: the bytes of a query that something was read from.
//!
//!   lexer ─▶ [Span] ─▶ tree ─▶ errors, annotations: `(1:23)`

/// A stretch of text, in bytes from its beginning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The first byte behind it.
    pub end: usize,
}

/// A place in a text as people count: both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Lines end with a line feed.
    pub line: usize,
    /// In bytes, as Prometheus counts.
    pub column: usize,
}

impl Span {
    /// From `start` to before `end`.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// From the beginning of this one to the end of `other`.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self::new(self.start, other.end)
    }

    /// Where it begins in `text`.
    pub fn position(self, text: &str) -> Position {
        let before = &text.as_bytes()[..self.start.min(text.len())];
        let line_start = before
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |at| at + 1);
        Position {
            line: before.split(|&byte| byte == b'\n').count(),
            column: 1 + before.len() - line_start,
        }
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}
