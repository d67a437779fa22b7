use proptest::prelude::*;
use tinyobs_model::labels::from_wire;
use tinyobs_model::stale_marker;

use super::*;

/// A field of wire type 2.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    let mut len = content.len();
    while len > 0x7f {
        bytes.push(len as u8 | 0x80);
        len >>= 7;
    }
    bytes.push(len as u8);
    bytes.extend_from_slice(content);
    bytes
}

fn varint(number: u8, value: u64) -> Vec<u8> {
    let mut bytes = vec![number << 3];
    let mut rest = value;
    while rest > 0x7f {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}

fn label(name: &str, value: &str) -> Vec<u8> {
    let both = [field(1, name.as_bytes()), field(2, value.as_bytes())];
    field(1, &both.concat())
}

fn sample_of(time_ms: i64, value: f64) -> Vec<u8> {
    let mut bytes = vec![1 << 3 | 1];
    bytes.extend(value.to_bits().to_le_bytes());
    bytes.extend(varint(2, time_ms as u64));
    field(2, &bytes)
}

fn series_of(parts: &[Vec<u8>]) -> Vec<u8> {
    field(1, &parts.concat())
}

/// Item, labels, time and bits of each row.
fn rows(decoded: &Decoded) -> Vec<(u32, String, i64, u64)> {
    let rows = decoded.batch.rows().iter();
    rows.map(|row| {
        let labels = from_wire(decoded.batch.labels(row)).expect("valid");
        let sample = row.sample;
        (
            row.item,
            labels.to_string(),
            sample.time_ms,
            sample.value.to_bits(),
        )
    })
    .collect()
}

fn first(body: Vec<u8>) -> Decoded {
    decode(Version::One, body).expect("decodes")
}

#[test]
fn i_write_1_samples_arrive_as_they_were() {
    let up = [label("__name__", "up"), label("job", "a\"b\n")];
    let stale = f64::from_bits(stale_marker().to_bits());
    let body = [
        series_of(&[up.concat(), sample_of(1_000, 1.5), sample_of(-2_000, stale)]),
        // Labels in another order, and a label without a value.
        series_of(&[
            label("z", "1"),
            label("e", ""),
            label("__name__", "m"),
            sample_of(3, -0.0),
        ]),
        // Without samples, and with fields that nobody knows.
        series_of(&[label("__name__", "m"), varint(9, 7)]),
        varint(12, 3),
    ];
    let decoded = first(body.concat());
    let name = r#"up{job="a\"b\n"}"#.to_owned();
    assert_eq!(
        rows(&decoded),
        [
            (0, name.clone(), 1_000, 1.5f64.to_bits()),
            (0, name, -2_000, stale_marker().to_bits()),
            (1, r#"m{z="1"}"#.to_owned(), 3, (-0.0f64).to_bits()),
        ]
    );
    assert_eq!((decoded.items, decoded.refused.len()), (3, 0));
}

#[test]
fn labels_between_other_fields_are_put_together() {
    let body = series_of(&[
        label("__name__", "m"),
        sample_of(1, 1.0),
        label("a", "1"),
        sample_of(2, 2.0),
        label("b", "2"),
    ]);
    let again = series_of(&[label("__name__", "n"), sample_of(3, 3.0)]);
    let name = r#"m{a="1",b="2"}"#.to_owned();
    assert_eq!(
        rows(&first([body, again].concat())),
        [
            (0, name.clone(), 1, 1.0f64.to_bits()),
            (0, name, 2, 2.0f64.to_bits()),
            (1, "n{}".to_owned(), 3, 3.0f64.to_bits()),
        ]
    );
}

#[test]
fn i_write_2_a_native_histogram_costs_only_its_series() {
    let body = [
        series_of(&[label("__name__", "h"), field(4, &[])]),
        series_of(&[label("__name__", "m"), sample_of(1, 1.0), field(3, &[])]),
    ];
    let decoded = first(body.concat());
    assert_eq!(rows(&decoded).len(), 1);
    let refused = &decoded.refused[..];
    assert_eq!(refused.len(), 1);
    assert_eq!(
        (refused[0].item, refused[0].rule),
        (0, Refusal::HistogramInvalid)
    );
}

#[test]
fn i_write_3_samples_are_counted_while_they_are_read() {
    let many = [2 << 3 | 2, 0].repeat(limits::SAMPLES_PER_REQUEST);
    let all = series_of(&[label("__name__", "m"), many.clone()]);
    assert_eq!(first(all).batch.len(), limits::SAMPLES_PER_REQUEST);
    let one_more = series_of(&[label("__name__", "m"), many, vec![2 << 3 | 2, 0]]);
    let refused = decode(Version::One, one_more).expect_err("too many");
    assert!(matches!(refused, WriteError::TooMany { .. }), "{refused}");
}

#[test]
fn descriptions_reach_every_name_of_a_family() {
    let text = |number, text: &str| field(number, text.as_bytes());
    let described = |kind, family| {
        let parts = [
            varint(1, kind),
            text(2, family),
            text(4, "how long"),
            text(5, "s"),
        ];
        field(3, &parts.concat())
    };
    let body = [
        described(3, "h"),
        described(5, "s"),
        described(1, "c_total"),
        described(1, "o"),
    ];
    let decoded = first(body.concat());
    let kinds = decoded.batch.kinds().to_vec();
    let expected = [
        ("h_bucket", Kind::Histogram),
        ("h_sum", Kind::Histogram),
        ("h_count", Kind::Histogram),
        ("s", Kind::Summary),
        ("s_sum", Kind::Summary),
        ("s_count", Kind::Summary),
        ("c_total", Kind::Counter),
        ("o", Kind::Counter),
        ("o_total", Kind::Counter),
    ];
    assert_eq!(kinds, expected.map(|(name, kind)| (name.to_owned(), kind)));
    let (name, unit, help) = &decoded.batch.metadata()[0];
    assert_eq!([name, unit, help], ["h_bucket", "s", "how long"]);
}

/// Version 2.0: the strings, then series of (references, parts).
fn second(symbols: &[&str], series: &[(&[u64], &[Vec<u8>])]) -> Result<Decoded, WriteError> {
    let mut body: Vec<u8> = symbols
        .iter()
        .flat_map(|symbol| field(4, symbol.as_bytes()))
        .collect();
    for (refs, parts) in series {
        let refs: Vec<u8> = refs.iter().map(|one| *one as u8).collect();
        body.extend(field(5, &[field(1, &refs), parts.concat()].concat()));
    }
    decode(Version::Two, body)
}

#[test]
fn the_second_version_says_more_of_each_series() {
    let symbols = ["", "__name__", "c_total", "job", "a", "how many", "things"];
    let said = field(5, &[varint(1, 1), varint(3, 5), varint(4, 6)].concat());
    let decoded = second(
        &symbols,
        &[
            (
                &[1, 2, 3, 4],
                &[sample_of(9_000, 3.0), said, varint(6, 5_000)],
            ),
            (&[3, 4, 1, 2], &[sample_of(9_001, 4.0)]),
            (&[1, 2], &[field(3, &[])]),
        ],
    )
    .expect("decodes");
    let name = r#"c_total{job="a"}"#.to_owned();
    assert_eq!(
        rows(&decoded),
        [
            (0, name.clone(), 9_000, 3.0f64.to_bits()),
            (1, name, 9_001, 4.0f64.to_bits()),
        ]
    );
    let row = &decoded.batch.rows()[0];
    assert_eq!((row.kind, row.start_ms), (Kind::Counter, Some(5_000)));
    assert_eq!(
        decoded.batch.metadata(),
        [(
            "c_total".to_owned(),
            "things".to_owned(),
            "how many".to_owned()
        )]
    );
    assert_eq!(decoded.refused[0].item, 2);
}

#[test]
fn i_write_2_what_refers_to_nothing_costs_only_its_series() {
    let symbols = ["", "__name__", "m", "n", "how many"];
    let one = || sample_of(1, 1.0);
    let said = |help: u64| field(5, &varint(3, help));
    let decoded = second(
        &symbols,
        &[
            (&[1, 2], &[one()]),
            (&[1, 9], &[one(), sample_of(2, 2.0)]),
            (&[1, 2, 3], &[one()]),
            (&[1, 3], &[one(), said(7)]),
            (&[1, 3], &[sample_of(3, 3.0), said(4)]),
        ],
    )
    .expect("decodes");
    let bits = f64::to_bits;
    assert_eq!(
        rows(&decoded),
        [
            (0, "m{}".to_owned(), 1, bits(1.0)),
            (4, "n{}".to_owned(), 3, bits(3.0))
        ]
    );
    let refused = decoded.refused.iter();
    let refused: Vec<_> = refused
        .map(|one| (one.item, one.rule, &*one.message))
        .collect();
    let of = |item, message| (item, Refusal::Malformed, message);
    let odd = "the number of label references is odd: the last name has no value";
    assert_eq!(
        refused,
        [
            of(
                1,
                "string 9 is referred to, of 5 in the request (counted from 0)"
            ),
            of(2, odd),
            of(
                3,
                "string 7 is referred to, of 5 in the request (counted from 0)"
            ),
        ]
    );
    assert_eq!((decoded.items, decoded.batch.metadata().len()), (5, 1));
}

#[test]
fn what_is_said_of_many_series_takes_no_more_than_is_kept() {
    let help = "x".repeat(1 << 20);
    let symbols = ["", "__name__", "m", "n", help.as_str()];
    let said = || field(5, &varint(3, 4));
    let many_labels = [1; 1_000];
    let decoded = second(
        &symbols,
        &[
            (&[1, 2], &[sample_of(1, 1.0), said()]),
            (&[1, 3], &[sample_of(1, 1.0), said()]),
            (&many_labels, &[sample_of(1, 1.0)]),
        ],
    )
    .expect("decodes");
    let helps: Vec<usize> = decoded
        .batch
        .metadata()
        .iter()
        .map(|one| one.2.len())
        .collect();
    assert_eq!(helps, [limits::METADATA_BYTES; 2]);
    let labels = decoded.batch.labels(&decoded.batch.rows()[2]);
    let refused = from_wire(labels).expect_err("too many").0;
    assert_eq!(refused, Refusal::TooManyLabels);
}

#[test]
fn content_types_name_the_version() {
    let of = Version::of_content_type;
    assert_eq!(of(""), Some(Version::One));
    assert_eq!(of("application/x-protobuf"), Some(Version::One));
    assert_eq!(
        of("Application/X-Protobuf; proto=prometheus.WriteRequest"),
        Some(Version::One)
    );
    assert_eq!(
        of("application/x-protobuf;proto=io.prometheus.write.v2.Request"),
        Some(Version::Two)
    );
    assert_eq!(of("application/x-protobuf;proto=other"), None);
    assert_eq!(of("application/json"), None);
}

#[test]
fn i_write_5_a_request_of_the_other_version_is_refused() {
    let one = series_of(&[label("__name__", "m"), sample_of(1, 1.0)]);
    let two = [field(4, b""), field(4, b"__name__"), field(5, &[])].concat();
    assert_eq!(
        decode(Version::Two, one.clone()).err(),
        Some(WriteError::OtherVersion)
    );
    assert_eq!(
        decode(Version::One, two.clone()).err(),
        Some(WriteError::OtherVersion)
    );
    for version in [Version::One, Version::Two] {
        let empty = decode(version, Vec::new()).expect("nothing is a request");
        assert_eq!(empty.items, 0);
    }
    assert_eq!(first(one).items, 1);
    assert_eq!(decode(Version::Two, two).expect("decodes").items, 1);
}

#[test]
fn what_is_cut_is_refused_whole() {
    let body = series_of(&[label("__name__", "m"), sample_of(1, 1.0)]);
    for cut in 1..body.len() {
        assert!(decode(Version::One, body[..cut].to_vec()).is_err(), "{cut}");
    }
}

proptest! {
    #[test]
    fn any_bytes_do_no_harm(bytes: Vec<u8>) {
        for version in [Version::One, Version::Two] {
            if let Ok(decoded) = decode(version, bytes.clone()) {
                for row in decoded.batch.rows() {
                    let _ = from_wire(decoded.batch.labels(row));
                }
            }
        }
    }
}
