//! Load: samples that look like those of real services, the same in every run.
//!
//! Of a hundred series 14 never change, 24 are histogram buckets, 24 integer counters, 9 counters
//! of seconds, 23 gauges of integers or few decimals, 6 floats without a pattern.

use std::fmt::Write as _;
use std::ops::Range;
use std::time::{SystemTime, UNIX_EPOCH};

const STEP_MS: i64 = 15_000;

/// A load of so many series and steps that ends now.
pub struct Load {
    series: u32,
    steps: u32,
    begin_ms: i64,
    labels: Vec<String>,
}

impl Load {
    /// A load that ends now.
    pub fn new(series: u32, steps: u32) -> Self {
        let now_ms = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_millis() as i64);
        let labels = (0..series).map(labels).collect();
        Self {
            series,
            steps,
            begin_ms: now_ms - i64::from(steps) * STEP_MS,
            labels,
        }
    }

    /// Series in it.
    pub fn series(&self) -> u32 {
        self.series
    }

    /// Steps in it.
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// The request with one sample of each series in `range`.
    pub fn body(&self, step: u32, range: Range<u32>) -> String {
        let mut body = String::with_capacity(range.len() * 200);
        body.push_str("{\"metrics\":[");
        for series in range.clone() {
            // 500 series are one target and share a moment within the interval.
            let offset_ms = i64::from(series / 500 * 7_919) % STEP_MS;
            let time_ms = self.begin_ms + i64::from(step) * STEP_MS + offset_ms;
            let comma = if series == range.start { "" } else { "," };
            let value = value(series, step);
            let labels = &self.labels[series as usize];
            write!(
                body,
                "{comma}{{{labels},\"value\":{value},\"timestamp\":{time_ms}}}"
            )
            .expect("writing to a string does not fail");
        }
        body.push_str("]}");
        body
    }
}

fn labels(series: u32) -> String {
    let (target, place) = (series / 500, series % 500);
    let kind = if place % 100 < 71 { "counter" } else { "gauge" };
    format!(
        "\"name\":\"app_{}_{}\",\"type\":\"{kind}\",\"labels\":{{\"job\":\"app\",\
         \"instance\":\"10.0.{}.{}:9100\",\"service\":\"service-{}\",\"endpoint\":\"/api/v1/{}\",\
         \"method\":\"{}\",\"status\":\"{}\"}}",
        ["requests", "bytes", "latency", "queue", "cache"][place as usize % 5],
        place / 25,
        target / 250,
        target % 250,
        target % 7,
        ["users", "orders", "products", "search"][place as usize % 4],
        ["GET", "POST"][place as usize / 4 % 2],
        ["200", "404", "500"][place as usize / 8 % 3],
    )
}

fn value(series: u32, step: u32) -> f64 {
    let noise = mix(u64::from(series) << 32 | u64::from(step));
    let speed = mix(u64::from(series)) % 50;
    let counted = (u64::from(step) * speed + noise % (speed + 1)) as f64;
    match series % 100 {
        0..14 => (speed * 10) as f64,
        14..38 => (counted / 4.0).floor(),
        38..62 => counted,
        62..71 => (counted * 37.0).round() / 100.0,
        71..85 => (noise % 1_000) as f64,
        85..94 => (noise % 10_000) as f64 / 100.0,
        _ => f64::from_bits(noise >> 12 | 0x3ff0_0000_0000_0000),
    }
}

/// SplitMix64's finaliser: neighbours become strangers.
pub fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
