//! Labels: functions that change them, and the hash that chooses among them.

use regex::Regex;
use tinyobs_promql::{Call, Function};

use super::{Naive, Point, Result, Value, distinct, fail, text};
use crate::data::Tags;

impl Naive<'_> {
    /// `label_replace` and `label_join`.
    pub fn relabelled(&self, call: &Call, at: &[i64]) -> Result<Vec<Value>> {
        let mut steps = self.vector(&call.args[0], at)?;
        let mut texts = Vec::new();
        for arg in &call.args[1..] {
            texts.push(text(arg)?);
        }
        if texts[0].is_empty() {
            return fail("no label name");
        }
        if call.function == Function::LabelJoin {
            for point in steps.iter_mut().flatten() {
                join(point, &texts);
            }
            return distinct(steps);
        }
        let Ok(regex) = Regex::new(&format!("^(?s:{})$", texts[3])) else {
            return fail("no regular expression");
        };
        for point in steps.iter_mut().flatten() {
            replace(point, &texts, &regex);
        }
        distinct(steps)
    }
}

fn label(tags: &Tags, name: &str) -> String {
    tags.get(name).cloned().unwrap_or_default()
}

fn set(point: &mut Point, name: &str, value: String) {
    let tags = &mut point.tags;
    // A name that was asked for stays.
    point.drop &= name != "__name__";
    // A label without text is none.
    if value.is_empty() {
        tags.remove(name);
    } else {
        tags.insert(name.to_owned(), value);
    }
}

fn join(point: &mut Point, texts: &[String]) {
    let parts: Vec<String> = texts[2..]
        .iter()
        .map(|name| label(&point.tags, name))
        .collect();
    set(point, &texts[0], parts.join(&texts[1]));
}

fn replace(point: &mut Point, texts: &[String], regex: &Regex) {
    let source = label(&point.tags, &texts[2]);
    if let Some(captures) = regex.captures(&source) {
        let mut value = String::new();
        captures.expand(&texts[1], &mut value);
        set(point, &texts[0], value);
    }
}

/// xxHash64 of names and values, each with its length before it.
pub fn hash(tags: &Tags) -> u64 {
    let mut bytes = Vec::new();
    for text in tags.iter().flat_map(|(name, value)| [name, value]) {
        match u8::try_from(text.len()) {
            Ok(length) if length < 255 => bytes.push(length),
            // Three bytes follow that hold it.
            _ => bytes.extend(((text.len() as u32) << 8 | 255).to_le_bytes()),
        }
        bytes.extend_from_slice(text.as_bytes());
    }
    xxhash64(&bytes)
}

const PRIMES: [u64; 5] = [
    11_400_714_785_074_694_791,
    14_029_467_366_897_019_727,
    1_609_587_929_392_839_161,
    9_650_029_242_287_828_579,
    2_870_177_450_012_600_261,
];

fn round(state: u64, lane: u64) -> u64 {
    let mixed = state.wrapping_add(lane.wrapping_mul(PRIMES[1]));
    mixed.rotate_left(31).wrapping_mul(PRIMES[0])
}

fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |number, &byte| number << 8 | u64::from(byte))
}

fn xxhash64(bytes: &[u8]) -> u64 {
    let [p1, p2, p3, p4, p5] = PRIMES;
    let stripes = bytes.chunks_exact(32);
    let mut rest = stripes.remainder();
    let mut hash = p5;
    if bytes.len() >= 32 {
        let mut lanes = [p1.wrapping_add(p2), p2, 0, 0_u64.wrapping_sub(p1)];
        for stripe in stripes {
            for (lane, bytes) in lanes.iter_mut().zip(stripe.chunks(8)) {
                *lane = round(*lane, number(bytes));
            }
        }
        hash = lanes
            .iter()
            .zip([1, 7, 12, 18])
            .fold(0, |hash, (lane, by)| {
                u64::wrapping_add(hash, lane.rotate_left(by))
            });
        for lane in lanes {
            hash = (hash ^ round(0, lane)).wrapping_mul(p1).wrapping_add(p4);
        }
    }
    hash = hash.wrapping_add(bytes.len() as u64);
    while rest.len() >= 8 {
        hash ^= round(0, number(&rest[..8]));
        hash = hash.rotate_left(27).wrapping_mul(p1).wrapping_add(p4);
        rest = &rest[8..];
    }
    if rest.len() >= 4 {
        hash ^= number(&rest[..4]).wrapping_mul(p1);
        hash = hash.rotate_left(23).wrapping_mul(p2).wrapping_add(p3);
        rest = &rest[4..];
    }
    for &byte in rest {
        hash ^= u64::from(byte).wrapping_mul(p5);
        hash = hash.rotate_left(11).wrapping_mul(p1);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(p2);
    hash = (hash ^ (hash >> 29)).wrapping_mul(p3);
    hash ^ (hash >> 32)
}
