use super::*;
use crate::influx::{self, Precision};
use crate::json::{decode, decode_lines};

#[test]
fn i_bom_1_only_at_the_beginning() {
    assert_eq!(
        without_bom("\u{feff}a\u{feff}".as_bytes()),
        "a\u{feff}".as_bytes()
    );
    assert_eq!(
        without_bom("\u{feff}\u{feff}".as_bytes()),
        "\u{feff}".as_bytes()
    );
    assert_eq!(without_bom(b"\xef\xbb"), b"\xef\xbb");
}

#[test]
fn i_bom_1_bodies_may_begin_with_it() {
    let name = |batch: &tinyobs_model::WriteBatch| {
        let labels = batch.rows().iter().map(|row| batch.labels(row));
        let labels: Vec<_> = labels
            .map(|bytes| {
                tinyobs_model::Labels::from_canonical(bytes)
                    .unwrap()
                    .to_string()
            })
            .collect();
        labels.join(" ")
    };
    let line = influx::read("\u{feff}cpu v=1\n".as_bytes(), Precision::default(), 5);
    assert_eq!(
        (line.decoded.refused.len(), name(&line.decoded.batch)),
        (0, "cpu_v{}".to_owned())
    );
    let body = decode(
        "\u{feff}{\"metrics\":[{\"name\":\"m\",\"value\":1}]}".as_bytes(),
        5,
    )
    .unwrap();
    assert_eq!(name(&body.batch), "m{}");
    // A part of a stream is not its beginning.
    let part = decode_lines("\u{feff}{\"name\":\"m\",\"value\":1}".as_bytes(), 5);
    assert_eq!(part.refused.len(), 1);
}
