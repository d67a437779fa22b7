//! Batches: lines and items become batches of a bounded size, and what is refused keeps its line.
//!
//! Every sample is an item of its own: a line may hold a year of them, and one in the future should
//! cost none of the others.
//!
//! A row of rollups cannot be written back, because the store makes its rows itself. It becomes the
//! first and the last sample of its window, which are real samples with real times, and the marker
//! of an end if there was one.

use std::borrow::Cow;

use tinyobs_model::{
    Kind, LabelsBuilder, Refusal, Refused, Resolution, Rollup, Sample, WriteBatch, limits,
    stale_marker,
};
use tinyobs_store::Appended;
use tinyobs_wire::csv::Row;
use tinyobs_wire::lines::{Content, Line};
use tinyobs_wire::original::Item;

/// What became of a batch.
#[derive(Debug)]
pub struct Outcome {
    /// Samples stored.
    pub stored: u64,
    /// By item.
    pub refused: Vec<Refused>,
}

impl From<Appended> for Outcome {
    fn from(appended: Appended) -> Self {
        Self {
            stored: appended.stored,
            refused: appended.refused,
        }
    }
}

/// What became of an import.
#[derive(Debug, Default)]
pub struct Report {
    /// Lines or items read.
    pub lines: u64,
    /// Lines or items of which something was not stored.
    pub refused: u64,
    /// Samples stored.
    pub stored: u64,
    /// Batches that were handed to the store.
    pub batches: u64,
    /// Rows of rollups among what was read.
    pub rows: u64,
    /// Times of the earliest and the latest sample stored.
    pub times: Option<(i64, i64)>,
    /// Of the first refused lines, by line.
    listed: Vec<(u64, String)>,
    /// The line refused last.
    last_refused: Option<u64>,
    /// Whether all that was refused was one series too many.
    only_over_limit: bool,
    /// How lines are called.
    unit: &'static str,
}

impl Report {
    /// One sentence for each of the first refused lines.
    pub fn errors(&self) -> Vec<String> {
        let mut listed: Vec<_> = self.listed.iter().collect();
        listed.sort_by_key(|(line, _)| *line);
        let say = |(line, message): &(u64, String)| format!("{} {line}: {message}", self.unit);
        listed.into_iter().map(say).collect()
    }

    /// The first of them.
    pub fn first_error(&self) -> Option<String> {
        self.errors().into_iter().next()
    }

    /// Whether all that was refused was one series too many.
    pub fn is_over_limit(&self) -> bool {
        self.refused > 0 && self.only_over_limit
    }

    fn refuse(&mut self, line: u64, rule: Refusal, message: &str) {
        self.only_over_limit &= rule.is_series_limit();
        if self.last_refused.replace(line) == Some(line) {
            return;
        }
        self.refused += 1;
        if self.listed.len() < limits::ERRORS_LISTED {
            self.listed.push((line, format!("{message} ({rule})")));
        }
    }
}

/// Collects samples until they are a batch.
pub struct Batches<'a, E> {
    append: &'a mut dyn FnMut(&WriteBatch) -> Result<Outcome, E>,
    batch: WriteBatch,
    /// The first item of each line that is in the batch.
    lines: Vec<Begun>,
    report: Report,
    /// After which nothing more is wanted.
    failed: Option<E>,
    builder: LabelsBuilder<'static>,
    /// Something of the line that is being added is refused already.
    is_refused: bool,
}

/// A line of which samples are in the batch.
struct Begun {
    item: u32,
    number: u64,
    /// Something of it is refused already.
    is_refused: bool,
}

/// A series that samples are added to.
struct Series<'a> {
    name: &'a str,
    labels: &'a [(Cow<'a, str>, Cow<'a, str>)],
    kind: Kind,
    help: &'a str,
    unit: &'a str,
}

impl<'a, E> Batches<'a, E> {
    /// Hands batches to `append`.
    pub fn new(append: &'a mut dyn FnMut(&WriteBatch) -> Result<Outcome, E>) -> Self {
        Self {
            append,
            batch: WriteBatch::new(),
            lines: Vec::new(),
            report: Report {
                unit: "line",
                only_over_limit: true,
                ..Report::default()
            },
            failed: None,
            builder: LabelsBuilder::new(),
            is_refused: false,
        }
    }

    /// Whether nothing more is wanted.
    pub fn is_over(&self) -> bool {
        self.failed.is_some()
    }

    /// Hands over what is left.
    pub fn finish(mut self) -> (Report, Option<E>) {
        self.flush();
        (self.report, self.failed)
    }

    /// Says what `number`s of lines count, when it is not lines.
    pub fn count_items(&mut self) {
        self.report.unit = "metric";
    }

    /// Notes something that is not in its place at all.
    pub fn refuse(&mut self, number: u64, rule: Refusal, message: &str) {
        self.report.lines += 1;
        // In the order of their lines, as far as that is cheap.
        if self.report.listed.len() < limits::ERRORS_LISTED {
            self.flush();
        }
        self.report.refuse(number, rule, message);
    }

    /// Adds a line.
    pub fn line(&mut self, number: u64, line: &Line<'_>) {
        self.report.lines += 1;
        let series = Series {
            name: &line.name,
            labels: &line.labels,
            kind: line.kind,
            help: &line.help,
            unit: &line.unit,
        };
        if let Some(wrong) = &line.left_out {
            self.report.refuse(number, Refusal::Malformed, wrong);
        }
        self.is_refused = line.left_out.is_some();
        let added = match &line.content {
            Content::Samples(columns) => self.samples(number, &series, columns.iter()),
            Content::Rollups(resolution, rows) => {
                self.report.rows += rows.len() as u64;
                let samples = rows.iter().flat_map(|row| ends(*resolution, row));
                self.samples(number, &series, samples)
            }
        };
        let is_said = std::mem::take(&mut self.is_refused);
        if let Err(refused) = added
            && !is_said
        {
            self.report.refuse(number, refused.rule, &refused.message);
        }
    }

    /// Adds a row of a table.
    pub fn row(&mut self, number: u64, row: &Row<'_>) {
        self.report.lines += 1;
        self.report.rows += u64::from(row.resolution != Resolution::Raw);
        let series = Series {
            name: row.name,
            labels: &row.labels,
            kind: row.kind,
            help: "",
            unit: "",
        };
        if let Err(refused) = self.samples(number, &series, [row.sample]) {
            self.report.refuse(number, refused.rule, &refused.message);
        }
    }

    /// Adds an item of the original.
    pub fn item(&mut self, number: u64, item: &Item<'_>) {
        self.report.lines += 1;
        let series = Series {
            name: &item.name,
            labels: &item.labels,
            kind: item.kind,
            help: "",
            unit: "",
        };
        if let Err(refused) = self.samples(number, &series, [item.sample]) {
            self.report.refuse(number, refused.rule, &refused.message);
        }
    }

    /// An error is of the labels, so nothing of them is in the batch then.
    fn samples(
        &mut self,
        number: u64,
        series: &Series<'_>,
        samples: impl IntoIterator<Item = Sample>,
    ) -> Result<(), Refused> {
        let mut is_in_batch = false;
        for sample in samples {
            if self.batch.len() >= limits::IMPORT_BATCH_SAMPLES {
                self.flush();
                is_in_batch = false;
            }
            if self.failed.is_some() {
                return Ok(());
            }
            let item = self.batch.len() as u32;
            if is_in_batch {
                self.batch.push_next(item, sample);
            } else {
                self.begin(item, series, sample)?;
                // With a sample of the series: what is said of a metric that is not there is not kept.
                self.describe(series);
                self.lines.push(Begun {
                    item,
                    number,
                    is_refused: self.is_refused,
                });
                is_in_batch = true;
            }
        }
        Ok(())
    }

    fn begin(&mut self, item: u32, series: &Series<'_>, sample: Sample) -> Result<(), Refused> {
        let mut builder = std::mem::take(&mut self.builder).recycle();
        builder.begin(series.name);
        for (name, value) in series.labels {
            builder.push(name, value);
        }
        let pushed = self
            .batch
            .push(item, &mut builder, series.kind, sample, None);
        self.builder = builder.recycle();
        pushed
    }

    fn describe(&mut self, series: &Series<'_>) {
        let Series {
            name, help, unit, ..
        } = *series;
        let said = self.batch.metadata().last();
        let is_said = said.is_some_and(|last| last.0 == name && last.1 == unit && last.2 == help);
        if !is_said && (!unit.is_empty() || !help.is_empty()) {
            self.batch.describe(name, unit, help);
        }
    }

    fn flush(&mut self) {
        if self.batch.is_empty() || self.failed.is_some() {
            return;
        }
        match (self.append)(&self.batch) {
            Ok(outcome) => self.note(outcome),
            Err(error) => self.failed = Some(error),
        }
        self.batch.clear();
        self.lines.clear();
    }

    fn note(&mut self, mut outcome: Outcome) {
        self.report.stored += outcome.stored;
        self.report.batches += 1;
        for one in &outcome.refused {
            let after = self.lines.partition_point(|begun| begun.item <= one.item);
            let begun = self.lines.get(after.wrapping_sub(1));
            if begun.is_none_or(|begun| !begun.is_refused) {
                let number = begun.map_or(0, |begun| begun.number);
                self.report.refuse(number, one.rule, &one.message);
            }
        }
        outcome.refused.sort_unstable_by_key(|one| one.item);
        let refused = |item| outcome.refused.binary_search_by_key(&item, |one| one.item);
        let rows = self.batch.rows().iter();
        for row in rows.filter(|row| refused(row.item).is_err()) {
            let at_ms = row.sample.time_ms;
            let (first, last) = self.report.times.unwrap_or((at_ms, at_ms));
            self.report.times = Some((first.min(at_ms), last.max(at_ms)));
        }
    }
}

/// The samples that are left of a row.
fn ends(resolution: Resolution, row: &Rollup) -> impl Iterator<Item = Sample> + use<> {
    let has = row.count > 0;
    let first = (has && row.first.time_ms < row.last.time_ms).then_some(row.first);
    let last = has.then_some(row.last);
    // The marker stands somewhere behind the last sample, and still in the window.
    let end_ms = row.start_ms.saturating_add(resolution.width_ms() - 1);
    let ended_ms = if has {
        row.last.time_ms.saturating_add(1).min(end_ms)
    } else {
        row.start_ms
    };
    let marker = Sample::new(ended_ms, stale_marker());
    let is_free = last.is_none_or(|last| last.time_ms < ended_ms);
    let ended = (row.ended && is_free).then_some(marker);
    [first, last, ended].into_iter().flatten()
}
