//! World: the same samples in two stores, one of which has only rollups of the first day.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tinyobs_model::{Kind, LabelsBuilder, Sample, WriteBatch};
use tinyobs_promql::{Answer, AnswerValue, Control, EvalError, Query, evaluate, parse};
use tinyobs_store::{Clock, Retention, Store, StoreOptions};

pub const MINUTE: i64 = 60_000;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;
/// Midnight of a day that begins partitions of all widths.
pub const START: i64 = 20_400 * DAY;
/// From here on there are samples.
pub const BORDER: i64 = START + DAY;

struct At(AtomicI64);

impl Clock for At {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// A series: its label `l`, what it is, and its samples.
#[derive(Debug, Clone)]
pub struct Line {
    pub label: &'static str,
    pub kind: Kind,
    pub samples: Vec<Sample>,
}

/// Two stores.
pub struct World {
    /// Has every sample.
    pub raw: Store,
    /// Has the samples from [`BORDER`] on, and rollups.
    pub rolled: Store,
}

impl World {
    /// With samples of the first day and of what follows it.
    pub fn of(lines: &[Line]) -> Self {
        let raw = store(lines, Retention::FOR_EVER);
        let rolled = store(
            lines,
            Retention {
                raw_ms: DAY,
                ..Retention::FOR_EVER
            },
        );
        Self { raw, rolled }
    }

    /// With rollups of hours alone on the first day.
    pub fn of_hours(lines: &[Line]) -> Self {
        let retention = Retention {
            raw_ms: DAY,
            five_minutes_ms: DAY,
            hour_ms: 0,
        };
        let (raw, rolled) = (store(lines, Retention::FOR_EVER), store(lines, retention));
        Self { raw, rolled }
    }
}

fn store(lines: &[Line], retention: Retention) -> Store {
    let clock = Arc::new(At(BORDER.into()));
    let options = StoreOptions {
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        retention,
        ..StoreOptions::memory()
    };
    let store = Store::open(options).expect("opens");
    // What lies further ahead would be refused, and nobody asks for it.
    for (from, to) in [(i64::MIN, BORDER), (BORDER, BORDER + DAY)] {
        let mut batch = WriteBatch::new();
        let mut labels = LabelsBuilder::new();
        for line in lines {
            let some = line.samples.iter().enumerate();
            for (item, &sample) in some.filter(|(_, it)| (from..to).contains(&it.time_ms)) {
                // What is known of a metric is known of all its series.
                let is_gauge = line.kind == Kind::Gauge;
                labels.begin(if is_gauge { "g" } else { "m_total" });
                labels.push("l", line.label);
                batch
                    .push(item as u32, &mut labels, line.kind, sample, None)
                    .expect("valid");
            }
        }
        let appended = store.append(&batch).expect("appends");
        assert_eq!(appended.refused.len(), 0, "{:?}", appended.refused.first());
        clock.0.store(BORDER + DAY, Ordering::SeqCst);
    }
    store.maintain().expect("maintains");
    // The partitions of five minutes are wider than a day.
    if retention.five_minutes_ms == DAY {
        clock.0.store(BORDER + 20 * DAY, Ordering::SeqCst);
        store.maintain().expect("maintains");
    }
    store
}

/// Every `step_ms` from `start_ms` to `end_ms`.
pub fn range(
    store: &Store,
    text: &str,
    (start_ms, end_ms, step_ms): (i64, i64, i64),
) -> Result<Answer, EvalError> {
    let expr = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let query = Query::range(&expr, text, start_ms, end_ms, step_ms);
    evaluate(&query, store, &Control::new())
}

/// Label `l`, time and bits of every point.
pub fn points(answer: &Answer) -> Vec<(String, i64, f64)> {
    let AnswerValue::Matrix(series) = &answer.value else {
        panic!("{:?}", answer.value);
    };
    let of = |one: &tinyobs_promql::SeriesPoints| {
        let label = one.labels.get("l").unwrap_or("").to_owned();
        let points = one.points.iter();
        let points = points.map(move |point| (label.clone(), point.time_ms, point.value));
        points.collect::<Vec<_>>()
    };
    series.iter().flat_map(of).collect()
}
