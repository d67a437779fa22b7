//! Binary: numbers, and series of both sides that have the labels of matching in common.

use std::collections::{BTreeMap, BTreeSet};

use tinyobs_promql::{Binary, BinaryOp, Cardinality, Matching};

use super::{Naive, Point, Result, Value, distinct, fail};
use crate::data::Tags;

impl Naive<'_> {
    pub fn binary(&self, binary: &Binary, at: &[i64]) -> Result<Vec<Value>> {
        let lhs = self.eval(&binary.lhs, at)?;
        let rhs = self.eval(&binary.rhs, at)?;
        let mut steps = Vec::new();
        for (lhs, rhs) in lhs.into_iter().zip(rhs) {
            steps.push(match (lhs, rhs) {
                (Value::Scalar(a), Value::Scalar(b)) => {
                    let kept = of_numbers(binary.op, a, b);
                    let truth = if kept.is_some() { 1.0 } else { 0.0 };
                    let bool = binary.return_bool || binary.op.is_comparison();
                    Value::Scalar(if bool {
                        truth
                    } else {
                        kept.unwrap_or(f64::NAN)
                    })
                }
                (Value::Vector(points), Value::Scalar(number)) => Value::Vector(self.with_number(
                    binary,
                    points,
                    |value| of_numbers(binary.op, value, number),
                )),
                (Value::Scalar(number), Value::Vector(points)) => {
                    let filters = binary.op.is_comparison();
                    Value::Vector(self.with_number(binary, points, |value| {
                        let kept = of_numbers(binary.op, number, value)?;
                        // A filter keeps what is in the vector.
                        Some(if filters { value } else { kept })
                    }))
                }
                (Value::Vector(lhs), Value::Vector(rhs)) => {
                    let matching = binary.matching.clone().unwrap_or_default();
                    Value::Vector(if binary.op.is_set() {
                        of_sets(binary.op, &matching, lhs, rhs)
                    } else {
                        self.matched(binary, &matching, lhs, rhs)?
                    })
                }
                _ => return fail("operands of other types"),
            });
        }
        if !matches!(steps.first(), Some(Value::Vector(_))) {
            return Ok(steps);
        }
        distinct(steps.into_iter().map(points).collect())
    }
}

fn points(value: Value) -> Vec<Point> {
    match value {
        Value::Vector(points) => points,
        _ => Vec::new(),
    }
}

/// The result, or for a comparison the left side if it holds.
fn of_numbers(op: BinaryOp, a: f64, b: f64) -> Option<f64> {
    match op {
        BinaryOp::Add => Some(a + b),
        BinaryOp::Sub => Some(a - b),
        BinaryOp::Mul => Some(a * b),
        BinaryOp::Div => Some(a / b),
        BinaryOp::Mod => Some(a % b),
        BinaryOp::Pow => Some(a.powf(b)),
        BinaryOp::Atan2 => Some(a.atan2(b)),
        BinaryOp::Eq => (a == b).then_some(a),
        BinaryOp::Ne => (a != b).then_some(a),
        BinaryOp::Gt => (a > b).then_some(a),
        BinaryOp::Lt => (a < b).then_some(a),
        BinaryOp::Ge => (a >= b).then_some(a),
        BinaryOp::Le => (a <= b).then_some(a),
        // They cut native histograms, of which there are none.
        _ => None,
    }
}

fn drops_name(binary: &Binary) -> bool {
    binary.return_bool || !binary.op.is_comparison()
}

impl Naive<'_> {
    fn with_number(
        &self,
        binary: &Binary,
        points: Vec<Point>,
        of: impl Fn(f64) -> Option<f64>,
    ) -> Vec<Point> {
        let mut out = Vec::new();
        for mut point in points {
            let kept = of(point.value);
            point.value = if binary.return_bool {
                if kept.is_some() { 1.0 } else { 0.0 }
            } else if let Some(value) = kept {
                value
            } else {
                continue;
            };
            if drops_name(binary) {
                self.rename(&mut point);
            }
            out.push(point);
        }
        out
    }
}

/// The labels by which series of both sides meet.
fn signature(matching: &Matching, tags: &Tags) -> Tags {
    let stays = |name: &str| {
        let listed = matching.labels.iter().any(|label| label == name);
        if matching.on {
            listed
        } else {
            name != "__name__" && !listed
        }
    };
    let pairs = tags.iter().filter(|(name, _)| stays(name));
    pairs
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn of_sets(op: BinaryOp, matching: &Matching, lhs: Vec<Point>, rhs: Vec<Point>) -> Vec<Point> {
    let signatures = |points: &[Point]| -> BTreeSet<Tags> {
        points
            .iter()
            .map(|point| signature(matching, &point.tags))
            .collect()
    };
    let (left, right) = (signatures(&lhs), signatures(&rhs));
    let there = |point: &Point| right.contains(&signature(matching, &point.tags));
    match op {
        BinaryOp::And => lhs.into_iter().filter(there).collect(),
        BinaryOp::Unless => lhs.into_iter().filter(|point| !there(point)).collect(),
        _ => {
            let more = |point: &Point| !left.contains(&signature(matching, &point.tags));
            lhs.into_iter()
                .chain(rhs.into_iter().filter(more))
                .collect()
        }
    }
}

impl Naive<'_> {
    /// Series of both sides, two by two, or many with one.
    fn matched(
        &self,
        binary: &Binary,
        matching: &Matching,
        lhs: Vec<Point>,
        rhs: Vec<Point>,
    ) -> Result<Vec<Point>> {
        // From here on, many series on one side meet one on the other.
        let swapped = matching.cardinality == Cardinality::OneToMany;
        let (fill_many, fill_one) = if swapped {
            (matching.fill_right, matching.fill_left)
        } else {
            (matching.fill_left, matching.fill_right)
        };
        let (many, one) = if swapped { (rhs, lhs) } else { (lhs, rhs) };
        // Nothing meets anything: what is wrong with the other side does not matter.
        let filled = fill_many.is_some() || fill_one.is_some();
        if !filled && (many.is_empty() || one.is_empty()) {
            return Ok(Vec::new());
        }
        let mut ones: BTreeMap<Tags, &Point> = BTreeMap::new();
        for point in &one {
            if ones
                .insert(signature(matching, &point.tags), point)
                .is_some()
            {
                return fail("several series on the side of one");
            }
        }
        let mut pairs: Vec<(Tags, Point, Point)> = Vec::new();
        for point in &many {
            let meets = signature(matching, &point.tags);
            let other = match (ones.get(&meets), fill_one) {
                (Some(other), _) => (*other).clone(),
                // What is missing has the labels by which it would have met.
                (None, Some(fill)) => Point::new(meets.clone(), fill.value),
                (None, None) => continue,
            };
            pairs.push((meets, point.clone(), other));
        }
        if let Some(fill) = fill_many {
            for (meets, point) in &ones {
                if !pairs.iter().any(|(met, _, _)| met == meets) {
                    let filled = Point::new(meets.clone(), fill.value);
                    pairs.push((meets.clone(), filled, (*point).clone()));
                }
            }
        }
        self.joined(binary, matching, swapped, &pairs)
    }

    fn joined(
        &self,
        binary: &Binary,
        matching: &Matching,
        swapped: bool,
        pairs: &[(Tags, Point, Point)],
    ) -> Result<Vec<Point>> {
        let mut out = Vec::new();
        let mut met: BTreeSet<&Tags> = BTreeSet::new();
        for (meets, many, one) in pairs {
            let point = self.pair(binary, matching, many, one);
            let grouped = matching.cardinality != Cardinality::OneToOne;
            let (left, right) = if swapped { (one, many) } else { (many, one) };
            let kept = of_numbers(binary.op, left.value, right.value);
            // Whether a comparison lets it through or not.
            if !met.insert(meets) && !grouped {
                return fail("several series meet one");
            }
            let value = if binary.return_bool {
                if kept.is_some() { 1.0 } else { 0.0 }
            } else if let Some(value) = kept {
                value
            } else {
                continue;
            };
            out.push(Point { value, ..point });
        }
        Ok(out)
    }

    /// The labels of the side of many; of one and one, only those by which they met.
    fn pair(&self, binary: &Binary, matching: &Matching, many: &Point, one: &Point) -> Point {
        let mut point = many.clone();
        if drops_name(binary) {
            self.rename(&mut point);
        }
        if matching.cardinality == Cardinality::OneToOne {
            let listed = |name: &String| matching.labels.contains(name);
            point.tags.retain(|name, _| listed(name) == matching.on);
        }
        for label in &matching.include {
            match one.tags.get(label) {
                Some(value) => point.tags.insert(label.clone(), value.clone()),
                None => point.tags.remove(label),
            };
        }
        point
    }
}
