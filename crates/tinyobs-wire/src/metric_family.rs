//! MetricFamily: the Prometheus client libraries' protobuf, delimited, as Go's and Java's push it.
//!
//!   body ─▶ (length, message)… ─▶ [`Collector`] ─▶ [`Page`]
//!
//! Source: `io/prometheus/client/metrics.proto` of Prometheus' client model. Of a native histogram
//! count and sum are kept, as of a classic one without buckets.
//!
//! I-MFAMILY-1  No bytes panic; what is cut or malformed names its message.
//! I-MFAMILY-2  A metric is taken whole or refused whole: half a histogram answers wrongly.
//! Proved by: metric_family/tests.rs, fuzz target `metric_family`.

use std::borrow::Cow;

use tinyobs_model::kind::metadata_text;
use tinyobs_model::{Refusal, limits};

use crate::families::{Collector, Grouping, Page, PageError};
use crate::proto::{Delimited, Fields, ProtoError, Value};
use crate::text::{FamilyType, Pair};

/// The parameters of `application/vnd.google.protobuf` that say this format.
pub const MESSAGE: &str = "io.prometheus.client.MetricFamily";

/// Reads a body of delimited messages.
///
/// # Errors
/// The body as a whole cannot be read; nothing of it may be stored then.
pub fn read_delimited(body: &[u8], grouping: &Grouping) -> Result<Page, PageError> {
    let mut page = Collector::new(grouping);
    let (mut message, mut metrics) = (0, 0);
    let mut messages = Delimited::new(body);
    loop {
        message += 1;
        let broken = |reason: String| PageError::Proto { message, reason };
        match messages.next_message() {
            Ok(None) => return page.finish(),
            Ok(Some(bytes)) => match read_family(bytes, &mut page, &mut metrics) {
                Ok(()) => {}
                Err(Broken::Page(error)) => return Err(error),
                Err(Broken::Proto(error)) => return Err(broken(error.to_string())),
                Err(Broken::Shape(reason)) => return Err(broken(reason.to_owned())),
            },
            Err(error) => return Err(broken(error.to_string())),
        }
    }
}

enum Broken {
    Proto(ProtoError),
    Shape(&'static str),
    Page(PageError),
}

impl From<ProtoError> for Broken {
    fn from(error: ProtoError) -> Self {
        Self::Proto(error)
    }
}

impl From<PageError> for Broken {
    fn from(error: PageError) -> Self {
        Self::Page(error)
    }
}

fn text(value: Value<'_>) -> Result<&str, Broken> {
    std::str::from_utf8(value.bytes()).map_err(|_| Broken::Shape("a text is not UTF-8"))
}

/// Name, help, type and unit may stand behind the metrics, so they are read first.
fn read_family(bytes: &[u8], page: &mut Collector<'_>, metrics: &mut u32) -> Result<(), Broken> {
    let (mut name, mut help, mut unit) = ("", "", "");
    let mut family_type = FamilyType::Counter;
    let mut fields = Fields::new(bytes);
    while let Some((number, value)) = fields.next_field()? {
        match number {
            1 => name = text(value)?,
            2 => help = text(value)?,
            3 => {
                family_type = match value.number() {
                    0 => FamilyType::Counter,
                    1 => FamilyType::Gauge,
                    2 => FamilyType::Summary,
                    3 => FamilyType::Unknown,
                    4 => FamilyType::Histogram,
                    5 => FamilyType::GaugeHistogram,
                    _ => return Err(Broken::Shape("a type of metric is not known")),
                }
            }
            5 => unit = text(value)?,
            _ => {}
        }
    }
    let family = page.family(metrics.saturating_add(1), name)?;
    page.set_type(family, family_type);
    metadata_text(help).clone_into(&mut page.families[family].help);
    metadata_text(unit).clone_into(&mut page.families[family].unit);
    let mut fields = Fields::new(bytes);
    while let Some((number, value)) = fields.next_field()? {
        if number == 4 {
            *metrics = metrics.saturating_add(1);
            let mut sink = Sink {
                page: &mut *page,
                family,
                name,
                metric: *metrics,
            };
            sink.metric(value.bytes())?;
        }
    }
    Ok(())
}

/// Where the parts of one metric go.
struct Sink<'s, 'g, 'a> {
    page: &'s mut Collector<'g>,
    family: usize,
    name: &'a str,
    /// Counted from 1; stands for the line.
    metric: u32,
}

impl<'a> Sink<'_, '_, 'a> {
    /// One metric, or nothing of it (I-MFAMILY-2).
    fn metric(&mut self, bytes: &'a [u8]) -> Result<(), Broken> {
        let before = self.page.mark(self.family);
        self.parts(bytes)?;
        self.page.undo_refused(self.family, before);
        Ok(())
    }

    /// Its labels first, wherever they stand.
    fn parts(&mut self, bytes: &'a [u8]) -> Result<(), Broken> {
        let mut labels: Vec<Pair<'a>> = Vec::new();
        let mut fields = Fields::new(bytes);
        while let Some((number, value)) = fields.next_field()? {
            // One more than allowed says enough for the refusal.
            if number == 1 && labels.len() <= limits::LABELS_PER_SERIES {
                labels.push(read_label(value.bytes())?);
            } else if number == 6 {
                self.page.timestamp_line.get_or_insert(self.metric);
            }
        }
        let mut fields = Fields::new(bytes);
        while let Some((number, value)) = fields.next_field()? {
            match number {
                2 | 3 | 5 => self.plain(&labels, value.bytes())?,
                4 => self.summary(&labels, value.bytes())?,
                7 => self.histogram(&labels, value.bytes())?,
                _ => {}
            }
        }
        Ok(())
    }

    /// A gauge, a counter or what nobody named: `{value = 1}`, of a counter its creation as 3.
    fn plain(&mut self, labels: &[Pair<'_>], bytes: &[u8]) -> Result<(), Broken> {
        let (mut number_value, mut created) = (0.0, None);
        let mut fields = Fields::new(bytes);
        while let Some((number, value)) = fields.next_field()? {
            match number {
                1 => number_value = value.double(),
                3 => created = Some(read_seconds(value.bytes())?),
                _ => {}
            }
        }
        self.row("", labels, None, number_value)?;
        self.created(labels, created)
    }

    fn summary(&mut self, labels: &[Pair<'_>], bytes: &[u8]) -> Result<(), Broken> {
        let (mut count, mut sum) = (0.0, 0.0);
        let mut fields = Fields::new(bytes);
        while let Some((number, value)) = fields.next_field()? {
            match number {
                1 => count = value.number() as f64,
                2 => sum = value.double(),
                3 => {
                    let (quantile, at) = read_pair(value.bytes(), 1, 2)?;
                    let bound = bound_text(quantile.double());
                    self.row("", labels, Some(("quantile", &bound)), at.double())?;
                }
                _ => {}
            }
        }
        self.row("_sum", labels, None, sum)?;
        self.row("_count", labels, None, count)
    }

    fn histogram(&mut self, labels: &[Pair<'_>], bytes: &[u8]) -> Result<(), Broken> {
        let (mut count, mut sum, mut created) = (0.0, 0.0, None);
        let (mut finite, mut has_infinite) = (0, false);
        let mut fields = Fields::new(bytes);
        while let Some((number, value)) = fields.next_field()? {
            match number {
                1 => count = value.number() as f64,
                4 if value.double() > 0.0 => count = value.double(),
                2 => sum = value.double(),
                3 => {
                    let (bound, below) = read_bucket(value.bytes())?;
                    if bound == f64::INFINITY {
                        has_infinite = true;
                    } else {
                        finite += 1;
                    }
                    if finite > limits::BUCKETS_PER_HISTOGRAM {
                        let most = limits::BUCKETS_PER_HISTOGRAM;
                        let message = format!("more than {most} buckets in {:?}", self.name);
                        let rule = Refusal::HistogramInvalid;
                        self.page.refuse(self.metric, rule, &message);
                        return Ok(());
                    }
                    let bound = bound_text(bound);
                    self.row("_bucket", labels, Some(("le", &bound)), below)?;
                }
                15 => created = Some(read_seconds(value.bytes())?),
                _ => {}
            }
        }
        if !has_infinite {
            self.row("_bucket", labels, Some(("le", "+Inf")), count)?;
        }
        self.row("_sum", labels, None, sum)?;
        self.row("_count", labels, None, count)?;
        self.created(labels, created)
    }

    fn row(
        &mut self,
        suffix: &str,
        labels: &[Pair<'_>],
        also: Option<(&str, &str)>,
        value: f64,
    ) -> Result<(), Broken> {
        let name = format!("{}{suffix}", self.name);
        let line = self.metric;
        let pushed = match also {
            None => self
                .page
                .push(self.family, line, &name, labels, value, false),
            Some((label, text)) => {
                let mut all: Vec<Pair<'_>> = labels.to_vec();
                all.push((Cow::Borrowed(label), Cow::Borrowed(text)));
                self.page.push(self.family, line, &name, &all, value, false)
            }
        };
        Ok(pushed?)
    }

    fn created(&mut self, labels: &[Pair<'_>], seconds: Option<f64>) -> Result<(), Broken> {
        let Some(seconds) = seconds else {
            return Ok(());
        };
        let (family, line) = (self.family, self.metric);
        Ok(self
            .page
            .push(family, line, self.name, labels, seconds, true)?)
    }
}

fn read_label(bytes: &[u8]) -> Result<Pair<'_>, Broken> {
    let (name, value) = read_pair(bytes, 1, 2)?;
    Ok((Cow::Borrowed(text(name)?), Cow::Borrowed(text(value)?)))
}

/// Two fields of a message; one that is absent is empty and 0.
fn read_pair(bytes: &[u8], first: u32, second: u32) -> Result<(Value<'_>, Value<'_>), Broken> {
    let mut pair = (Value::Bytes(&[]), Value::Bytes(&[]));
    let mut fields = Fields::new(bytes);
    while let Some((number, value)) = fields.next_field()? {
        if number == first {
            pair.0 = value;
        } else if number == second {
            pair.1 = value;
        }
    }
    Ok(pair)
}

/// A bucket's bound, and the count up to it.
fn read_bucket(bytes: &[u8]) -> Result<(f64, f64), Broken> {
    let (mut bound, mut below) = (0.0, 0.0);
    let mut fields = Fields::new(bytes);
    while let Some((number, value)) = fields.next_field()? {
        match number {
            1 => below = value.number() as f64,
            2 => bound = value.double(),
            4 if value.double() > 0.0 => below = value.double(),
            _ => {}
        }
    }
    Ok((bound, below))
}

/// `google.protobuf.Timestamp`, in seconds.
fn read_seconds(bytes: &[u8]) -> Result<f64, Broken> {
    let (seconds, nanos) = read_pair(bytes, 1, 2)?;
    Ok(seconds.signed() as f64 + nanos.signed() as f64 / 1e9)
}

/// A bound as label values have it.
fn bound_text(bound: f64) -> String {
    match bound {
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        bound => bound.to_string(),
    }
}

#[cfg(test)]
mod tests;
