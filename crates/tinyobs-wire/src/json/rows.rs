//! Rows: an item that has its shape becomes one row of the batch, or a histogram's many.

use tinyobs_model::kind::metadata_text;
use tinyobs_model::{
    Kind, LabelsBuilder, Refusal, Refused, Row, Sample, WriteBatch, limits, stale_marker,
};

use super::fields::{
    Broken, check_buckets, read_buckets, read_count, read_kind, read_number, read_time,
};
use super::item::{Item, Text};
use super::{Decoded, Source, hint_at, reason, shown};

/// Where the envelope puts what it reads.
pub struct Sink {
    batch: WriteBatch,
    refused: Vec<Refused>,
    pub items: u32,
    pub source: Option<Source>,
    source_known: bool,
    /// The source stands behind items that needed it.
    pub source_came_late: bool,
    pub too_many_items: bool,
    now_ms: i64,
    /// Bytes of the batch, towards `limits::BATCH_BYTES`.
    batch_bytes: usize,
    /// A time as it was written, and what it means: the items of a push tend to share it, and to read
    /// it took longer than to read a number.
    last_time: (String, i64),
    /// Empty between two rows; here for its memory.
    builder: LabelsBuilder<'static>,
}

impl Sink {
    pub fn new(now_ms: i64, known_source: Option<Source>) -> Self {
        Self::over(WriteBatch::new(), now_ms, known_source)
    }

    /// Over an empty batch, for its memory.
    pub fn over(batch: WriteBatch, now_ms: i64, known_source: Option<Source>) -> Self {
        Self {
            batch,
            refused: Vec::new(),
            items: 0,
            source_known: known_source.is_some(),
            source: known_source,
            source_came_late: false,
            too_many_items: false,
            now_ms,
            batch_bytes: 0,
            last_time: (String::new(), 0),
            builder: LabelsBuilder::new(),
        }
    }

    pub fn set_source(&mut self, source: Option<Source>, behind_items: bool) {
        if !self.source_known {
            self.source_came_late = behind_items && source.is_some() && self.items > 0;
            self.source = source;
        }
    }

    pub fn push(&mut self, item: &Item<'_>) {
        let index = self.items;
        self.items += 1;
        if let Err((rule, message)) = self.unfold(index, item) {
            self.refused.push(Refused {
                item: index,
                rule,
                message,
            });
        }
    }

    /// Refuses an item that could be read up to there; `text` is all of it.
    pub fn refuse_malformed(&mut self, item: &Item<'_>, error: &serde_json::Error, text: &str) {
        let hint = hint_at(text, error.line(), error.column());
        let message = format!("item is malformed: {}{}{hint}", item.place(), reason(error));
        self.refuse(Refusal::Malformed, message);
    }

    pub fn refuse(&mut self, rule: Refusal, message: String) {
        self.refused.push(Refused {
            item: self.items,
            rule,
            message,
        });
        self.items += 1;
    }

    pub fn into_decoded(self) -> Decoded {
        Decoded {
            batch: self.batch,
            refused: self.refused,
            items: self.items,
            source: self.source,
            more_sources: Vec::new(),
        }
    }

    fn unfold(&mut self, index: u32, item: &Item<'_>) -> Result<(), Broken> {
        if let Some(field) = item.twice {
            let message = format!("item is malformed: the field {field} is there twice");
            return Err((Refusal::Malformed, message));
        }
        let name = match &item.name {
            Some(Text(name)) if !name.is_empty() => &**name,
            Some(_) => return Err((Refusal::NameEmpty, "metric name is empty".to_owned())),
            None => return Err((Refusal::NameEmpty, "metric name is missing".to_owned())),
        };
        if item.labels.count > limits::LABELS_PER_SERIES {
            let message = format!(
                "metric {:?} has {} labels, at most {} are allowed",
                shown(name),
                item.labels.count,
                limits::LABELS_PER_SERIES
            );
            return Err((Refusal::TooManyLabels, message));
        }
        let time_ms = match item.timestamp {
            Some(raw) => self.time(raw)?,
            None => self.now_ms,
        };
        // A start at or behind the sample itself says nothing.
        let start_ms = if let Some(raw) = item.start {
            Some(read_time("start", raw)?)
        } else {
            // Whatever the process counts was 0 when it started.
            self.source.as_ref().and_then(|source| source.start_ms)
        };
        let start_ms = start_ms.filter(|start_ms| *start_ms < time_ms);
        let kind = read_kind(item)?;
        let start_ms = start_ms.filter(|_| kind.is_cumulative());
        let at = At {
            index,
            name,
            kind,
            time_ms,
            start_ms,
        };
        match item.buckets {
            None => self.plain(&at, item),
            Some(buckets) => self.histogram(&at, item, buckets),
        }
    }

    fn time(&mut self, raw: &str) -> Result<i64, Broken> {
        if self.last_time.0 != raw {
            let time_ms = read_time("timestamp", raw)?;
            self.last_time.0.clear();
            self.last_time.0.push_str(raw);
            self.last_time.1 = time_ms;
        }
        Ok(self.last_time.1)
    }

    fn plain(&mut self, at: &At<'_>, item: &Item<'_>) -> Result<(), Broken> {
        let value = read_number("value", item.value, Refusal::ValueNotANumber)?;
        if item.sum.is_some() || item.count.is_some() {
            let message = "sum and count belong to buckets, which are missing";
            return Err((Refusal::HistogramInvalid, message.to_owned()));
        }
        self.reserve(1, item)?;
        self.row(at, item, at.name, None, value)?;
        self.describe(&[at.name], item);
        Ok(())
    }

    /// The rows of a classic histogram. The first one has the longest name and the most labels, so
    /// that an item is refused before any of its rows is in the batch.
    fn histogram(&mut self, at: &At<'_>, item: &Item<'_>, raw: &str) -> Result<(), Broken> {
        if item.value.is_some() {
            let message = "an item has a value or buckets, not both";
            return Err((Refusal::HistogramInvalid, message.to_owned()));
        }
        let buckets = read_buckets(raw)?;
        let sum = read_number("sum", item.sum, Refusal::HistogramInvalid)?;
        let count = read_count("count", item.count)?;
        check_buckets(&buckets, count)?;
        self.reserve(buckets.len() + 3, item)?;
        let [bucket, sums, counts] =
            ["bucket", "sum", "count"].map(|suffix| format!("{}_{suffix}", at.name));
        for (bound, below) in buckets {
            self.row(at, item, &bucket, Some(&bound.to_string()), below)?;
        }
        self.row(at, item, &bucket, Some("+Inf"), count)?;
        self.row(at, item, &sums, None, sum)?;
        self.row(at, item, &counts, None, count)?;
        self.describe(&[&bucket, &sums, &counts], item);
        Ok(())
    }

    fn row(
        &mut self,
        at: &At<'_>,
        item: &Item<'_>,
        name: &str,
        bound: Option<&str>,
        value: f64,
    ) -> Result<(), Broken> {
        let mut builder = std::mem::take(&mut self.builder).recycle();
        builder.begin(name);
        for (Text(name), Text(value)) in &item.labels.kept {
            builder.push(name, value);
        }
        if let Some(bound) = bound {
            builder.push("le", bound);
        }
        if let Some(source) = &self.source {
            builder.push_default("service", &source.service);
            builder.push_default("instance", &source.instance);
        }
        let sample = Sample::new(at.time_ms, value);
        let pushed = self
            .batch
            .push(at.index, &mut builder, at.kind, sample, at.start_ms);
        self.builder = builder.recycle();
        pushed.map_err(|refused| (refused.rule, refused.message))?;
        // The process ends: so do its lines, right behind their last sample.
        if self.source.as_ref().is_some_and(|source| source.is_final) {
            let end_ms = at.time_ms.saturating_add(1);
            self.batch
                .push_same_series(Sample::new(end_ms, stale_marker()));
        }
        Ok(())
    }

    /// I-JSON-6: takes the memory of `rows` rows from the request's budget, or refuses them.
    fn reserve(&mut self, rows: usize, item: &Item<'_>) -> Result<(), Broken> {
        // Lengths, suffix and bound of a bucket, a stale marker's row.
        const OVERHEAD: usize = 64 + 2 * size_of::<Row>();
        let labels: usize = item
            .labels
            .kept
            .iter()
            .map(|(Text(name), Text(value))| name.len() + value.len() + 4)
            .sum();
        let name = item.name.as_ref().map_or(0, |Text(name)| name.len());
        let source = self.source.as_ref();
        let source = source.map_or(0, |s| s.service.len() + s.instance.len());
        let bytes = rows.saturating_mul(OVERHEAD + name + labels + source);
        if self.batch_bytes.saturating_add(bytes) > limits::BATCH_BYTES {
            let message = format!(
                "the request unfolds to more than {} bytes; send the rest in another",
                limits::BATCH_BYTES
            );
            return Err((Refusal::BatchTooLarge, message));
        }
        self.batch_bytes += bytes;
        Ok(())
    }

    fn describe(&mut self, names: &[&str], item: &Item<'_>) {
        let text = |text: &Option<Text<'_>>| match text {
            Some(Text(text)) => metadata_text(text).to_owned(),
            None => String::new(),
        };
        if item.help.is_none() && item.unit.is_none() {
            return;
        }
        let (unit, help) = (text(&item.unit), text(&item.help));
        // Series of one metric usually follow each other and say the same.
        let said = self.batch.metadata().last();
        let is_said = |name: &str| {
            said.is_some_and(|last| last.0 == name && last.1 == unit && last.2 == help)
        };
        if names.last().is_some_and(|name| is_said(name)) {
            return;
        }
        for name in names {
            self.batch.describe(name, &unit, &help);
        }
    }
}

/// What the rows of one item share.
struct At<'a> {
    index: u32,
    name: &'a str,
    kind: Kind,
    time_ms: i64,
    start_ms: Option<i64>,
}
