//! Import: every line is samples, rows or an error, every file of the original is items or an error,
//! every row of a table is a sample or an error, and what is exported reads back.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tinyobs_fuzz::Feed;
use tinyobs_model::{Columns, Kind, Labels, Resolution, Rollup, Sample};
use tinyobs_wire::csv::{Header, Records, Row, Table};
use tinyobs_wire::exposition::About;
use tinyobs_wire::lines::{Content, Described, Line, Writer};
use tinyobs_wire::original::{Item, items};

fuzz_target!(|data: &[u8]| {
    let mut feed = Feed::new(data);
    match feed.u8() {
        b'l' => any_line(&String::from_utf8_lossy(feed.rest())),
        b'o' => any_file(feed.rest()),
        b'c' => any_table(feed.rest()),
        b'r' => rows(&mut feed),
        _ => samples(&mut feed),
    }
});

fn any_line(text: &str) {
    match Line::parse(text) {
        Ok(line) => {
            // What was read, as we write it, reads the same.
            let pairs = line.labels.iter().map(|(name, value)| (&**name, &**value));
            let Ok(labels) = Labels::new(&line.name, pairs) else {
                return;
            };
            let about = About {
                help: &line.help,
                unit: &line.unit,
            };
            let kind = line.kind;
            let text = written(&labels, Described { kind, about }, &line.content);
            same(
                &Line::parse(&text).expect("what we write").content,
                &line.content,
            );
        }
        Err((_, message)) => assert!(!message.is_empty() && message.len() < 2_000, "{message}"),
    }
}

fn any_file(bytes: &[u8]) {
    let mut seen = 0;
    let read = items(bytes, |text| {
        seen += text.len();
        match Item::parse(text) {
            Ok(item) => assert!(item.sample.value.is_finite()),
            Err((_, message)) => assert!(!message.is_empty()),
        }
        true
    });
    assert!(seen <= bytes.len());
    assert!(read.err().is_none_or(|message| !message.is_empty()));
}

/// The rows behind a header, as they stand in the file and as we write them.
fn any_table(bytes: &[u8]) {
    let head: &[u8] = b"timestamp,name,type,value,resolution,a,label_name\n";
    let bytes = [head, bytes].concat();
    each_row(&bytes, |row| {
        let pairs = row.labels.iter().map(|(name, value)| (&**name, &**value));
        // A year of five digits is none of RFC 3339.
        let is_shown = (0..253_402_300_000_000).contains(&row.sample.time_ms);
        let Some(labels) = Labels::new(row.name, pairs).ok().filter(|_| is_shown) else {
            return;
        };
        let mut table = Table::new(["a", "name"].map(str::to_owned).into());
        let mut text = Vec::new();
        table.header(&mut text);
        table.begin(&labels, row.kind);
        table.row(&mut text, row.sample, row.resolution);
        let mut seen = 0;
        each_row(&text, |again| {
            seen += 1;
            assert_eq!((again.name, again.kind), (row.name, row.kind));
            assert_eq!(again.labels, row.labels);
            assert_eq!(again.sample.time_ms, row.sample.time_ms);
            let (read, sent) = (again.sample.value, row.sample.value);
            assert!(read.to_bits() == sent.to_bits() || (read.is_nan() && sent.is_nan()));
        });
        assert_eq!(seen, 1, "{}", String::from_utf8_lossy(&text));
    });
}

fn each_row(bytes: &[u8], mut each: impl FnMut(&Row<'_>)) {
    let mut records = Records::new(bytes);
    let (_, header) = records.next_record().expect("memory").expect("a header");
    let header = Header::read(&header.expect("cells")).expect("ours");
    while let Some((line, record)) = records.next_record().expect("memory") {
        assert!(line > 1);
        match record.and_then(|cells| header.row(&cells)) {
            Ok(row) => each(&row),
            Err((_, message)) => assert!(!message.is_empty() && message.len() < 2_000),
        }
    }
}

static LABELS: LazyLock<Labels> =
    LazyLock::new(|| Labels::new("m", [("a", "1"), ("b", "\"\\\n")]).expect("valid"));

fn samples(feed: &mut Feed<'_>) {
    let mut columns = Columns::default();
    while !feed.is_empty() {
        let time_ms = feed.any_size();
        columns.push(Sample::new(time_ms, f64::from_bits(feed.u64())));
    }
    read_back(&Content::Samples(columns));
}

fn rows(feed: &mut Feed<'_>) {
    let resolution = Resolution::ALL[1 + usize::from(feed.u8() % 2)];
    let width_ms = resolution.width_ms();
    let mut rows = Vec::new();
    while !feed.is_empty() {
        let start_ms = (feed.any_size() >> 24) * width_ms;
        let (one, other) = (feed.place(width_ms as usize), feed.place(width_ms as usize));
        let mut value = || f64::from_bits(feed.u64());
        let (sum, min, max, first, last, increase) =
            (value(), value(), value(), value(), value(), value());
        rows.push(Rollup {
            start_ms,
            sum,
            min,
            max,
            increase,
            first: Sample::new(start_ms + one.min(other) as i64, first),
            last: Sample::new(start_ms + one.max(other) as i64, last),
            count: u64::from(feed.u8()),
            ended: feed.u8() % 2 == 1,
        });
    }
    read_back(&Content::Rollups(resolution, rows));
}

fn read_back(content: &Content) {
    let described = Described {
        kind: Kind::Counter,
        about: About {
            help: "Help.",
            unit: "",
        },
    };
    let text = written(&LABELS, described, content);
    let line = Line::parse(&text).expect("what we write");
    assert_eq!(
        (&*line.name, line.kind, &*line.help),
        ("m", Kind::Counter, "Help.")
    );
    same(&line.content, content);
}

fn written(labels: &Labels, described: Described<'_>, content: &Content) -> String {
    let mut writer = Writer::default();
    writer.begin(labels, Some(described));
    let mut out = Vec::new();
    match content {
        Content::Samples(columns) => writer.samples(&mut out, &columns.times, &columns.values),
        Content::Rollups(resolution, rows) => writer.rollups(&mut out, *resolution, rows),
    }
    String::from_utf8(out).expect("JSON is UTF-8")
}

fn same(read: &Content, sent: &Content) {
    match (read, sent) {
        (Content::Samples(read), Content::Samples(sent)) => {
            assert!(read.iter().eq(sent.iter()), "{read:?} {sent:?}");
        }
        (Content::Rollups(read_at, read), Content::Rollups(sent_at, sent)) => {
            assert_eq!((read_at, read), (sent_at, sent));
        }
        _ => panic!("samples and rows are two things"),
    }
}
