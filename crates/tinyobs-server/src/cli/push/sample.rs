//! Sample: `NAME VALUE [TIME] [LABEL=VALUE…]`, word by word. Labels may stand behind the name as well,
//! as the text format has them: `NAME{LABEL="VALUE"}`.

use std::borrow::Cow;

use serde_json::{Map, Value, json};
use tinyobs_wire::text::{Dialect, Entry, Lines, TextError};
use tinyobs_wire::time;

/// The words of a line. A name with labels in braces is one, whatever stands in them.
pub fn words(line: &str) -> Vec<&str> {
    let line = line.trim_start();
    let (first, rest) = line.split_at(first_bytes(line));
    let first = Some(first).filter(|first| !first.is_empty());
    first.into_iter().chain(rest.split_whitespace()).collect()
}

/// How long the name is, and the braces behind it if there are some.
fn first_bytes(line: &str) -> usize {
    let name = line.find(|c: char| c == '{' || c.is_whitespace());
    let name = name.unwrap_or(line.len());
    let braces = line[name..].trim_start();
    if !braces.starts_with('{') {
        return name;
    }
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, byte) in braces.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_quoted,
            b'"' => is_quoted = !is_quoted,
            b'}' if !is_quoted => return line.len() - braces.len() + at + 1,
            _ => {}
        }
    }
    line.len()
}

/// What the words say.
#[derive(Debug, PartialEq)]
pub struct Sample<'a> {
    /// The metric's name.
    pub name: Cow<'a, str>,
    /// A finite number.
    pub value: f64,
    /// Milliseconds since the epoch, where the words say it.
    pub time_ms: Option<i64>,
    /// Sorted by name.
    pub labels: Map<String, Value>,
}

impl<'a> Sample<'a> {
    /// Reads it.
    ///
    /// # Errors
    /// A sentence that shows the wrong word.
    pub fn read(words: &[&'a str]) -> Result<Self, String> {
        let [name, value, rest @ ..] = words else {
            return Err("a sample is a name, a value, and labels such as host=db1".to_owned());
        };
        let number = value.parse::<f64>().ok().filter(|value| value.is_finite());
        let mut sample = Self {
            name: Cow::Borrowed(name),
            value: number.ok_or_else(|| format!("{value:?} is not a finite number"))?,
            time_ms: None,
            labels: Map::new(),
        };
        if let Some(brace) = name.find('{') {
            sample.name_and_labels(name, brace)?;
        }
        for word in rest {
            match word.split_once('=') {
                Some((label, value)) => sample.label(label, value)?,
                None => sample.at(word)?,
            }
        }
        Ok(sample)
    }

    fn label(&mut self, label: &str, value: &str) -> Result<(), String> {
        match self.labels.insert(label.to_owned(), value.into()) {
            None => Ok(()),
            Some(_) => Err(format!("label {label:?} is given twice")),
        }
    }

    /// `room{a="1"}` with a brace at `brace`, or `{"a room",a="1"}`.
    fn name_and_labels(&mut self, word: &'a str, brace: usize) -> Result<(), String> {
        let shown: String = word.chars().take(64).collect();
        let wrong = |reason: &str| {
            format!(
                "{shown:?}: {reason}; labels in braces are written {{host=\"db1\"}}, in a shell with \
                 '…' around them and the name"
            )
        };
        // The text format has fewer names that go without quotes.
        let (name, braces) = word.split_at(brace);
        let name = name.trim_end();
        let stand_in = if name.is_empty() { "" } else { "x" };
        let line = format!("{stand_in}{braces} 0\n");
        let mut lines = Lines::new(line.as_bytes(), Dialect::Prometheus)
            .map_err(|error| wrong(&error.reason))?;
        let entry = lines
            .next_entry()
            .map_err(|TextError { reason, .. }| wrong(&reason))?;
        let Some(Entry::Sample {
            name: quoted,
            time_ms: None,
            ..
        }) = entry
        else {
            return Err(wrong("something stands behind the braces"));
        };
        self.name = if name.is_empty() {
            Cow::Owned(quoted.into_owned())
        } else {
            Cow::Borrowed(name)
        };
        for (label, value) in lines.labels() {
            self.label(label, value)?;
        }
        Ok(())
    }

    fn at(&mut self, word: &str) -> Result<(), String> {
        let time_ms = time::parse_moment(word).map_err(|error| match error {
            time::BadTime::NoZone { .. } => error.to_string(),
            _ => format!(
                "{word:?} is neither a label such as host=db1 nor a time such as \
                 2026-11-22T03:04:05Z or 1795306562"
            ),
        })?;
        if time_ms < time::MILLISECONDS_FROM {
            return Err(format!("the time {word:?} lies before March 1973"));
        }
        match self.time_ms.replace(time_ms) {
            None => Ok(()),
            Some(_) => Err(format!("{word:?} is a second time")),
        }
    }

    /// As `POST /v1/ingest` takes it. Whoever sends it puts in a time where there is none (I-PUSH-5).
    pub fn item(&self, kind: Option<&str>) -> Value {
        let mut item = json!({"name": self.name, "value": self.value, "labels": self.labels});
        if let Some(time_ms) = self.time_ms {
            item["timestamp"] = time_ms.into();
        }
        if let Some(kind) = kind {
            item["type"] = kind.into();
        }
        item
    }

    /// The same for samples of one series, and for no others.
    pub fn series(&self) -> String {
        // An empty label is as good as none.
        let labels = self.labels.iter().filter(|(_, value)| *value != "");
        json!([self.name, labels.collect::<Vec<_>>()]).to_string()
    }
}
