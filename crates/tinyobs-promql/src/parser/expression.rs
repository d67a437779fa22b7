//! Expression: operators by precedence, signs, parentheses, and what stands behind an operand.

use super::{Parser, Read, node};
use crate::aggregate::AggregateOp;
use crate::ast::{Binary, Expr, ExprKind, UnaryOp, ValueType};
use crate::binary::{BinaryOp, Matching};
use crate::error::{Fault, did_you_mean, quoted};
use crate::lexer::TokenKind;
use crate::span::Span;

/// Words that only stand between operands, or say how those meet: never a metric.
const RESERVED: [&str; 6] = [
    "atan2",
    "bool",
    "group_left",
    "group_right",
    "ignoring",
    "on",
];

/// Operators by how they are written.
const OPERATORS: [BinaryOp; 18] = [
    BinaryOp::Add,
    BinaryOp::Sub,
    BinaryOp::Mul,
    BinaryOp::Div,
    BinaryOp::Mod,
    BinaryOp::Pow,
    BinaryOp::Atan2,
    BinaryOp::Eq,
    BinaryOp::Ne,
    BinaryOp::Gt,
    BinaryOp::Lt,
    BinaryOp::Ge,
    BinaryOp::Le,
    BinaryOp::TrimUpper,
    BinaryOp::TrimLower,
    BinaryOp::And,
    BinaryOp::Or,
    BinaryOp::Unless,
];

impl Parser<'_> {
    /// An expression of operators that bind at least as tightly as `least`.
    pub(super) fn expr(&mut self, least: u8) -> Read {
        let mut lhs = self.operand()?;
        while let Some(op) = self.operator() {
            if op.precedence() < least {
                break;
            }
            self.next();
            let said = self.matching(op)?;
            // `^` takes what follows first, all others what went before.
            let next = op.precedence() + u8::from(op != BinaryOp::Pow);
            let rhs = self.deeper(|parser| parser.expr(next))?;
            lhs = joined(op, said, lhs, rhs)?;
        }
        Ok(lhs)
    }

    /// The operator that comes next, if one does.
    fn operator(&self) -> Option<BinaryOp> {
        let token = self.peek();
        let found = match token.kind {
            TokenKind::Symbol(symbol) => symbol,
            TokenKind::Word => self.text_of(token),
            _ => return None,
        };
        let same = |op: &BinaryOp| op.symbol().eq_ignore_ascii_case(found);
        OPERATORS.into_iter().find(same)
    }

    /// An operand, its sign in front and everything that belongs to it behind.
    fn operand(&mut self) -> Read {
        let start = self.peek().span;
        let op = match self.peek().kind {
            TokenKind::Symbol("-") => UnaryOp::Minus,
            TokenKind::Symbol("+") => UnaryOp::Plus,
            _ => {
                let primary = self.primary()?;
                return self.postfix(primary);
            }
        };
        self.next();
        // A sign binds like `*`: only `^` binds more tightly.
        let inner = self.deeper(|parser| parser.expr(BinaryOp::Pow.precedence()))?;
        signed(op, inner, start)
    }

    /// An operand alone.
    fn primary(&mut self) -> Read {
        let token = self.peek();
        match token.kind {
            TokenKind::Number | TokenKind::String => self.literal(),
            TokenKind::Symbol("(") => self.parens(),
            TokenKind::Symbol("{") => self.bare_selector(),
            TokenKind::Word => self.named(),
            _ => Err(self.unexpected("where an expression begins", "a metric, function or number")),
        }
    }

    fn literal(&mut self) -> Read {
        let token = self.peek();
        let kind = match token.kind {
            TokenKind::Number => ExprKind::Number(self.number()?),
            _ => ExprKind::String(self.string()?),
        };
        node(kind, token.span)
    }

    fn parens(&mut self) -> Read {
        let open = self.next().span;
        let inner = self.deeper(|parser| parser.expr(0))?;
        self.expect(")", "behind an expression")?;
        node(ExprKind::Paren(inner), self.span_from(open))
    }

    /// A metric, an aggregation or a function: what follows the name tells.
    fn named(&mut self) -> Read {
        let token = self.peek();
        let keyword = self.keyword();
        if RESERVED.contains(&keyword.as_str()) {
            let name = quoted(self.text_of(token));
            return Err(Fault::new(
                token.span,
                format!("{name} is a keyword, write {{{name}}} for a metric of this name"),
            ));
        }
        let called = self.is_symbol(1, "(");
        let grouped = matches!(self.keyword_at(1).as_str(), "by" | "without");
        match AggregateOp::named(&keyword) {
            Some(op) if called || grouped => return self.aggregate(op),
            _ if called => return self.call(),
            _ => {}
        }
        if grouped && self.is_symbol(2, "(") {
            let known = AggregateOp::ALL.map(AggregateOp::name);
            let name = self.text_of(token);
            let hint = did_you_mean(name, known.into_iter());
            let name = quoted(name);
            return Err(Fault::new(
                token.span,
                format!("unknown aggregation {name}{hint}"),
            ));
        }
        self.bare_selector()
    }
}

// Nodes are made in functions of their own, which return before anything goes deeper: a level of
// depth then takes little of the stack.

fn joined(op: BinaryOp, said: (bool, Matching), lhs: Box<Expr>, rhs: Box<Expr>) -> Read {
    let (return_bool, matching) = said;
    let span = lhs.span.to(rhs.span);
    let vectors = [&lhs, &rhs].map(|side| side.value_type() == ValueType::Vector);
    let told = !matching.labels.is_empty()
        || !matching.include.is_empty()
        || matching.fill_left.is_some()
        || matching.fill_right.is_some();
    let binary = Binary {
        op,
        lhs,
        rhs,
        return_bool,
        matching: (vectors == [true, true] || told).then_some(matching),
    };
    node(ExprKind::Binary(binary), span)
}

fn signed(op: UnaryOp, inner: Box<Expr>, start: Span) -> Read {
    let span = start.to(inner.span);
    let kind = match (op, &inner.kind) {
        (UnaryOp::Plus, ExprKind::Number(number)) => ExprKind::Number(*number),
        (UnaryOp::Minus, ExprKind::Number(number)) => ExprKind::Number(number.negated()),
        _ => ExprKind::Unary(op, inner),
    };
    node(kind, span)
}
