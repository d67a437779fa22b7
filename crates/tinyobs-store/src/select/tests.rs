use std::path::Path;

use tinyobs_model::Sample;

use super::*;
use crate::engine::{Counters, TableEngine};
use crate::files::memory::MemoryFiles;
use crate::flush;
use crate::head::Taken;

const ID: SeriesId = 16;

fn engine() -> TableEngine {
    TableEngine::open(Arc::new(MemoryFiles::default()), Path::new("")).expect("opens")
}

fn commit(engine: &dyn Engine, taken: &Taken, sequence: u64) {
    let commit = flush::write(engine, taken, sequence, &[], &[], Counters::default());
    engine.commit(commit.expect("writes")).expect("commits");
}

fn put(head: &Head, times: std::ops::Range<i64>, value: f64) {
    let rows: Vec<_> = times
        .map(|time_ms| (ID, Sample::new(time_ms, value)))
        .collect();
    head.put(&rows);
}

fn values(head: &Arc<Head>, engine: &Arc<dyn Engine>) -> Vec<f64> {
    let labels = Labels::new("m", []).expect("valid");
    let (head, engine) = (Arc::clone(head), Arc::clone(engine));
    let mut cursor = Cursor::new(ID, labels, TimeRange::ALL, head, engine);
    let mut columns = Columns::default();
    let mut values = Vec::new();
    while cursor.next_block(&mut columns).expect("reads") {
        values.extend_from_slice(&columns.values);
    }
    values
}

/// A flush has taken a series when the same times are written again and sealed; only then it
/// commits. Its number says nothing about what the head sealed meanwhile.
#[test]
fn i_select_2_what_was_sealed_during_a_flush_wins_over_the_flush() {
    let (head, engine) = (Arc::new(Head::new()), Arc::new(engine()));
    let engine: Arc<dyn Engine> = engine;
    put(&head, 0..128, 1.0);
    let taken = head.take(head.rotate());
    put(&head, 0..128, 2.0);
    assert_eq!(values(&head, &engine), [2.0; 128], "before the commit");
    commit(engine.as_ref(), &taken, 1_000_000);
    assert_eq!(values(&head, &engine), [2.0; 128], "after the commit");
    head.forget(&taken);
    assert_eq!(
        values(&head, &engine),
        [2.0; 128],
        "after the head has forgotten"
    );
    // The next flush stands above the one before.
    let taken = head.take(head.rotate());
    commit(engine.as_ref(), &taken, 1_000_001);
    head.forget(&taken);
    assert_eq!(values(&head, &engine), [2.0; 128], "from the engine alone");
}

#[test]
fn i_head_2_of_two_sealed_chunks_the_later_wins() {
    let (head, engine) = (Arc::new(Head::new()), Arc::new(engine()));
    let engine: Arc<dyn Engine> = engine;
    for value in [1.0, 2.0, 3.0] {
        put(&head, 0..128, value);
    }
    put(&head, 64..65, 4.0);
    let mut expected = [3.0; 128];
    expected[64] = 4.0;
    assert_eq!(values(&head, &engine), expected);
}
