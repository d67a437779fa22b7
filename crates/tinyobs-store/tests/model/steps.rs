//! Steps: what is done to a store, drawn from a seed.
//!
//! Steps know no state, only times before the present of whoever takes them: any of them can be left
//! out and the others still make sense, which is what shrinking does.

use tinyobs_model::{STALE_MARKER_BITS, stale_marker};
use tinyobs_store::{Durability, EngineKind, Retention};

use crate::oracle::{DAY, Series, metric};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// Random numbers that a seed repeats (SplitMix64).
#[derive(Debug, Clone)]
pub struct Random(pub u64);

impl Random {
    /// The next 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `end`, which is above 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// From `from` to `to`, both included.
    pub fn within(&mut self, from: i64, to: i64) -> i64 {
        from + self.below((to - from + 1) as u64) as i64
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, cases: u64) -> bool {
        self.below(100) < cases
    }

    /// One of them.
    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }
}

/// Samples of one series, as one item of a batch or as one item each.
#[derive(Debug, Clone)]
pub struct Burst {
    /// The series.
    pub series: Series,
    /// How long before the present the first one lies.
    pub ago_ms: i64,
    /// Between two of them.
    pub step_ms: i64,
    /// Bits of their values.
    pub values: Vec<u64>,
    /// How long before the first one the series says it began.
    pub began_ago_ms: Option<i64>,
    /// All samples as one item: stored or refused together.
    pub together: bool,
    /// Sent with its kind left out.
    pub unnamed: bool,
    /// From the latest to the earliest.
    pub backwards: bool,
}

/// What is done.
#[derive(Debug, Clone)]
pub enum Step {
    /// A batch.
    Write(Vec<Burst>),
    /// The last batch once more.
    Repeat,
    /// The times of the last batch, with values that are by so much higher.
    Conflict(i64),
    /// Time passes.
    Advance(i64),
    Flush,
    Maintain,
    /// Closes it and opens it again.
    Restart,
    /// Opens a copy of the files as they stand.
    Kill,
    /// Compares a stretch of raw samples of one series.
    Read {
        series: Series,
        ago_ms: i64,
        width_ms: i64,
    },
    /// Compares a stretch of one series at a step.
    Resolve {
        series: Series,
        ago_ms: i64,
        width_ms: i64,
        step_ms: i64,
    },
    /// Compares everything.
    Compare,
}

/// Under which circumstances steps are taken.
#[derive(Debug, Clone)]
pub struct Setting {
    pub engine: EngineKind,
    pub retention: Retention,
    pub max_series: u64,
    pub max_series_per_metric: u64,
    pub now_ms: i64,
    /// Series drawn.
    pub series: u16,
    pub durability: Durability,
    pub max_bytes: u64,
}

/// What a seed draws: circumstances and so many steps.
pub fn draw(seed: u64, steps: usize) -> (Setting, Vec<Step>) {
    let mut random = Random(seed);
    let setting = setting(&mut random);
    let mut drawing = Drawing {
        totals: vec![0; usize::from(setting.series)],
        setting: setting.clone(),
        random,
    };
    let steps = (0..steps).map(|_| drawing.step()).collect();
    (setting, steps)
}

fn setting(random: &mut Random) -> Setting {
    let days = |raw: i64, five: i64, hour: i64| Retention {
        raw_ms: raw * DAY,
        five_minutes_ms: five * DAY,
        hour_ms: hour * DAY,
    };
    let retention = match random.below(10) {
        0..4 => days(1, 10, 60),
        4 => days(14, 90, 365),
        5 => days(2, 0, 0),
        // Raw longer than what is coarser.
        6 => days(30, 3, 20),
        7 => days(0, 10, 60),
        8 => days(3, 40, 0),
        _ => Retention::FOR_EVER,
    };
    let series = random.pick(&[2, 6, 24, 60]);
    let limited = random.percent(40);
    Setting {
        engine: if random.percent(25) {
            EngineKind::Memory
        } else {
            EngineKind::Disk
        },
        retention,
        max_series: if limited {
            u64::from(series) * 2 / 3
        } else {
            10_000
        },
        max_series_per_metric: if random.percent(30) { 5 } else { 0 },
        // 2023, or the first days of 1970, where times are negative.
        now_ms: if random.percent(10) {
            random.within(0, 3 * DAY)
        } else {
            19_675 * DAY + random.within(0, 65 * DAY)
        },
        series,
        durability: Durability::Interval,
        max_bytes: 0,
    }
}

struct Drawing {
    random: Random,
    setting: Setting,
    /// Where the counters stand.
    totals: Vec<u64>,
}

impl Drawing {
    fn series(&mut self) -> Series {
        self.random.below(u64::from(self.setting.series)) as Series
    }

    fn step(&mut self) -> Step {
        match self.random.below(1_000) {
            0..560 => {
                let bursts = self.random.within(1, 4);
                Step::Write((0..bursts).map(|_| self.burst()).collect())
            }
            560..600 => Step::Repeat,
            600..640 => Step::Conflict(self.random.within(1, 5)),
            640..820 => Step::Advance(self.advance()),
            820..845 => Step::Flush,
            845..870 => Step::Maintain,
            870..876 => Step::Restart,
            876..882 => Step::Kill,
            882..935 => Step::Read {
                series: self.series(),
                ago_ms: self.ago(),
                width_ms: self.width(),
            },
            935..995 => Step::Resolve {
                series: self.series(),
                ago_ms: self.ago(),
                width_ms: self.width(),
                step_ms: self
                    .random
                    .pick(&[0, 1, 299_999, 300_000, 300_001, 3_599_999, 3_600_000]),
            },
            _ => Step::Compare,
        }
    }

    fn advance(&mut self) -> i64 {
        match self.random.below(100) {
            0..70 => self.random.within(1_000, 15 * MINUTE),
            70..90 => self.random.within(HOUR, 12 * HOUR),
            90..98 => self.random.within(DAY, 5 * DAY),
            _ => self.random.within(7 * DAY, 70 * DAY),
        }
    }

    /// How long before the present something lies: mostly little, sometimes longer than raw is kept.
    fn ago(&mut self) -> i64 {
        match self.random.below(100) {
            0..3 => -self.random.within(0, 11 * MINUTE),
            3..50 => self.random.within(0, 15 * MINUTE),
            50..75 => self.random.within(0, 3 * HOUR),
            75..90 => self.random.within(0, 3 * DAY),
            90..97 => self.random.within(0, 25 * DAY),
            _ => self.random.within(0, 150 * DAY),
        }
    }

    fn width(&mut self) -> i64 {
        match self.random.below(10) {
            0..3 => self.random.within(0, 10 * MINUTE),
            3..7 => self.random.within(0, 8 * HOUR),
            7..9 => self.random.within(0, 12 * DAY),
            _ => 400 * DAY,
        }
    }

    fn burst(&mut self) -> Burst {
        let series = self.series();
        let most = self.random.pick(&[1, 1, 3, 10, 40, 300]);
        let count = self.random.within(1, most) as usize;
        let step_ms = self
            .random
            .pick(&[1, 1_000, 5_000, 15_000, 60_000, 300_000, 7 * MINUTE]);
        let length_ms = step_ms * (count as i64 - 1);
        let together = self.random.percent(15);
        Burst {
            series,
            ago_ms: self.ago() + length_ms,
            step_ms,
            values: self.values(series, count),
            began_ago_ms: self
                .random
                .percent(10)
                .then(|| self.random.within(-60_000, 2 * HOUR)),
            together,
            unnamed: self.random.percent(5),
            backwards: !together && self.random.percent(10),
        }
    }

    fn values(&mut self, series: Series, count: usize) -> Vec<u64> {
        let cumulative = metric(series).1.is_cumulative();
        let is_special = self.random.percent(4);
        let is_decimal = self.random.percent(20);
        let mut values = Vec::with_capacity(count);
        for _ in 0..count {
            let total = &mut self.totals[usize::from(series)];
            *total += self.random.below(20);
            if self.random.below(60) == 0 {
                *total = self.random.below(5);
            }
            let value = match (cumulative, is_decimal) {
                (true, false) => *total as f64,
                (true, true) => *total as f64 + self.random.below(1_000) as f64 / 1_000.0,
                (false, false) => self.random.within(-100, 100) as f64,
                (false, true) => self.random.within(-1_000_000, 1_000_000) as f64 / 997.0,
            };
            values.push(value.to_bits());
        }
        if is_special {
            let place = self.random.below(count as u64) as usize;
            values[place] = self.random.pick(&[
                f64::NAN.to_bits(),
                0x7ff8_0000_dead_beef,
                f64::INFINITY.to_bits(),
                f64::NEG_INFINITY.to_bits(),
                (-0.0f64).to_bits(),
                f64::MIN_POSITIVE.to_bits(),
                5e-324f64.to_bits(),
                1e300f64.to_bits(),
                stale_marker().to_bits(),
            ]);
        }
        if self.random.percent(8)
            && let Some(last) = values.last_mut()
        {
            *last = STALE_MARKER_BITS;
        }
        values
    }
}
