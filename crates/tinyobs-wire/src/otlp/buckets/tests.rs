use proptest::prelude::*;

use super::*;

fn point(
    scale: i32,
    positive: (i32, &[u64]),
    negative: (i32, &[u64]),
    zeros: u64,
) -> Point<'static> {
    let side = |(offset, counts): (i32, &[u64])| Buckets {
        offset,
        counts: counts.to_vec(),
    };
    let counted = [positive.1, negative.1].concat();
    let counted = counted
        .iter()
        .fold(zeros, |sum, one| sum.saturating_add(*one));
    Point {
        scale,
        positive: side(positive),
        negative: side(negative),
        zero_count: zeros,
        count: counted,
        ..Point::default()
    }
}

fn rows(point: &Point<'_>) -> Cumulative {
    exponential(point).unwrap()
}

#[test]
fn i_otlp_bucket_1_finer_buckets_are_merged() {
    // Scale 0: (1, 2], (2, 4], (4, 8].
    let expected = [(1.0, 0.0), (2.0, 1.0), (4.0, 3.0), (8.0, 6.0)];
    assert_eq!(rows(&point(0, (0, &[1, 2, 3]), (0, &[]), 0)), expected);
    // Scale 1: two for each of these.
    assert_eq!(
        rows(&point(1, (0, &[1, 0, 1, 1, 0, 3]), (0, &[]), 0)),
        expected
    );
    // Scale 2, begun in the middle of (0.5, 1].
    assert_eq!(
        rows(&point(2, (-2, &[4, 4, 1, 1, 1, 1, 5]), (0, &[]), 0)),
        [(0.5, 0.0), (1.0, 8.0), (2.0, 12.0), (4.0, 17.0)]
    );
}

#[test]
fn coarser_buckets_count_at_their_upper_bound() {
    // Scale -1: (1, 4], (4, 16].
    assert_eq!(
        rows(&point(-1, (0, &[1, 2]), (0, &[]), 0)),
        [(2.0, 0.0), (4.0, 1.0), (8.0, 1.0), (16.0, 3.0)]
    );
}

#[test]
fn zeros_and_the_other_side() {
    assert_eq!(rows(&point(3, (0, &[]), (0, &[]), 0)), []);
    assert_eq!(rows(&point(3, (0, &[]), (0, &[]), 4)), [(0.0, 4.0)]);
    assert_eq!(
        rows(&point(0, (0, &[1]), (1, &[2, 3]), 4)),
        [
            (-8.0, 0.0),
            (-4.0, 3.0),
            (-2.0, 5.0),
            (0.0, 9.0),
            (1.0, 9.0),
            (2.0, 10.0)
        ]
    );
    let mut wide = point(0, (-3, &[1, 1, 1, 1]), (0, &[]), 5);
    wide.zero_threshold = 0.3;
    // Up to 0.5 nobody can tell what is around zero.
    assert_eq!(rows(&wide), [(0.5, 7.0), (1.0, 8.0), (2.0, 9.0)]);
}

#[test]
fn i_otlp_bucket_3_too_wide_is_refused() {
    let wide = |to: usize| {
        let mut counts = vec![0; to];
        counts[0] = 1;
        counts[to - 1] = 1;
        exponential(&point(0, (-300, &counts), (0, &[]), 0))
    };
    assert_eq!(wide(498).unwrap().len(), 499);
    let (rule, message) = wide(499).unwrap_err();
    assert_eq!(rule, Refusal::HistogramInvalid);
    assert_eq!(
        message,
        "exponential histogram spans 501 powers of two, at most 500 are allowed"
    );
}

#[test]
fn numbers_that_nobody_means_are_no_trouble() {
    for scale in [i32::MIN, -30, -1, 0, 20, 64, i32::MAX] {
        for offset in [i32::MIN, -1, 0, i32::MAX] {
            for counts in [&[u64::MAX, 1][..], &[1, 2, 3]] {
                let _ = exponential(&point(scale, (offset, counts), (offset, counts), u64::MAX));
            }
        }
    }
    for threshold in [-1.0, f64::NAN, f64::INFINITY, f64::MIN_POSITIVE / 4.0] {
        let mut point = point(0, (0, &[1]), (0, &[1]), 1);
        point.zero_threshold = threshold;
        let rows = exponential(&point).unwrap();
        assert!(
            rows.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1),
            "{rows:?}"
        );
    }
    let mut more = point(0, (0, &[5]), (0, &[]), 0);
    more.count = 4;
    assert_eq!(
        exponential(&more).unwrap_err().1,
        "histogram has 5 values in its buckets, yet says that it has 4"
    );
}

#[test]
fn explicit_bounds() {
    let point = |bounds: &[f64], counts: &[u64], count| Point {
        bounds: bounds.to_vec(),
        counts: counts.to_vec(),
        count,
        ..Point::default()
    };
    let rows = |bounds: &[f64], counts: &[u64], count| {
        explicit(&point(bounds, counts, count)).map_err(|(_, message)| message)
    };
    assert_eq!(
        rows(&[0.5, 1.0], &[1, 2, 3], 6),
        Ok(vec![(0.5, 1.0), (1.0, 3.0)])
    );
    assert_eq!(rows(&[], &[7], 7), Ok(vec![]));
    assert_eq!(rows(&[], &[], 7), Ok(vec![]));
    assert_eq!(
        rows(&[1.0], &[1], 1),
        Err("histogram has 1 bounds and 1 buckets, which must be one more".to_owned())
    );
    for bounds in [
        [2.0, 1.0],
        [1.0, 1.0],
        [1.0, f64::INFINITY],
        [f64::NAN, 1.0],
    ] {
        let error = "histogram bounds are not finite or do not ascend";
        assert_eq!(rows(&bounds, &[0, 0, 0], 0), Err(error.to_owned()));
    }
    assert!(rows(&[1.0], &[1, 1], 1).is_err());
}

proptest! {
    /// Against counting the values themselves.
    #[test]
    fn i_otlp_bucket_1_agrees_with_a_naive_recount(
        values in prop::collection::vec((-40.0_f64..40.0, any::<bool>()), 0..60),
        zeros in 0_u64..5,
        scale in 0_i32..6,
    ) {
        // Exponents of two, off the bounds of every scale, so that rounding decides nothing.
        let exponents: Vec<(f64, bool)> = values
            .into_iter()
            .map(|(exponent, negative)| (((exponent * 64.0).floor() + 0.5) / 64.0, negative))
            .collect();
        let side = |negative: bool| {
            let per_power = f64::from(1_u32 << scale);
            let own = exponents.iter().filter(|one| one.1 == negative);
            let indexes: Vec<i32> = own.map(|one| (one.0 * per_power).floor() as i32).collect();
            let Some(low) = indexes.iter().min() else { return (0, Vec::new()) };
            let mut counts = vec![0_u64; (indexes.iter().max().unwrap() - low + 1) as usize];
            for index in &indexes {
                counts[(index - low) as usize] += 1;
            }
            (*low, counts)
        };
        let (positive, negative) = (side(false), side(true));
        let point = point(scale, (positive.0, &positive.1), (negative.0, &negative.1), zeros);
        let all: Vec<f64> = exponents
            .iter()
            .map(|(exponent, negative)| if *negative { -exponent.exp2() } else { exponent.exp2() })
            .chain((0..zeros).map(|_| 0.0))
            .collect();
        let rows = rows(&point);
        for (bound, below) in &rows {
            prop_assert_eq!(*below, all.iter().filter(|value| *value <= bound).count() as f64);
        }
        // I-OTLP-BUCKET-2: the same bounds at every scale, and no hole between them.
        let highest = rows.last().map_or(0.0, |row| row.1);
        prop_assert_eq!(highest, all.len() as f64);
        prop_assert!(rows.is_sorted_by(|a, b| a.0 < b.0));
        let lowest = all.iter().copied().fold(f64::INFINITY, f64::min);
        prop_assert!(rows.first().is_none_or(|row| row.0 <= lowest));
    }

    #[test]
    fn powers_are_exact(exponent in -1_100_i64..1_100) {
        let expected = 2_f64.powi(exponent as i32 / 2) * 2_f64.powi(exponent as i32 - exponent as i32 / 2);
        prop_assert_eq!(power(exponent), expected);
    }
}
