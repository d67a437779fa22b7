//! Table: series with one value each, a line a series.

use std::fmt::Write;

use serde_json::Value;

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

/// `name{a="b"}` as PromQL writes it; `{}` of a series without labels.
pub fn name(metric: &Value) -> String {
    let Some(labels) = metric.as_object() else {
        return "{}".to_owned();
    };
    let name = labels.get("__name__").map(value).unwrap_or_default();
    let pairs: Vec<String> = labels
        .iter()
        .filter(|(label, _)| *label != "__name__")
        .map(|(label, text)| format!("{label}={text}"))
        .collect();
    match (name, pairs.is_empty()) {
        ("", _) => format!("{{{}}}", pairs.join(", ")),
        (name, true) => name.to_owned(),
        (name, false) => format!("{name}{{{}}}", pairs.join(", ")),
    }
}

/// The text of a value.
pub fn value(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests;
