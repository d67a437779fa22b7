//! Lines: a part of a streamed push, one item a line.

use super::envelope::read_alone;
use super::item::Item;
use super::rows::Sink;
use super::{BodyError, Decoded};
use tinyobs_model::Refusal;

/// Reads whole lines that arrived at `now_ms`, each of them one item; blank ones are passed over.
///
/// An item's number in the batch and in what was refused is that of its line, counted from 0;
/// [`Decoded::items`] counts those with something on them.
pub fn decode_lines(lines: &[u8], now_ms: i64) -> Decoded {
    let mut sink = Sink::new(now_ms, None);
    let mut items = 0;
    for line in lines.split(|byte| *byte == b'\n') {
        let line = line.trim_ascii();
        if line.is_empty() {
            sink.items += 1;
            continue;
        }
        items += 1;
        let mut item = Item::default();
        match std::str::from_utf8(line) {
            Ok(text) => match read_alone(text, &mut item) {
                Ok(()) => sink.push(&item),
                Err(error) => sink.refuse_malformed(&item, &error, text),
            },
            Err(error) => {
                let at = error.valid_up_to();
                let message = BodyError::NotUtf8 { at }.to_string();
                sink.refuse(Refusal::Malformed, message);
            }
        }
    }
    Decoded {
        items,
        ..sink.into_decoded()
    }
}
