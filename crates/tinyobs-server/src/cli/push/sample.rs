//! Sample: `NAME VALUE [TIME] [LABEL=VALUE…]`, word by word.

use serde_json::{Map, Value, json};
use tinyobs_wire::time;

/// What the words say.
#[derive(Debug, PartialEq)]
pub struct Sample<'a> {
    /// The metric's name.
    pub name: &'a str,
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
            name,
            value: number.ok_or_else(|| format!("{value:?} is not a finite number"))?,
            time_ms: None,
            labels: Map::new(),
        };
        for word in rest {
            match word.split_once('=') {
                Some((label, value)) => {
                    if sample
                        .labels
                        .insert(label.to_owned(), value.into())
                        .is_some()
                    {
                        return Err(format!("label {label:?} is given twice"));
                    }
                }
                None => sample.at(word)?,
            }
        }
        Ok(sample)
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

    /// As `POST /v1/ingest` takes it; without a time it gets the server's.
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
