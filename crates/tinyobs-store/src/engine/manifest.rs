//! Manifest: the one file that says which tables are part of the store, as text for people.
//!
//!   tinyobs 2
//!   next series 10001 sequence 42 segment 3 table 7
//!   rolled 41 dropped raw - 5m - 1h -
//!   table 6 partition 0/raw/1795305600000 crc 1f2e3d4c bytes 81920 entries 500 samples 60000 first … last … sequence 41
//!   crc 5a6b7c8d
//!   …                                       the same once more
//!
//! Everything stands there twice: a flipped bit takes one copy, and the other one is believed.
//!
//! I-MANIFEST-1  It is replaced as a whole, by a rename: a table is in or out, never half.
//! I-MANIFEST-2  The last line of a copy is the checksum of everything before it; without it the
//!               copy is not believed, and without a believed copy nothing is.

use std::fmt::Write as _;
use std::path::Path;

use super::key::{Partition, Space};
use super::{Counters, Summary};
use crate::error::StoreError;
use crate::files::{self, Files};

/// The newest format that can be read.
pub const FORMAT: u32 = 2;
const NAME: &str = "MANIFEST";

/// A table that is part of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableLine {
    /// Its number, which is its file's name.
    pub number: u64,
    /// What it holds.
    pub partition: Partition,
    /// Checksum of its footer.
    pub crc: u32,
    /// Bytes of its file.
    pub bytes: u64,
    /// Keys in it.
    pub entries: u64,
    /// What its writer wanted remembered.
    pub summary: Summary,
}

impl TableLine {
    /// What it costs to merge it: bytes are read and written, samples decoded and encoded. By bytes
    /// alone, a day of samples that compress to nothing would weigh as much as an hour of them, and
    /// be rewritten with it again and again.
    pub fn weight(&self) -> u64 {
        self.bytes.saturating_add(self.summary.samples)
    }
}

/// Which tables are part of the store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// Numbers not given out yet.
    pub counters: Counters,
    /// The next table's number.
    pub next_table: u64,
    /// The tables, oldest first.
    pub tables: Vec<TableLine>,
}

impl Manifest {
    /// Reads the manifest of `dir` and says what is damaged of it; none when there is no such file.
    ///
    /// # Errors
    /// Both copies are damaged, or it is of another format, or cannot be read.
    pub fn load(
        files: &dyn Files,
        dir: &Path,
    ) -> Result<Option<(Self, Option<String>)>, StoreError> {
        let path = dir.join(NAME);
        let bytes = match files::read_all(files, &path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::io("read", &path, error)),
        };
        match Self::read(&bytes) {
            Some((manifest, whole)) => {
                let what = || format!("{}: one of its two copies is damaged", path.display());
                Ok(Some((manifest, (!whole).then(what))))
            }
            None => Err(Self::refuse(path, &bytes)),
        }
    }

    /// Reads the two copies; false when only one of them holds.
    pub fn read(bytes: &[u8]) -> Option<(Self, bool)> {
        let (first, second) = bytes.split_at(bytes.len() / 2);
        let copy = |bytes| {
            let text = std::str::from_utf8(bytes).ok()?;
            (format_of(text)? == FORMAT).then_some(())?;
            parse(checked(text)?)
        };
        match (copy(first), copy(second)) {
            (Some(manifest), other) => {
                let whole = other.as_ref() == Some(&manifest);
                Some((manifest, whole))
            }
            (None, Some(manifest)) => Some((manifest, false)),
            (None, None) => None,
        }
    }

    /// Why it cannot be read. Another format may have another checksum, so its number is asked.
    fn refuse(path: std::path::PathBuf, bytes: &[u8]) -> StoreError {
        let known = FORMAT;
        let first_line = bytes
            .split(|&byte| byte == b'\n')
            .next()
            .unwrap_or_default();
        match std::str::from_utf8(first_line).ok().and_then(format_of) {
            Some(found) if found > known => StoreError::NewerFormat { path, found, known },
            Some(found) if found < known => StoreError::OlderFormat { path, found, known },
            _ => StoreError::corrupt(&path, 0, "neither of its two copies holds"),
        }
    }

    /// Replaces the manifest of `dir`.
    ///
    /// # Errors
    /// It cannot be written; the one before is still in force then.
    pub fn store(&self, files: &dyn Files, dir: &Path) -> Result<(), StoreError> {
        let path = dir.join(NAME);
        files::write_atomically(files, &path, self.to_text().as_bytes())
    }

    /// The file's content: both copies.
    pub fn to_text(&self) -> String {
        let Counters {
            next_series,
            next_sequence,
            first_segment,
            rolled,
            dropped_ms,
        } = self.counters;
        let [raw, five_minutes, hour] = dropped_ms.map(Moment);
        let mut text = format!(
            "tinyobs {FORMAT}\nnext series {next_series} sequence {next_sequence} \
             segment {first_segment} table {}\n\
             rolled {rolled} dropped raw {raw} 5m {five_minutes} 1h {hour}\n",
            self.next_table
        );
        for table in &self.tables {
            let TableLine {
                number,
                partition,
                crc,
                bytes,
                entries,
                summary,
            } = table;
            let Summary {
                samples,
                first_ms,
                last_ms,
                sequence,
            } = summary;
            writeln!(
                text,
                "table {number} partition {partition} crc {crc:08x} bytes {bytes} \
                 entries {entries} samples {samples} first {first_ms} last {last_ms} \
                 sequence {sequence}"
            )
            .expect("writing to a string does not fail");
        }
        let crc = crc32fast::hash(text.as_bytes());
        writeln!(text, "crc {crc:08x}").expect("writing to a string does not fail");
        text.repeat(2)
    }
}

/// A time, or none yet.
struct Moment(i64);

impl std::fmt::Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            i64::MIN => f.write_str("-"),
            time_ms => time_ms.fmt(f),
        }
    }
}

fn parse_moment(text: &str) -> Option<i64> {
    match text {
        "-" => Some(i64::MIN),
        _ => text.parse().ok(),
    }
}

fn format_of(text: &str) -> Option<u32> {
    text.lines().next()?.strip_prefix("tinyobs ")?.parse().ok()
}

/// The text before the checksum line, if it matches (I-MANIFEST-2).
fn checked(text: &str) -> Option<&str> {
    let body_len = text.strip_suffix('\n')?.rfind('\n')? + 1;
    let (body, last) = text.split_at(body_len);
    let crc = u32::from_str_radix(last.strip_prefix("crc ")?.trim_end(), 16).ok()?;
    (crc32fast::hash(body.as_bytes()) == crc).then_some(body)
}

fn parse(body: &str) -> Option<Manifest> {
    let mut lines = body.lines().skip(1);
    let next: Vec<&str> = lines.next()?.split(' ').collect();
    let [
        "next",
        "series",
        series,
        "sequence",
        sequence,
        "segment",
        segment,
        "table",
        table,
    ] = next[..]
    else {
        return None;
    };
    let marks: Vec<&str> = lines.next()?.split(' ').collect();
    let [
        "rolled",
        rolled,
        "dropped",
        "raw",
        raw,
        "5m",
        five_minutes,
        "1h",
        hour,
    ] = marks[..]
    else {
        return None;
    };
    let counters = Counters {
        next_series: series.parse().ok()?,
        next_sequence: sequence.parse().ok()?,
        first_segment: segment.parse().ok()?,
        rolled: rolled.parse().ok()?,
        dropped_ms: [
            parse_moment(raw)?,
            parse_moment(five_minutes)?,
            parse_moment(hour)?,
        ],
    };
    let tables = lines.map(parse_table).collect::<Option<_>>()?;
    Some(Manifest {
        counters,
        next_table: table.parse().ok()?,
        tables,
    })
}

fn parse_table(line: &str) -> Option<TableLine> {
    let words: Vec<&str> = line.split(' ').collect();
    let [
        "table",
        number,
        "partition",
        partition,
        "crc",
        crc,
        "bytes",
        bytes,
        "entries",
        entries,
        "samples",
        samples,
        "first",
        first,
        "last",
        last,
        "sequence",
        sequence,
    ] = words[..]
    else {
        return None;
    };
    let mut parts = partition.split('/');
    let partition = Partition {
        tenant: parts.next()?.parse().ok()?,
        space: Space::parse(parts.next()?)?,
        start_ms: parts.next()?.parse().ok()?,
    };
    let summary = Summary {
        samples: samples.parse().ok()?,
        first_ms: first.parse().ok()?,
        last_ms: last.parse().ok()?,
        sequence: sequence.parse().ok()?,
    };
    Some(TableLine {
        number: number.parse().ok()?,
        partition,
        crc: u32::from_str_radix(crc, 16).ok()?,
        bytes: bytes.parse().ok()?,
        entries: entries.parse().ok()?,
        summary,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn specimen() -> Manifest {
        let table = TableLine {
            number: 6,
            partition: Partition::raw(-5),
            crc: 0x00ab_cdef,
            bytes: 81_920,
            entries: 500,
            summary: Summary {
                samples: 60_000,
                first_ms: -5,
                last_ms: 99,
                sequence: 41,
            },
        };
        let counters = Counters {
            next_series: 10_001,
            next_sequence: 42,
            first_segment: 3,
            rolled: 40,
            dropped_ms: [86_400_000, i64::MIN, i64::MIN],
        };
        Manifest {
            counters,
            next_table: 7,
            tables: vec![table],
        }
    }

    #[test]
    fn a_manifest_survives_its_text() {
        let text = specimen().to_text();
        assert_eq!(Manifest::read(text.as_bytes()), Some((specimen(), true)));
    }

    #[test]
    fn i_manifest_2_a_flipped_bit_takes_one_copy_at_most() {
        let text = specimen().to_text();
        for bit in 0..text.len() * 8 {
            let mut bytes = text.clone().into_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let read = Manifest::read(&bytes).map(|(manifest, _)| manifest);
            assert_eq!(read, Some(specimen()), "bit {bit}");
        }
        // A bit in each copy: nothing is believed.
        let mut bytes = text.clone().into_bytes();
        bytes[20] ^= 1;
        bytes[text.len() / 2 + 20] ^= 1;
        assert_eq!(Manifest::read(&bytes), None);
    }

    #[test]
    fn another_format_is_named() {
        let refused = |text: &str| Manifest::refuse("M".into(), text.as_bytes()).to_string();
        let newer = specimen().to_text().replace("tinyobs 2", "tinyobs 3");
        assert_eq!(Manifest::read(newer.as_bytes()), None);
        assert!(refused(&newer).contains("format 3"));
        assert!(refused("tinyobs 1\nnext\n").contains("format 1"));
        assert!(refused("hello").contains("damaged"));
    }

    #[test]
    fn another_format_is_refused_even_if_its_lines_read_the_same() {
        for other in ["tinyobs 1", "tinyobs 3"] {
            let text = specimen().to_text().replace("tinyobs 2", other);
            let (body, _) = text[..text.len() / 2]
                .rsplit_once("crc ")
                .expect("a checksum");
            let crc = crc32fast::hash(body.as_bytes());
            let text = format!("{body}crc {crc:08x}\n").repeat(2);
            assert_eq!(Manifest::read(text.as_bytes()), None, "{other}");
        }
    }
}
