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
        "timestamp,name,type,value,resolution,code,label_label_name,label_name,path\r\n\
         2026-11-22T00:16:02.347Z,a,gauge,42,raw,,,n,/x\r\n\
         2026-11-22T00:16:02.348Z,a,gauge,NaN,raw,,,n,/x\r\n\
         2026-11-22T00:16:02.347Z,\"b,c\",gauge,-Inf,raw,\"'=1+1\",\"say \"\"hi\"\"\",,\r\n"
    );
}

proptest! {
    #[test]
    fn i_csv_1_and_3_a_reader_gets_everything_back(
        name in "[^'=+@\t\r-].{0,10}",
        pairs in btree_map("[a-z]{1,3}", "[^'=+@\t\r-](.|\n|\r|\"|,){0,8}", 0..5),
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

/// The line that a row began in, and what it says or what is wrong with it.
type Read = Result<(u64, Labels, Sample, Kind), (u64, String)>;

fn read_rows(text: &str) -> Vec<Read> {
    let mut records = Records::new(text.as_bytes());
    let (_, header) = records.next_record().unwrap().unwrap();
    let header = Header::read(&header.unwrap()).unwrap();
    let mut rows = Vec::new();
    while let Some((number, record)) = records.next_record().unwrap() {
        let row = record.and_then(|cells| {
            let row = header.row(&cells)?;
            let pairs = row.labels.iter().map(|(name, value)| (&**name, &**value));
            Ok((Labels::new(row.name, pairs).unwrap(), row.sample, row.kind))
        });
        rows.push(match row {
            Ok((labels, sample, kind)) => Ok((number, labels, sample, kind)),
            Err((rule, message)) => Err((number, format!("{message} ({rule})"))),
        });
    }
    rows
}

#[test]
fn i_csv_5_a_bad_row_costs_only_itself() {
    let good = "2026-11-22T00:16:02.347Z,a,gauge,1,raw,x";
    let text = format!(
        "timestamp,name,type,value,resolution,l\r\n{good}\r\n\r\n\
         2026-11-22T00:16:02,a,gauge,1,raw,\n1795306562.347,a,gauge,1,raw,\n\
         0,a,what,1,raw,\n0,a,gauge,one,raw,\n0,a,gauge,1,2m,\n0,a,gauge,1,raw\n\
         0,a,gauge,1,raw,\"x\"y\n0,a,gauge,+Inf,5m,\"two\nlines\"\n{good}"
    );
    let at = 1_795_306_562_347;
    let a = |value: &str| {
        let pairs = [("l", value)]
            .into_iter()
            .filter(|(_, value)| !value.is_empty());
        Labels::new("a", pairs).unwrap()
    };
    let row = |line, label, at, value| Ok((line, a(label), Sample::new(at, value), Kind::Gauge));
    let bad = |line, message: &str| Err((line, message.to_owned()));
    let expected = [
        row(2, "x", at, 1.0),
        bad(
            4,
            "\"2026-11-22T00:16:02\" has no zone: end it with Z for UTC, or with an offset such as \
             +01:00 (time_invalid)",
        ),
        row(5, "", at, 1.0),
        bad(
            6,
            "type \"what\" is not one of unknown, counter, gauge, histogram, summary (type_unknown)",
        ),
        bad(7, "\"one\" is not a value (value_not_a_number)"),
        bad(8, "resolution \"2m\" is not one of raw, 5m, 1h (malformed)"),
        bad(9, "row has 5 cells where the first row has 6 (malformed)"),
        bad(10, "text follows a quoted cell (malformed)"),
        row(11, "two\nlines", 0, f64::INFINITY),
        row(13, "x", at, 1.0),
    ];
    assert_eq!(read_rows(&text), expected);
    let other = Header::read(&["time", "value"]).unwrap_err();
    assert_eq!(
        other,
        "the first columns are not timestamp,name,type,value,resolution"
    );
}

#[test]
fn i_cells_1_a_quote_within_a_cell_is_an_error_of_its_line() {
    let header = "timestamp,name,type,value,resolution,l\n";
    let text = format!(
        "{header}0,a,gauge,1,raw,5\" pipe\n0,a,gauge,2,raw,x\n0,a\",gauge,3,raw,\"y\"\n\
         0,a,gauge,4,raw,\"6\"\" pipe\"\n"
    );
    let message = "a quote stands in a cell that does not begin with one; put the cell in quotes, \
                   and write those inside of it twice (malformed)";
    let good = |line, value, label| {
        let labels = Labels::new("a", [("l", label)]).unwrap();
        Ok((line, labels, Sample::new(0, value), Kind::Gauge))
    };
    let expected = [
        Err((2, message.to_owned())),
        good(3, 2.0, "x"),
        Err((4, message.to_owned())),
        good(5, 4.0, "6\" pipe"),
    ];
    assert_eq!(read_rows(&text), expected);
}

#[test]
fn i_cells_2_i_csv_6_a_quote_that_stays_open_costs_only_its_line() {
    let header = "timestamp,name,type,value,resolution,l\n";
    let row = |value: usize, label: &str| format!("0,a,gauge,{value},raw,{label}\n");
    let good = |line: usize, label: &str| {
        let labels = Labels::new("a", [("l", label)]).unwrap();
        let sample = Sample::new(0, line as f64);
        Ok((line as u64, labels, sample, Kind::Gauge))
    };
    let open = || {
        Err((
            2,
            "a quote that a cell begins with is not closed (malformed)".to_owned(),
        ))
    };
    // Nobody closes it, near the end of the file or far from it.
    for count in [5, 10_000] {
        let mut text = header.to_owned() + &row(2, "\"x");
        let mut expected = vec![open()];
        for line in 3..count {
            text += &row(line, "y");
            expected.push(good(line, "y"));
        }
        assert_eq!(read_rows(&text), expected);
    }
    // The next quoted cell closes it.
    let text = header.to_owned() + &row(2, "\"x") + &row(3, "y") + &row(4, "\"z,\"") + &row(5, "y");
    let follows = Err((2, "text follows a quoted cell (malformed)".to_owned()));
    let expected = [follows, good(3, "y"), good(4, "z,"), good(5, "y")];
    assert_eq!(read_rows(&text), expected);
    // A long text of several lines is one, all the same.
    let long = "x\n".repeat(2_000);
    let text = header.to_owned() + &row(2, &format!("\"{long}\"")) + &row(2_003, "y");
    assert_eq!(read_rows(&text), [good(2, &long), good(2_003, "y")]);
}

#[test]
fn values_are_written_as_in_other_formats() {
    let header = "timestamp,name,type,value,resolution\n";
    for (word, value) in [
        ("Infinity", f64::INFINITY),
        ("+Inf", f64::INFINITY),
        ("inf", f64::INFINITY),
        ("-Infinity", f64::NEG_INFINITY),
        ("nan", f64::NAN),
        ("+1.5e1", 15.0),
    ] {
        let rows = read_rows(&format!("{header}0,a,gauge,{word},raw\n"));
        let (_, _, sample, _) = rows[0].clone().unwrap();
        assert_eq!(sample.value.to_bits(), value.to_bits(), "{word}");
    }
    for word in ["", "1e999", "one", "null"] {
        let rows = read_rows(&format!("{header}0,a,gauge,{word},raw\n"));
        let message = format!("{word:?} is not a value (value_not_a_number)");
        assert_eq!(rows, [Err((2, message))]);
    }
}

proptest! {
    #[test]
    fn i_csv_4_what_is_written_reads_back(
        name in "('|=|-|a|,|\"|\n){1,5}",
        pairs in btree_map(
            "(label_){0,2}(timestamp|name|type|value|resolution|[a-z]|'|=|-|\n|\"){1,2}",
            "('|=|\\+|-|1|@|\t|\r|\n|,|\"|x|\0){1,6}",
            0..5,
        ),
        values in vec(any::<f64>(), 1..10),
    ) {
        let labels = Labels::new(&name, pairs.iter().map(|(n, v)| (n.as_str(), v.as_str()))).unwrap();
        let samples: Vec<Sample> = values.iter().enumerate().map(|(at, v)| Sample::new(at as i64, *v)).collect();
        let rows = read_rows(&table(&[(labels.clone(), samples.clone())]));
        prop_assert_eq!(rows.len(), samples.len());
        for (row, sent) in rows.into_iter().zip(samples) {
            let (_, read, sample, _) = row.unwrap();
            prop_assert_eq!(&read, &labels);
            prop_assert_eq!(sample.time_ms, sent.time_ms);
            let same = sample.value.to_bits() == sent.value.to_bits();
            prop_assert!(same || (sample.value.is_nan() && sent.value.is_nan()));
        }
    }

    #[test]
    fn i_csv_5_any_text_is_read_to_its_end(text in "(\"|,|\n|\r|x|=){0,60}") {
        let mut records = Records::new(text.as_bytes());
        let mut before = 0;
        while let Some((line, _)) = records.next_record().unwrap() {
            prop_assert!(line > before, "line {line} after {before}");
            before = line;
        }
        prop_assert!(before <= text.lines().count() as u64);
    }
}
