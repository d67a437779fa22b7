//! Bom: the mark that Windows' programs write before text in UTF-8, passed over where a body begins.
//!
//!   body ─▶ [`without_bom`] ─▶ json, influx, csv, lines
//!
//! I-BOM-1  It is passed over at the very beginning and nowhere else.
//! Proved by: bom/tests.rs.

/// The bytes without a mark that only says that they are UTF-8.
pub fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

#[cfg(test)]
mod tests;
