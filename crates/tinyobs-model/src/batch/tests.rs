use proptest::prelude::*;

use super::*;
use crate::labels::Labels;
use crate::refusal::Refusal;

fn push(batch: &mut WriteBatch, item: u32, name: &str, pairs: &[(String, String)]) -> bool {
    let mut builder = LabelsBuilder::new();
    builder.begin(name);
    for (name, value) in pairs {
        builder.push(name, value);
    }
    let sample = Sample::new(i64::from(item), 1.0);
    batch
        .push(item, &mut builder, Kind::Gauge, sample, None)
        .is_ok()
}

#[test]
fn i_refuse_1_a_refused_row_leaves_the_batch_as_it_was() {
    let mut batch = WriteBatch::new();
    let pair = |name: &str| (name.to_owned(), "v".to_owned());
    assert!(push(&mut batch, 0, "a", &[pair("l")]));
    let mut builder = LabelsBuilder::new();
    builder.begin("b");
    // In order of names the good one is written out before the bad one is met.
    builder.push("a", "1");
    builder.push("b", "1");
    builder.push("b", "2");
    let sample = Sample::new(1, 1.0);
    let refused = batch.push(1, &mut builder, Kind::Gauge, sample, None);
    let refused = refused.expect_err("a label twice");
    assert_eq!((refused.item, refused.rule), (1, Refusal::LabelDuplicate));
    assert!(push(&mut batch, 2, "c", &[]));
    let shown: Vec<String> = batch
        .rows()
        .iter()
        .map(|row| {
            let labels = Labels::from_canonical(batch.labels(row)).expect("canonical");
            format!("{} {labels}", row.item)
        })
        .collect();
    assert_eq!(shown, ["0 a{l=\"v\"}", "2 c{}"]);
}

proptest! {
    #[test]
    fn i_batch_1_every_row_has_canonical_labels(
        items in proptest::collection::vec(
            ("[a-b]{0,2}", proptest::collection::vec(("[a-c_]{0,2}", "[xé]{0,2}"), 0..4)),
            0..8,
        )
    ) {
        let mut batch = WriteBatch::new();
        let mut kept = Vec::new();
        for (i, (name, pairs)) in items.iter().enumerate() {
            if push(&mut batch, i as u32, name, pairs) {
                batch.push_same_series(Sample::new(9, 2.0));
                let pairs = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str()));
                let labels = Labels::new(name, pairs).expect("the batch took them");
                kept.extend([labels.clone(), labels]);
            }
        }
        let rows: Vec<Labels> = batch
            .rows()
            .iter()
            .map(|row| Labels::from_canonical(batch.labels(row)).expect("canonical"))
            .collect();
        prop_assert_eq!(rows, kept);
    }
}

#[test]
fn a_sample_of_the_same_series_may_be_an_item_of_its_own() {
    let mut batch = WriteBatch::new();
    let mut labels = LabelsBuilder::new();
    labels.begin("m");
    let first = Sample::new(1, 1.0);
    batch
        .push(7, &mut labels, Kind::Counter, first, Some(0))
        .unwrap();
    batch.push_next(8, Sample::new(2, 2.0));
    let [one, two] = batch.rows() else {
        panic!("{:?}", batch.rows())
    };
    assert_eq!((one.item, two.item), (7, 8));
    assert_eq!(
        (two.kind, two.start_ms, two.sample),
        (Kind::Counter, None, Sample::new(2, 2.0))
    );
    assert_eq!(batch.labels(one), batch.labels(two));
    batch.clear();
    assert!(batch.is_empty());
}
