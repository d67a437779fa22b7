//! Visible: text of others on its way to a terminal.
//!
//! I-VISIBLE-1  Nothing that anybody pushed moves the cursor, changes colours or turns the direction of
//!              writing: such characters are written as PromQL writes them in a text.
//! Proved by: the tests below.

use std::fmt::Write;

/// `text` with what a terminal would obey as escapes.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match u32::from(c) {
            _ if !obeyed(c) => out.push(c),
            // Writing to a String cannot fail.
            code @ ..=0xffff => drop(write!(out, "\\u{code:04x}")),
            code => drop(write!(out, "\\U{code:08x}")),
        }
    }
    out
}

/// The same line by line: line breaks of our own stay.
pub fn visible_lines(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(visible).collect();
    lines.join("\n")
}

/// `text` with as many characters as before, for what stands below others.
pub fn as_wide(text: &str) -> String {
    let plain = |c: char| match c {
        '\n' | '\t' => c,
        c if obeyed(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    text.chars().map(plain).collect()
}

/// Control characters, separators of lines, and marks of the direction of writing.
fn obeyed(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i_visible_1_what_a_terminal_would_obey_is_spelled_out() {
        let evil = "a\u{1b}[31m\u{9b}1m\u{202e}z\n\u{7f}é世";
        let seen = "a\\u001b[31m\\u009b1m\\u202ez\\u000a\\u007fé世";
        assert_eq!(visible(evil), seen);
        assert_eq!(visible_lines("a\u{1b}\nb"), "a\\u001b\nb");
        assert_eq!(as_wide("a\u{1b}b\t\n^"), "a\u{fffd}b\t\n^");
    }
}
