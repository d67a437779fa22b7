//! What every decoder takes for the worst bodies we know: as large as one may be, and made of what
//! costs its sender least.
//!
//! Counted is what is held at once beside the body itself, in an allocator that never lets anything
//! grow where it is: a vector that doubles counts twice while it is moved.
//!
//! I-WIRE-1  A decoder takes no more than twice `limits::DECOMPRESSED_BYTES`, and little beside it.

#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]
#![allow(clippy::too_many_lines, reason = "a list of bodies")]

use allocation_counter::measure;
use tinyobs_model::{Refusal, Sample, limits};
use tinyobs_wire::families::read_text;
use tinyobs_wire::influx::Precision;
use tinyobs_wire::lines::Line;
use tinyobs_wire::otlp::{Counted, Format, Stored, logs};
use tinyobs_wire::remote_write::Version;
use tinyobs_wire::text::Dialect;
use tinyobs_wire::{influx, json, metric_family, original, otlp, remote_write};

const CAP: usize = limits::DECOMPRESSED_BYTES;
const NOW_MS: i64 = 1_800_000_000_000;

/// The bound, and what every decoder has for itself.
const MOST: usize = 2 * CAP + (4 << 20);

/// Of a body that is as large as one may be: a debug build takes minutes for all of them, so that it
/// has whole only those that came near the bound. `cargo test --release` has all.
const SHARE: usize = if cfg!(debug_assertions) { 64 } else { 1 };
const SOME: usize = CAP / SHARE;
const LINE: usize = limits::LINE_BYTES / SHARE;

/// A body of `len` bytes at most: `item` again and again between its ends.
fn dense(len: usize, before: &[u8], item: &[u8], after: &[u8]) -> Vec<u8> {
    let count = (len - before.len() - after.len()) / item.len();
    let mut body = Vec::with_capacity(len);
    body.extend_from_slice(before);
    for _ in 0..count {
        body.extend_from_slice(item);
    }
    body.extend_from_slice(after);
    body
}

/// A field of protobuf with bytes in it.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut len = bytes.len();
    while len >= 0x80 {
        out.push(len as u8 | 0x80);
        len >>= 7;
    }
    out.push(len as u8);
    out.extend_from_slice(bytes);
    out
}

/// Bytes that `decode` holds at most beside the body, its result among them.
fn taken<T>(body: Vec<u8>, decode: impl FnOnce(Vec<u8>) -> T) -> usize {
    let len = body.len();
    let (mut body, mut decode) = (Some(body), Some(decode));
    let info = measure(|| {
        // A copy is taken and given back in here, so that it counts whoever drops it.
        let lent = body.take().unwrap();
        let own = lent.clone();
        std::mem::forget(lent);
        let decode = decode.take().unwrap();
        drop(std::hint::black_box(decode(own)));
    });
    (info.bytes_max as usize).saturating_sub(len)
}

fn check<T>(what: &str, body: Vec<u8>, decode: impl FnOnce(Vec<u8>) -> T) {
    assert!(
        body.len() <= CAP && body.len() >= SOME / 10,
        "{what}: {}",
        body.len()
    );
    let bytes = taken(body, decode);
    eprintln!("{what}: {:.1} MiB", bytes as f64 / f64::from(1 << 20));
    assert!(bytes <= MOST, "{what}: {bytes} bytes");
}

#[derive(Default)]
struct Nothing(Counted);

impl Stored for Nothing {
    fn newest(&mut self, _: &[u8]) -> Result<Option<Sample>, String> {
        Ok(None)
    }

    fn value_at(&mut self, _: &[u8], _: i64) -> Result<Option<f64>, String> {
        Ok(None)
    }

    fn counted(&mut self) -> Result<&mut Counted, String> {
        Ok(&mut self.0)
    }

    fn check_time(&mut self, _: i64) -> Result<(), (Refusal, String)> {
        Ok(())
    }

    fn bounds(&mut self, _: &[u8]) -> Result<Vec<f64>, String> {
        Ok(Vec::new())
    }
}

#[test]
fn i_wire_1_json() {
    let decode = |body: Vec<u8>| json::decode(&body, NOW_MS).ok();
    let items = |item: &str| {
        let before = format!("{{\"metrics\":[{item}");
        dense(
            SOME,
            before.as_bytes(),
            format!(",{item}").as_bytes(),
            b"]}",
        )
    };
    check("json: nothing", items("{}"), decode);
    check("json: numbers", items("1"), decode);
    check("json: short", items("{\"name\":\"m\",\"value\":1}"), decode);
    let some = |item: &str, count: usize| {
        let items = vec![item; count].join(",");
        format!("{{\"metrics\":[{items}]}}").into_bytes()
    };
    let labels: Vec<String> = (0..60)
        .map(|i| format!("\"l{i}\":\"{}\"", "v".repeat(90)))
        .collect();
    let wide = format!(
        "{{\"name\":\"m\",\"value\":1,\"labels\":{{{}}}}}",
        labels.join(",")
    );
    check("json: wide", some(&wide, limits::ITEMS_PER_REQUEST), decode);
    let buckets: Vec<String> = (0..500).map(|i| format!("[{i},0]")).collect();
    let tall = format!(
        "{{\"name\":\"h\",\"buckets\":[{}],\"sum\":0,\"count\":0}}",
        buckets.join(",")
    );
    check("json: tall", some(&tall, limits::ITEMS_PER_REQUEST), decode);
    let text = |field: &str| {
        dense(
            SOME,
            format!("{{\"metrics\":[{{{field}\":\"").as_bytes(),
            b"\\n",
            b"\"}]}",
        )
    };
    check("json: a name of escapes", text("\"name"), decode);
    check(
        "json: a value of escapes",
        text("\"name\":\"m\",\"labels\":{\"l\":\"\"},\"type"),
        decode,
    );
    let pairs = dense(
        SOME,
        b"{\"metrics\":[{\"name\":\"m\",\"value\":1,\"labels\":{\"a\":\"\"",
        b",\"\\n\":\"\\n\"",
        b"}}]}",
    );
    check("json: an item of labels", pairs, decode);
    let list = dense(
        CAP / 4,
        b"{\"metrics\":[{\"name\":\"h\",\"buckets\":[[0,0]",
        b",[0,0]",
        b"]}]}",
    );
    check("json: an item of buckets", list, decode);
    check("json: brackets", dense(SOME, b"{\"x\":", b"[", b""), decode);
}

#[test]
#[cfg_attr(debug_assertions, ignore = "takes minutes: run it with --release")]
fn i_wire_1_remote_write() {
    let one = |body| remote_write::decode(Version::One, body).ok();
    let two = |body| remote_write::decode(Version::Two, body).ok();
    let sample = field(2, &[9, 0, 0, 0, 0, 0, 0, 0, 0, 16, 1]);
    let name = field(1, &[field(1, b"__name__"), field(2, b"m")].concat());
    let check_one = |what: &str, item: &[u8]| check(what, dense(SOME, b"", item, b""), one);
    let check_whole = |what: &str, item: &[u8]| check(what, dense(CAP, b"", item, b""), one);
    check_one("1.0: empty series", &field(1, b""));
    check_one("1.0: empty samples", &field(1, &[0x12, 0]));
    check_one("1.0: a histogram each", &field(1, &[0x22, 0]));
    check_one(
        "1.0: short",
        &field(1, &[name.clone(), sample.clone()].concat()),
    );
    check_one(
        "1.0: descriptions",
        &field(3, &[&[8, 3][..], &field(2, b"f"), &field(4, b"h")].concat()),
    );
    let long = [
        &[8, 3][..],
        &field(2, &[b'f'; 250]),
        &field(4, &[b'h'; 2_900]),
    ]
    .concat();
    check_whole("1.0: long descriptions", &field(3, &long));
    // Labels on both sides of the sample: they are put together behind the body.
    let scattered = [&sample[..], &field(1, &field(2, &[b'v'; 200])), &name].concat();
    check_whole("1.0: scattered", &field(1, &scattered));
    let scattered = field(
        1,
        &[&sample[..], &dense(SOME - 100, b"", &[0x0a, 0], b"")].concat(),
    );
    check("1.0: one scattered series", scattered, one);

    let check_two = |what: &str, before: &[u8], item: &[u8]| {
        check(what, dense(SOME, before, item, b""), two);
    };
    check_two("2.0: empty strings", b"", &field(4, b""));
    check_two("2.0: empty series", b"", &field(5, b""));
    check_two("2.0: empty samples", b"", &field(5, &[0x12, 0]));
    let symbols = [
        field(4, b""),
        field(4, b"__name__"),
        field(4, b"m"),
        field(4, &[b'v'; 4_000]),
    ];
    let symbols = symbols.concat();
    let series = field(5, &[&field(1, &[1, 2])[..], &sample].concat());
    check_two("2.0: short", &symbols, &series);
    let series = field(5, &[&field(1, &[1, 2, 3, 3])[..], &sample].concat());
    check_two("2.0: long", &symbols, &series);
    let many = dense(2 * limits::SYMBOLS_PER_REQUEST - 8, b"", &[0x22, 0], b"");
    let series = field(5, &[&field(1, &[1, 2])[..], &sample].concat());
    check_two(
        "2.0: strings and series",
        &[symbols.clone(), many].concat(),
        &series,
    );
    // Series of 300 bytes of labels, from as many strings as there may be: the most of everything.
    let head = [&symbols[..], &field(4, &[b'l'; 250])].concat();
    let strings = limits::SYMBOLS_PER_REQUEST - 5;
    let many = dense(2 * strings, b"", &[0x22, 0], b"");
    let series = field(
        5,
        &[&field(1, &[1, 2, 4, 2])[..], &sample, &field(5, &[0x18, 3])].concat(),
    );
    let whole = dense(CAP, &[head, many].concat(), &series, b"");
    check("2.0: most of everything", whole, two);
}

#[test]
fn i_wire_1_otlp() {
    let decode = |format: Format| {
        move |body: Vec<u8>| otlp::decode(format, &body, &mut Nothing::default()).ok()
    };
    let (binary, text) = (decode(Format::Protobuf), decode(Format::Json));
    let check_binary = |what: &str, body: Vec<u8>| check(what, body, binary);
    check_binary("otlp: resources", dense(SOME, b"", &[0x0a, 0], b""));
    let wrapped = |item: &[u8], wraps: &[u8]| {
        let inner = dense(SOME - 64, b"", item, b"");
        wraps
            .iter()
            .fold(inner, |inner, number| field(*number, &inner))
    };
    check_binary("otlp: scopes", wrapped(&[0x12, 0], &[1]));
    check_binary("otlp: metrics", wrapped(&[0x12, 0], &[2, 1]));
    let metric = |data: &[u8]| [field(1, b"m"), field(5, data)].concat();
    check_binary(
        "otlp: metrics with a gauge",
        wrapped(&field(2, &metric(b"")), &[2, 1]),
    );
    let gauge = |points: &[u8]| {
        let metric = metric(points);
        field(1, &field(2, &field(2, &metric)))
    };
    check_binary(
        "otlp: empty points",
        gauge(&dense(SOME - 64, b"", &[0x0a, 0], b"")),
    );
    let value = [&[0x19, 1, 0, 0, 0, 0, 0, 0, 0, 0x21][..], &[0; 8]].concat();
    let attribute =
        |key: &[u8], text: &[u8]| field(7, &[field(1, key), field(2, &field(1, text))].concat());
    let wide: Vec<u8> = (0..60)
        .flat_map(|n| attribute(format!("k{n}").as_bytes(), &[b'v'; 9]))
        .collect();
    let point = field(1, &[&value[..], &wide].concat());
    let points = point.repeat((limits::OTLP_POINTS - 1).min((SOME - 64) / point.len()));
    check_binary("otlp: wide points", gauge(&points));
    let many = field(
        1,
        &[
            &value[..],
            &dense(SOME - 200, b"", &attribute(b"", b""), b""),
        ]
        .concat(),
    );
    check_binary("otlp: a point of attributes", gauge(&many));
    let resource = field(1, &dense(SOME - 200, b"", &field(1, &field(1, b"k")), b""));
    check_binary("otlp: a resource of attributes", field(1, &resource));
    // An attribute that is a list of lists, deeper than is read.
    let deep = (0..40).fold(dense(SOME / 2, b"", &[0x0a, 0], b""), |inner, _| {
        field(5, &field(1, &inner))
    });
    let nested = field(
        1,
        &[
            &value[..],
            &field(7, &[field(1, b"k"), field(2, &deep)].concat()),
        ]
        .concat(),
    );
    check_binary("otlp: a deep attribute", gauge(&nested));
    let buckets = field(2, &[0; 8 * 400]);
    let histogram = field(
        1,
        &[&value[..10], &field(7, &[0; 8 * 500]), &buckets].concat(),
    );
    let inner = histogram.repeat((SOME - 64) / histogram.len());
    let body = field(
        1,
        &field(
            2,
            &field(
                2,
                &[field(1, b"m"), field(9, &[&inner[..], &[0x10, 2]].concat())].concat(),
            ),
        ),
    );
    check_binary("otlp: histograms", body);
    // Deltas wait until all are there.
    let deltas = |number: u8, points: &[u8]| {
        let data = [points, &[0x10, 1, 0x18, 1]].concat();
        let metric = [field(1, b"m"), field(number, &data)].concat();
        field(1, &field(2, &field(2, &metric)))
    };
    let count = points.len() / point.len();
    let small = field(1, &value);
    let smalls = small.repeat((limits::OTLP_POINTS - 1).min(SOME / 4 / small.len()));
    // What nobody knows, so that the body is one of these.
    let padded = dense(SOME / 2, &smalls, &[0x7a, 0], b"");
    check_binary("otlp: small deltas", deltas(7, &padded));
    check_binary("otlp: wide deltas", deltas(7, &point.repeat(count)));
    let bounds: Vec<u8> = (1..=20).flat_map(|n| f64::from(n).to_le_bytes()).collect();
    let lists = [field(6, &[0; 8 * 21]), field(7, &bounds)].concat();
    let histogram = field(1, &[&value[..9], &lists].concat());
    let count = (limits::OTLP_POINTS - 1).min((SOME - 64) / histogram.len());
    check_binary(
        "otlp: delta histograms",
        deltas(9, &histogram.repeat(count)),
    );

    // A debug build needs a minute for a body at its limit, because each level is read again.
    let check_text = |what: &str, before: &str, item: &str| {
        let body = dense(SOME / 8, before.as_bytes(), item.as_bytes(), b"");
        check(what, body, text);
    };
    let points = "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"name\":\"m\",\"gauge\":{\"dataPoints\":[{}";
    check_text("otlp json: resources", "{\"resourceMetrics\":[{}", ",{}");
    check_text("otlp json: empty points", points, ",{}");
    let none = ",7".repeat((limits::OTLP_POINTS - 1).min(SOME / 32));
    let body = format!("{points}{none}]}}}}]}}]}}]}}");
    check_text("otlp json: points that are none", &body, " ");
    let attributes = "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{}";
    check_text("otlp json: attributes", attributes, ",{}");
    check_text(
        "otlp json: escapes",
        "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"name\":\"",
        "\\n",
    );
    check_text("otlp json: unknown", "{\"x\":[0", ",0");
    let counts = format!(
        "{}]}},{{\"bucketCounts\":[0",
        points
            .replace("gauge", "histogram")
            .trim_end_matches("{}")
            .to_owned()
            + "{\"bucketCounts\":[0"
    );
    check_text("otlp json: buckets", &counts, ",0");
    let body = dense(
        SOME,
        b"{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{}",
        b",{}",
        b"]}]}]}",
    );
    check("otlp json: logs", body, |body| {
        logs::count(Format::Json, &body).ok()
    });
}

#[test]
#[cfg_attr(debug_assertions, ignore = "takes minutes: run it with --release")]
fn i_wire_1_lines_of_text() {
    let influx = |body: Vec<u8>| influx::read(&body, Precision::Nanoseconds, NOW_MS);
    let check_influx =
        |what: &str, item: &str| check(what, dense(SOME, b"", item.as_bytes(), b""), influx);
    check_influx("influx: malformed", "a\n");
    check_influx("influx: short", "a b=1\n");
    check_influx("influx: tags", &format!("a{} b=1\n", ",k=v".repeat(70)));
    check(
        "influx: a line of tags",
        dense(SOME, b"a", b",\\ =\\ ", b" b=1"),
        influx,
    );
    check(
        "influx: a line of fields",
        dense(SOME, b"a b=1", b",b=1", b""),
        influx,
    );
    check(
        "influx: escapes",
        dense(SOME, b"a", b"\\ ", b" b=1"),
        influx,
    );
    let wide = (0..60).fold("a".to_owned(), |line, i| {
        format!("{line},k{i}={}", "v".repeat(90))
    });
    let fields: Vec<String> = (0..200).map(|i| format!("f{i}=1")).collect();
    let tall = format!("{wide} {}\n", fields.join(","));
    check(
        "influx: wide and tall",
        dense(CAP, b"", tall.as_bytes(), b""),
        influx,
    );

    let grouping = [("job".to_owned(), "j".to_owned())];
    for dialect in [Dialect::Prometheus, Dialect::OpenMetrics] {
        let read = |body: Vec<u8>| read_text(&body, dialect, &grouping).ok();
        let check_text =
            |what: &str, item: &str| check(what, dense(SOME, b"", item.as_bytes(), b""), read);
        check_text("text: same", "a 1\n");
        check_text("text: help", "# HELP a b\n");
        check_text("text: broken labels", "a{__name__=\"b\"} 1\n");
        check_text("text: created", "a_created 1\n");
        check(
            "text: labels",
            dense(SOME, b"a{", b"b=\"\\n\",", b"} 1\n"),
            read,
        );
        check(
            "text: a value",
            dense(SOME, b"a{b=\"", b"\\n", b"\"} 1\n"),
            read,
        );
        let mut names = Vec::with_capacity(CAP);
        for n in 0_u32.. {
            let line = format!("m{n:x} 1\n");
            if names.len() + line.len() > SOME {
                break;
            }
            names.extend_from_slice(line.as_bytes());
        }
        check("text: names", names, read);
    }
    let read = |body: Vec<u8>| metric_family::read_delimited(&body, &grouping).ok();
    check("families: empty", dense(SOME, b"", &[0], b""), read);
    let metric = field(4, b"");
    let family = [
        &field(1, b"m")[..],
        &[0x18, 1],
        &dense(SOME - 64, b"", &metric, b""),
    ]
    .concat();
    let delimited = field(1, &family)[1..].to_vec();
    check("families: empty metrics", delimited, read);
}

/// Lines of an export are read one by one, and so are the elements of the original's files.
#[test]
fn i_wire_1_imports() {
    let line = |body: Vec<u8>| Line::parse(std::str::from_utf8(&body).unwrap()).is_ok();
    let values = dense(
        LINE,
        b"{\"metric\":{\"__name__\":\"m\"},\"values\":[1",
        b",1",
        b"]}",
    );
    check("import: values", values, line);
    let times = dense(
        LINE,
        b"{\"metric\":{\"__name__\":\"m\"},\"timestamps\":[1",
        b",1",
        b"]}",
    );
    check("import: times", times, line);
    let labels = dense(LINE, b"{\"metric\":{\"a\":\"\"", b",\"\\n\":\"\\n\"", b"}}");
    check("import: labels", labels, line);
    let items =
        |body: Vec<u8>| original::items(&body[..], |text| original::Item::parse(text).is_ok());
    check(
        "original: nothing",
        dense(SOME, b"{\"metrics\":[{}", b",{}", b"]}"),
        items,
    );
    check(
        "original: an element",
        dense(SOME, b"{\"metrics\":[{\"name\":\"", b"\\n", b"\"}]}"),
        items,
    );
}
