//! Explain: what each part of a query took.

use tinyobs_model::Labels;
use tinyobs_promql::{Answer, Control, Query, evaluate, parse};

#[path = "scripts/memory.rs"]
mod memory;

use memory::Memory;

const MINUTE: i64 = 60_000;

fn ask(text: &str, explain: bool) -> Answer {
    let mut memory = Memory::default();
    for n in ["0", "1", "2"] {
        let labels = Labels::of_pairs([("__name__", "x_total"), ("n", n)]);
        for minute in 0..10 {
            memory.insert(&labels, minute * MINUTE, minute as f64);
        }
    }
    let expr = parse(text).expect("a query");
    let mut query = Query::range(&expr, text, 0, 9 * MINUTE, MINUTE);
    query.explain = explain;
    evaluate(&query, &memory, &Control::new()).expect("an answer")
}

/// Depth, text, series, samples.
fn nodes(text: &str) -> Vec<(usize, String, u64, u64)> {
    let nodes = ask(text, true).stats.nodes;
    for (place, node) in nodes.iter().enumerate() {
        let inside = nodes[place + 1..]
            .iter()
            .take_while(|it| it.depth > node.depth);
        for inner in inside {
            assert!(inner.wall <= node.wall, "{} in {}", inner.text, node.text);
        }
    }
    let of = |node: tinyobs_promql::NodeStats| (node.depth, node.text, node.series, node.samples);
    nodes.into_iter().map(of).collect()
}

#[test]
fn i_plan_1_only_who_asks_is_told() {
    assert_eq!(ask("sum(x_total)", false).stats.nodes, []);
}

#[test]
fn each_part_stands_before_what_it_is_made_of() {
    let node = |depth, text: &str, series, samples| (depth, text.to_owned(), series, samples);
    assert_eq!(
        nodes("sum by (n) (rate(x_total[3m])) / 2 < (x_total{n=\"1\"})"),
        [
            node(
                0,
                "sum by (n) (rate(x_total[3m])) / 2 < (x_total{n=\"1\"})",
                1,
                40
            ),
            node(1, "sum by (n) (rate(x_total[3m])) / 2", 3, 30),
            node(2, "sum by (n) (rate(x_total[3m]))", 3, 30),
            node(3, "rate(x_total[3m])", 3, 30),
            node(4, "x_total[3m]", 3, 30),
            node(2, "2", 1, 0),
            node(1, "(x_total{n=\"1\"})", 1, 10),
            node(2, "x_total{n=\"1\"}", 1, 10),
        ]
    );
}

#[test]
fn what_is_inside_of_a_subquery_is_a_part_too() {
    let found = nodes("max_over_time(avg(x_total)[5m:2m])");
    let texts: Vec<(usize, &str)> = found.iter().map(|it| (it.0, it.1.as_str())).collect();
    assert_eq!(
        texts,
        [
            (0, "max_over_time(avg(x_total)[5m:2m])"),
            (1, "avg(x_total)[5m:2m]"),
            (2, "avg(x_total)"),
            (3, "x_total"),
        ]
    );
}
