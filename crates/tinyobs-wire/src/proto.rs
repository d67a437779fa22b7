//! Proto: the fields of a protobuf message, borrowed from the bytes that came.
//!
//!   bytes ─▶ [Fields] ─▶ (number, [Value]) ─▶ [`remote_write`](crate::remote_write), …
//!
//! No generated code and no library: those make a `String` of every label before anyone has looked
//! whether the series is known, which takes nine tenths of the time (docs/decisions/0008). What
//! they would add, names and types, each decoder says where it reads them.
//! Source of the format: protobuf.dev, "Encoding".
//!
//! I-PROTO-1  No bytes panic, take memory or loop: every step goes forward by at least one byte.
//! I-PROTO-2  What is cut, or longer than what is around it, is an error.
//! Proved by: proto/tests.rs, and the fuzz targets of the decoders.

/// What is wrong with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message is cut or malformed at byte {at}")]
pub struct ProtoError {
    /// Counted from the start of the (sub-)message that was being read.
    pub at: usize,
}

/// A field's content, as its wire type has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// Wire type 0: integers, booleans, enumerations.
    Varint(u64),
    /// Wire type 1: eight bytes.
    Fixed64(u64),
    /// Wire type 2: text, bytes, sub-messages, packed lists.
    Bytes(&'a [u8]),
    /// Wire type 5: four bytes.
    Fixed32(u32),
}

impl<'a> Value<'a> {
    /// The bytes of a field that has some; empty for another wire type, as an absent field.
    pub fn bytes(self) -> &'a [u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            _ => &[],
        }
    }

    /// A number that is written as a varint or in eight or four bytes.
    pub fn number(self) -> u64 {
        match self {
            Self::Varint(number) | Self::Fixed64(number) => number,
            Self::Fixed32(number) => number.into(),
            Self::Bytes(_) => 0,
        }
    }

    /// An `int64` or `int32`.
    pub fn signed(self) -> i64 {
        self.number() as i64
    }

    /// A `double`.
    pub fn double(self) -> f64 {
        f64::from_bits(self.number())
    }

    /// A `sint32` or `sint64`.
    pub fn zigzag(self) -> i64 {
        let number = self.number();
        (number >> 1) as i64 ^ -((number & 1) as i64)
    }
}

/// The fields of one message, in the order in which they stand.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    /// Of a whole message.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Of a message of which `at` bytes have been read.
    pub fn from(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// The next field: its number and content; none at the end.
    ///
    /// # Errors
    /// The message is cut or malformed here.
    #[inline]
    pub fn next_field(&mut self) -> Result<Option<(u32, Value<'a>)>, ProtoError> {
        // Nearly every field of nearly every message: a number up to 15, less than 2^14 bytes.
        if let [key @ 8..0x80, low, high, ..] = self.bytes[self.at..]
            && key & 7 == 2
        {
            let (len, from) = match (low, high) {
                (0..0x80, _) => (usize::from(low), self.at + 2),
                (_, 0..0x80) => (
                    usize::from(low & 0x7f) | usize::from(high) << 7,
                    self.at + 3,
                ),
                _ => return self.other_field(),
            };
            if let Some(taken) = self.bytes.get(from..from + len) {
                self.at = from + len;
                return Ok(Some((u32::from(key >> 3), Value::Bytes(taken))));
            }
        }
        self.other_field()
    }

    fn other_field(&mut self) -> Result<Option<(u32, Value<'a>)>, ProtoError> {
        if self.at == self.bytes.len() {
            return Ok(None);
        }
        let key = self.varint()?;
        let number = u32::try_from(key >> 3).map_err(|_| self.broken())?;
        let value = match key & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(u64::from_le_bytes(self.array()?)),
            2 => {
                let len = usize::try_from(self.varint()?).map_err(|_| self.broken())?;
                Value::Bytes(self.take(len)?)
            }
            5 => Value::Fixed32(u32::from_le_bytes(self.array()?)),
            _ => return Err(self.broken()),
        };
        if number == 0 {
            return Err(self.broken());
        }
        Ok(Some((number, value)))
    }

    #[inline]
    fn varint(&mut self) -> Result<u64, ProtoError> {
        let (number, len) = read_varint(&self.bytes[self.at..]).ok_or(self.broken())?;
        self.at += len;
        Ok(number)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ProtoError> {
        let taken = self.take(N)?;
        Ok(taken.try_into().expect("take returns as many as asked"))
    }

    #[inline]
    fn take(&mut self, len: usize) -> Result<&'a [u8], ProtoError> {
        let rest = &self.bytes[self.at..];
        let taken = rest.get(..len).ok_or(self.broken())?;
        self.at += len;
        Ok(taken)
    }

    fn broken(&self) -> ProtoError {
        ProtoError { at: self.at }
    }
}

/// A varint at the start of `bytes`, and how long it is; none when it is cut, or no number of 64 bits.
#[inline]
pub fn read_varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let &first = bytes.first()?;
    if first < 0x80 {
        return Some((first.into(), 1));
    }
    let mut number = u64::from(first & 0x7f);
    for (place, &byte) in bytes.iter().enumerate().take(10).skip(1) {
        number |= u64::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            // The tenth byte has room for one bit.
            return (place < 9 || byte < 2).then_some((number, place + 1));
        }
    }
    None
}

/// Messages one behind the other, each with its length before it.
#[derive(Debug, Clone)]
pub struct Delimited<'a>(Fields<'a>);

impl<'a> Delimited<'a> {
    /// Of a whole body.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(Fields::new(bytes))
    }

    /// The next message's bytes; none at the end.
    ///
    /// # Errors
    /// The body is cut here.
    pub fn next_message(&mut self) -> Result<Option<&'a [u8]>, ProtoError> {
        let Self(rest) = self;
        if rest.at == rest.bytes.len() {
            return Ok(None);
        }
        let len = usize::try_from(rest.varint()?).map_err(|_| rest.broken())?;
        rest.take(len).map(Some)
    }
}

/// The numbers of a packed list of varints.
pub fn packed_varints(bytes: &[u8]) -> impl Iterator<Item = Result<u64, ProtoError>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        if at >= bytes.len() {
            return None;
        }
        let Some((number, len)) = read_varint(&bytes[at..]) else {
            let broken = ProtoError { at };
            at = bytes.len();
            return Some(Err(broken));
        };
        at += len;
        Some(Ok(number))
    })
}

/// The numbers of a packed list of eight bytes each.
///
/// # Errors
/// The list does not end with a number.
pub fn packed_fixed64(bytes: &[u8]) -> Result<impl Iterator<Item = u64>, ProtoError> {
    let (numbers, rest) = bytes.as_chunks::<8>();
    if !rest.is_empty() {
        return Err(ProtoError { at: bytes.len() });
    }
    Ok(numbers.iter().map(|number| u64::from_le_bytes(*number)))
}

#[cfg(test)]
mod tests;
