//! Segments of the log: whatever the damage, every frame that is whole comes out, and no other.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tinyobs_fuzz::{Damage, Feed};
use tinyobs_store::wal::segment::{
    HEADER_BYTES, Header, Hole, Mark, header, put_frame, read_header, scan,
};

fuzz_target!(|data: &[u8]| {
    let mut feed = Feed::new(data);
    match feed.u8() {
        b'b' => {
            let bytes = feed.rest();
            read_header(bytes);
            scanned(bytes);
        }
        b'h' => header_damaged(&mut feed),
        _ => frames_damaged(&mut feed),
    }
});

/// What all segments here are marked with.
const MARK: Mark = [0xf1, 0x0b, 0x5e, 0x7a];

/// Mark, length and checksum.
const FRAME_HEADER: usize = 12;

/// A frame's offset and payload.
type Frame = (usize, Vec<u8>);

/// Scans, and checks what must hold for any bytes: frames and holes lie side by side from the
/// header to the end, no hole beside another, and a frame is its payload framed again.
fn scanned(bytes: &[u8]) -> (Vec<Frame>, Vec<Hole>) {
    let mut frames = Vec::new();
    let holes = scan(bytes, |at, payload| {
        frames.push((at as usize, payload.to_vec()));
    });
    let framed = |(at, payload): &Frame| {
        let mut frame = Vec::new();
        let mark = *bytes[*at..].first_chunk().expect("a frame has a mark");
        put_frame(&mut frame, mark, payload);
        assert_eq!(
            bytes.get(*at..at + frame.len()),
            Some(&*frame),
            "invented at {at}"
        );
        (*at, frame.len(), true)
    };
    let hole = |hole: &Hole| (hole.offset as usize, hole.len as usize, false);
    let mut parts: Vec<_> = frames
        .iter()
        .map(framed)
        .chain(holes.iter().map(hole))
        .collect();
    parts.sort_unstable();
    let mut end = bytes.len().min(HEADER_BYTES as usize);
    let mut after_hole = false;
    for (at, len, is_frame) in parts {
        assert_eq!(at, end, "parts do not lie side by side");
        assert!(
            len > 0 && (is_frame || !after_hole),
            "a hole of nothing, or two for one"
        );
        (end, after_hole) = (at + len, !is_frame);
    }
    assert_eq!(end, bytes.len(), "the end was not looked at");
    let last_frame = frames.last().map_or(0, |(at, _)| *at);
    for hole in &holes {
        assert!(!hole.torn || hole.offset >= last_frame as u64);
    }
    (frames, holes)
}

/// A header is known only if it is the very one.
fn header_damaged(feed: &mut Feed<'_>) {
    let mut bytes = header(MARK).to_vec();
    let damage = Damage::read(feed, bytes.len());
    damage.apply(&mut bytes);
    let untouched = bytes == header(MARK);
    assert_eq!(read_header(&bytes) == Header::Known(MARK), untouched);
    if bytes.len() < header(MARK).len() {
        // The mark of a header that is not there in full may be any.
        let torn = bytes.iter().zip(&header(MARK)[..12]).all(|(a, b)| a == b);
        assert_eq!(read_header(&bytes) == Header::Torn, torn);
    }
}

/// A valid segment, damaged, and perhaps cut besides.
fn frames_damaged(feed: &mut Feed<'_>) {
    let mut bytes = header(MARK).to_vec();
    let count = 1 + feed.u8() % 6;
    let mut written: Vec<Frame> = Vec::new();
    for _ in 0..count {
        let mut payload = feed.bytes(200).to_vec();
        unframe(&mut payload);
        written.push((bytes.len(), payload.clone()));
        put_frame(&mut bytes, MARK, &payload);
    }
    let whole = bytes.clone();
    assert_eq!(scanned(&bytes), (written.clone(), Vec::new()));

    Damage::read(feed, bytes.len()).apply(&mut bytes);
    if feed.u8() == b'c' {
        Damage::Cut(feed.place(bytes.len())).apply(&mut bytes);
    }
    let first_mark = bytes
        .get(HEADER_BYTES as usize..)
        .and_then(|rest| rest.first_chunk());
    if read_header(&bytes) != Header::Known(MARK) && first_mark != Some(&MARK) {
        // Nobody knows the segment's mark any more.
        return;
    }
    let mut left = written;
    left.retain(|(at, payload)| {
        let end = at + FRAME_HEADER + payload.len();
        bytes.get(*at..end) == Some(&whole[*at..end])
    });
    // What is missing lies in a hole, or was cut off: `scanned` has looked at that.
    assert_eq!(scanned(&bytes).0, left);
}

/// A payload that holds a frame of its own would be taken for one once the frame around it is
/// damaged. Here nobody forges one: no byte of the mark stands in a payload, and no damage is
/// large enough to write all four.
fn unframe(payload: &mut [u8]) {
    for byte in payload.iter_mut().filter(|byte| MARK.contains(byte)) {
        *byte = 0;
    }
}
