use proptest::prelude::*;
use tinyobs_model::stale_marker;

use super::*;

fn encoded(samples: &[Sample]) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(samples, &mut bytes);
    bytes
}

fn decoded(bytes: &[u8]) -> Result<Vec<Sample>, ChunkError> {
    let mut columns = Columns::default();
    Chunk::open(bytes)?.decode(&mut columns)?;
    Ok(columns.iter().collect())
}

/// Every 15 s from one moment on.
fn steady(values: impl IntoIterator<Item = f64>) -> Vec<Sample> {
    let times = (0..).map(|i| 1_795_306_562_347 + i * 15_000);
    times
        .zip(values)
        .map(|(time_ms, value)| Sample { time_ms, value })
        .collect()
}

#[test]
fn i_chunk_1_awkward_values_keep_their_bits() {
    let values = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.1,
        12.34,
        1e-300,
        5e-324,
        f64::MIN_POSITIVE,
        f64::MAX,
        f64::MIN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        stale_marker(),
        0.1 + 0.2,
        9_007_199_254_740_993.0,
        f64::from_bits(u64::MAX),
        f64::from_bits(0x7ff8_dead_beef_0001),
    ];
    for &value in &values {
        let one = steady([value]);
        assert_eq!(
            decoded(&encoded(&one)).as_deref(),
            Ok(&one[..]),
            "{value:e} alone"
        );
        // One awkward value among decimals is an exception, not a reason to give up on them.
        let among = steady((0..100).map(|i| if i == 50 { value } else { f64::from(i) / 100.0 }));
        assert_eq!(
            decoded(&encoded(&among)).as_deref(),
            Ok(&among[..]),
            "{value:e} among decimals"
        );
    }
    let all = steady(values);
    assert_eq!(decoded(&encoded(&all)).as_deref(), Ok(&all[..]));
}

#[test]
fn i_chunk_1_times_from_end_to_end() {
    let ends: Vec<Sample> = [i64::MIN, -1, 0, 1, i64::MAX]
        .into_iter()
        .map(|time_ms| Sample {
            time_ms,
            value: 1.0,
        })
        .collect();
    let bytes = encoded(&ends);
    let chunk = Chunk::open(&bytes).expect("opens");
    assert_eq!(
        (chunk.first_ms, chunk.last_ms, chunk.count),
        (i64::MIN, i64::MAX, 5)
    );
    assert_eq!(decoded(&bytes).as_deref(), Ok(&ends[..]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn i_chunk_1_any_bits_survive(
        rows in proptest::collection::btree_map(any::<i64>(), any::<u64>(), 1..400),
    ) {
        let samples: Vec<Sample> = rows
            .into_iter()
            .map(|(time_ms, bits)| Sample { time_ms, value: f64::from_bits(bits) })
            .collect();
        prop_assert_eq!(decoded(&encoded(&samples)), Ok(samples));
    }

    #[test]
    fn i_chunk_1_decimals_survive(
        steps in proptest::collection::vec(-5_000i32..5_000, 1..600), exponent in 0i32..9,
    ) {
        let mut sum = 0.0;
        let values = steps.iter().map(|&step| { sum += f64::from(step); sum / 10f64.powi(exponent) });
        let samples = steady(values.collect::<Vec<_>>());
        prop_assert_eq!(decoded(&encoded(&samples)), Ok(samples));
    }

    /// Long enough for a code, with outliers on both sides, a common factor, and gaps in the clock.
    #[test]
    fn i_chunk_1_long_columns_survive(
        rows in proptest::collection::vec((-40i64..40, 0u8..100), 256..1_500),
        factor in 1i64..5_000, outlier in any::<i32>(), jitter_ms in 1i64..5,
    ) {
        let (mut sum, mut time_ms) = (0i64, 1_795_306_562_347);
        let mut samples = Vec::new();
        for (step, chance) in rows {
            sum += factor * if chance == 0 { i64::from(outlier) } else { step };
            time_ms += 15_000 + i64::from(chance) % jitter_ms + if chance == 1 { 3_600_000 } else { 0 };
            samples.push(Sample { time_ms, value: sum as f64 });
        }
        prop_assert_eq!(decoded(&encoded(&samples)), Ok(samples));
    }

    #[test]
    fn i_chunk_1_any_integers_survive(
        column in proptest::collection::vec(any::<i64>(), 0..400), shift in 0u32..64, at in 0usize..400,
    ) {
        // Narrow but for one.
        let mut column: Vec<i64> = column.iter().map(|value| value >> shift).collect();
        if let Some(value) = column.get_mut(at) {
            *value = i64::MIN + at as i64;
        }
        let mut bytes = Vec::new();
        ints::encode(&column, &mut bytes);
        bytes.push(7);
        let mut reader = Reader::new(&bytes);
        let mut read = vec![1];
        prop_assert_eq!(ints::decode(&mut reader, column.len(), &mut read), Some(()));
        prop_assert_eq!(&read[1..], &column[..]);
        prop_assert_eq!(reader.rest(), &[7][..], "and nothing beyond is touched");
    }

    #[test]
    fn i_chunk_2_any_columns_do_no_harm(
        how in 0u8..16, bytes in proptest::collection::vec(any::<u8>(), 0..400), count in 0..=SAMPLES_MAX,
    ) {
        let bytes = [&[how][..], &bytes].concat();
        let mut read = Vec::new();
        if ints::decode(&mut Reader::new(&bytes), count, &mut read).is_some() {
            prop_assert_eq!(read.len(), count);
        }
        let bytes = [&[how * 3][..], &bytes].concat();
        let mut read = Vec::new();
        if values::read_values(&mut Reader::new(&bytes), count, &mut read).is_some() {
            prop_assert_eq!(read.len(), count);
        }
    }

    #[test]
    fn i_chunk_2_any_bytes_do_no_harm(mut bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = decoded(&bytes);
        // Past the checksum, too.
        bytes.splice(0..0, [VERSION, TYPE_FLOAT, TIMES_INTS]);
        let checksum = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        if let Ok(samples) = decoded(&bytes) {
            prop_assert!(samples.len() <= SAMPLES_MAX);
        }
    }
}

/// The lowest number has no opposite and cannot be divided by −1.
#[test]
fn i_chunk_1_the_lowest_integer_survives_beside_others() {
    let (low, high) = (i64::MIN, i64::MAX);
    for column in [
        vec![0, low, -1],
        vec![0, 0, low, high],
        vec![0, low, low],
        vec![low, 0, low, -1, high, 0],
        vec![-1, low, 0, high, high - 1],
    ] {
        let mut bytes = Vec::new();
        ints::encode(&column, &mut bytes);
        let mut read = Vec::new();
        let done = ints::decode(&mut Reader::new(&bytes), column.len(), &mut read);
        assert_eq!((done, &read), (Some(()), &column));
    }
}

#[test]
fn i_chunk_3_every_flipped_bit_is_found() {
    let samples = steady((0..200).map(|i| f64::from(i) * 0.25));
    let good = encoded(&samples);
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(decoded(&bad), Err(ChunkError::Checksum), "bit {bit}");
    }
}

/// The sizes that the format is chosen for.
#[test]
fn usual_series_take_few_bytes() {
    let per_sample = |count: u32, value: fn(u32) -> f64| {
        encoded(&steady((0..count).map(value))).len() as f64 / f64::from(count)
    };
    let constant = per_sample(480, |_| 42.0);
    assert!(constant < 0.06, "constant: {constant}");
    let idle = per_sample(480, |i| f64::from(i / 100));
    assert!(idle < 0.08, "idle counter: {idle}");
    let counter = per_sample(480, |i| f64::from(i * 20 + (i * 7919) % 13));
    assert!(counter < 0.7, "counter: {counter}");
    let gauge = per_sample(480, |i| f64::from((i * 7919) % 100) / 100.0);
    assert!(gauge < 1.0, "two-decimal gauge: {gauge}");
    let pages = per_sample(480, |i| f64::from((i * 7919) % 100) * 4_096.0);
    assert!(pages < 1.0, "gauge of whole pages: {pages}");
    // One restart does not widen its neighbours.
    let restart = per_sample(120, |i| f64::from(if i < 60 { 1_000_000 + i } else { i }));
    assert!(restart < 0.35, "counter with a restart: {restart}");
}

#[test]
fn an_uneven_clock_costs_only_its_unevenness() {
    let bytes_of = |interval_ms: fn(i64) -> i64| {
        let mut time_ms = 1_795_306_562_347;
        let samples = (0..2_048).map(|i| {
            time_ms += interval_ms(i);
            Sample {
                time_ms,
                value: 1.0,
            }
        });
        encoded(&samples.collect::<Vec<_>>()).len()
    };
    let even = bytes_of(|_| 15_000);
    let gap = bytes_of(|i| if i == 1_000 { 600_000 } else { 15_000 });
    assert!(gap < even + 16, "a gap: {even} grew to {gap}");
}
