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
    import_bytes(text.as_bytes(), fake).unwrap()
}

fn import_bytes(bytes: &[u8], fake: &mut Fake) -> std::io::Result<(Report, Option<&'static str>)> {
    let mut append = |batch: &_| fake.append(batch);
    let mut batches = Batches::new(&mut append);
    reader::read(bytes, true, &mut batches)?;
    Ok(batches.finish())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
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
    // Of what is stored, the refused ones are no part.
    assert_eq!(report.times, Some((0, 2 * most - 2)));
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

#[test]
fn i_import_1_a_bad_value_costs_only_its_sample() {
    let text = "{\"metric\":{\"__name__\":\"a\"},\"values\":[1,\"two\",3,4,5],\
                \"timestamps\":[1,2,3.5,-4,5]}\n";
    let mut fake = Fake::default();
    let (report, _) = import(&(text.to_owned() + &line("b", [1])), &mut fake);
    assert_eq!(
        report.errors(),
        [
            "line 1: 2 of 5 samples left out: \"\\\"two\\\"\" in \"values\" is not a value (malformed)"
        ]
    );
    // That one of its samples was too old as well makes it no second line.
    assert_eq!((report.lines, report.refused, report.stored), (2, 1, 3));
    let expected = [Sample::new(1, 1.0), Sample::new(5, 5.0)];
    assert_eq!(fake.stored["a{}"], expected);
    assert_eq!(report.times, Some((1, 5)));
}

#[test]
fn a_file_says_itself_what_it_is() {
    let lines = line("a", [1, 2]);
    let table = "timestamp,name,type,value,resolution,l\r\n1970-01-01T00:00:00.001Z,a,gauge,1,raw,\r\n\
                 1970-01-01T00:00:00.002Z,a,gauge,2,raw,\r\n1970-01-01T00:00:00.003Z,a,gauge,x,raw,\r\n";
    let bom = |text: &str| [b"\xef\xbb\xbf", text.as_bytes()].concat();
    // A frame of one segment, with one block that is the last and not packed.
    let len = u8::try_from(lines.len()).unwrap();
    let block = (u32::from(len) << 3 | 1).to_le_bytes();
    let head = [&b"\x28\xb5\x2f\xfd\x20"[..], &[len], &block[..3]].concat();
    let zstd = [&head, lines.as_bytes()].concat();
    for (file, refused) in [
        (lines.clone().into_bytes(), 0),
        (bom(&lines), 0),
        (gzip(lines.as_bytes()), 0),
        (gzip(&bom(&lines)), 0),
        (zstd, 0),
        (table.into(), 1),
        (bom(table), 1),
        (gzip(table.as_bytes()), 1),
    ] {
        let mut fake = Fake::default();
        let (report, _) = import_bytes(&file, &mut fake).unwrap();
        assert_eq!((report.stored, report.refused), (2, refused));
        assert_eq!(
            fake.stored["a{}"],
            [Sample::new(1, 1.0), Sample::new(2, 2.0)]
        );
    }
    let mut tar = vec![b'x'; 600];
    tar[257..262].copy_from_slice(b"ustar");
    let twice = gzip(&gzip(lines.as_bytes()));
    for (file, said) in [
        (
            &b"# TYPE a gauge\na 1\n"[..],
            "it looks like the text format of Prometheus: ",
        ),
        (b"<html>", "it looks like HTML or XML"),
        (b"[{}]", "it looks like a JSON list"),
        (
            b"\n {\"resourceMetrics\":[]}",
            "it looks like an OTLP request",
        ),
        (
            b"time,name,value\n1,a,2\n",
            "it looks like a table (CSV) that `tinyobs export` did not",
        ),
        (b"\xff\xfe{\0", "it looks like text in UTF-16"),
        (b"PK\x03\x04", "it looks like a zip archive"),
        (b"abc\0", "it looks like no text"),
        (&tar, "it looks like a tar archive; `tinyobs restore`"),
        (&twice, "it is packed twice, inside with gzip"),
    ] {
        let error = import_bytes(file, &mut Fake::default()).unwrap_err();
        assert!(error.to_string().starts_with(said), "{error}");
    }
}

proptest! {
    #[test]
    fn i_import_1_any_file_is_read_to_its_end(text in "(.|\n|\\{|\"metric\":){0,300}") {
        let text = text + "\n" + &line("last", [1]);
        let mut fake = Fake::default();
        let mut append = |batch: &_| fake.append(batch);
        let mut batches = Batches::new(&mut append);
        // What looks like the original's is read as that.
        let read = reader::read(text.as_bytes(), true, &mut batches);
        let (report, failed) = batches.finish();
        prop_assert_eq!(failed, None);
        prop_assert!(read.is_err() || report.stored == 1);
    }
}
