//! Wire: a remote-write request that is built once and has its times and values patched.
//!
//!   [Template] ─▶ head and Snappy of a `WriteRequest`, one sample each of all series of a sender
//!
//! The generator has one core like the server, so it must be much cheaper: what Snappy holds are
//! literals, which can be patched where they lie, and a request that was refused is sent as it is.

use super::Scale;

/// The requests of one sender.
pub struct Template {
    /// Which one: the label of its series.
    pub sender: usize,
    /// How many there are, and how many series each has.
    pub scale: Scale,
    /// Head and body as they go over the wire.
    pub request: Vec<u8>,
    /// Numbers of the requests that were acknowledged.
    pub acked: Vec<u32>,
    /// Of those without an answer, or with one that promises nothing: stored or not.
    pub open: Vec<u32>,
    /// The number in `request`.
    pub number: u32,
    base_ms: i64,
    /// Where value and time of each sample stand.
    places: Vec<usize>,
}

/// Bytes of a time as a varint: 42 bits say moments until 2109.
const TIME_BYTES: usize = 6;

impl Template {
    /// Request number 0.
    pub fn new(sender: usize, scale: Scale, base_ms: i64) -> Self {
        let (mut message, mut places) = (Vec::new(), Vec::new());
        for series in 0..scale.series {
            let mut inner = Vec::new();
            for (name, value) in [
                ("__name__", "overload_total"),
                ("job", "overload"),
                ("sender", &sender.to_string()),
                ("series", &series.to_string()),
            ] {
                let mut label = Vec::new();
                field(&mut label, 1, name.as_bytes());
                field(&mut label, 2, value.as_bytes());
                field(&mut inner, 1, &label);
            }
            // 1 value: a double; 2 time: a varint.
            let sample = [&[0x09][..], &[0; 8], &[0x10], &[0; TIME_BYTES]].concat();
            field(&mut inner, 2, &sample);
            field(&mut message, 1, &inner);
            places.push(message.len() - sample.len() + 1);
        }
        let (body, shifted) = literals(&message, &places);
        let head = format!(
            "POST /api/v1/write HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/x-protobuf\r\n\
             content-encoding: snappy\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let places = shifted.iter().map(|place| head.len() + place).collect();
        let mut template = Self {
            sender,
            scale,
            request: [head.as_bytes(), &body].concat(),
            acked: Vec::new(),
            open: Vec::new(),
            number: 0,
            base_ms,
            places,
        };
        template.patch();
        template
    }

    /// Makes it the next request.
    pub fn next(&mut self) {
        self.number += 1;
        self.patch();
    }

    fn patch(&mut self) {
        let value = f64::from(self.number).to_le_bytes();
        let mut time = [0x80; TIME_BYTES];
        let time_ms = (self.base_ms + i64::from(self.number)) as u64;
        for (at, byte) in time.iter_mut().enumerate() {
            let more = if at + 1 < TIME_BYTES { 0x80 } else { 0 };
            *byte = (time_ms >> (7 * at)) as u8 & 0x7f | more;
        }
        for place in &self.places {
            self.request[*place..*place + 8].copy_from_slice(&value);
            self.request[place + 9..place + 9 + TIME_BYTES].copy_from_slice(&time);
        }
    }
}

fn field(out: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    out.push(number << 3 | 2);
    varint(out, bytes.len());
    out.extend_from_slice(bytes);
}

fn varint(out: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Snappy of one literal, and where `places` are in it.
fn literals(message: &[u8], places: &[usize]) -> (Vec<u8>, Vec<usize>) {
    let mut out = Vec::new();
    varint(&mut out, message.len());
    // A literal whose length less one stands in the next three bytes.
    out.push(62 << 2);
    out.extend(&(message.len() as u32 - 1).to_le_bytes()[..3]);
    let before = out.len();
    out.extend_from_slice(message);
    (out, places.iter().map(|place| before + place).collect())
}
