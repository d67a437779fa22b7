//! Lines: stored series as lines of JSON, each one series or a part of it.
//!
//!   store::select ─▶ [Writer] ─▶ `GET /v1/export`, `GET /api/v1/export`
//!   `POST /v1/import`, `POST /api/v1/import` ─▶ [Line::parse] ─▶ batches ─▶ store::append
//!
//! The shape is VictoriaMetrics': labels, the name among them as `__name__`, and two columns.
//!
//!   {"metric":{"__name__":"up","job":"x"},"values":[1,null,"Infinity"],"timestamps":[1000,2000,3000]}
//!
//! JSON has no NaN and no infinity, and neither has this shape a word for one NaN rather than
//! another. So where a NaN is not the plain one, its bits stand beside: `"nans":["7ff0000000000002"]`,
//! one for each NaN of the line. Whoever does not know the key still reads a NaN.
//!
//! Our own export says more, in keys that others pass over: `type`, `help` and `unit` of the metric,
//! and for rows of rollups `resolution` and `rollup`, an object of columns. Such a line has the
//! windows' last values as its values, so that it means something without those keys too.
//!
//! I-LINES-1  What is written reads back bit for bit: samples, rows, labels, type, help and unit.
//! I-LINES-2  A line is read, or refused with the rule it broke; a value or a time that is none costs
//!             its own sample, and is shown. A row of a rollup costs its line. Nothing in it panics.
//! I-LINES-3  Memory follows the bytes of the line, never a number in it.
//! Proved by: lines/tests.rs, fuzz target `import`, `cargo xtask clients scrape` for the shape.

mod columns;
mod read;
mod write;

pub use read::{Content, Line};
pub use write::{Described, Writer};

/// A line of this shape, against anything else that is imported.
pub fn looks_like_one(start: &str) -> bool {
    let Some(rest) = start.trim_start().strip_prefix('{') else {
        return false;
    };
    // VictoriaMetrics begins with `metric`; the keys may come in any order.
    let keys = ["\"metric\"", "\"values\"", "\"timestamps\""];
    keys.iter().any(|key| {
        let rest = rest.trim_start();
        rest.starts_with(key)
    })
}

#[cfg(test)]
mod tests;
