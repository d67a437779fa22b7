//! Run: a script against an evaluator, and how far what comes out is what was expected.
//!
//!   script ─▶ [run] ─▶ [Backend]: the crate itself, or a server ─▶ [Report]

use std::collections::{BTreeMap, BTreeSet};

use tinyobs_model::{Labels, Sample};
use tinyobs_promql::{AnswerValue, SeriesPoints};

use super::script::{Command, Eval, Load, commands};

/// What is asked and what is known of it.
pub trait Backend {
    /// Forgets everything.
    fn clear(&mut self);
    /// Takes a sample.
    fn insert(&mut self, labels: &Labels, time_ms: i64, value: f64);
    /// Drops metric names at once, or at the end, if there is a choice.
    fn late_names(&mut self, late: bool);
    /// The answer, or why there is none.
    fn ask(&mut self, question: &Question<'_>) -> Result<Answered, String>;
}

/// A query.
pub struct Question<'a> {
    pub text: &'a str,
    pub start_ms: i64,
    pub end_ms: i64,
    /// 0 for an instant query.
    pub step_ms: i64,
}

/// What it comes to.
#[derive(Debug)]
pub struct Answered {
    pub value: AnswerValue,
    pub warnings: Vec<String>,
    pub infos: Vec<String>,
}

/// What became of the queries of a script.
#[derive(Debug, Default)]
pub struct Report {
    pub passed: usize,
    /// Those of `passed` that need metric names to be dropped late.
    pub delayed: Vec<String>,
    /// Not asked: native histograms.
    pub native: usize,
    /// Not asked: start timestamps.
    pub start_timestamps: usize,
    /// Instant queries that say the same as part of a range query.
    pub ranges: usize,
    pub failures: Vec<String>,
    /// Right values, wrong warnings or infos.
    pub annotations: Vec<String>,
    /// How many passed and how many did not, by what they need.
    pub categories: BTreeMap<&'static str, (usize, usize)>,
}

/// What the queries meet.
struct World<'a> {
    backend: &'a mut dyn Backend,
    native: BTreeSet<String>,
    start_timestamps: bool,
}

pub fn run(name: &str, text: &str, backend: &mut dyn Backend) -> Report {
    backend.clear();
    let mut report = Report::default();
    let mut world = World {
        backend,
        native: BTreeSet::new(),
        start_timestamps: false,
    };
    for command in commands(text) {
        match command {
            Command::Clear => {
                world.backend.clear();
                world.native.clear();
                world.start_timestamps = false;
            }
            Command::Load(load) => world.load(&load),
            Command::Eval(eval) => world.eval(name, &eval, &mut report),
        }
    }
    report
}

impl World<'_> {
    fn load(&mut self, load: &Load) {
        self.start_timestamps |= load.start_timestamps;
        for row in &load.series {
            let name = row.labels.metric_name();
            if row.native {
                self.native.insert(name.to_owned());
            }
            if load.makes_native {
                let ends = ["_bucket", "_count", "_sum"];
                let base = ends.iter().find_map(|end| name.strip_suffix(end));
                self.native.extend(base.map(str::to_owned));
            }
            for (i, value) in row.values.iter().enumerate() {
                if let Some(value) = value {
                    let time_ms = load.gap_ms * i as i64;
                    self.backend.insert(&row.labels, time_ms, *value);
                }
            }
        }
    }

    fn eval(&mut self, name: &str, eval: &Eval, report: &mut Report) {
        if self.start_timestamps || eval.text.contains("start_timestamp") {
            report.start_timestamps += 1;
            return;
        }
        if self.is_native(eval) {
            report.native += 1;
            return;
        }
        let place = format!("{name}:{}: {}", eval.line, eval.text);
        let first = self.outcome(eval, false);
        let outcome = match first {
            Ok(()) => Ok(()),
            Err(reason) => match self.outcome(eval, true) {
                Ok(()) => {
                    report.delayed.push(format!("{place}\n    {reason}"));
                    Ok(())
                }
                Err(_) => Err(reason),
            },
        };
        let (passed, failed) = report.categories.entry(eval.category()).or_default();
        match &outcome {
            Err(reason) if !reason.starts_with("annotations") => *failed += 1,
            _ => *passed += 1,
        }
        match outcome {
            Ok(()) => report.passed += 1,
            Err(reason) if reason.starts_with("annotations") => {
                report.passed += 1;
                report.annotations.push(format!("{place}\n    {reason}"));
            }
            Err(reason) => report.failures.push(format!("{place}\n    {reason}")),
        }
        // Other queries have other values of these.
        let own = ["range()", "step()"]
            .iter()
            .any(|of| eval.text.contains(of));
        if own || eval.is_range || eval.range_vector || eval.fails || eval.string.is_some() {
            return;
        }
        match self
            .as_range(eval, false)
            .or_else(|_| self.as_range(eval, true))
        {
            Ok(()) => report.ranges += 1,
            Err(reason) => report
                .failures
                .push(format!("{place}\n    as a range: {reason}")),
        }
    }

    /// Whether native histograms go in or come out.
    fn is_native(&self, eval: &Eval) -> bool {
        let made = [
            "histogram_count(",
            "histogram_sum(",
            "histogram_avg(",
            "histogram_std",
        ];
        let is_word = |c: char| c.is_alphanumeric() || "_:.".contains(c);
        let mut words = eval.text.split(|c: char| !is_word(c));
        let bare = ["({", "{__name__"]
            .iter()
            .any(|start| eval.text.contains(start))
            || eval.text.starts_with('{');
        eval.rows.iter().any(|row| row.native)
            || made.iter().any(|name| eval.text.contains(name))
            || words.any(|word| self.native.contains(word))
            || bare && !self.native.is_empty()
    }

    fn outcome(&mut self, eval: &Eval, delayed_names: bool) -> Result<(), String> {
        self.backend.late_names(delayed_names);
        let answer = self.backend.ask(&Question {
            text: &eval.text,
            start_ms: if eval.is_range {
                eval.start_ms
            } else {
                eval.end_ms
            },
            end_ms: eval.end_ms,
            step_ms: if eval.is_range { eval.step_ms } else { 0 },
        });
        match (answer, eval.fails) {
            (Err(_), true) => Ok(()),
            (Err(reason), false) => Err(reason),
            (Ok(answer), true) => Err(format!("expected a failure, got {:?}", answer.value)),
            (Ok(answer), false) => {
                compare(eval, &answer.value)?;
                annotated(eval, &answer)
            }
        }
    }

    /// The same as the middle of a range query.
    fn as_range(&mut self, eval: &Eval, delayed_names: bool) -> Result<(), String> {
        let (at, minute) = (eval.end_ms, 60_000);
        self.backend.late_names(delayed_names);
        let answer = self.backend.ask(&Question {
            text: &eval.text,
            start_ms: at - minute,
            end_ms: at + minute,
            step_ms: minute,
        })?;
        let AnswerValue::Matrix(series) = answer.value else {
            return Err("no matrix".to_owned());
        };
        let middle = |one: SeriesPoints| SeriesPoints {
            points: one.points.into_iter().filter(|p| p.time_ms == at).collect(),
            ..one
        };
        let all = series.into_iter().map(middle);
        let there: Vec<SeriesPoints> = all.filter(|one| !one.points.is_empty()).collect();
        if let Some(scalar) = eval.scalar {
            let found = there.first().map_or(f64::NAN, |one| one.points[0].value);
            return same(scalar, found);
        }
        vector(eval, &there, false)
    }
}

fn compare(eval: &Eval, value: &AnswerValue) -> Result<(), String> {
    match (value, eval.scalar, &eval.string) {
        (AnswerValue::Scalar(found), Some(scalar), _) => same(scalar, found.value),
        (AnswerValue::String(found), _, Some(text)) if found == text => Ok(()),
        (AnswerValue::Vector(series), None, None) if !eval.range_vector => {
            vector(eval, series, eval.ordered)
        }
        (AnswerValue::Matrix(series), None, None) => matrix(eval, series),
        _ => Err(format!("another type: {value:?}")),
    }
}

fn same(expected: f64, found: f64) -> Result<(), String> {
    if almost(expected, found) {
        return Ok(());
    }
    Err(format!("expected {expected}, found {found}"))
}

fn vector(eval: &Eval, series: &[SeriesPoints], ordered: bool) -> Result<(), String> {
    let expected: Vec<(&Labels, Vec<Option<f64>>)> = eval
        .rows
        .iter()
        .map(|row| (&row.labels, row.values.clone()))
        .collect();
    let found: Vec<(&Labels, Vec<Option<f64>>)> = series
        .iter()
        .map(|one| {
            (
                &one.labels,
                one.points.iter().map(|p| Some(p.value)).collect(),
            )
        })
        .collect();
    if ordered {
        let order = |list: &[(&Labels, Vec<Option<f64>>)]| -> Vec<String> {
            list.iter().map(|(labels, _)| labels.to_string()).collect()
        };
        if order(&expected) != order(&found) {
            return Err(format!("another order: {:?}", order(&found)));
        }
    }
    all_same(&expected, found)
}

fn matrix(eval: &Eval, series: &[SeriesPoints]) -> Result<(), String> {
    if !series.is_sorted_by(|a, b| a.labels < b.labels) {
        return Err("not in the order of labels".to_owned());
    }
    let expected = eval
        .rows
        .iter()
        .map(|row| (&row.labels, row.values.clone()));
    let steps = (eval.end_ms - eval.start_ms) / eval.step_ms + 1;
    let filled = expected.map(|(labels, mut values)| {
        values.resize(steps as usize, None);
        (labels, values)
    });
    let mut found = Vec::new();
    for one in series {
        let mut values = vec![None; steps as usize];
        for &Sample { time_ms, value } in &one.points {
            let step = (time_ms - eval.start_ms) / eval.step_ms;
            match values.get_mut(step as usize) {
                Some(place) => *place = Some(value),
                None => return Err(format!("a sample at {time_ms}")),
            }
        }
        found.push((&one.labels, values));
    }
    all_same(&filled.collect::<Vec<_>>(), found)
}

fn all_same(
    expected: &[(&Labels, Vec<Option<f64>>)],
    found: Vec<(&Labels, Vec<Option<f64>>)>,
) -> Result<(), String> {
    let count = found.len();
    let found: BTreeMap<&Labels, Vec<Option<f64>>> = found.into_iter().collect();
    if found.len() != count {
        return Err("the same labels twice".to_owned());
    }
    let is_same = |a: &[Option<f64>], b: &[Option<f64>]| {
        a.len() == b.len()
            && a.iter().zip(b).all(|pair| match pair {
                (Some(a), Some(b)) => almost(*a, *b),
                (a, b) => a.is_none() && b.is_none(),
            })
    };
    let all = expected.len() == found.len()
        && expected
            .iter()
            .all(|(labels, values)| found.get(labels).is_some_and(|f| is_same(values, f)));
    if all {
        return Ok(());
    }
    Err(format!("expected {expected:?}\n    found    {found:?}"))
}

fn annotated(eval: &Eval, answer: &Answered) -> Result<(), String> {
    for kind in &eval.annotations {
        let right = match kind.as_str() {
            "warn" => !answer.warnings.is_empty(),
            "no_warn" => answer.warnings.is_empty(),
            "info" => !answer.infos.is_empty(),
            "no_info" => answer.infos.is_empty(),
            _ => true,
        };
        if !right {
            let (warnings, infos) = (&answer.warnings, &answer.infos);
            return Err(format!(
                "annotations: expected {kind}: {warnings:?} {infos:?}"
            ));
        }
    }
    Ok(())
}

/// Within a millionth, as promqltest has it.
fn almost(a: f64, b: f64) -> bool {
    if a == b || a.is_nan() && b.is_nan() {
        return true;
    }
    if !a.is_finite() || !b.is_finite() {
        return false;
    }
    let (sum, difference) = (a.abs() + b.abs(), (a - b).abs());
    if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < 1e-6 * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < 1e-6
}
