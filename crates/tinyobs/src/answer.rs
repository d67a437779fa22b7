//! Answer: what the server says to a push, read by hand.
//!
//!   transport ─▶ [Answer] ─▶ delivery
//!
//! Four things matter: how many samples were stored, how many items were refused, why the first of
//! them, and whether it was the series limit for all. Everything else in the JSON is walked over.
//!
//! I-ANSWER-1  Any bytes may come in: garbage gives `None`, never a panic, never deep recursion.
//! Proved by: answer/tests.rs.

use tinyobs_model::Refusal;

/// An answer of `POST /v1/ingest`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Samples stored; none when the answer does not say.
    pub(crate) stored: Option<u64>,
    /// Items refused.
    pub(crate) refused: u64,
    /// Why the first of them was refused, or why the whole request was.
    pub(crate) reason: Option<String>,
    /// Whether items are listed as refused, and each because the server has as many series as it
    /// may.
    pub(crate) all_series_limit: bool,
}

impl Answer {
    /// Reads an answer; none when it is not a JSON object.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut scanner = Scanner { rest: bytes };
        let mut answer = Self::default();
        let mut message = None;
        let mut listed = 0;
        let mut refused = None;
        scanner.object(|scanner, key| {
            match key {
                "count" => answer.stored = scanner.integer(),
                "refused" => refused = scanner.integer(),
                "message" => message = Some(scanner.string()?),
                "errors" => listed = scanner.errors(&mut answer)?,
                _ => scanner.skip(DEPTH)?,
            }
            Some(())
        })?;
        // A long list is cut short by the server; the number beside it is not.
        answer.refused = refused.unwrap_or(0).max(listed);
        answer.reason = answer.reason.or(message);
        Some(answer)
    }
}

/// How deep an answer may nest. Ours nests three levels.
const DEPTH: u32 = 16;

struct Scanner<'a> {
    rest: &'a [u8],
}

impl Scanner<'_> {
    /// Walks over an object and hands out each key; `field` reads the value.
    fn object(&mut self, mut field: impl FnMut(&mut Self, &str) -> Option<()>) -> Option<()> {
        self.expect(b'{')?;
        if self.take(b'}') {
            return Some(());
        }
        loop {
            let key = self.string()?;
            self.expect(b':')?;
            field(self, &key)?;
            if !self.take(b',') {
                return self.expect(b'}');
            }
        }
    }

    fn array(&mut self, mut element: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.expect(b'[')?;
        if self.take(b']') {
            return Some(());
        }
        loop {
            element(self)?;
            if !self.take(b',') {
                return self.expect(b']');
            }
        }
    }

    /// Counts `errors`, keeps the words of the first and looks for a rule that all have in common.
    fn errors(&mut self, answer: &mut Answer) -> Option<u64> {
        let mut count = 0;
        let mut series_limit = 0;
        self.array(|scanner| {
            let (mut rule, mut message) = (None, None);
            scanner.object(|scanner, key| {
                match key {
                    "rule" => rule = Some(scanner.string()?),
                    "message" => message = Some(scanner.string()?),
                    _ => scanner.skip(DEPTH)?,
                }
                Some(())
            })?;
            count += 1;
            let rule = rule.unwrap_or_default();
            let limits = [Refusal::SeriesLimit, Refusal::MetricSeriesLimit].map(Refusal::as_str);
            series_limit += u64::from(limits.contains(&rule.as_str()));
            if answer.reason.is_none() {
                answer.reason = Some(match message {
                    Some(message) if rule.is_empty() => message,
                    Some(message) => format!("{rule}: {message}"),
                    None => rule,
                });
            }
            Some(())
        })?;
        answer.all_series_limit = count > 0 && series_limit == count;
        Some(count)
    }

    fn skip(&mut self, depth: u32) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        self.space();
        match self.rest.first()? {
            b'{' => self.object(|scanner, _| scanner.skip(depth)),
            b'[' => self.array(|scanner| scanner.skip(depth)),
            b'"' => self.string().map(drop),
            _ => {
                let word = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
                let len = self.rest.iter().take_while(|byte| word(byte)).count();
                self.rest = &self.rest[len..];
                (len > 0).then_some(())
            }
        }
    }

    fn integer(&mut self) -> Option<u64> {
        self.space();
        let digits = self.rest.iter().take_while(|b| b.is_ascii_digit()).count();
        let (number, rest) = self.rest.split_at(digits);
        self.rest = rest;
        std::str::from_utf8(number).ok()?.parse().ok()
    }

    fn string(&mut self) -> Option<String> {
        self.expect(b'"')?;
        let mut text = Vec::new();
        loop {
            let (&byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            match byte {
                b'"' => return Some(String::from_utf8_lossy(&text).into_owned()),
                b'\\' => self.escape(&mut text)?,
                _ => text.push(byte),
            }
        }
    }

    fn escape(&mut self, text: &mut Vec<u8>) -> Option<()> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        match byte {
            b'n' => text.push(b'\n'),
            b't' => text.push(b'\t'),
            b'r' => text.push(b'\r'),
            b'b' | b'f' => text.push(b' '),
            b'u' => {
                let (digits, rest) = self.rest.split_at_checked(4)?;
                self.rest = rest;
                let digits = std::str::from_utf8(digits).ok()?;
                let code = u32::from_str_radix(digits, 16).ok()?;
                // Halves of a pair become a replacement character: this is a message for people.
                let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            other => text.push(other),
        }
        Some(())
    }

    fn take(&mut self, byte: u8) -> bool {
        self.space();
        match self.rest.split_first() {
            Some((first, rest)) if *first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.take(byte).then_some(())
    }

    fn space(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }
}

#[cfg(test)]
mod tests;
