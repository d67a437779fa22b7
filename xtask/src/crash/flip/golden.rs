//! Golden: a store with every kind of file in it, and all that it answers.
//!
//!   write ─▶ stop ─▶ write again ─▶ (maintain) ─▶ stop ─▶ overwrite ─▶ stop ─▶ write ─▶ kill ─▶ ask
//!
//! The days in it are written in several lives, so that each has tables of several ages, and some
//! samples are overwritten in a later life: a table that goes missing must not bring the old value
//! back. The last life is killed, so that the log has content; where each of its batches lies in
//! the log is noted.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tinyobs_testing::{Answer, Around, Server, Start, Started};

use super::super::maintenance::Maintenance;
use super::super::random::now_ms;
use super::super::verify::parse_ms;

pub const DAY_MS: i64 = 86_400_000;
const DAYS: i64 = 4;
const SERIES: u64 = 24;
/// Series from here on get nothing after maintenance, so that their rollups answer.
const ROLLED: u64 = 16;
const SAMPLES: i64 = 120;

/// What can be asked: the samples of a series on a day, a chart, or something about all of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Question {
    /// Label `at` of the series, and the day's start.
    Samples(String, i64),
    /// Metric and points.
    Chart(&'static str, u32),
    /// A path.
    About(&'static str),
}

/// A stretch of the log's only segment that holds one batch.
pub struct Stretch {
    pub from: u64,
    pub to: u64,
    /// Series that have samples in it, so also those that it defines.
    pub series: HashSet<String>,
}

/// The store and its answers.
pub struct Golden {
    pub dir: PathBuf,
    pub answers: BTreeMap<Question, Value>,
    pub log: Vec<Stretch>,
    /// Values that were overwritten, by series and time.
    pub older: HashMap<(String, i64), Vec<f64>>,
    pub maintenance: Maintenance,
    first_day_ms: i64,
}

impl Golden {
    /// Makes the store in `dir`.
    pub fn make(binary: &Path, dir: &Path) -> Result<Self> {
        let start = start_of(binary, dir);
        let first_day_ms = (now_ms() / DAY_MS - DAYS) * DAY_MS;
        let mut golden = Self {
            dir: dir.to_path_buf(),
            answers: BTreeMap::new(),
            log: Vec::new(),
            older: HashMap::new(),
            maintenance: Maintenance::NotYet,
            first_day_ms,
        };
        let mut held = HashMap::new();
        let server = launch(&start)?;
        golden.write_days(&server, &mut held, 0, 0..SERIES, 0..DAYS)?;
        stop(server)?;
        let server = launch(&start)?;
        golden.write_days(&server, &mut held, 1, 0..SERIES / 2, 0..DAYS)?;
        golden.maintenance = Maintenance::of(&server)?;
        stop(server)?;
        let server = launch(&start)?;
        // From its earliest sample on, samples answer for all series; before it, rollups do.
        golden.write_days(&server, &mut held, 2, 0..SERIES / 3, DAYS / 2..DAYS)?;
        stop(server)?;
        let server = launch(&start)?;
        golden.write_log(&server, &mut held)?;
        server.kill()?;
        let server = launch(&start_of(binary, &super::copy(dir, "asked")?))?;
        for question in golden.questions() {
            let answer = server.ask(&golden.path(&question))?;
            ensure!(answer.status == 200, "{question:?}: {}", answer.text());
            golden.answers.insert(question, normal(&answer)?);
        }
        golden.check(&held)?;
        Ok(golden)
    }

    /// Everything that is compared. All times are fixed: a flip's answers come later.
    pub fn questions(&self) -> Vec<Question> {
        let mut questions = Vec::new();
        for series in 0..SERIES + 4 {
            for day in 0..DAYS {
                questions.push(Question::Samples(
                    label(series),
                    self.first_day_ms + day * DAY_MS,
                ));
            }
        }
        // A step of 2 h, 12 min and 3 min: answered from 1 h, 5 min and samples.
        for points in [4, 48, 480, 1_920] {
            questions.push(Question::Chart("flip_gauge", points));
            questions.push(Question::Chart("flip_total", points));
        }
        let about = ["/v1/stats", "/v1/series", "/v1/metrics/list"];
        questions.extend(about.map(Question::About));
        questions
    }

    /// The path that asks it.
    pub fn path(&self, question: &Question) -> String {
        let day = self.first_day_ms;
        match question {
            Question::Samples(at, day) => format!(
                "/v1/query?match[]=%7Bat%3D%22{at}%22%7D&start={day}&end={}&limit=100000",
                day + DAY_MS - 1
            ),
            Question::Chart(metric, points) => format!(
                "/v1/query/range?metric={metric}&start={day}&end={}&maxPoints={points}",
                day + DAYS * DAY_MS - 1
            ),
            Question::About(path) => (*path).to_owned(),
        }
    }

    /// The same samples again and others beside them: a part of what `life` 0 wrote is overwritten.
    fn write_days(
        &mut self,
        server: &Server,
        held: &mut Held,
        life: i64,
        series: Range<u64>,
        days: Range<i64>,
    ) -> Result<()> {
        for day in days {
            let from_ms = self.first_day_ms + day * DAY_MS;
            let mut batch = Batch::default();
            for series in series.clone() {
                for i in 0..SAMPLES {
                    // Every third sample of a later life lies where an earlier one does.
                    let shift = if i % 3 == 0 { 0 } else { life * 1_000 };
                    let time_ms = from_ms + i * 600_000 + shift + series as i64;
                    let value = (life * 1_000_000 + day * 100_000) as f64
                        + series as f64 * 1_000.0
                        + i as f64 * 1.25;
                    batch.push(series, time_ms, value);
                }
            }
            self.note(held, &batch);
            batch.send(server)?;
        }
        Ok(())
    }

    /// Small batches, of which each one's place in the log is noted; four series are new.
    fn write_log(&mut self, server: &Server, held: &mut Held) -> Result<()> {
        for number in 0..40_u64 {
            let mut batch = Batch::default();
            let new = SERIES + number / 10;
            for series in [new, number % ROLLED, (number * 7 + 3) % ROLLED] {
                let day_ms = self.first_day_ms + (number % DAYS as u64) as i64 * DAY_MS;
                for i in 0..8_i64 {
                    let time_ms = day_ms + (number as i64 * 8 + i) * 60_000 + series as i64 + 7;
                    batch.push(series, time_ms, 9e6 + (number * 100) as f64 + i as f64);
                }
            }
            self.note(held, &batch);
            let from = log_bytes(&self.dir)?;
            batch.send(server)?;
            self.log.push(Stretch {
                from,
                to: log_bytes(&self.dir)?,
                series: batch.series,
            });
        }
        Ok(())
    }

    fn note(&mut self, held: &mut Held, batch: &Batch) {
        for (place, value) in &batch.samples {
            if let Some(old) = held.insert(place.clone(), *value) {
                self.older.entry(place.clone()).or_default().push(old);
            }
        }
    }

    /// The golden answers are right themselves, and come from every kind of table.
    fn check(&self, held: &Held) -> Result<()> {
        let charts = self.answers.iter();
        let charts = charts.filter(|(question, _)| matches!(question, Question::Chart(..)));
        let used: HashSet<&str> = charts
            .filter_map(|(_, answer)| answer["data"].as_array())
            .flatten()
            .filter_map(|line| line["resolution"].as_str())
            .collect();
        ensure!(
            self.maintenance == Maintenance::NotYet || used.len() == 3,
            "the charts come from {used:?} only"
        );
        let mut answered = HashMap::new();
        for (question, answer) in &self.answers {
            if let Question::Samples(at, _) = question {
                for (time_ms, value) in rows(answer)? {
                    answered.insert((at.clone(), time_ms), value);
                }
            }
        }
        ensure!(
            &answered == held,
            "the undamaged store does not hold what was written: {} of {} samples",
            answered.len(),
            held.len()
        );
        Ok(())
    }
}

type Held = HashMap<(String, i64), f64>;

/// An answer without what changes from start to start.
pub fn normal(answer: &Answer) -> Result<Value> {
    let mut value = answer.json()?;
    if let Some(fields) = value.as_object_mut() {
        fields.remove("SizeBytes");
        fields.remove("Clients");
        // What an answer says of its own gaps is no gap.
        fields.remove("warnings");
        if let Some(series) = fields.get_mut("series").and_then(Value::as_array_mut) {
            for one in series.iter_mut().filter_map(Value::as_object_mut) {
                one.remove("last");
            }
        }
    }
    Ok(value)
}

/// Times and values of an answer of samples.
pub fn rows(answer: &Value) -> Result<BTreeMap<i64, f64>> {
    let rows = answer["metrics"].as_array().context("a list of samples")?;
    let row = |row: &Value| {
        let time = row["timestamp"].as_str().unwrap_or_default();
        Ok((parse_ms(time)?, row["value"].as_f64().unwrap_or(f64::NAN)))
    };
    let map: BTreeMap<i64, f64> = rows.iter().map(row).collect::<Result<_>>()?;
    ensure!(map.len() == rows.len(), "a time of a series is there twice");
    Ok(map)
}

/// How a store is started in this test.
pub fn start_of(binary: &Path, dir: &Path) -> Start {
    Start {
        binary: binary.to_path_buf(),
        data_dir: dir.to_path_buf(),
        args: Vec::new(),
    }
}

/// Its log goes to a file: nobody wants to read it when all is well.
fn launch(start: &Start) -> Result<Server> {
    let log = start.data_dir.with_extension("log");
    let around = Around {
        log: Some(log.clone()),
        ..Around::default()
    };
    match Server::start_in(start, &around)? {
        Started::Ready(server) => Ok(server),
        Started::Ended(status) => bail!("{status}: {}", fs::read_to_string(log)?),
    }
}

fn label(series: u64) -> String {
    format!("s{series:02}")
}

#[derive(Default)]
struct Batch {
    items: String,
    samples: Vec<((String, i64), f64)>,
    series: HashSet<String>,
}

impl Batch {
    fn push(&mut self, series: u64, time_ms: i64, value: f64) {
        let at = label(series);
        let (name, kind) = if series.is_multiple_of(2) {
            ("flip_gauge", "gauge")
        } else {
            ("flip_total", "counter")
        };
        let item = json!({
            "name": name, "type": kind, "value": value, "labels": {"at": at}, "timestamp": time_ms
        });
        let comma = if self.items.is_empty() { "" } else { "," };
        write!(self.items, "{comma}{item}").expect("writing to a string does not fail");
        self.samples.push(((at.clone(), time_ms), value));
        self.series.insert(at);
    }

    fn send(&self, server: &Server) -> Result<()> {
        let body = format!("{{\"metrics\":[{}]}}", self.items);
        let answer = server.post("/v1/ingest", &body)?;
        ensure!(answer.status == 200, "ingest: {}", answer.text());
        let stored = answer.json()?["count"].as_u64();
        ensure!(
            stored == Some(self.samples.len() as u64),
            "not all was stored: {}",
            answer.text()
        );
        Ok(())
    }
}

/// Bytes of the newest segment of the log.
fn log_bytes(dir: &Path) -> Result<u64> {
    let files = fs::read_dir(dir.join("wal"))?;
    let mut paths: Vec<PathBuf> = files.map(|f| Ok(f?.path())).collect::<Result<_>>()?;
    paths.sort();
    let newest = paths.last().context("a log")?;
    Ok(fs::metadata(newest)?.len())
}

fn stop(server: Server) -> Result<()> {
    let status = server.stop()?;
    ensure!(status.success(), "a clean stop ended with {status}");
    Ok(())
}
