//! Resolved: whether an answer in mixed resolutions is right.
//!
//! Each item must be what the oracle says of its moment or window, in a resolution that is kept there;
//! together they must cover every moment that is kept, each once. When nothing waits to be rolled up,
//! the resolution must be the one that the rule names: the coarsest kept one up to the wanted one,
//! else the finest coarser one.

use tinyobs_model::{Kind, Resolution, Rollup, Sample, TimeRange};

use crate::oracle::Line;

/// One piece of an answer.
#[derive(Debug, Clone, Copy)]
pub enum Item {
    /// A sample as it was sent.
    Sample(Sample),
    /// A window.
    Row(Resolution, Rollup),
}

/// What was asked, and of what.
#[derive(Debug)]
pub struct Asked {
    /// The range of time.
    pub range: TimeRange,
    /// The resolution that suits the step.
    pub wanted: Resolution,
    /// What has been dropped, by resolution.
    pub marks: [i64; 3],
    /// Nothing waits to be rolled up.
    pub settled: bool,
}

/// The coarsest resolution that is no wider than the step.
pub fn wanted(step_ms: i64) -> Resolution {
    match step_ms {
        ..300_000 => Resolution::Raw,
        300_000..3_600_000 => Resolution::FiveMinutes,
        _ => Resolution::Hour,
    }
}

impl Asked {
    fn keeps(&self, resolution: Resolution, time_ms: i64) -> bool {
        time_ms >= self.marks[resolution as usize]
    }

    /// Which resolution answers at a moment when everything is rolled up.
    fn rule(&self, time_ms: i64) -> Option<Resolution> {
        let [raw, five, hour] = Resolution::ALL;
        let order = match self.wanted {
            Resolution::Raw => [raw, five, hour],
            Resolution::FiveMinutes => [five, raw, hour],
            Resolution::Hour => [hour, five, raw],
        };
        order.into_iter().find(|one| self.keeps(*one, time_ms))
    }

    fn allows(&self, resolution: Resolution, time_ms: i64) -> bool {
        if self.settled {
            return self.rule(time_ms) == Some(resolution);
        }
        // What is finer may answer instead; what is coarser only when nothing else is kept.
        let finer = |other: &Resolution| *other < resolution && self.keeps(*other, time_ms);
        self.keeps(resolution, time_ms)
            && (resolution <= self.wanted || !Resolution::ALL.iter().any(finer))
    }
}

impl Item {
    /// First and last moment.
    fn span(&self) -> (i64, i64) {
        match self {
            Self::Sample(sample) => (sample.time_ms, sample.time_ms),
            Self::Row(resolution, row) => (row.start_ms, row.start_ms + resolution.width_ms() - 1),
        }
    }

    fn resolution(&self) -> Resolution {
        match self {
            Self::Sample(_) => Resolution::Raw,
            Self::Row(resolution, _) => *resolution,
        }
    }
}

/// Says what is wrong with an answer, if anything is.
pub fn check(line: &Line, kind: Kind, asked: &Asked, items: &[Item]) -> Result<(), String> {
    let mut reached = i64::MIN;
    for item in items {
        let (first_ms, last_ms) = item.span();
        if first_ms < reached || !asked.range.overlaps(first_ms, last_ms) {
            return Err(format!("{item:?} comes twice, too early or outside"));
        }
        reached = last_ms + 1;
        let moment = first_ms.max(asked.range.start_ms);
        if !asked.allows(item.resolution(), moment) {
            return Err(format!("{item:?} is in the wrong resolution"));
        }
        match item {
            Item::Sample(sample) => {
                let known = line.raw.get(&sample.time_ms).copied();
                if known != Some(sample.value.to_bits()) {
                    return Err(format!("got {sample:?}, expected bits {known:?}"));
                }
            }
            Item::Row(resolution, row) => match line.window(*resolution, row.start_ms, kind) {
                Some(expected) => expected
                    .check(row)
                    .map_err(|what| format!("{resolution} window of {}: {what}", row.start_ms))?,
                None => return Err(format!("nothing was ever written to the window of {row:?}")),
            },
        }
    }
    covered(line, asked, items)
}

/// Every kept moment of the range lies in one of the items, which do not overlap.
fn covered(line: &Line, asked: &Asked, items: &[Item]) -> Result<(), String> {
    let mut next = items.iter().peekable();
    for at in line.moments() {
        if !asked.range.contains(at) {
            continue;
        }
        while next.next_if(|item| item.span().1 < at).is_some() {}
        let holds = next.peek().is_some_and(|item| item.span().0 <= at);
        if !holds {
            return Err(format!("nothing covers {at}, at which there is a sample"));
        }
    }
    Ok(())
}
