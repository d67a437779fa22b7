//! Table: series with one value each, a line a series.

use std::fmt::Write;

use serde_json::Value;

use super::visible::visible;

/// The lines, values below each other.
pub fn text(result: &Value, width: usize) -> String {
    let rows: Vec<(String, &str)> = result
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| (name(&one["metric"]), value(&one["value"][1])))
        .collect();
    if rows.is_empty() {
        return "nothing\n".to_owned();
    }
    let of_values = rows.iter().map(|(_, value)| value.len()).max().unwrap_or(0);
    let names = rows.iter().map(|(name, _)| name.chars().count());
    let most = width.saturating_sub(of_values + 2).max(20);
    let of_names = names.max().unwrap_or(0).min(most);
    let mut out = String::new();
    for (name, value) in &rows {
        // A name that is too long has a line of its own, so that nothing of it is lost.
        let (end, gap) = match of_names.checked_sub(name.chars().count()) {
            Some(gap) => ("", gap),
            None => ("\n", of_names),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{name}{end}{:gap$}  {value:>of_values$}", "");
    }
    out
}

/// `name{a="b"}` as PromQL writes it, `{"a name", "a label"="b"}` where it needs quotes, and `{}` of a
/// series without labels. See I-VISIBLE-1.
pub fn name(metric: &Value) -> String {
    let Some(labels) = metric.as_object() else {
        return "{}".to_owned();
    };
    let name = labels.get("__name__").map(value).unwrap_or_default();
    let is_plain = is_word(name, true);
    let quoted_name = (!is_plain && !name.is_empty()).then(|| quoted(name));
    let labels = labels.iter().filter(|(label, _)| *label != "__name__");
    let pairs = labels.map(|(label, text)| {
        let text = quoted(value(text));
        if is_word(label, false) {
            format!("{label}={text}")
        } else {
            format!("{}={text}", quoted(label))
        }
    });
    let pairs: Vec<String> = quoted_name.into_iter().chain(pairs).collect();
    match (is_plain, pairs.is_empty()) {
        (false, _) => format!("{{{}}}", pairs.join(", ")),
        (true, true) => name.to_owned(),
        (true, false) => format!("{name}{{{}}}", pairs.join(", ")),
    }
}

/// Whether PromQL takes it without quotes.
fn is_word(text: &str, colons: bool) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || colons && c == ':';
    text.chars().all(fits) && text.starts_with(|c: char| !c.is_ascii_digit())
}

fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", visible(&escaped.replace('\n', "\\n")))
}

/// The text of a value.
pub fn value(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests;
