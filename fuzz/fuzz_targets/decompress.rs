//! Decompression: what was packed comes out, within its limit; anything else is an error and takes no
//! memory on its word.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tinyobs_fuzz::Feed;
use tinyobs_wire::decompress::{DecompressError, Encoding, decompress};

const LIMIT: usize = 1 << 20;

fuzz_target!(|data: &[u8]| {
    let mut feed = Feed::new(data);
    let encoding = match feed.u8() % 3 {
        0 => Encoding::Gzip,
        1 => Encoding::Snappy,
        _ => Encoding::Zstd,
    };
    if feed.u8() % 2 == 0 {
        any_body(encoding, feed.rest());
    } else {
        snapped(feed.rest());
    }
});

fn any_body(encoding: Encoding, body: &[u8]) {
    match decompress(encoding, body, LIMIT) {
        Ok(unpacked) => {
            assert!(unpacked.len() <= encoding.unfolded_bytes_max(body.len(), LIMIT));
            if !unpacked.is_empty() {
                let less = decompress(encoding, body, unpacked.len() - 1);
                let limit = unpacked.len() - 1;
                assert_eq!(less, Err(DecompressError::TooLarge { limit }));
            }
        }
        Err(error) => assert!(error.to_string().len() < 500, "{error}"),
    }
}

fn snapped(plain: &[u8]) {
    let packed = snap::raw::Encoder::new()
        .compress_vec(plain)
        .expect("packs");
    let unpacked = decompress(Encoding::Snappy, &packed, LIMIT).expect("unpacks");
    assert_eq!(&*unpacked, plain);
}
