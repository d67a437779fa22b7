//! Shrink: the smallest query and series that still show a difference.
//!
//! Of the query, any part is replaced by a part of it that is of the same type; of the series, samples
//! and whole series go; of the moments, all but one. Whatever still differs is kept, until nothing is.

use tinyobs_promql::{Expr, parse};

use crate::compare::{Verdict, compare};
use crate::data::Case;

pub fn smallest(mut case: Case) -> Case {
    loop {
        let smaller = texts(&case)
            .into_iter()
            .chain(moments(&case))
            .chain(fewer_series(&case))
            .chain(fewer_samples(&case))
            .find(differs);
        match smaller {
            Some(smaller) => case = smaller,
            None => return case,
        }
    }
}

fn differs(case: &Case) -> bool {
    matches!(compare(case), Verdict::Different(_))
}

fn texts(case: &Case) -> Vec<Case> {
    let Ok(expr) = parse(&case.text) else {
        return Vec::new();
    };
    let mut shorter: Vec<String> = Vec::new();
    expr.walk(&mut |node| {
        for part in below(node) {
            let (outer, inner) = (node.span, part.span);
            let text = &case.text;
            let (before, after) = (&text[..outer.start], &text[outer.end..]);
            let kept = &text[inner.start..inner.end];
            shorter.push(format!("{before}{kept}{after}"));
        }
        for simple in ["x", "1", "x[1m]", "sum(x)"] {
            let (before, after) = (&case.text[..node.span.start], &case.text[node.span.end..]);
            shorter.push(format!("{before}{simple}{after}"));
        }
    });
    shorter.retain(|text| text.len() < case.text.len());
    shorter.sort_by_key(String::len);
    shorter.dedup();
    shorter
        .into_iter()
        .map(|text| Case {
            text,
            ..case.clone()
        })
        .collect()
}

fn below(expr: &Expr) -> Vec<&Expr> {
    let mut parts = Vec::new();
    for child in expr.children() {
        child.walk(&mut |part| parts.push(part));
    }
    parts.retain(|part| part.value_type() == expr.value_type());
    parts
}

fn moments(case: &Case) -> Vec<Case> {
    if case.step_ms == 0 {
        return Vec::new();
    }
    let mut fewer = Vec::new();
    let mut at = case.start_ms;
    while at <= case.end_ms {
        fewer.push(Case {
            start_ms: at,
            end_ms: at,
            step_ms: 0,
            ..case.clone()
        });
        at += case.step_ms;
    }
    if case.end_ms - case.start_ms >= case.step_ms * 2 {
        fewer.push(Case {
            end_ms: case.end_ms - case.step_ms,
            ..case.clone()
        });
        fewer.push(Case {
            start_ms: case.start_ms + case.step_ms,
            ..case.clone()
        });
    }
    fewer
}

fn fewer_series(case: &Case) -> Vec<Case> {
    let without = |i| {
        let mut fewer = case.clone();
        fewer.series.remove(i);
        fewer
    };
    (0..case.series.len()).map(without).collect()
}

fn fewer_samples(case: &Case) -> Vec<Case> {
    let mut all = Vec::new();
    for (i, series) in case.series.iter().enumerate() {
        let count = series.samples.len();
        let mut length = count / 2;
        while length > 0 {
            for from in (0..count).step_by(length) {
                let mut fewer = case.clone();
                fewer.series[i]
                    .samples
                    .drain(from..(from + length).min(count));
                all.push(fewer);
            }
            length /= 2;
        }
        for place in 0..count {
            let small = place as f64;
            if series.samples[place].1.to_bits() != small.to_bits() {
                let mut simpler = case.clone();
                simpler.series[i].samples[place].1 = small;
                all.push(simpler);
            }
        }
    }
    all
}
