//! Threads: an answer, and an error, does not depend on how many work on it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tinyobs_model::{
    Columns, Labels, Matcher, SelectError, SeriesCursor, SeriesSource, TimeRange, stale_marker,
};
use tinyobs_promql::{Answer, Control, EvalError, Query, evaluate, parse};

#[path = "scripts/memory.rs"]
mod memory;

use memory::Memory;

const MINUTE: i64 = 60_000;
const SERIES: usize = 1_000;

fn many() -> Memory {
    let mut memory = Memory::default();
    for n in 0..SERIES {
        let (number, group) = (n.to_string(), (n % 7).to_string());
        let labels = [("__name__", "x_total"), ("n", &number), ("g", &group)];
        let labels = Labels::of_pairs(labels);
        for minute in 0..20 {
            // Of different sizes, so that the order of adding up shows.
            let value = match (n + minute) % 50 {
                0 => stale_marker(),
                1 => 1e17,
                k => 0.1 * (k * (n + 1)) as f64,
            };
            memory.insert(&labels, minute as i64 * MINUTE, value);
        }
    }
    memory
}

fn ask(source: &dyn SeriesSource, text: &str, threads: usize) -> Result<Answer, EvalError> {
    let expr = parse(text).expect("a query");
    let mut query = Query::range(&expr, text, 0, 20 * MINUTE, 90_000);
    query.threads = threads;
    evaluate(&query, source, &Control::new())
}

fn bits(answer: &Answer) -> String {
    // Every digit of a float is printed, so equal texts are equal bits but for kinds of NaN.
    format!(
        "{:?} {:?} {:?}",
        answer.value, answer.warnings, answer.infos
    )
}

#[test]
fn i_spread_1_an_answer_is_the_same_for_any_number_of_threads() {
    let memory = many();
    for text in [
        "x_total",
        "sum(x_total)",
        "avg by (g) (rate(x_total[5m]))",
        "stddev without (n) (x_total)",
        "topk(3, sum_over_time(x_total[4m]))",
        "quantile by (g) (0.3, x_total)",
        "max_over_time(rate(x_total[3m])[6m:1m])",
        "absent_over_time(x_total[1m])",
        "count_values(\"v\", x_total > 60)",
        "quantile_over_time(2, x_total[5m])",
        "sum(increase(x_total[3m] offset 1m)) / count(x_total)",
    ] {
        let alone = ask(&memory, text, 1).expect("an answer");
        for threads in [2, 3, 8] {
            let together = ask(&memory, text, threads).expect("an answer");
            assert_eq!(bits(&together), bits(&alone), "{text}, {threads} threads");
            assert_eq!(together.stats.samples, alone.stats.samples);
            assert_eq!(together.stats.series, alone.stats.series);
        }
    }
}

#[test]
fn i_meter_1_a_budget_is_that_of_all_threads_together() {
    let memory = many();
    let expr = parse("sum(x_total)").expect("a query");
    let mut query = Query::range(&expr, "sum(x_total)", 0, 20 * MINUTE, MINUTE);
    for threads in [1, 2, 8] {
        query.threads = threads;
        query.budget.samples = 20 * SERIES as u64;
        assert!(evaluate(&query, &memory, &Control::new()).is_ok());
        query.budget.samples -= 1;
        let error = evaluate(&query, &memory, &Control::new()).expect_err("too much");
        assert!(matches!(error, EvalError::TooManySamples { .. }), "{error}");
    }
}

#[test]
fn sums_of_many_series_hold_few_of_them() {
    let memory = many();
    let expr = parse("sum(rate(x_total[5m]))").expect("a query");
    let mut query = Query::range(&expr, "", 0, 20 * MINUTE, 1_000);
    query.threads = 1;
    let one_by_one = evaluate(&query, &memory, &Control::new()).expect("an answer");
    // 1,200 steps of eight bytes, of 1,000 series.
    let most = one_by_one.stats.bytes_max;
    assert!(most < 1_200 * 8 * 20, "{most}");
}

/// Fails at the series of one place; counts the cursors that were read.
struct Breaking {
    memory: Memory,
    at: Vec<usize>,
    read: AtomicUsize,
}

struct Broken<'a> {
    labels: Labels,
    place: usize,
    source: &'a Breaking,
}

impl SeriesCursor for Broken<'_> {
    fn labels(&self) -> &Labels {
        &self.labels
    }

    fn next_block(&mut self, out: &mut Columns) -> Result<bool, SelectError> {
        out.clear();
        self.source.read.fetch_add(1, Ordering::SeqCst);
        if self.source.at.contains(&self.place) {
            let message = format!("series {} is broken", self.place);
            return Err(SelectError { message });
        }
        Ok(false)
    }
}

impl Breaking {
    fn cursors(&self, matchers: &[Matcher], range: TimeRange) -> Vec<Labels> {
        let cursors = self.memory.select(matchers, range).expect("selects");
        cursors
            .iter()
            .map(|cursor| cursor.labels().clone())
            .collect()
    }
}

impl SeriesSource for &'static Breaking {
    fn select(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
    ) -> Result<Vec<Box<dyn SeriesCursor>>, SelectError> {
        let labels = self.cursors(matchers, range).into_iter().enumerate();
        let cursor = |(place, labels)| -> Box<dyn SeriesCursor> {
            let source = *self;
            Box::new(Broken {
                labels,
                place,
                source,
            })
        };
        Ok(labels.map(cursor).collect())
    }
}

#[test]
fn i_spread_1_of_several_errors_the_first_series_is_told() {
    let breaking: &'static Breaking = Box::leak(Box::new(Breaking {
        memory: many(),
        at: vec![400, 401, 700, 999],
        read: AtomicUsize::new(0),
    }));
    for threads in [1, 2, 8] {
        breaking.read.store(0, Ordering::SeqCst);
        let error = ask(&breaking, "sum(x_total)", threads).expect_err("broken");
        assert_eq!(
            error.to_string(),
            "series 400 is broken",
            "{threads} threads"
        );
        let read = breaking.read.load(Ordering::SeqCst);
        assert!(read < SERIES, "{read} series were read all the same");
    }
}

#[test]
fn threads_end_with_the_deadline_and_when_cancelled() {
    let memory = many();
    let expr = parse("sum(rate(x_total[5m]))").expect("a query");
    let mut query = Query::range(&expr, "", 0, 20 * MINUTE, 10);
    query.threads = 4;
    let control = Control::new().with_deadline(Instant::now() + Duration::from_millis(30));
    let began = Instant::now();
    let error = evaluate(&query, &memory, &control).expect_err("too late");
    assert!(matches!(error, EvalError::Timeout), "{error}");
    assert!(began.elapsed() < Duration::from_secs(20));
    let control = Control::new();
    control.cancel();
    let error = evaluate(&query, &memory, &control).expect_err("cancelled");
    assert!(matches!(error, EvalError::Cancelled), "{error}");
}

/// All of it is the work of minutes.
#[test]
fn i_range_1_the_deadline_holds_inside_of_one_series() {
    const COUNT: i64 = 30_000;
    let mut memory = Memory::default();
    let labels = Labels::of_pairs([("__name__", "x")]);
    for i in 0..COUNT {
        memory.insert(&labels, i * 1_000, (i * 7_919 % 1_009) as f64);
    }
    let text = "quantile_over_time(0.5, x[1d])";
    let expr = parse(text).expect("a query");
    let query = Query::range(&expr, text, 0, COUNT * 1_000, 1_000);
    let began = Instant::now();
    let control = Control::new().with_deadline(began + Duration::from_millis(500));
    let error = evaluate(&query, &memory, &control).expect_err("too late");
    assert!(matches!(error, EvalError::Timeout), "{error}");
    assert!(began.elapsed() < Duration::from_secs(20));
}
