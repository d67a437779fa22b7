use proptest::prelude::*;
use tinyobs_model::Labels;

use super::*;

const NOW_MS: i64 = 1_795_306_562_347;

fn rows(read: &Read) -> Vec<String> {
    let batch = &read.decoded.batch;
    let row = |row: &Row| {
        let labels = Labels::from_canonical(batch.labels(row)).unwrap();
        format!("{labels} {} @{}", row.sample.value, row.sample.time_ms)
    };
    batch.rows().iter().map(row).collect()
}

fn all(body: &str) -> Vec<String> {
    let read = read(body.as_bytes(), Precision::Nanoseconds, NOW_MS);
    assert_eq!(read.decoded.refused, []);
    rows(&read)
}

fn refused(body: &str) -> Vec<String> {
    let read = read(body.as_bytes(), Precision::Nanoseconds, NOW_MS);
    // I-INFLUX-6: an item's number is that of its line.
    let message = |one: &Refused| format!("{} line {}: {}", one.rule, one.item + 1, one.message);
    read.decoded.refused.iter().map(message).collect()
}

#[test]
fn lines_as_telegraf_writes_them() {
    let body = "cpu,cpu=cpu-total,host=a\\ b usage_idle=97.5,usage_user=2i 1795306562347000000\n\
         # a comment\n\
         \n\
         mem,host=b value=18446744073709551615u,active=t,off=FALSE\r\n\
         disk free=-1.5e3 1795306562347999999";
    assert_eq!(
        all(body),
        [
            "cpu_usage_idle{cpu=\"cpu-total\",host=\"a b\"} 97.5 @1795306562347",
            "cpu_usage_user{cpu=\"cpu-total\",host=\"a b\"} 2 @1795306562347",
            "mem{host=\"b\"} 18446744073709552000 @1795306562347",
            "mem_active{host=\"b\"} 1 @1795306562347",
            "mem_off{host=\"b\"} 0 @1795306562347",
            "disk_free{} -1500 @1795306562347",
        ]
    );
}

#[test]
fn escapes_as_the_protocol_has_them() {
    assert_eq!(
        all("my\\,m\\ e=a\\=s,t\\,a\\=g\\ 1=v\\,\\=\\ \\x,b=\\\\y f\\,\\=\\ d=1i 5000000\n"),
        ["my,m e=a\\=s_f,= d{b=\"\\\\\\\\y\",t,a=g 1=\"v,= \\\\x\"} 1 @5"]
    );
    let read = read(
        b"m a=\"x, y=\\\"1\\\" \\\\\",b=2i,c=\"two\nlines\" 7000000\nn f=1 8000000\n",
        Precision::Nanoseconds,
        NOW_MS,
    );
    assert_eq!(read.decoded.refused, []);
    assert_eq!(rows(&read), ["m_b{} 2 @7", "n_f{} 1 @8"]);
    assert_eq!((read.texts_skipped, read.decoded.items), (2, 2));
}

#[test]
fn times_in_every_precision() {
    for (name, time, ms) in [
        ("ns", "1795306562347000000", 1_795_306_562_347_i64),
        ("n", "-1", -1),
        ("u", "1795306562347001", 1_795_306_562_347),
        ("us", "1795306562347999", 1_795_306_562_347),
        ("ms", "1795306562347", 1_795_306_562_347),
        ("s", "1795306562", 1_795_306_562_000),
        ("m", "29921776", 1_795_306_560_000),
        ("h", "498696", 1_795_305_600_000),
    ] {
        let precision = Precision::from_name(name).unwrap();
        let read = read(format!("m value=1 {time}").as_bytes(), precision, NOW_MS);
        assert_eq!(rows(&read), [format!("m{{}} 1 @{ms}")], "{name}");
    }
    assert_eq!(Precision::from_name("d"), None);
    let read = read(b"m value=1 9223372036854775807", Precision::Hours, NOW_MS);
    assert_eq!(read.decoded.refused[0].rule, Refusal::TimeInvalid);
}

#[test]
fn i_influx_1_a_bad_line_costs_only_itself() {
    let body = "a f=1 1000000\nb f=x\nc\nd,=1 f=1\ne f=1 soon\ng f=\"open\nh f=2 2000000\n,t=1 f=1\ni f=NaN\nj f=1 1 1\nk,t= f=1\nl,t=1=2 f=1\nm f=\"a\"b\nn f=3 3000000\n";
    let read = read(body.as_bytes(), Precision::Nanoseconds, NOW_MS);
    assert_eq!(rows(&read), ["a_f{} 1 @1", "h_f{} 2 @2", "n_f{} 3 @3"]);
    assert_eq!(read.decoded.items, 14);
    assert_eq!(
        refused(body),
        [
            "value_not_a_number line 2: \"x\" is no value of a field at column 5",
            "malformed line 3: fields are missing at column 2",
            "malformed line 4: a tag key is missing at column 3",
            "time_invalid line 5: timestamp \"soon\" is not a whole number",
            "malformed line 6: a quoted text does not end at column 5",
            "name_empty line 8: measurement is missing",
            "value_not_a_number line 9: \"NaN\" is no value of a field at column 5",
            "malformed line 10: something stands behind the timestamp at column 9",
            "malformed line 11: a tag value is missing at column 5",
            "malformed line 12: a second `=` in a tag must be escaped at column 6",
            "malformed line 13: something stands behind a quoted text at column 8",
        ]
    );
}

#[test]
fn i_influx_2_a_line_is_stored_whole_or_not_at_all() {
    let long = "f".repeat(256);
    let body = format!("m a=1,{long}=2\nm,x=1,x=2 a=1,b=2\nm,__tinyobs_a=1 a=1\n");
    let read = read(body.as_bytes(), Precision::Nanoseconds, NOW_MS);
    assert_eq!(rows(&read), [""; 0]);
    let rules: Vec<_> = read.decoded.refused.iter().map(|one| one.rule).collect();
    assert_eq!(
        rules,
        [
            Refusal::NameTooLong,
            Refusal::LabelDuplicate,
            Refusal::LabelNameReserved
        ]
    );
}

#[test]
fn i_influx_4_and_5_many_open_quotes_take_no_square_of_time() {
    let body = "m f=\"x\n".repeat(50_000);
    let begun = std::time::Instant::now();
    let read = read(body.as_bytes(), Precision::Nanoseconds, NOW_MS);
    assert_eq!(read.decoded.refused.len(), limits::ITEMS_PER_REQUEST);
    assert_eq!(read.refused_besides, [(Refusal::Malformed, 40_000)]);
    assert!(begun.elapsed().as_secs() < 10);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..80)) {
        let read = read(&body, Precision::Nanoseconds, NOW_MS);
        prop_assert!(read.decoded.refused.len() <= read.decoded.items as usize);
    }

    #[test]
    fn what_looks_like_lines_never_loses_one(body in "([a-c,= \"\\\\1if]{0,12}\n){0,6}") {
        let read = read(body.as_bytes(), Precision::Nanoseconds, NOW_MS);
        let stored: std::collections::BTreeSet<u32> =
            read.decoded.batch.rows().iter().map(|row| row.item).collect();
        for one in &read.decoded.refused {
            prop_assert!(!stored.contains(&one.item), "stored and refused: {body:?}");
        }
    }
}
