//! Random: repeatable choices. One seed makes one run, as far as the machine's timing lets it.

use std::time::{SystemTime, UNIX_EPOCH};

/// Splitmix64: enough for random moments, and two seeds that differ in one bit have nothing in
/// common.
pub struct Random(u64);

impl Random {
    /// The choices of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// The seed that was asked for, or one from the clock.
pub fn seed_or_new(seed: Option<u64>) -> u64 {
    seed.unwrap_or_else(|| now_ms() as u64)
}

/// Milliseconds since 1970.
pub fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as i64)
}
