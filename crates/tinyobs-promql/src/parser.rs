//! Parser: words to a tree.
//!
//!   text ─▶ lexer ─▶ [parse] ─▶ check ─▶ [Expr]
//!                       ├ expression   operators by precedence, signs, parentheses
//!                       ├ call         functions, aggregations
//!                       ├ selector     `name{…}`
//!                       ├ modifiers    `[5m]`, `offset`, `@`, `on`, `group_left`, `by`
//!                       └ duration     arithmetic inside of those
//!
//! By hand, top down, one word ahead.
//!
//! I-PARSER-1  No text overflows the stack: depth is counted before it is taken, and operators in
//!             a row count too, because the tree of `1+1+1` is as high as it is long.
//! I-PARSER-2  A query has at most `limits::QUERY_BYTES` bytes and `limits::QUERY_REGEXES` regular
//!             expressions, both checked before anything is made of it.
//! I-PARSER-3  What is parsed, printed and parsed again is the same tree.
//! Proved by: parser/tests.rs, print/tests.rs, fuzz `promql`.

use tinyobs_model::limits;

use crate::ast::{Expr, ExprKind, Selector};
use crate::check::check;
use crate::error::{Fault, ParseError, quoted};
use crate::lexer::{Token, TokenKind, lex, number, unquote};
use crate::number::Number;
use crate::span::Span;

mod call;
mod duration;
mod expression;
mod modifiers;
mod selector;

/// The tree of a query, checked: types fit, functions get what they take.
///
/// # Errors
/// `text` is no query; the error says where and why.
pub fn parse(text: &str) -> Result<Expr, ParseError> {
    let tree = || {
        let mut parser = Parser::new(text)?;
        if parser.peek().kind == TokenKind::End {
            return Err(Fault::new(parser.peek().span, "the query is empty"));
        }
        let expr = parser.expr(0)?;
        parser.end()?;
        check(&expr)?;
        Ok(*expr)
    };
    tree().map_err(|fault: Fault| fault.in_text(text))
}

/// A selector without offset and range, as `match[]` takes it.
///
/// # Errors
/// `text` is no selector; the error says where and why.
pub fn parse_selector(text: &str) -> Result<Selector, ParseError> {
    let selector = || {
        let mut parser = Parser::new(text)?;
        let expr = parser.bare_selector()?;
        parser.end()?;
        check(&expr)?;
        match expr.kind {
            ExprKind::Vector(selector) => Ok(selector),
            _ => Err(Fault::new(expr.span, "expected a series selector")),
        }
    };
    selector().map_err(|fault: Fault| fault.in_text(text))
}

/// Reads the words of one text.
struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    /// Expressions that are being read inside one another.
    depth: u32,
    regexes: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Result<Self, Fault> {
        if text.len() > limits::QUERY_BYTES {
            let end = Span::new(limits::QUERY_BYTES, limits::QUERY_BYTES);
            let most = limits::QUERY_BYTES;
            return Err(Fault::new(
                end,
                format!("the query is longer than {most} bytes"),
            ));
        }
        Ok(Self {
            text,
            tokens: lex(text)?,
            at: 0,
            depth: 0,
            regexes: 0,
        })
    }

    fn peek(&self) -> Token {
        self.peek_at(0)
    }

    /// The word `ahead` of the next one; the end repeats.
    fn peek_at(&self, ahead: usize) -> Token {
        let end = Token {
            kind: TokenKind::End,
            span: Span::new(self.text.len(), self.text.len()),
        };
        self.tokens.get(self.at + ahead).copied().unwrap_or(end)
    }

    fn next(&mut self) -> Token {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn text_of(&self, token: Token) -> &'a str {
        &self.text[token.span.start..token.span.end]
    }

    /// The next word as a keyword, in lower case; empty when it is no word.
    fn keyword(&self) -> String {
        self.keyword_at(0)
    }

    fn keyword_at(&self, ahead: usize) -> String {
        let token = self.peek_at(ahead);
        match token.kind {
            TokenKind::Word => self.text_of(token).to_ascii_lowercase(),
            _ => String::new(),
        }
    }

    fn is_symbol(&self, ahead: usize, symbol: &str) -> bool {
        matches!(self.peek_at(ahead).kind, TokenKind::Symbol(found) if found == symbol)
    }

    /// Takes the next word if it is this symbol.
    fn take(&mut self, symbol: &str) -> bool {
        let found = self.is_symbol(0, symbol);
        self.at += usize::from(found);
        found
    }

    /// Takes the next word if it is this keyword.
    fn take_keyword(&mut self, keyword: &str) -> bool {
        let found = self.keyword() == keyword;
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &str, place: &str) -> Result<Token, Fault> {
        if self.is_symbol(0, symbol) {
            return Ok(self.next());
        }
        Err(self.unexpected(place, &format!("{symbol:?}")))
    }

    /// Takes the comma behind one of several things; before `close`, none needs to be there.
    fn separator(&mut self, close: &str, place: &str) -> Result<(), Fault> {
        if self.take(",") || self.is_symbol(0, close) {
            return Ok(());
        }
        Err(self.unexpected(place, &format!("\",\" or {close:?}")))
    }

    fn end(&mut self) -> Result<(), Fault> {
        if self.peek().kind == TokenKind::End {
            return Ok(());
        }
        Err(self.unexpected("behind an expression", "an operator or the end"))
    }

    /// The next word is not what may stand here.
    fn unexpected(&self, place: &str, wanted: &str) -> Fault {
        let token = self.peek();
        let found = match token.kind {
            TokenKind::End => "end of the query".to_owned(),
            TokenKind::String => "text".to_owned(),
            _ => quoted(self.text_of(token)),
        };
        let hint = match token.kind {
            TokenKind::Symbol("=") if place.ends_with("expression") => ", equality is written ==",
            _ => "",
        };
        let reason = format!("unexpected {found} {place}, expected {wanted}{hint}");
        Fault::new(token.span, reason)
    }

    /// From `start` to the end of what was read last.
    fn span_from(&self, start: Span) -> Span {
        let last = self.tokens.get(self.at.saturating_sub(1));
        last.map_or(start, |last| start.to(last.span))
    }

    /// The number that the next word is; the caller has seen that it is one.
    fn number(&mut self) -> Result<Number, Fault> {
        let token = self.next();
        number(self.text_of(token)).map_err(|reason| Fault::new(token.span, reason))
    }

    /// The text that the next word is; the caller has seen that it is one.
    fn string(&mut self) -> Result<String, Fault> {
        let token = self.next();
        unquote(self.text_of(token)).map_err(|(_, reason)| Fault::new(token.span, reason))
    }

    /// Runs `read` one level deeper (I-PARSER-1).
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        if self.depth >= limits::QUERY_DEPTH {
            return Err(too_deep(self.peek().span));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }
}

/// What reading an expression gives. In a box, because nodes are large and every level of depth
/// holds some on the stack.
type Read = Result<Box<Expr>, Fault>;

/// A node, if the tree does not become too high by it (I-PARSER-1).
fn node(kind: ExprKind, span: Span) -> Read {
    let expr = Box::new(Expr::new(kind, span));
    if expr.height() > limits::QUERY_DEPTH {
        return Err(too_deep(span));
    }
    Ok(expr)
}

fn too_deep(span: Span) -> Fault {
    let most = limits::QUERY_DEPTH;
    Fault::new(
        span,
        format!("the query is nested deeper than {most}, operators in a row included"),
    )
}

#[cfg(test)]
mod tests;
