//! Lexer: text to words.
//!
//!   text ─▶ [lex] ─▶ [Token]s ─▶ parser
//!
//! What a word means depends on where it stands (`sum` may be a metric), so keywords are plain
//! words here and the parser decides. Only three things depend on the surroundings already here:
//! `:` belongs to a name except inside `[…]`; and inside `{…}` `inf` is a label, and `=` stands.
//!
//! I-LEXER-1  Tokens are in order, do not overlap, and leave out only blanks and comments.
//! I-LEXER-2  Time and memory follow the length of the text.
//! Proved by: lexer/tests.rs, fuzz `promql`.

use crate::error::{Fault, quoted};
use crate::span::Span;

mod literal;

pub(crate) use literal::{number, unquote};

/// A word and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub kind: TokenKind,
    pub span: Span,
}

/// The kinds of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A name or keyword.
    Word,
    /// `12`, `0x1f`, `Inf`, `1h30m`; [`number`] reads it.
    Number,
    /// Text in any of the three quotes; [`unquote`] reads it.
    String,
    /// Operators and punctuation, spelled as in the text.
    Symbol(&'static str),
    /// Behind the last word.
    End,
}

/// Operators and punctuation, longer ones before those they begin with.
const SYMBOLS: [&str; 27] = [
    "==", "!=", "=~", "!~", "<=", ">=", "</", ">/", "=", "<", ">", "+", "-", "*", "/", "%", "^",
    "@", ",", ":", "(", ")", "[", "]", "{", "}", "!",
];

/// All words of `text`, and an end.
pub(crate) fn lex(text: &str) -> Result<Vec<Token>, Fault> {
    let mut lexer = Lexer {
        text,
        at: 0,
        in_braces: false,
        in_brackets: false,
    };
    let mut tokens = Vec::new();
    loop {
        let token = lexer.next()?;
        tokens.push(token);
        if token.kind == TokenKind::End {
            return Ok(tokens);
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    in_braces: bool,
    in_brackets: bool,
}

impl Lexer<'_> {
    fn next(&mut self) -> Result<Token, Fault> {
        self.skip_blanks();
        let start = self.at;
        let kind = match self.peek(0) {
            None => TokenKind::End,
            Some(b'"' | b'\'' | b'`') => self.string()?,
            Some(b'0'..=b'9') => self.number()?,
            Some(b'.') if self.peek(1).is_some_and(|c| c.is_ascii_digit()) => self.number()?,
            Some(byte) if self.starts_word(byte) => self.word(),
            Some(_) => self.symbol()?,
        };
        let span = Span::new(start, self.at);
        Ok(Token { kind, span })
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    fn skip_blanks(&mut self) {
        while let Some(byte) = self.peek(0) {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                b'#' => {
                    let rest = &self.text[self.at..];
                    self.at += rest.find('\n').unwrap_or(rest.len());
                }
                _ => return,
            }
        }
    }

    /// Colons are part of metric names, but between range and step they stand alone, and labels
    /// have none.
    fn starts_word(&self, byte: u8) -> bool {
        let colon = byte == b':' && !self.in_brackets && !self.in_braces;
        byte.is_ascii_alphabetic() || byte == b'_' || colon
    }

    fn word(&mut self) -> TokenKind {
        let start = self.at;
        let more = |byte: u8| self.starts_word(byte) || byte.is_ascii_digit();
        let rest = &self.text.as_bytes()[start..];
        self.at += rest.iter().take_while(|&&byte| more(byte)).count();
        let word = &self.text[start..self.at];
        let number = word.eq_ignore_ascii_case("inf") || word.eq_ignore_ascii_case("nan");
        if number && !self.in_braces {
            return TokenKind::Number;
        }
        TokenKind::Word
    }

    /// Takes all that could belong to a number; whether it is one is seen when it is read.
    fn number(&mut self) -> Result<TokenKind, Fault> {
        let start = self.at;
        let mut before = 0;
        let hex = matches!(self.peek(1), Some(b'x' | b'X'));
        while let Some(byte) = self.peek(0) {
            let sign = matches!(byte, b'+' | b'-') && matches!(before, b'e' | b'E') && !hex;
            if !(byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_') || sign) {
                break;
            }
            before = byte;
            self.at += 1;
        }
        let text = &self.text[start..self.at];
        let bad = |reason| Fault::new(Span::new(start, self.at), reason);
        number(text).map_err(bad)?;
        Ok(TokenKind::Number)
    }

    fn string(&mut self) -> Result<TokenKind, Fault> {
        let start = self.at;
        let quote = self.peek(0).unwrap_or_default();
        self.at += 1;
        while let Some(byte) = self.peek(0) {
            self.at += 1;
            match byte {
                b'\\' if quote != b'`' => self.at += usize::from(self.peek(0).is_some()),
                b'\n' if quote != b'`' => break,
                _ if byte == quote => {
                    let bad = |(at, reason)| Fault::new(Span::new(start + at, self.at), reason);
                    unquote(&self.text[start..self.at]).map_err(bad)?;
                    return Ok(TokenKind::String);
                }
                _ => {}
            }
        }
        let at = Span::new(start, start + 1);
        Err(Fault::new(at, "text without a closing quote"))
    }

    fn symbol(&mut self) -> Result<TokenKind, Fault> {
        let rest = &self.text[self.at..];
        let found = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol));
        let Some(symbol) = found else {
            let odd: String = rest.chars().take(1).collect();
            let at = Span::new(self.at, self.at + odd.len());
            let hint = match odd.as_str() {
                "&" => ", did you mean \"and\"?",
                "|" => ", did you mean \"or\"?",
                _ if odd.is_ascii() => "",
                _ => ", names with such characters stand in braces and quotes: {\"name\"}",
            };
            let odd = quoted(&odd);
            return Err(Fault::new(at, format!("unexpected character {odd}{hint}")));
        };
        match symbol {
            "{" => self.in_braces = true,
            "}" => self.in_braces = false,
            "[" => self.in_brackets = true,
            "]" => self.in_brackets = false,
            _ => {}
        }
        self.at += symbol.len();
        Ok(TokenKind::Symbol(symbol))
    }
}

#[cfg(test)]
mod tests;
