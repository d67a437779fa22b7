//! Natural: the order in which people put text with numbers: `a2` before `a10`.

use std::cmp::Ordering;

/// Compares piece by piece, pieces being numbers or what stands between them.
pub(super) fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let ((first, rest_a), (second, rest_b)) = match (piece(a), piece(b)) {
            (Some(first), Some(second)) => (first, second),
            (first, second) => return first.is_some().cmp(&second.is_some()),
        };
        let order = match (first.parse::<u64>(), second.parse::<u64>()) {
            (Ok(first), Ok(second)) => first.cmp(&second),
            _ => first.cmp(second),
        };
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
}

/// The digits, or the others, that `text` begins with, and what follows.
fn piece(text: &str) -> Option<(&str, &str)> {
    let is_digit = text.chars().next()?.is_ascii_digit();
    let end = text.find(|c: char| c.is_ascii_digit() != is_digit);
    Some(text.split_at(end.unwrap_or(text.len())))
}

#[cfg(test)]
mod tests {
    use super::natural;

    #[test]
    fn numbers_count_by_their_value() {
        let mut names = ["a10", "a2", "b1", "a2b", "", "10", "9", "a02c"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["", "9", "10", "a2", "a2b", "a02c", "a10", "b1"]);
    }
}
