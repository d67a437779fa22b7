//! Decompress: the one function that unfolds a request body.
//!
//!   HTTP body ─▶ [decompress] ─▶ [`json`](crate::json)
//!
//! I-UNFOLD-1  Memory follows the bytes that really came out, never a size that the sender
//!             declared, and stops one byte past the limit.
//! I-UNFOLD-2  A cut or damaged stream is an error, never a shorter body.
//! Proved by: decompress/tests.rs.

use std::borrow::Cow;
use std::io::Read;

/// How a body is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As it is.
    Identity,
    /// RFC 1952, several members allowed.
    Gzip,
}

/// Why a body could not be unpacked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecompressError {
    /// More came out than may.
    #[error("body unfolds to more than {limit} bytes")]
    TooLarge {
        /// The bound that was passed.
        limit: usize,
    },
    /// The stream is cut or damaged.
    #[error("body is not valid gzip: {reason}")]
    Damaged {
        /// What the decoder says.
        reason: String,
    },
}

/// Deflate turns at most this many bytes into one, so a body of n bytes never unfolds to more than
/// n times this. Source: zlib's technical details, "maximum compression factor".
const DEFLATE_RATIO_MAX: usize = 1_032;

impl Encoding {
    /// The encoding named by a `Content-Encoding` header; none when it is not one of ours.
    pub fn from_header(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() || text.eq_ignore_ascii_case("identity") {
            Some(Self::Identity)
        } else if text.eq_ignore_ascii_case("gzip") || text.eq_ignore_ascii_case("x-gzip") {
            Some(Self::Gzip)
        } else {
            None
        }
    }

    /// The most bytes that `body_bytes` packed ones can take once unpacked, beside themselves.
    pub fn unfolded_bytes_max(self, body_bytes: usize, limit: usize) -> usize {
        match self {
            Self::Identity => 0,
            Self::Gzip => body_bytes.saturating_mul(DEFLATE_RATIO_MAX).min(limit),
        }
    }
}

/// Unpacks `body`, at most `limit` bytes of it.
///
/// # Errors
/// More than `limit` bytes come out, or the stream is cut or damaged.
pub fn decompress(
    encoding: Encoding,
    body: &[u8],
    limit: usize,
) -> Result<Cow<'_, [u8]>, DecompressError> {
    match encoding {
        Encoding::Identity if body.len() > limit => Err(DecompressError::TooLarge { limit }),
        Encoding::Identity => Ok(Cow::Borrowed(body)),
        Encoding::Gzip => gunzip(body, limit).map(Cow::Owned),
    }
}

fn gunzip(body: &[u8], limit: usize) -> Result<Vec<u8>, DecompressError> {
    const FIRST: usize = 16 << 10;
    let damaged = |error: std::io::Error| DecompressError::Damaged {
        reason: error.to_string(),
    };
    let mut decoder = flate2::read::MultiGzDecoder::new(body);
    let mut out = vec![0; FIRST.min(limit)];
    let mut filled = 0;
    loop {
        if filled == out.len() {
            if filled == limit {
                // Full: the stream must end here.
                let mut one_more = [0];
                return match decoder.read(&mut one_more).map_err(damaged)? {
                    0 => Ok(out),
                    _ => Err(DecompressError::TooLarge { limit }),
                };
            }
            // I-UNFOLD-1: twice what came out so far, exactly.
            let grown = filled.saturating_mul(2).min(limit);
            out.reserve_exact(grown - filled);
            out.resize(grown, 0);
        }
        match decoder.read(&mut out[filled..]).map_err(damaged)? {
            0 => break,
            read => filled += read,
        }
    }
    out.truncate(filled);
    Ok(out)
}

#[cfg(test)]
mod tests;
