//! Plan: what each part of a query took, if somebody wants to know.
//!
//! I-PLAN-1  A query that is not to be explained pays for none of it but a question per part.
//! Proved by: tests/explain.rs.

use std::time::Instant;

use super::Evaluator;
use super::answer::NodeStats;
use crate::ast::Expr;

/// The parts so far, each before the parts that it is made of.
#[derive(Debug, Default)]
pub(super) struct Plan {
    nodes: Vec<NodeStats>,
    depth: usize,
}

/// A part under way.
#[derive(Debug)]
pub(super) struct Node {
    place: usize,
    began: Instant,
    samples: u64,
}

impl Plan {
    pub fn into_nodes(self) -> Vec<NodeStats> {
        self.nodes
    }
}

impl Evaluator<'_> {
    /// A part begins; none when nobody asks.
    pub(super) fn begin_node(&mut self, expr: &Expr) -> Option<Node> {
        if !self.query.explain {
            return None;
        }
        let text = self.query.text.get(expr.span.start..expr.span.end);
        let place = self.plan.nodes.len();
        self.plan.nodes.push(NodeStats {
            text: text.map_or_else(|| expr.to_string(), str::to_owned),
            depth: self.plan.depth,
            wall: std::time::Duration::ZERO,
            series: 0,
            samples: 0,
        });
        self.plan.depth += 1;
        Some(Node {
            place,
            began: Instant::now(),
            samples: self.meter.samples(),
        })
    }

    /// The part ends, with so many series.
    pub(super) fn end_node(&mut self, node: Option<Node>, series: usize) {
        let Some(node) = node else {
            return;
        };
        self.plan.depth -= 1;
        if let Some(stats) = self.plan.nodes.get_mut(node.place) {
            stats.wall = node.began.elapsed();
            stats.series = series as u64;
            stats.samples = self.meter.samples() - node.samples;
        }
    }
}
