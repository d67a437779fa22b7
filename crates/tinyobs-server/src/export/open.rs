//! Open: series as OpenMetrics, family by family.
//!
//! The parts of a histogram or of a summary are written side by side, time by time: all buckets of
//! one moment, its sum and its count, then those of the next.
//!
//! I-EXPORT-6  A series whose name becomes that of another is named at the end, where what cannot be
//!             read is named too: the format has no other place for it that its readers accept.

use std::io::{self, Write};

use tinyobs_model::{Labels, Metadata, ResolvedCursor, Sample, Stretch};
use tinyobs_wire::exposition::{Exposed, Format, TextWriter, arrange};

use super::{Export, Unread, about, next, plain_samples};

/// Bytes of text that are sent on at once.
const PIECE_BYTES: usize = 64 << 10;

/// Writes everything.
pub fn write(export: Export, out: &mut dyn Write) -> io::Result<()> {
    let Export { series, metrics } = export;
    let labels: Vec<Labels> = series
        .iter()
        .map(|cursor| cursor.labels().clone())
        .collect();
    let mut cursors: Vec<Option<Box<dyn ResolvedCursor>>> = series.into_iter().map(Some).collect();
    let nothing = Metadata::default();
    let metadata = |name: &str| metrics.get(name).unwrap_or(&nothing);
    let exposed = labels.iter().enumerate().map(|(place, labels)| Exposed {
        labels,
        kind: metadata(labels.metric_name()).kind,
        value: place,
    });
    let mut text = TextWriter::new(Format::OpenMetrics);
    let mut unread = Unread::default();
    for family in arrange(Format::OpenMetrics, exposed.collect()) {
        for place in &family.left_out {
            unread.leave_out(&labels[*place]);
        }
        let mut is_begun = false;
        for metric in family.metrics() {
            let mut parts = Vec::with_capacity(metric.len());
            for line in metric {
                let cursor = cursors.get_mut(line.value).and_then(Option::take);
                parts.extend(cursor.map(|cursor| Part::new(&line.text, cursor)));
            }
            let mut merge = Merge { parts };
            while merge.next_moment(&mut unread, |series, sample| {
                if !is_begun {
                    // A family that has nothing in the range is not named.
                    family.begin(&mut text, |name| about(metadata(name)));
                    is_begun = true;
                }
                text.line(series, sample.value, Some(sample.time_ms));
            }) {
                if text.len() > PIECE_BYTES {
                    out.write_all(text.take().as_bytes())?;
                }
            }
        }
        out.write_all(text.take().as_bytes())?;
    }
    // Without its end it is whole to nobody.
    unread.finish(false, out)?;
    out.write_all(Format::OpenMetrics.end().as_bytes())
}

/// The parts of one metric.
struct Merge<'a> {
    parts: Vec<Part<'a>>,
}

impl Merge<'_> {
    /// Hands over what the parts have at the earliest time that any of them has; false when none
    /// has anything more.
    fn next_moment(&mut self, unread: &mut Unread, mut each: impl FnMut(&str, Sample)) -> bool {
        let mut earliest_ms = None;
        for part in &mut self.parts {
            if let Some(sample) = part.peek(unread) {
                let before = earliest_ms.unwrap_or(sample.time_ms);
                earliest_ms = Some(sample.time_ms.min(before));
            }
        }
        let Some(time_ms) = earliest_ms else {
            return false;
        };
        for part in &mut self.parts {
            if let Some(sample) = part.peek(unread).filter(|sample| sample.time_ms == time_ms) {
                each(part.series, sample);
                part.place += 1;
            }
        }
        true
    }
}

/// One series of a metric, read block by block.
struct Part<'a> {
    /// As it is written out.
    series: &'a str,
    cursor: Box<dyn ResolvedCursor>,
    stretch: Stretch,
    samples: Vec<Sample>,
    /// The next one of `samples`.
    place: usize,
    is_done: bool,
}

impl<'a> Part<'a> {
    fn new(series: &'a str, cursor: Box<dyn ResolvedCursor>) -> Self {
        Self {
            series,
            cursor,
            stretch: Stretch::default(),
            samples: Vec::new(),
            place: 0,
            is_done: false,
        }
    }

    fn peek(&mut self, unread: &mut Unread) -> Option<Sample> {
        while self.place == self.samples.len() && !self.is_done {
            self.samples.clear();
            self.place = 0;
            self.is_done = !next(self.cursor.as_mut(), &mut self.stretch, unread);
            self.samples.extend(plain_samples(&self.stretch));
        }
        self.samples.get(self.place).copied()
    }
}
