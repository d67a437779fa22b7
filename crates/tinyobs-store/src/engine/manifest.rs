//! Manifest: the one file that says which tables are part of the store, as text for people.
//!
//!   tinyobs 1
//!   next series 10001 sequence 42 segment 3 table 7
//!   table 6 partition 0/raw/1795305600000 crc 1f2e3d4c bytes 81920 entries 500 samples 60000 first … last …
//!   crc 5a6b7c8d
//!
//! I-MANIFEST-1  It is replaced as a whole, by a rename: a table is in or out, never half.
//! I-MANIFEST-2  The last line is the checksum of everything before it; without it nothing is
//!               believed.

use std::fmt::Write as _;
use std::path::Path;

use super::key::{Partition, Space};
use super::{Counters, Summary};
use crate::error::StoreError;
use crate::files::{self, Files};

/// The newest format that can be read.
pub const FORMAT: u32 = 1;
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
    /// Reads the manifest of `dir`; none when there is no such file.
    ///
    /// # Errors
    /// It is damaged, of a newer format, or cannot be read.
    pub fn load(files: &dyn Files, dir: &Path) -> Result<Option<Self>, StoreError> {
        let path = dir.join(NAME);
        let bytes = match files::read_all(files, &path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::io("read", &path, error)),
        };
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| StoreError::corrupt(&path, 0, "not a manifest"))?;
        // A newer format may have another checksum, so its number is read first.
        if let Some(found) = format_of(text).filter(|found| *found > FORMAT) {
            return Err(StoreError::NewerFormat {
                path,
                found,
                known: FORMAT,
            });
        }
        let manifest = checked(text).and_then(parse);
        manifest
            .map(Some)
            .ok_or_else(|| StoreError::corrupt(&path, 0, "checksum or content does not hold"))
    }

    /// Replaces the manifest of `dir`.
    ///
    /// # Errors
    /// It cannot be written; the one before is still in force then.
    pub fn store(&self, files: &dyn Files, dir: &Path) -> Result<(), StoreError> {
        let path = dir.join(NAME);
        files::write_atomically(files, &path, self.to_text().as_bytes())
    }

    fn to_text(&self) -> String {
        let Counters {
            next_series,
            next_sequence,
            first_segment,
        } = self.counters;
        let mut text = format!(
            "tinyobs {FORMAT}\nnext series {next_series} sequence {next_sequence} \
             segment {first_segment} table {}\n",
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
            } = summary;
            writeln!(
                text,
                "table {number} partition {partition} crc {crc:08x} bytes {bytes} \
                 entries {entries} samples {samples} first {first_ms} last {last_ms}"
            )
            .expect("writing to a string does not fail");
        }
        let crc = crc32fast::hash(text.as_bytes());
        writeln!(text, "crc {crc:08x}").expect("writing to a string does not fail");
        text
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
    let counters = Counters {
        next_series: series.parse().ok()?,
        next_sequence: sequence.parse().ok()?,
        first_segment: segment.parse().ok()?,
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
            },
        };
        let counters = Counters {
            next_series: 10_001,
            next_sequence: 42,
            first_segment: 3,
        };
        Manifest {
            counters,
            next_table: 7,
            tables: vec![table],
        }
    }

    #[test]
    fn a_manifest_survives_its_text() {
        let manifest = specimen();
        assert_eq!(checked(&manifest.to_text()).and_then(parse), Some(manifest));
    }

    #[test]
    fn i_manifest_2_every_flipped_bit_is_found() {
        let text = specimen().to_text();
        for bit in 0..text.len() * 8 {
            let mut bytes = text.clone().into_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let believed = std::str::from_utf8(&bytes)
                .ok()
                .and_then(checked)
                .and_then(parse);
            // A flip in the case of a hexadecimal digit changes nothing.
            assert!(
                believed.is_none() || believed == Some(specimen()),
                "bit {bit}"
            );
        }
    }
}
