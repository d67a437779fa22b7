use tinyobs_model::Columns;

use super::*;
use crate::chunk::Chunk;

const ALL: TimeRange = TimeRange::ALL;

fn put(head: &Head, rows: &[(i64, f64)]) {
    let rows: Vec<_> = rows
        .iter()
        .map(|&(time_ms, v)| (1, Sample::new(time_ms, v)))
        .collect();
    head.put(&rows);
}

fn times(samples: &[Sample]) -> Vec<i64> {
    samples.iter().map(|sample| sample.time_ms).collect()
}

#[test]
fn i_head_1_late_and_tail_never_share_a_time() {
    let head = Head::new();
    // Fills the tail, which is sealed up to 128.
    put(&head, &(1..=128).map(|t| (t, 1.0)).collect::<Vec<_>>());
    put(&head, &[(129, 1.0), (128, 2.0), (5, 2.0), (129, 3.0)]);
    let held = head.samples(1, ALL);
    assert_eq!(held.sealed.len(), 1);
    assert_eq!(times(&held.tail), [129]);
    assert_eq!(times(&held.late), [5, 128]);
    assert_eq!(held.tail[0].value, 3.0, "the same time again replaces");
}

#[test]
fn a_sample_sent_again_takes_no_room() {
    let head = Head::new();
    put(&head, &(1..=130).map(|t| (t, 1.0)).collect::<Vec<_>>());
    assert_eq!(head.extent(), (130, 1, 130));
    put(&head, &(1..=130).map(|t| (t, 1.0)).collect::<Vec<_>>());
    assert_eq!(head.extent().0, 130);
    assert!(head.samples(1, ALL).late.is_empty());
    put(&head, &[(7, 2.0)]);
    assert_eq!(
        times(&head.samples(1, ALL).late),
        [7],
        "another value is not a repeat"
    );
    // Back to the first value: no repeat either, the second is in force.
    put(&head, &[(7, 1.0)]);
    assert_eq!(head.samples(1, ALL).late[0].value, 1.0);
}

#[test]
fn i_head_3_what_is_taken_stays_until_it_is_forgotten() {
    let head = Head::new();
    put(&head, &[(10, 1.0), (20, 2.0)]);
    let taken = head.take(head.rotate());
    assert_eq!(taken.len(), 1);
    // A sample that comes during the flush survives it.
    put(&head, &[(30, 3.0)]);
    let held = head.samples(1, ALL);
    assert_eq!((held.sealed.len(), times(&held.tail)), (1, vec![30]));
    let mut columns = Columns::default();
    Chunk::open(&held.sealed[0].bytes)
        .expect("opens")
        .decode(&mut columns)
        .expect("decodes");
    assert_eq!(columns.times, [10, 20]);
    head.forget(&taken);
    assert_eq!(head.samples(1, ALL).sealed.len(), 0);
    assert_eq!(head.extent().0, 1);
    assert_eq!(head.last(1), Some(Sample::new(30, 3.0)));
}

#[test]
fn reads_are_cut_to_the_range() {
    let head = Head::new();
    put(&head, &[(10, 1.0), (20, 2.0), (30, 3.0)]);
    assert_eq!(
        times(&head.samples(1, TimeRange::new(11, 30)).tail),
        [20, 30]
    );
    assert_eq!(
        times(&head.samples(1, TimeRange::new(31, 11)).tail),
        [0i64; 0]
    );
    assert!(head.samples(2, ALL).tail.is_empty());
}

#[test]
fn i_head_4_a_flush_takes_what_was_there_at_the_rotation_and_nothing_else() {
    let head = Head::new();
    put(&head, &[(10, 1.0), (20, 1.0)]);
    let epoch = head.rotate();
    // Logged after the rotation, before the flush has come to the series.
    put(&head, &[(20, 2.0), (30, 2.0)]);
    let taken = head.take(epoch);
    let chunks: Vec<_> = taken
        .iter()
        .map(|(id, chunk)| (*id, chunk.count, chunk.first_ms, chunk.last_ms))
        .collect();
    assert_eq!(chunks, [(1, 2, 10, 20)]);
    head.forget(&taken);
    let held = head.samples(1, ALL);
    assert_eq!((times(&held.late), times(&held.tail)), (vec![20], vec![30]));
    assert_eq!(head.extent().0, 2);
}

/// Late samples of scattered times make chunks that all cover one another: looking into each of
/// them for each sample would take longer with every sample.
#[test]
fn only_the_newest_chunks_are_searched_for_repeats() {
    let head = Head::new();
    put(&head, &(0..128).map(|t| (t, 1.0)).collect::<Vec<_>>());
    put(&head, &[(5, 1.0)]);
    assert!(
        head.samples(1, ALL).late.is_empty(),
        "the newest chunk is searched"
    );
    for value in 2..6 {
        put(
            &head,
            &(0..128).map(|t| (t, f64::from(value))).collect::<Vec<_>>(),
        );
    }
    assert_eq!(head.samples(1, ALL).sealed.len(), 5);
    put(&head, &[(5, 5.0)]);
    assert!(
        head.samples(1, ALL).late.is_empty(),
        "of the newest value it is a repeat"
    );
    put(&head, &[(5, 1.0)]);
    assert_eq!(
        times(&head.samples(1, ALL).late),
        [5],
        "the oldest chunk decides nothing"
    );
}

#[test]
fn i_page_1_what_is_gone_leaves_its_newest_time_and_no_room() {
    let head = Head::new();
    let row = |id, time_ms| (id, Sample::new(time_ms, 1.0));
    head.put(&[row(63, 7), row(64, 8), row(65, 9), row(64, 3)]);
    let newest = |ids: [SeriesId; 4]| ids.map(|id| head.newest_ms(id));
    assert_eq!(newest([63, 64, 65, 66]), [7, 8, 9, i64::MIN]);
    assert_eq!([62, 63, 64].map(|id| head.holds(id)), [false, true, true]);
    let taken = head.take(head.rotate());
    assert_eq!(
        taken.iter().map(|(id, _)| *id).collect::<Vec<_>>(),
        [63, 64, 65]
    );
    head.put(&[row(65, 5)]);
    head.forget(&taken);
    assert_eq!(newest([63, 64, 65, 66]), [7, 8, 9, i64::MIN]);
    assert_eq!([63, 64, 65].map(|id| head.holds(id)), [false, false, true]);
    assert_eq!(head.last(64), None);
    assert_eq!(times(&head.samples(65, ALL).late), [5]);
    let has_heads = |page: u64| head.read(page).pages[&page].has_heads();
    assert!(!has_heads(0) && has_heads(1), "series 65 still has samples");
    head.recall(66, 100);
    head.recall(63, 2);
    assert_eq!(newest([63, 64, 65, 66]), [7, 8, 9, 100]);
    head.forget_series(63);
    assert_eq!(newest([63, 64, 65, 66]), [i64::MIN, 8, 9, 100]);
    assert!(!head.read(0).pages.contains_key(&0), "nothing is known");
}
