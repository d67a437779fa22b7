//! Feed: the fuzzer's bytes as numbers, texts and choices.
//!
//! Reading past the end gives zeros and empty texts, so that every input means something and a
//! shorter one means less. Loops over a feed stop at [`Feed::is_empty`].

/// Reads values from the front of the fuzzer's bytes.
#[derive(Debug, Clone)]
pub struct Feed<'a> {
    rest: &'a [u8],
}

impl<'a> Feed<'a> {
    /// A feed of all of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Whether everything was read.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Everything that was not read yet.
    pub fn rest(self) -> &'a [u8] {
        self.rest
    }

    /// Up to `len` bytes.
    pub fn take(&mut self, len: usize) -> &'a [u8] {
        let (head, tail) = self.rest.split_at(len.min(self.rest.len()));
        self.rest = tail;
        head
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        let bytes = self.take(N);
        array[..bytes.len()].copy_from_slice(bytes);
        array
    }

    /// A byte.
    pub fn u8(&mut self) -> u8 {
        u8::from_le_bytes(self.array())
    }

    /// Two bytes.
    pub fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.array())
    }

    /// Eight bytes.
    pub fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }

    /// Eight bytes.
    pub fn i64(&mut self) -> i64 {
        self.u64() as i64
    }

    /// An integer of any size, near 0 more often than not: a byte says how many bytes it takes.
    pub fn any_size(&mut self) -> i64 {
        match self.u8() % 4 {
            0 => i64::from(self.u8()),
            1 => i64::from(self.u8() as i8),
            2 => i64::from(self.u16() as i16),
            _ => self.i64(),
        }
    }

    /// A place in something `len` long, or 0; everywhere can be reached while `len` is below
    /// 65,536.
    pub fn place(&mut self, len: usize) -> usize {
        usize::from(self.u16()) % len.max(1)
    }

    /// How often something happens, at least once: seldom often, because that costs time.
    pub fn run(&mut self) -> usize {
        match self.u8() {
            few @ ..224 => 1 + usize::from(few % 16),
            many => 1 + 8 * usize::from(many - 223),
        }
    }

    /// Up to `most` (at most 255) bytes, their number first.
    pub fn bytes(&mut self, most: u8) -> &'a [u8] {
        let len = self.u8().min(most);
        self.take(usize::from(len))
    }

    /// A text of up to `most` bytes before what is not UTF-8 is replaced.
    pub fn text(&mut self, most: u8) -> String {
        String::from_utf8_lossy(self.bytes(most)).into_owned()
    }
}
