use std::collections::BTreeMap;

use proptest::prelude::*;
use tinyobs_model::{Labels, Refusal, Refused, Sample, WriteBatch, is_stale_marker, limits};

use super::batches::{Batches, Outcome, Report};
use super::reader;

/// A store that refuses times below 0, and everything after so many batches.
#[derive(Default)]
struct Fake {
    stored: BTreeMap<String, Vec<Sample>>,
    sizes: Vec<usize>,
    batches_max: Option<usize>,
}

impl Fake {
    fn append(&mut self, batch: &WriteBatch) -> Result<Outcome, &'static str> {
        if self.batches_max == Some(self.sizes.len()) {
            return Err("full");
        }
        self.sizes.push(batch.len());
        let mut refused = Vec::new();
        for row in batch.rows() {
            let labels = Labels::from_canonical(batch.labels(row)).unwrap();
            if row.sample.time_ms < 0 {
                refused.push(Refused {
                    item: row.item,
                    rule: Refusal::TimeExpired,
                    message: "too old".to_owned(),
                });
            } else {
                let samples = self.stored.entry(labels.to_string()).or_default();
                samples.push(row.sample);
            }
        }
        let stored = (batch.len() - refused.len()) as u64;
        Ok(Outcome { stored, refused })
    }
}

fn import(text: &str, fake: &mut Fake) -> (Report, Option<&'static str>) {
    let mut append = |batch: &_| fake.append(batch);
    let mut batches = Batches::new(&mut append);
    reader::read(text.as_bytes(), &mut batches).unwrap();
    batches.finish()
}

fn line(name: &str, times: impl IntoIterator<Item = i64>) -> String {
    let times: Vec<String> = times.into_iter().map(|at| at.to_string()).collect();
    let times = times.join(",");
    // Each value is its own time.
    format!(
        "{{\"metric\":{{\"__name__\":\"{name}\"}},\"values\":[{times}],\"timestamps\":[{times}]}}\n"
    )
}

#[test]
fn i_import_1_a_refused_sample_is_named_by_its_line_in_whatever_batch_it_is() {
    let most = limits::IMPORT_BATCH_SAMPLES as i64;
    // The second line begins in one batch, fills another and ends in a third.
    let second = (0..2 * most).map(|at| if at == 2 * most - 1 { -1 } else { at });
    let text = line("a", 0..most - 10) + &line("b", second) + "\n" + &line("c", [-5, 7, -6]);
    let mut fake = Fake::default();
    let (report, failed) = import(&text, &mut fake);
    assert_eq!(failed, None);
    let errors = [
        "line 2: too old (time_expired)",
        "line 4: too old (time_expired)",
    ];
    assert_eq!(report.errors(), errors);
    assert_eq!((report.lines, report.refused), (3, 2));
    assert_eq!(report.stored, 3 * most as u64 - 10);
    assert_eq!(report.times, Some((-6, 2 * most - 2)));
    assert_eq!(fake.sizes, [10_000, 10_000, 9_993]);
    let of = |name: &str| fake.stored[&format!("{name}{{}}")].len() as i64;
    assert_eq!((of("a"), of("b"), of("c")), (most - 10, 2 * most - 1, 1));
}

#[test]
fn i_import_3_nothing_is_read_after_the_store_stopped() {
    let most = limits::IMPORT_BATCH_SAMPLES as i64;
    let mut fake = Fake {
        batches_max: Some(1),
        ..Fake::default()
    };
    let text = line("a", 0..3 * most) + &line("b", 0..3 * most) + "bad\n";
    let (report, failed) = import(&text, &mut fake);
    assert_eq!((report.stored, failed), (most as u64, Some("full")));
    assert_eq!((report.lines, report.refused), (1, 0), "it went on reading");
}

#[test]
fn rows_become_the_ends_of_their_windows() {
    let rows = "{\"metric\":{\"__name__\":\"m\"},\"values\":[9,5,null,4],\
         \"timestamps\":[300010,600000,900000,1499999],\
         \"nans\":[\"7ff0000000000002\"],\"resolution\":\"5m\",\"rollup\":{\
         \"start\":[300000,600000,900000,1200000],\"count\":[3,1,0,2],\
         \"first_time\":[300001,600000,900000,1200000],\"ended\":[0,1,1,1],\
         \"first\":[7,5,0,3],\"min\":[7,5,0,3],\"max\":[9,5,0,4],\"sum\":[24,5,0,7],\
         \"increase\":[2,0,0,1]}}\n";
    let mut fake = Fake::default();
    let (report, _) = import(rows, &mut fake);
    assert_eq!((report.rows, report.stored), (4, 7));
    let shown: Vec<(i64, String)> = fake.stored["m{}"]
        .iter()
        .map(|sample| {
            if is_stale_marker(sample.value) {
                (sample.time_ms, "end".to_owned())
            } else {
                (sample.time_ms, sample.value.to_string())
            }
        })
        .collect();
    let expected = [
        (300_001, "7"),
        (300_010, "9"),
        (600_000, "5"),
        (600_001, "end"),
        (900_000, "end"),
        (1_200_000, "3"),
        // Its last sample stands at the window's last millisecond: no room for an end.
        (1_499_999, "4"),
    ];
    let expected: Vec<(i64, String)> = expected.map(|(at, text)| (at, text.to_owned())).into();
    assert_eq!(shown, expected);
}

proptest! {
    #[test]
    fn i_import_1_any_file_is_read_to_its_end(text in "(.|\n|\\{|\"metric\":){0,300}") {
        let text = text + "\n" + &line("last", [1]);
        let mut fake = Fake::default();
        let mut append = |batch: &_| fake.append(batch);
        let mut batches = Batches::new(&mut append);
        // What looks like the original's is read as that.
        let read = reader::read(text.as_bytes(), &mut batches);
        let (report, failed) = batches.finish();
        prop_assert_eq!(failed, None);
        prop_assert!(read.is_err() || report.stored == 1);
    }
}
