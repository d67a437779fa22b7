use proptest::prelude::*;

use super::*;

fn labels(name: &str, pairs: &[(&str, &str)]) -> Labels {
    Labels::new(name, pairs.iter().copied()).expect("valid")
}

fn specimen() -> Index {
    let mut index = Index::default();
    index.insert(1, labels("up", &[("job", "b")]));
    index.insert(2, labels("up", &[("job", "a"), ("env", "dev")]));
    index.insert(5, labels("down", &[("job", "a")]));
    index
}

fn select(index: &Index, matchers: &[(MatchOp, &str, &str)]) -> Vec<SeriesId> {
    let matchers: Vec<Matcher> = matchers
        .iter()
        .map(|(op, name, value)| Matcher::new(*op, *name, *value).expect("compiles"))
        .collect();
    index.select(&matchers)
}

#[test]
fn i_index_1_series_are_found_by_all_their_bytes() {
    let mut index = specimen();
    assert_eq!(
        index.find(labels("up", &[("job", "b")]).as_bytes()),
        Some((1, Kind::Unknown))
    );
    assert_eq!(index.find(labels("up", &[]).as_bytes()), None);
    assert!(!index.insert(9, labels("up", &[("job", "b")])));
    assert_eq!(index.len(), 3);
    assert_eq!(index.labels(5), Some(&labels("down", &[("job", "a")])));
    assert_eq!(index.labels(3), None);
}

#[test]
fn matchers_select_in_the_order_of_labels() {
    use MatchOp::{Equal, NotEqual, NotRegex, Regex};
    let index = specimen();
    assert_eq!(select(&index, &[]), [5, 2, 1]);
    assert_eq!(select(&index, &[(Equal, "__name__", "up")]), [2, 1]);
    assert_eq!(
        select(&index, &[(Equal, "job", "a"), (Equal, "__name__", "up")]),
        [2]
    );
    assert_eq!(select(&index, &[(Equal, "env", "")]), [5, 1]);
    assert_eq!(select(&index, &[(NotEqual, "env", "dev")]), [5, 1]);
    assert_eq!(select(&index, &[(NotEqual, "env", "")]), [2]);
    assert_eq!(
        select(&index, &[(Regex, "job", "a|b"), (NotRegex, "env", ".+")]),
        [5, 1]
    );
    assert_eq!(select(&index, &[(Equal, "job", "c")]), [0u64; 0]);
    assert_eq!(select(&index, &[(Equal, "nope", "c")]), [0u64; 0]);
}

#[test]
fn statistics_come_from_the_index() {
    let index = specimen();
    assert_eq!(index.label_values("job"), ["a", "b"]);
    let sizes = index.metric_sizes();
    assert_eq!(
        sizes[0],
        MetricSize {
            metric: "down".into(),
            series: 1
        }
    );
    assert_eq!(
        sizes[1],
        MetricSize {
            metric: "up".into(),
            series: 2
        }
    );
    // By `job`, for want of the labels that count before it.
    let jobs = index.services_by_metric();
    assert_eq!(jobs.get("up"), Some(&(vec!["a", "b"], 2)));
    assert_eq!(jobs.get("down"), Some(&(vec!["a"], 1)));
}

proptest! {
    #[test]
    fn select_agrees_with_asking_every_series(
        series in proptest::collection::btree_set(("[mn]", "[ab]?", "[ab]?"), 0..20),
        matchers in proptest::collection::vec((0usize..4, "[xy]|__name__", "[abm]?|a\\|b|[.]\\*"), 0..4),
    ) {
        let ops = [MatchOp::Equal, MatchOp::NotEqual, MatchOp::Regex, MatchOp::NotRegex];
        let matchers: Vec<Matcher> = matchers
            .iter()
            .map(|(op, name, value)| Matcher::new(ops[*op], name, value).expect("compiles"))
            .collect();
        let mut index = Index::default();
        let mut expected = Vec::new();
        for (i, (name, x, y)) in series.iter().enumerate() {
            let labels = labels(name, &[("x", x), ("y", y)]);
            if matchers.iter().all(|matcher| matcher.matches_labels(&labels)) {
                expected.push((labels.clone(), i as u64));
            }
            index.insert(i as u64, labels);
        }
        expected.sort();
        let expected: Vec<u64> = expected.into_iter().map(|(_, id)| id).collect();
        prop_assert_eq!(index.select(&matchers), expected);
    }
}
