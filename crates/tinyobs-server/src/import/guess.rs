//! Guess: what a file is, by its first bytes.

use tinyobs_wire::decompress::Encoding;
use tinyobs_wire::{csv, original};

/// What a file is.
#[derive(Debug, PartialEq, Eq)]
pub enum Guess {
    /// Packed.
    Packed(Encoding),
    /// An export of the Go original.
    Original,
    /// A table of ours.
    Table,
    /// Lines of JSON, or nothing that is known: each line will say what is wrong with it.
    Lines,
    /// Something else, and what to do with it.
    Other(&'static str),
}

/// What a file is that begins like this.
pub fn guess(start: &[u8]) -> Guess {
    let text = String::from_utf8_lossy(start);
    let text = text.trim_start();
    // A label may be anything, even what other files are known by.
    if csv::looks_like_one(text) {
        return Guess::Table;
    }
    for (magic, guess) in MAGIC {
        if start.starts_with(magic) {
            return match guess {
                Ok(encoding) => Guess::Packed(*encoding),
                Err(what) => Guess::Other(what),
            };
        }
    }
    // Where tar has it.
    if start.get(257..262) == Some(b"ustar") {
        return Guess::Other("a tar archive; `tinyobs restore` reads those of `tinyobs backup`");
    }
    if start.contains(&0) {
        return Guess::Other("no text");
    }
    if original::looks_like_one(text) {
        return Guess::Original;
    }
    let known = TEXT.iter().find(|(begin, _)| text.starts_with(begin));
    if let Some((_, what)) = known {
        return Guess::Other(what);
    }
    let first = text.lines().next().unwrap_or_default();
    if first.starts_with(|c: char| c.is_alphanumeric()) && first.matches(',').count() > 1 {
        return Guess::Other(
            "a table (CSV) that `tinyobs export` did not write: its first columns must be \
             timestamp,name,type,value,resolution",
        );
    }
    Guess::Lines
}

/// Files that are no text.
const MAGIC: &[(&[u8], Result<Encoding, &str>)] = &[
    (b"\x1f\x8b", Ok(Encoding::Gzip)),
    (b"\x28\xb5\x2f\xfd", Ok(Encoding::Zstd)),
    (b"PK\x03\x04", Err("a zip archive: unpack it first")),
    (b"BZh", Err("packed with bzip2: unpack it first")),
    (b"\xfd7zXZ", Err("packed with xz: unpack it first")),
    (
        b"\xff\x06\x00\x00sNaPpY",
        Err("packed with snappy: unpack it first"),
    ),
    (b"\xff\xfe", Err("text in UTF-16: save it as UTF-8")),
    (b"\xfe\xff", Err("text in UTF-16: save it as UTF-8")),
    (b"PAR1", Err("a Parquet file: convert it to JSON lines")),
];

const EXPOSITION: &str = "the text format of Prometheus: export the samples as JSON lines, or push \
                          those without a time with PUT /metrics/job/<job>";

/// Text that is something else.
const TEXT: &[(&str, &str)] = &[
    ("# HELP ", EXPOSITION),
    ("# TYPE ", EXPOSITION),
    ("# UNIT ", EXPOSITION),
    ("# EOF", EXPOSITION),
    ("<", "HTML or XML: is it an error page?"),
    (
        "[",
        "a JSON list: write each of its objects on a line of its own",
    ),
    (
        "{\"resourceMetrics\"",
        "an OTLP request: send it to POST /v1/metrics",
    ),
    (
        "{\"status\"",
        "the answer to a query: `tinyobs export` or GET /v1/export gives what can be imported",
    ),
    (
        "{\"data\"",
        "the answer to a query: `tinyobs export` or GET /v1/export gives what can be imported",
    ),
];
