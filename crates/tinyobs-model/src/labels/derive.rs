//! Derive: labels made of other labels, as queries do: fewer, more, or one of them changed.
//!
//!   stored [Labels] ─▶ [Labels::without], [Labels::only], [Labels::with] ─▶ labels of a result
//!
//! Such labels identify no stored series: they may lack a metric name, and nobody counts them.

use super::{Labels, put_wire_pair, take_raw_pair};

impl Labels {
    /// No labels at all, as `sum(x)` has.
    pub fn empty() -> Self {
        Self(Box::default())
    }

    /// Labels of pairs in any order; of two with one name the last stays, and an empty value is no
    /// label (I-LABEL-2).
    pub fn of_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut pairs: Vec<(&str, &str)> = pairs.into_iter().collect();
        // Stable, so that the last of one name stays the last.
        pairs.sort_by_key(|(name, _)| *name);
        let mut bytes = Vec::new();
        for (i, (name, value)) in pairs.iter().enumerate() {
            let is_last = pairs.get(i + 1).is_none_or(|(next, _)| next != name);
            if is_last && !value.is_empty() {
                put_wire_pair(&mut bytes, name.as_bytes(), value.as_bytes());
            }
        }
        Self(bytes.into())
    }

    /// The labels whose name satisfies `keep`.
    #[must_use]
    pub fn filtered(&self, keep: impl Fn(&str) -> bool) -> Self {
        let mut bytes = Vec::with_capacity(self.0.len());
        let mut rest = &self.0[..];
        loop {
            let before = rest;
            let Some((name, _)) = take_raw_pair(&mut rest) else {
                return Self(bytes.into());
            };
            if std::str::from_utf8(name).is_ok_and(&keep) {
                // The pair is written as it stands.
                bytes.extend_from_slice(&before[..before.len() - rest.len()]);
            }
        }
    }

    /// These labels with `name` set to `value`; an empty value takes it away.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        Self::of_pairs(self.iter().chain(std::iter::once((name, value))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i_label_2_derived_labels_are_canonical() {
        let labels = Labels::of_pairs([("b", "1"), ("a", ""), ("b", "2"), ("__name__", "x")]);
        assert_eq!(labels.to_string(), "x{b=\"2\"}");
        let stored = Labels::new("x", [("b", "2")]).expect("valid");
        assert_eq!(labels, stored);
        assert_eq!(stored.with("b", "").to_string(), "x{}");
        assert_eq!(stored.with("a", "é").to_string(), "x{a=\"é\",b=\"2\"}");
        assert_eq!(stored.filtered(|name| name == "b").to_string(), "{b=\"2\"}");
        assert_eq!(stored.filtered(|_| false), Labels::empty());
        for derived in [labels, stored.with("c", "3"), Labels::empty()] {
            assert_eq!(Labels::from_canonical(derived.as_bytes()), Some(derived));
        }
    }
}
