//! Influx: InfluxDB's line protocol.
//!
//!   `cpu,host=a idle=97.5,used=2i 1795306562347000000` ─▶ [read] ─▶ `cpu_idle{host="a"}` …
//!
//! Measurement and field make the metric's name, `measurement_field`; a field `value` adds nothing
//! to it. Tags are labels. Integers, unsigned ones and floats are numbers, booleans 1 and 0; text
//! is no number and is only counted.
//! Source: InfluxDB's "Line protocol reference".
//!
//! I-INFLUX-1  A bad line costs only itself: reading goes on behind its end.
//! I-INFLUX-2  A line is stored whole or not at all.
//! I-INFLUX-3  What a batch may take in memory is checked before a line is written out into it.
//! I-INFLUX-4  Linear: a byte is read a fixed number of times, whatever stands around it.
//! I-INFLUX-5  However many lines are bad, what is said of them is bounded.
//! I-INFLUX-6  The number of an item is that of its line, so that the store's refusals name it too.
//! Proved by: influx/tests.rs, fuzz target `influx`.

use std::borrow::Cow;

use tinyobs_model::{Kind, LabelsBuilder, Refusal, Refused, Row, Sample, limits};

use crate::bom::without_bom;
use crate::json::Decoded;

mod line;

use line::{Cursor, Field};

/// What times without a unit of their own count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// What both versions take when nothing is said.
    #[default]
    Nanoseconds,
    /// `u`, `us` or `µ`
    Microseconds,
    /// `ms`
    Milliseconds,
    /// `s`
    Seconds,
    /// `m`, of version 1
    Minutes,
    /// `h`, of version 1
    Hours,
}

impl Precision {
    /// The precision by its name in either version.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "n" | "ns" => Self::Nanoseconds,
            "u" | "us" | "µ" | "µs" => Self::Microseconds,
            "ms" => Self::Milliseconds,
            "s" => Self::Seconds,
            "m" => Self::Minutes,
            "h" => Self::Hours,
            _ => return None,
        })
    }

    /// `time` in milliseconds, towards the past; none when it does not fit.
    fn to_ms(self, time: i64) -> Option<i64> {
        match self {
            Self::Nanoseconds => Some(time.div_euclid(1_000_000)),
            Self::Microseconds => Some(time.div_euclid(1_000)),
            Self::Milliseconds => Some(time),
            Self::Seconds => time.checked_mul(1_000),
            Self::Minutes => time.checked_mul(60_000),
            Self::Hours => time.checked_mul(3_600_000),
        }
    }
}

/// What a body held.
#[derive(Debug, Default)]
pub struct Read {
    /// Its samples and refused lines, numbered by their lines, counted from 0; items are counted
    /// where something is on the line.
    pub decoded: Decoded,
    /// Fields left out because they are text.
    pub texts_skipped: u64,
    /// Lines refused beyond the first `limits::ITEMS_PER_REQUEST`, which are not told one by one, by
    /// rule.
    pub refused_besides: Vec<(Refusal, u64)>,
}

impl Read {
    fn count_besides(&mut self, rule: Refusal) {
        match self.refused_besides.iter_mut().find(|one| one.0 == rule) {
            Some((_, count)) => *count += 1,
            None => self.refused_besides.push((rule, 1)),
        }
    }
}

/// Reads a body that arrived at `now_ms`.
pub fn read(body: &[u8], precision: Precision, now_ms: i64) -> Read {
    let mut sink = Sink {
        read: Read::default(),
        precision,
        now_ms,
        bytes: 0,
        name: String::new(),
        builder: LabelsBuilder::new(),
    };
    let mut cursor = Cursor::new(without_bom(body));
    let (mut tags, mut fields) = (Vec::new(), Vec::new());
    while cursor.skip_to_line() {
        // I-INFLUX-6. A body is far shorter than 2^32 lines.
        let item = cursor.line as u32 - 1;
        sink.read.decoded.items += 1;
        tags.clear();
        fields.clear();
        let taken = read_line(&mut cursor, &mut tags, &mut fields)
            .and_then(|head| sink.take(item, &head, &tags, &fields));
        if let Err((rule, message)) = taken {
            cursor.skip_line();
            // I-INFLUX-5
            if sink.read.decoded.refused.len() == limits::ITEMS_PER_REQUEST {
                sink.read.count_besides(rule);
                continue;
            }
            sink.read.decoded.refused.push(Refused {
                item,
                rule,
                message,
            });
        }
    }
    sink.read
}

/// The rule that a line breaks, and the sentence for people.
type Broken = (Refusal, String);
type Tag<'a> = (Cow<'a, str>, Cow<'a, str>);

struct Head<'a> {
    measurement: Cow<'a, str>,
    time: Option<i64>,
}

fn read_line<'a>(
    cursor: &mut Cursor<'a>,
    tags: &mut Vec<Tag<'a>>,
    fields: &mut Vec<(Cow<'a, str>, Field)>,
) -> Result<Head<'a>, Broken> {
    let measurement = cursor.measurement()?;
    if measurement.is_empty() {
        return Err((Refusal::NameEmpty, "measurement is missing".to_owned()));
    }
    while cursor.take(b',') {
        let name = cursor.key("tag")?;
        let value = cursor.tag_value()?;
        // One more than allowed says enough for the refusal: the rest is not kept.
        if tags.len() <= limits::LABELS_PER_SERIES {
            tags.push((name, value));
        }
    }
    if !cursor.blanks() {
        return Err(cursor.malformed("fields are missing"));
    }
    loop {
        let name = cursor.key("field")?;
        let value = cursor.field_value()?;
        if fields.len() == limits::FIELDS_PER_LINE {
            return Err(cursor.malformed("there are too many fields in one line"));
        }
        fields.push((name, value));
        if !cursor.take(b',') {
            break;
        }
    }
    cursor.blanks();
    let time = cursor.time()?;
    cursor.ends()?;
    Ok(Head { measurement, time })
}

struct Sink {
    read: Read,
    precision: Precision,
    now_ms: i64,
    /// Bytes of the batch, towards `limits::BATCH_BYTES`.
    bytes: usize,
    /// Here for their memory.
    name: String,
    builder: LabelsBuilder<'static>,
}

impl Sink {
    fn take(
        &mut self,
        item: u32,
        head: &Head<'_>,
        tags: &[Tag<'_>],
        fields: &[(Cow<'_, str>, Field)],
    ) -> Result<(), Broken> {
        let time_ms = match head.time {
            None => self.now_ms,
            Some(time) => self.precision.to_ms(time).ok_or_else(|| {
                let message = format!("timestamp {time} does not fit; is `precision` right?");
                (Refusal::TimeInvalid, message)
            })?,
        };
        let numbers = fields.iter().filter(|(_, value)| *value != Field::Text);
        self.reserve(numbers.clone().count(), head, tags, fields)?;
        // I-INFLUX-2: what one field's series breaks, all break, save for the name's length.
        let longest = numbers.clone().map(|(name, _)| name.len()).max();
        let name_len = head.measurement.len() + 1 + longest.unwrap_or(0);
        if name_len > limits::METRIC_NAME_BYTES {
            let most = limits::METRIC_NAME_BYTES;
            let message = format!("metric name has {name_len} bytes, at most {most} are allowed");
            return Err((Refusal::NameTooLong, message));
        }
        for (field, value) in fields {
            let Field::Number(value) = value else {
                self.read.texts_skipped += 1;
                continue;
            };
            self.name.clear();
            self.name.push_str(&head.measurement);
            if field != "value" {
                self.name.push('_');
                self.name.push_str(field);
            }
            let mut builder = std::mem::take(&mut self.builder).recycle();
            builder.begin(&self.name);
            for (name, value) in tags {
                builder.push(name, value);
            }
            let sample = Sample::new(time_ms, *value);
            let batch = &mut self.read.decoded.batch;
            let pushed = batch.push(item, &mut builder, Kind::Unknown, sample, None);
            self.builder = builder.recycle();
            pushed.map_err(|refused| (refused.rule, refused.message))?;
        }
        Ok(())
    }

    /// I-INFLUX-3
    fn reserve(
        &mut self,
        rows: usize,
        head: &Head<'_>,
        tags: &[Tag<'_>],
        fields: &[(Cow<'_, str>, Field)],
    ) -> Result<(), Broken> {
        const OVERHEAD: usize = 16 + size_of::<Row>();
        let tags: usize = tags
            .iter()
            .map(|(name, value)| name.len() + value.len() + 4)
            .sum();
        let names: usize = fields.iter().map(|(name, _)| name.len()).sum();
        let each = OVERHEAD + head.measurement.len() + tags;
        let bytes = rows.saturating_mul(each) + names;
        if self.bytes.saturating_add(bytes) > limits::BATCH_BYTES {
            let message = format!(
                "the request unfolds to more than {} bytes; send the rest in another",
                limits::BATCH_BYTES
            );
            return Err((Refusal::BatchTooLarge, message));
        }
        self.bytes += bytes;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
