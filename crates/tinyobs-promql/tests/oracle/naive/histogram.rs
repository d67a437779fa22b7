//! Histogram: quantiles and fractions of classic histograms, whose buckets count all below `le`.

use std::collections::BTreeMap;

use tinyobs_promql::{Call, Function};

use super::{Naive, Point, Result, Value, distinct, fail, text};
use crate::data::Tags;

/// An upper bound and how many are not above it.
type Bucket = (f64, f64);

impl Naive<'_> {
    pub fn of_histograms(&self, call: &Call, at: &[i64]) -> Result<Vec<Value>> {
        let vector = match call.function {
            Function::HistogramQuantiles => 0,
            Function::HistogramQuantile => 1,
            _ => 2,
        };
        let mut numbers = Vec::new();
        let mut label = String::new();
        for (i, arg) in call.args.iter().enumerate() {
            if i == 1 && call.function == Function::HistogramQuantiles {
                label = text(arg)?;
                if label.is_empty() {
                    return fail("no label name");
                }
            } else if i != vector {
                numbers.push(self.scalar(arg, at)?);
            }
        }
        let mut steps = Vec::new();
        for (i, points) in self.vector(&call.args[vector], at)?.into_iter().enumerate() {
            let mut out = Vec::new();
            for (tags, buckets) in histograms(points) {
                match call.function {
                    Function::HistogramFraction => {
                        let value = fraction(numbers[0][i], numbers[1][i], buckets);
                        out.push(self.renamed(tags, value));
                    }
                    Function::HistogramQuantile => {
                        let value = quantile(numbers[0][i], buckets);
                        out.push(self.renamed(tags, value));
                    }
                    _ => {
                        for of_steps in &numbers {
                            let mut tags = tags.clone();
                            if tags
                                .insert(label.clone(), go_quantile(of_steps[i]))
                                .is_some()
                            {
                                return fail("the label of the quantile is there already");
                            }
                            let value = quantile(of_steps[i], buckets.clone());
                            out.push(self.renamed(tags, value));
                        }
                    }
                }
            }
            steps.push(out);
        }
        distinct(steps)
    }
}

impl Naive<'_> {
    fn renamed(&self, tags: Tags, value: f64) -> Point {
        let mut point = Point::new(tags, value);
        self.rename(&mut point);
        point
    }
}

/// As OpenMetrics writes a quantile.
fn go_quantile(value: f64) -> String {
    let text = super::numbers::go_text(value);
    let whole = text.chars().all(|c| c.is_ascii_digit() || c == '-');
    if whole { format!("{text}.0") } else { text }
}

/// Histograms by their labels; what has no bound is none of a bucket.
fn histograms(points: Vec<Point>) -> Vec<(Tags, Vec<Bucket>)> {
    let mut all: BTreeMap<Tags, Vec<Bucket>> = BTreeMap::new();
    for point in points {
        let mut tags = point.tags;
        let bound = tags.remove("le").and_then(|text| text.parse().ok());
        if let Some(bound) = bound {
            all.entry(tags).or_default().push((bound, point.value));
        }
    }
    all.into_iter().collect()
}

/// Sorted, buckets of one bound added up; none where the last does not hold all.
fn whole(mut buckets: Vec<Bucket>) -> Option<Vec<Bucket>> {
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    if buckets.last()?.0 != f64::INFINITY {
        return None;
    }
    let mut out: Vec<Bucket> = Vec::new();
    for (bound, count) in buckets {
        match out.last_mut() {
            Some(last) if last.0 == bound => last.1 += count,
            _ => out.push((bound, count)),
        }
    }
    Some(out)
}

/// What a bucket has less than the one before it was lost between scrapes; what differs by rounding
/// does not differ.
fn monotonic(buckets: &mut [Bucket]) {
    let mut before = buckets[0].1;
    for (_, count) in buckets.iter_mut().skip(1) {
        let (difference, size) = ((before - *count).abs(), before.abs() + count.abs());
        let same = *count == before
            || if before == 0.0 || *count == 0.0 || size < f64::MIN_POSITIVE {
                difference < 1e-12 * f64::MIN_POSITIVE
            } else {
                difference / size.min(f64::MAX) < 1e-12
            };
        if same || *count < before {
            *count = before;
        } else {
            before = *count;
        }
    }
}

fn quantile(q: f64, buckets: Vec<Bucket>) -> f64 {
    if q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    let Some(mut buckets) = whole(buckets) else {
        return f64::NAN;
    };
    monotonic(&mut buckets);
    let all = buckets[buckets.len() - 1].1;
    if buckets.len() < 2 || all == 0.0 {
        return f64::NAN;
    }
    let rank = q * all;
    let finite = &buckets[..buckets.len() - 1];
    // The search of Go's library, which comparisons with NaN send to one side.
    let (mut low, mut high) = (0, finite.len());
    while low < high {
        let middle = low.midpoint(high);
        if finite[middle].1 >= rank {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    let Some(&(end, count)) = finite.get(low) else {
        return finite[finite.len() - 1].0;
    };
    if low == 0 && end <= 0.0 {
        return end;
    }
    let (start, below) = if low == 0 {
        (0.0, 0.0)
    } else {
        finite[low - 1]
    };
    start + (end - start) * ((rank - below) / (count - below))
}

/// The share of observations between two values, if they are spread evenly in each bucket.
fn fraction(lower: f64, upper: f64, buckets: Vec<Bucket>) -> f64 {
    let Some(buckets) = whole(buckets) else {
        return f64::NAN;
    };
    let all = buckets[buckets.len() - 1].1;
    if all == 0.0 || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    let (below_lower, below_upper) = (rank_of(lower, &buckets), rank_of(upper, &buckets));
    (below_upper - below_lower) / all
}

/// How many are below `value`.
fn rank_of(value: f64, buckets: &[Bucket]) -> f64 {
    let all = buckets[buckets.len() - 1].1;
    // The first bucket begins at 0, if it ends above.
    let begins = if buckets[0].0 > 0.0 {
        0.0
    } else {
        f64::NEG_INFINITY
    };
    if value <= begins {
        return 0.0;
    }
    let (mut start, mut below) = (begins, 0.0);
    for &(end, count) in buckets {
        let rank = if start == value || end == f64::INFINITY && start < value && value < end {
            // Nobody knows how those without a bound are spread.
            below
        } else if start < value && value < end {
            if start == f64::NEG_INFINITY {
                count
            } else {
                below + (count - below) * (value - start) / (end - start)
            }
        } else {
            (start, below) = (end, count);
            continue;
        };
        return if rank > all { all } else { rank };
    }
    all
}
