use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::*;

fn table(series: &[(Labels, Vec<Sample>)]) -> String {
    let names = series
        .iter()
        .flat_map(|(labels, _)| labels.iter_without_name());
    let mut table = Table::new(names.map(|(name, _)| name.to_owned()).collect());
    let mut out = Vec::new();
    table.header(&mut out);
    for (labels, samples) in series {
        table.begin(labels, Kind::Gauge);
        for sample in samples {
            table.row(&mut out, *sample, Resolution::Raw);
        }
    }
    String::from_utf8(out).unwrap()
}

/// RFC 4180, read naively: the oracle.
fn read(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut rest = text.chars().peekable();
    let mut quoted = false;
    while let Some(c) = rest.next() {
        match c {
            '"' if quoted && rest.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted && rest.next_if_eq(&'\n').is_some() => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            other => cell.push(other),
        }
    }
    assert!(row.is_empty() && cell.is_empty() && !quoted, "{text}");
    rows
}

#[test]
fn a_row_for_each_sample_and_a_column_for_each_label() {
    let labels = |name, pairs: &[(&'static str, &'static str)]| {
        Labels::new(name, pairs.iter().copied()).unwrap()
    };
    let at = 1_795_306_562_347;
    let series = [
        (
            labels("a", &[("path", "/x"), ("name", "n")]),
            vec![Sample::new(at, 42.0), Sample::new(at + 1, f64::NAN)],
        ),
        (
            labels("b,c", &[("code", "=1+1"), ("label_name", "say \"hi\"")]),
            vec![Sample::new(at, f64::NEG_INFINITY)],
        ),
    ];
    assert_eq!(
        table(&series),
        "timestamp,name,type,value,resolution,code,label_name,label_label_name,path\r\n\
         2026-11-22T00:16:02.347Z,a,gauge,42,raw,,,n,/x\r\n\
         2026-11-22T00:16:02.348Z,a,gauge,NaN,raw,,,n,/x\r\n\
         2026-11-22T00:16:02.347Z,\"b,c\",gauge,-Inf,raw,\"'=1+1\",\"say \"\"hi\"\"\",,\r\n"
    );
}

proptest! {
    #[test]
    fn i_csv_1_and_3_a_reader_gets_everything_back(
        name in "[^=+@\t\r-].{0,10}",
        pairs in btree_map("[a-z]{1,3}", "[^=+@\t\r-](.|\n|\r|\"|,){0,8}", 0..5),
        values in vec(any::<u64>().prop_map(f64::from_bits), 1..20),
    ) {
        let labels = Labels::new(&name, pairs.iter().map(|(n, v)| (n.as_str(), v.as_str()))).unwrap();
        let samples: Vec<Sample> = values.iter().map(|v| Sample::new(1_795_306_562_347, *v)).collect();
        let rows = read(&table(&[(labels, samples)]));
        let header = &rows[0];
        prop_assert_eq!(rows.len(), values.len() + 1);
        for (row, value) in rows[1..].iter().zip(&values) {
            prop_assert_eq!(row.len(), header.len());
            prop_assert_eq!(&row[1], &name);
            let read: f64 = row[3].parse().unwrap();
            let same = read.to_bits() == value.to_bits() || (read.is_nan() && value.is_nan());
            prop_assert!(same, "{} is not {}", row[3], value);
            let cells: Vec<&String> = row[5..].iter().collect();
            let sent: Vec<&String> = pairs.values().collect();
            prop_assert_eq!(cells, sent);
        }
    }
}
