//! Out of one store and into another: every bit comes along.

use tinyobs_model::{Resolution, Sample};
use tinyobs_wire::lines::{Content, Line};

use crate::client::Client;
use crate::export::{export, import};
use crate::server::{TestServer, now_ms};

const DAY: i64 = 24 * 3_600_000;

/// Every kind of value that there is: the sample's number picks one.
fn value(i: u64) -> f64 {
    match i % 16 {
        0 => f64::NAN,
        1 => f64::from_bits(0x7ff0_0000_0000_0002),
        2 => f64::from_bits(0xfff8_dead_beef_0000 | (i % 0xffff)),
        3 => f64::INFINITY,
        4 => f64::NEG_INFINITY,
        5 => -0.0,
        6 => 0.0,
        7 => f64::from_bits(i + 1),
        8 => -f64::MIN_POSITIVE / 2.0,
        9 => (1_u64 << 53) as f64 + 2.0 * i as f64,
        10 => 1e308 + i as f64,
        11 => i64::MAX as f64,
        12 => i as f64 / 10.0,
        13 => f64::from_bits(i.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        14 => f64::MAX,
        _ => i as f64,
    }
}

/// The samples that a text of lines holds, by series as it is written.
fn read(text: &str) -> Vec<(String, Vec<Sample>)> {
    let mut all: Vec<(String, Vec<Sample>)> = Vec::new();
    for line in text.lines() {
        let line = Line::parse(line).unwrap();
        let series = format!(
            "{} {:?} {} {} {}",
            line.name, line.labels, line.kind, line.help, line.unit
        );
        let Content::Samples(columns) = line.content else {
            panic!("rows")
        };
        match all.last_mut() {
            Some((known, samples)) if *known == series => samples.extend(columns.iter()),
            _ => all.push((series, columns.iter().collect())),
        }
    }
    all
}

fn series(number: u64, samples: &[Sample]) -> String {
    let labels = [("größe", "a\"b\\\n\u{7f}"), ("n", &number.to_string())];
    let name = ["plain_total", "with.dots", "späße"][number as usize % 3];
    let kind = [
        tinyobs_model::Kind::Counter,
        tinyobs_model::Kind::Gauge,
        tinyobs_model::Kind::Unknown,
    ];
    let mut writer = tinyobs_wire::lines::Writer::default();
    let about = tinyobs_wire::exposition::About {
        help: "Says \"it\".\nTwice.",
        unit: "s",
    };
    let labels = tinyobs_model::Labels::new(name, labels).unwrap();
    let kind = kind[number as usize % 3];
    writer.begin(
        &labels,
        Some(tinyobs_wire::lines::Described { kind, about }),
    );
    let mut out = Vec::new();
    let times: Vec<i64> = samples.iter().map(|sample| sample.time_ms).collect();
    let values: Vec<f64> = samples.iter().map(|sample| sample.value).collect();
    writer.samples(&mut out, &times, &values);
    String::from_utf8(out).unwrap()
}

#[test]
fn i_export_3_every_bit_of_several_days_comes_along() {
    let start = now_ms() - 5 * DAY;
    // Every 20 s and a bit, five days; twelve thousand and more than one line.
    let times: Vec<i64> = (0..20_500).map(|i| start + i * 21_001).collect();
    let mut sent = String::new();
    for number in 0..6 {
        let of = |(i, at): (usize, &i64)| Sample::new(*at, value(i as u64 + 1_000 * number));
        let samples: Vec<Sample> = times.iter().enumerate().map(of).collect();
        sent.push_str(&series(number, &samples));
    }
    let mut expected = read(&sent);
    expected.sort_by(|a, b| a.0.cmp(&b.0));
    let [mut disk, memory] = TestServer::both_engines();
    import(disk.client(), &sent);
    // From tables, not only from memory.
    disk.restart();
    let first = export(disk.client(), "");
    let mut found = read(&first);
    found.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(found == expected, "what is exported is not what was sent");
    import(memory.client(), &first);
    assert!(
        export(memory.client(), "") == first,
        "the second store exports something else"
    );
    // VictoriaMetrics' shape keeps every bit of the samples too.
    let other = TestServer::start();
    let theirs = memory.client().get("/api/v1/export?match[]=%7B%7D");
    let answer = other
        .client()
        .send("POST", "/api/v1/import", &[], &theirs.body);
    assert_eq!(
        (answer.status, answer.body.len()),
        (204, 0),
        "{}",
        answer.text()
    );
    let again = other.client().get("/api/v1/export?match[]=%7B%7D");
    assert!(
        again.body == theirs.body,
        "the third store exports something else"
    );
    // Once more into a store that has everything changes nothing.
    import(memory.client(), &first);
    assert!(
        export(memory.client(), "") == first,
        "a repeat changed something"
    );
}

fn maintain(client: Client) {
    let answer = client.send("POST", "/v1/admin/maintenance", &[], b"");
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// Where samples are gone, rows are exported; their first and last samples come along.
#[test]
fn where_samples_are_gone_their_windows_come_along() {
    const STEP: i64 = 30_000;
    let start = (now_ms() - 3 * DAY) / DAY * DAY;
    let samples: Vec<Sample> = (0..3 * DAY / STEP)
        .map(|i| Sample::new(start + i * STEP, value(15 + 16 * i as u64)))
        .filter(|sample| sample.time_ms < now_ms())
        .collect();
    let server = TestServer::with(|config| config.retention.raw_ms = DAY);
    import(server.client(), &series(0, &samples));
    maintain(server.client());
    let text = export(server.client(), "");
    let (mut rows, mut raw) = (Vec::new(), Vec::new());
    for line in text.lines() {
        match Line::parse(line).unwrap().content {
            Content::Samples(columns) => raw.extend(columns.iter()),
            Content::Rollups(resolution, more) => {
                assert_eq!(resolution, Resolution::FiveMinutes);
                assert!(raw.is_empty(), "rows come before samples");
                rows.extend(more);
            }
        }
    }
    let border = raw[0].time_ms;
    assert!(border >= start + DAY, "whole days went");
    let (gone, kept) = samples.split_at(samples.partition_point(|s| s.time_ms < border));
    assert_eq!(raw, kept);
    let windows: Vec<&[Sample]> = gone.chunks((300_000 / STEP) as usize).collect();
    assert_eq!(rows.len(), windows.len());
    let mut ends = Vec::new();
    for (row, window) in rows.iter().zip(windows) {
        assert_eq!(
            (row.start_ms, row.count),
            (window[0].time_ms, window.len() as u64)
        );
        assert_eq!((row.first, row.last), (window[0], window[window.len() - 1]));
        assert_eq!(
            row.sum,
            window.iter().map(|sample| sample.value).sum::<f64>()
        );
        ends.extend([row.first, row.last]);
    }
    ends.extend(kept);
    let other = TestServer::start();
    let answer = other
        .client()
        .send("POST", "/v1/import", &[], text.as_bytes());
    assert_eq!(
        answer.json()["rollup_rows"],
        rows.len(),
        "{}",
        answer.text()
    );
    assert_eq!(answer.json()["metrics_imported"], ends.len());
    assert_eq!(read(&export(other.client(), ""))[0].1, ends);
    // Others get the windows' last values.
    let theirs = server.client().get("/api/v1/export?match[]=%7B%7D");
    let lasts = rows.iter().map(|row| row.last).chain(kept.iter().copied());
    assert_eq!(read(theirs.text())[0].1, lasts.collect::<Vec<_>>());
    let table = export(server.client(), "format=csv");
    let of_windows = table.lines().filter(|line| line.contains(",5m,")).count();
    assert_eq!(of_windows, rows.len());
}
