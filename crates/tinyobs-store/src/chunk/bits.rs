//! Bits: fields of any width, one behind the other, highest bit first.

/// Appends fields to a byte string.
pub struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    /// Its lowest `bits` < 32 bits wait to be written.
    pending: u64,
    bits: u32,
}

impl<'a> BitWriter<'a> {
    /// A writer behind what `out` holds.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self {
            out,
            pending: 0,
            bits: 0,
        }
    }

    /// Appends the `width` ≤ 64 lowest bits of `field`, above which it must be 0.
    #[inline]
    pub fn put(&mut self, field: u64, width: u32) {
        if width > 32 {
            self.put_half(field >> 32, width - 32);
            self.put_half(field & u64::from(u32::MAX), 32);
        } else {
            self.put_half(field, width);
        }
    }

    #[inline]
    fn put_half(&mut self, field: u64, width: u32) {
        self.pending = self.pending << width | field;
        self.bits += width;
        if self.bits >= 32 {
            self.bits -= 32;
            let full = (self.pending >> self.bits) as u32;
            self.out.extend_from_slice(&full.to_be_bytes());
        }
    }

    /// Fills the last byte up with zeros.
    pub fn finish(self) {
        let left = (self.pending << (32 - self.bits)) as u32;
        let bytes = self.bits.div_ceil(8) as usize;
        self.out.extend_from_slice(&left.to_be_bytes()[..bytes]);
    }
}

/// The next 57 or more bits from `bit` on, topmost first; zeros follow the end.
#[inline]
pub fn word_at(bytes: &[u8], bit: usize) -> u64 {
    let at = bit / 8;
    let word = match bytes.get(at..at + 8) {
        Some(word) => word.try_into().map_or(0, u64::from_be_bytes),
        None => short_word(bytes.get(at..).unwrap_or_default()),
    };
    word << (bit % 8)
}

#[cold]
fn short_word(rest: &[u8]) -> u64 {
    let mut word = [0; 8];
    word[..rest.len()].copy_from_slice(rest);
    u64::from_be_bytes(word)
}
