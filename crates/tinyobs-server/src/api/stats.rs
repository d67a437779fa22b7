//! Stats: what a query took, as `stats=all` shows it.
//!
//!   [Took] and the engine's [Stats] ─▶ `"stats":{"timings":…,"samples":…,"tinyobs":…}`
//!
//! `timings` and `samples` are Prometheus' own; what we count besides stands under `tinyobs`.

use std::io::Write;
use std::time::{Duration, Instant};

use serde_json::json;
use tinyobs_promql::eval::Stats;

/// How long the parts of a query took.
#[derive(Debug, Clone, Copy)]
pub struct Took {
    /// Until somebody looked at it.
    pub queued: Duration,
    /// To read the query, and to guess how much work it is.
    pub prepared: Duration,
    /// To evaluate it; what it waited for the heavy lane is part of it.
    pub evaluated: Duration,
    /// What it waited for a place among heavy queries, if it was one.
    pub held_up: Option<Duration>,
}

/// Measures one part after the other.
#[derive(Debug)]
pub struct Watch(Instant);

impl Watch {
    /// From here on.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// How long the part took that ends here; the next one begins.
    pub fn lap(&mut self) -> Duration {
        let now = Instant::now();
        let lap = now - self.0;
        self.0 = now;
        lap
    }
}

impl Took {
    /// Appends the object.
    pub fn write(&self, text: &mut Vec<u8>, stats: &Stats) {
        let seconds = |duration: Duration| duration.as_secs_f64();
        let held_up = self.held_up.unwrap_or_default();
        let inner = self.evaluated.saturating_sub(held_up);
        let queued = self.queued + held_up;
        // Writing to a Vec cannot fail.
        let _ = write!(
            text,
            "{{\"timings\":{{\"evalTotalTime\":{},\"resultSortTime\":0,\
             \"queryPreparationTime\":{},\"innerEvalTime\":{},\"execQueueTime\":{},\
             \"execTotalTime\":{}}},\"samples\":{{\"totalQueryableSamples\":{},\"peakSamples\":{}}},",
            seconds(inner),
            seconds(self.prepared),
            seconds(inner),
            seconds(queued),
            seconds(self.queued + self.prepared + self.evaluated),
            stats.samples,
            // What a value takes while it is held.
            stats.bytes_max / 8,
        );
        self.write_own(text, stats);
        text.push(b'}');
    }

    fn write_own(&self, text: &mut Vec<u8>, stats: &Stats) {
        let seconds = |ms: i64| ms as f64 / 1_000.0;
        let resolutions = stats.resolutions.iter().map(|read| {
            json!({
                "resolution": read.resolution.as_str(),
                "count": read.count,
                "from": seconds(read.from_ms),
                "to": seconds(read.to_ms),
            })
        });
        let nodes = stats.nodes.iter().map(|node| {
            json!({
                "text": node.text,
                "depth": node.depth,
                "seconds": node.wall.as_secs_f64(),
                "series": node.series,
                "samples": node.samples,
            })
        });
        let own = json!({
            "series": stats.series,
            "bytesRead": stats.bytes_read,
            "bytesMax": stats.bytes_max,
            "heavy": self.held_up.is_some(),
            "resolutions": resolutions.collect::<Vec<_>>(),
            "nodes": nodes.collect::<Vec<_>>(),
        });
        let _ = write!(text, "\"tinyobs\":{own}");
    }
}
