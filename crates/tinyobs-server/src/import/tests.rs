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

/// Bytes, and then no end.
struct Cut<'a>(&'a [u8]);

impl std::io::Read for Cut<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(std::io::Error::other("the body broke off")),
            read => Ok(read),
        }
    }
}

#[test]
fn i_import_6_of_a_body_that_breaks_off_only_whole_lines_count() {
    let header = "timestamp,name,type,value,resolution\r\n";
    let row = |at: i64| format!("1970-01-01T00:00:00.{at:03}Z,a,gauge,{at},raw\r\n");
    // Cut in the middle of a value it would be a row still, with another value.
    let cut_row = "1970-01-01T00:00:00.900Z,a,gauge,90";
    let cut_line = "{\"metric\":{\"__name__\":\"a\"},\"values\":[900],\"timestamps\":[900]}";
    // Within the first bytes, by which a file is known, and far behind them.
    for count in [2, 500] {
        let table: String = (1..=count).map(row).collect();
        let lines: String = (1..=count).map(|at| line("a", [at])).collect();
        for (text, rest) in [
            (header.to_owned() + &table, cut_row.to_owned() + ",raw"),
            (lines, cut_line.to_owned()),
        ] {
            for packed in [false, true] {
                let mut bytes = (text.clone() + &rest).into_bytes();
                if packed {
                    bytes = gzip(&bytes);
                    // The check of the whole is missing.
                    bytes.truncate(bytes.len() - 8);
                }
                let mut fake = Fake::default();
                let mut append = |batch: &_| fake.append(batch);
                let mut batches = Batches::new(&mut append);
                let error = reader::read(Cut(&bytes), true, &mut batches).unwrap_err();
                let (report, _) = batches.finish();
                assert_eq!(error.to_string(), "the body broke off");
                assert_eq!(report.refused, 0);
                // An unpacker keeps something back until it has more.
                let stored = report.stored as i64;
                assert!(
                    stored == count || packed && stored < count,
                    "{stored} of {count}"
                );
                let expected: Vec<_> = (1..=stored).map(|at| Sample::new(at, at as f64)).collect();
                assert_eq!(fake.stored.remove("a{}").unwrap_or_default(), expected);
            }
            // At the end of a whole body it is a line.
            let (report, _) = import(&(text + &rest), &mut Fake::default());
            assert_eq!((report.stored, report.refused), (count as u64 + 1, 0));
        }
    }
}

#[test]
fn a_table_of_ours_is_known_whatever_its_labels_are() {
    let header = "timestamp,name,type,value,resolution,l\r\n";
    let row = |label: &str| format!("1970-01-01T00:00:00.001Z,a,gauge,1,raw,{label}\r\n");
    // Where a tar archive says what it is.
    let before = "x".repeat(257 - header.len() - row("").len() + "\r\n".len());
    for label in ["\0".to_owned(), before + "ustar"] {
        let text = header.to_owned() + &row(&label);
        assert_eq!(label == "\0", text.get(257..262) != Some("ustar"));
        let mut fake = Fake::default();
        let (report, _) = import(&text, &mut fake);
        assert_eq!(report.stored, 1);
        let labels = Labels::new("a", [("l", label.as_str())]).unwrap();
        assert_eq!(fake.stored[&labels.to_string()], [Sample::new(1, 1.0)]);
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
