//! Decompress: the one function that unfolds a request body.
//!
//!   HTTP body ─▶ [decompress] ─▶ [`json`](crate::json), [`remote_write`](crate::remote_write), …
//!
//! I-UNFOLD-1  Memory follows the bytes that really came out, or that can come out of what was sent,
//!             never a size that the sender declared; and it stops one byte past the limit.
//! I-UNFOLD-2  A cut or damaged stream is an error, never a shorter body.
//! Proved by: decompress/tests.rs, fuzz target `decompress`.

use std::borrow::Cow;
use std::io::Read;

/// How a body is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As it is.
    Identity,
    /// RFC 1952, several members allowed.
    Gzip,
    /// One Snappy block, without the framing of its streams: what remote write sends.
    Snappy,
    /// RFC 8878, several frames allowed.
    Zstd,
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
    #[error("body is not valid {encoding}: {reason}")]
    Damaged {
        /// What it should be.
        encoding: &'static str,
        /// What the decoder says.
        reason: String,
    },
}

/// Deflate turns at most this many bytes into one, so a body of n bytes never unfolds to more than
/// n times this. Source: zlib's technical details, "maximum compression factor".
const DEFLATE_RATIO_MAX: usize = 1_032;
/// Snappy's densest element says in 3 bytes to copy 64. Source: its format description, section 2.2.
const SNAPPY_RATIO_MAX: usize = 22;
/// A Zstandard window of 8 MiB is what every decoder must have room for (RFC 8878, section 3.1.1.1.2);
/// more is refused, for it is taken beside what comes out.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

impl Encoding {
    /// The encoding named by a `Content-Encoding` header; none when it is not one of ours.
    pub fn from_header(text: &str) -> Option<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Some(Self::Identity),
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "snappy" => Some(Self::Snappy),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }

    /// The name that the header has for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Zstd => "zstd",
        }
    }

    /// The most bytes that `body_bytes` packed ones can take once unpacked, beside themselves.
    pub fn unfolded_bytes_max(self, body_bytes: usize, limit: usize) -> usize {
        match self {
            Self::Identity => 0,
            Self::Gzip => body_bytes.saturating_mul(DEFLATE_RATIO_MAX).min(limit),
            Self::Snappy => body_bytes.saturating_mul(SNAPPY_RATIO_MAX).min(limit),
            // A block of 4 bytes may stand for 128 KiB, and the decoder has its window besides.
            Self::Zstd => limit.saturating_add(1 << ZSTD_WINDOW_LOG_MAX),
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
    decompress_into(encoding, body, limit, Vec::new())
}

/// Like [`decompress`], into memory that was used before; what is in it does not matter.
///
/// # Errors
/// As those of [`decompress`].
pub fn decompress_into(
    encoding: Encoding,
    body: &[u8],
    limit: usize,
    scratch: Vec<u8>,
) -> Result<Cow<'_, [u8]>, DecompressError> {
    match encoding {
        Encoding::Identity if body.len() > limit => Err(DecompressError::TooLarge { limit }),
        Encoding::Identity => Ok(Cow::Borrowed(body)),
        Encoding::Gzip => {
            read_capped(flate2::read::MultiGzDecoder::new(body), "gzip", limit).map(Cow::Owned)
        }
        Encoding::Snappy => unsnap(body, limit, scratch).map(Cow::Owned),
        Encoding::Zstd => unzstd(body, limit).map(Cow::Owned),
    }
}

/// Unpacks a body while it arrives, for readers that keep only a bounded part of it; none where the
/// encoding can only be unpacked whole.
///
/// # Errors
/// The decoder cannot be made.
pub fn unpack_stream<'a>(
    encoding: Encoding,
    body: impl Read + Send + 'a,
) -> Result<Option<Box<dyn Read + Send + 'a>>, DecompressError> {
    let failed = |error: std::io::Error| damaged("zstd", &error);
    Ok(match encoding {
        Encoding::Identity => Some(Box::new(body)),
        Encoding::Gzip => Some(Box::new(flate2::read::MultiGzDecoder::new(body))),
        Encoding::Snappy => None,
        Encoding::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::new(body).map_err(failed)?;
            decoder
                .window_log_max(ZSTD_WINDOW_LOG_MAX)
                .map_err(failed)?;
            Some(Box::new(decoder))
        }
    })
}

fn damaged(encoding: &'static str, reason: &impl ToString) -> DecompressError {
    DecompressError::Damaged {
        encoding,
        reason: reason.to_string(),
    }
}

/// A block says how long it is before it begins: that is checked against the limit, and against what
/// so many bytes can unfold to, before memory is taken for it.
fn unsnap(body: &[u8], limit: usize, scratch: Vec<u8>) -> Result<Vec<u8>, DecompressError> {
    let declared = snap::raw::decompress_len(body).map_err(|error| damaged("snappy", &error))?;
    if declared > limit {
        return Err(DecompressError::TooLarge { limit });
    }
    if declared > body.len().saturating_mul(SNAPPY_RATIO_MAX) {
        return Err(damaged("snappy", &"it is shorter than it says"));
    }
    let mut out = scratch;
    // Only what it has to grow by is filled with zeros.
    out.resize(declared, 0);
    let mut decoder = snap::raw::Decoder::new();
    let written = decoder
        .decompress(body, &mut out)
        .map_err(|error| damaged("snappy", &error))?;
    out.truncate(written);
    Ok(out)
}

fn unzstd(body: &[u8], limit: usize) -> Result<Vec<u8>, DecompressError> {
    let mut decoder =
        zstd::stream::read::Decoder::with_buffer(body).map_err(|error| damaged("zstd", &error))?;
    decoder
        .window_log_max(ZSTD_WINDOW_LOG_MAX)
        .map_err(|error| damaged("zstd", &error))?;
    read_capped(decoder, "zstd", limit)
}

/// Reads to the end, in steps of what came out so far (I-UNFOLD-1).
fn read_capped(
    mut decoder: impl Read,
    encoding: &'static str,
    limit: usize,
) -> Result<Vec<u8>, DecompressError> {
    const FIRST: usize = 16 << 10;
    let damaged = |error: std::io::Error| damaged(encoding, &error);
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
