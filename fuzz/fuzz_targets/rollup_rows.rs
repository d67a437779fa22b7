//! Rows of rollups: decode gives back the very bits that were encoded, and takes any bytes without
//! harm.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tinyobs_fuzz::Feed;
use tinyobs_model::{Resolution, Rollup, Sample};
use tinyobs_store::chunk::SAMPLES_MAX;
use tinyobs_store::rollup::rows::{decode, encode};
use tinyobs_store::rollup::windows::Roller;

fuzz_target!(|data: &[u8]| {
    let mut feed = Feed::new(data);
    match feed.u8() {
        b'b' => any_bytes(feed.rest().to_vec()),
        b'd' => damaged(&mut feed),
        b'r' => rolled(&mut feed),
        _ => {
            let resolution = resolution(&mut feed);
            round_trip(resolution, &any_rows(&mut feed, resolution));
        }
    }
});

fn resolution(feed: &mut Feed<'_>) -> Resolution {
    [Resolution::FiveMinutes, Resolution::Hour][usize::from(feed.u8() % 2)]
}

/// Past the checksum: what a fuzzer would hardly guess is made right.
fn any_bytes(mut bytes: Vec<u8>) {
    let before = row(&mut Feed::new(&[]), 7);
    let mut rows = vec![before];
    assert!(decode(&bytes, &mut rows).is_err() || rows.len() > 1);
    rows.truncate(1);
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
    let decoded = decode(&bytes, &mut rows);
    assert_eq!(rows[0], before, "what stood there before");
    assert_eq!(
        decoded.is_ok(),
        rows.len() > 1,
        "an error leaves something behind"
    );
    assert!(rows.len() <= 1 + SAMPLES_MAX);
}

fn damaged(feed: &mut Feed<'_>) {
    let mut changes = Feed::new(feed.take(9));
    let resolution = resolution(feed);
    let mut bytes = round_trip(resolution, &any_rows(feed, resolution));
    bytes.truncate(bytes.len() - 4);
    while !changes.is_empty() {
        let at = changes.place(bytes.len());
        bytes[at] = changes.u8();
    }
    any_bytes(bytes);
}

/// Rows as they are made of samples; none of which may be left out.
fn rolled(feed: &mut Feed<'_>) {
    let resolution = resolution(feed);
    let mut roller = Roller::new(resolution, feed.u8() % 2 == 1);
    // The very first window has no start that an i64 holds.
    let first_ms = i64::MIN + Resolution::Hour.width_ms();
    let mut time_ms = feed.any_size().max(first_ms);
    let mut samples = 0;
    while !feed.is_empty() {
        let value = match feed.u8() % 3 {
            0 => feed.any_size() as f64,
            1 => tinyobs_model::stale_marker(),
            _ => f64::from_bits(feed.u64()),
        };
        samples += u64::from(!tinyobs_model::is_stale_marker(value));
        roller.push(Sample::new(time_ms, value));
        let step_ms = i64::from(feed.u16()) << (feed.u8() % 16);
        let Some(next_ms) = time_ms.checked_add(step_ms + 1) else {
            break;
        };
        time_ms = next_ms;
    }
    roller.close();
    let counted: u64 = roller.rows.iter().map(|row| row.count).sum();
    assert_eq!(counted, samples);
    for row in &roller.rows {
        assert_eq!(row.start_ms, resolution.window(row.first.time_ms));
        assert_eq!(row.start_ms, resolution.window(row.last.time_ms));
    }
    if !roller.rows.is_empty() {
        round_trip(resolution, &roller.rows);
    }
}

/// Returns the encoded rows.
fn round_trip(resolution: Resolution, rows: &[Rollup]) -> Vec<u8> {
    let mut bytes = vec![7; 3];
    encode(resolution, rows, &mut bytes);
    let bytes = bytes.split_off(3);
    let mut decoded = Vec::new();
    assert_eq!(decode(&bytes, &mut decoded), Ok(resolution));
    assert_eq!(decoded.len(), rows.len());
    let wrong = rows.iter().zip(&decoded).find(|(row, found)| row != found);
    assert_eq!(wrong, None, "the first that is not as it was");
    bytes
}

/// Rows of any content, in runs, so that there are many from little.
fn any_rows(feed: &mut Feed<'_>, resolution: Resolution) -> Vec<Rollup> {
    let width_ms = resolution.width_ms();
    // Every window that an i64 of milliseconds can begin.
    let (first, last) = (i64::MIN / width_ms, i64::MAX / width_ms);
    let mut window = feed.any_size().clamp(first, last);
    // Few of them reach nearly everything, thirty times as fast.
    let most = if feed.u8().is_multiple_of(128) {
        SAMPLES_MAX
    } else {
        64
    };
    let mut rows = Vec::new();
    loop {
        let (run, step) = (feed.run(), 1 + i64::from(feed.u8()));
        let like = row(feed, window * width_ms);
        for _ in 0..run.min(most - rows.len()) {
            let shift_ms = window * width_ms - like.start_ms;
            let moved = |sample: Sample| Sample::new(sample.time_ms + shift_ms, sample.value);
            rows.push(Rollup {
                start_ms: window * width_ms,
                first: moved(like.first),
                last: moved(like.last),
                ..like
            });
            window += step;
            if window >= last {
                return rows;
            }
        }
        if feed.is_empty() || rows.len() >= most {
            return rows;
        }
    }
}

fn row(feed: &mut Feed<'_>, start_ms: i64) -> Rollup {
    let mut value = || match feed.u8() % 3 {
        0 => feed.any_size() as f64,
        1 => f64::NAN,
        _ => f64::from_bits(feed.u64()),
    };
    let (sum, min, max, increase) = (value(), value(), value(), value());
    let (first, last) = (value(), value());
    let same = feed.u8();
    let pick = |bit: u8, other, own| if same & bit == 0 { own } else { other };
    let (offset, later) = (i64::from(feed.u16() % 2_000), i64::from(feed.u16()));
    Rollup {
        start_ms,
        count: feed.any_size() as u64,
        sum,
        min: pick(1, first, min),
        max: pick(2, last, max),
        first: Sample::new(start_ms + offset, first),
        last: Sample::new(start_ms + offset + later, pick(4, first, last)),
        increase: pick(8, last - first, increase),
        ended: same & 16 != 0,
    }
}
