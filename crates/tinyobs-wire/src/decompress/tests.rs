use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::*;

const PACKED: [Encoding; 3] = [Encoding::Gzip, Encoding::Snappy, Encoding::Zstd];

fn pack(encoding: Encoding, plain: &[u8]) -> Vec<u8> {
    match encoding {
        Encoding::Identity => plain.to_vec(),
        Encoding::Gzip => gzip(plain),
        Encoding::Snappy => snap::raw::Encoder::new().compress_vec(plain).unwrap(),
        Encoding::Zstd => zstd::encode_all(plain, 3).unwrap(),
    }
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn headers_name_encodings() {
    assert_eq!(Encoding::from_header(""), Some(Encoding::Identity));
    assert_eq!(Encoding::from_header(" Identity"), Some(Encoding::Identity));
    assert_eq!(Encoding::from_header("GZIP"), Some(Encoding::Gzip));
    assert_eq!(Encoding::from_header("x-gzip"), Some(Encoding::Gzip));
    assert_eq!(Encoding::from_header("snappy"), Some(Encoding::Snappy));
    assert_eq!(Encoding::from_header("zstd"), Some(Encoding::Zstd));
    assert_eq!(Encoding::from_header("br"), None);
    assert_eq!(Encoding::from_header("gzip, gzip"), None);
}

#[test]
fn i_unfold_1_the_limit_is_exact() {
    let plain = vec![b'x'; 100_000];
    let too_large = Err(DecompressError::TooLarge { limit: 99_999 });
    for encoding in PACKED {
        let packed = pack(encoding, &plain);
        assert_eq!(
            decompress(encoding, &packed, 100_000).unwrap(),
            plain.as_slice()
        );
        assert_eq!(decompress(encoding, &packed, 99_999), too_large);
    }
    assert_eq!(decompress(Encoding::Identity, &plain, 99_999), too_large);
}

#[test]
fn i_unfold_1_a_bomb_takes_no_more_than_the_limit() {
    let bomb = gzip(&vec![0; 64 << 20]);
    assert!(bomb.len() < 100_000);
    assert!(Encoding::Gzip.unfolded_bytes_max(bomb.len(), 1 << 20) >= 1 << 20);
    assert_eq!(
        decompress(Encoding::Gzip, &bomb, 1 << 20),
        Err(DecompressError::TooLarge { limit: 1 << 20 })
    );
}

#[test]
fn i_unfold_1_a_declared_size_is_not_believed() {
    // A block of four bytes that says it holds 60 MiB.
    let body = [0x80, 0x80, 0x80, 0x1e, 0, 0];
    let got = decompress(Encoding::Snappy, &body, 64 << 20);
    assert!(
        matches!(got, Err(DecompressError::Damaged { .. })),
        "{got:?}"
    );
    // A window of 128 MiB.
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(27).unwrap();
    encoder.write_all(b"x").unwrap();
    let body = encoder.finish().unwrap();
    let got = decompress(Encoding::Zstd, &body, 64 << 20);
    assert!(
        matches!(got, Err(DecompressError::Damaged { .. })),
        "{got:?}"
    );
}

#[test]
fn i_unfold_2_of_every_encoding() {
    let plain: Vec<u8> = (0..3_000u32).flat_map(|i| (i * i).to_le_bytes()).collect();
    for encoding in PACKED {
        let packed = pack(encoding, &plain);
        for cut in (0..packed.len()).step_by(7) {
            let got = decompress(encoding, &packed[..cut], 1 << 20);
            assert!(
                cut == 0 || got.is_err(),
                "{encoding:?} cut at {cut} gave {got:?}"
            );
        }
    }
}

#[test]
fn i_unfold_2_cut_or_damaged_streams_are_errors() {
    let packed = gzip(b"{\"metrics\":[]}");
    for cut in 0..packed.len() {
        let got = decompress(Encoding::Gzip, &packed[..cut], 1 << 20);
        assert!(got.is_err(), "cut at {cut} gave {got:?}");
    }
    let mut wrong_checksum = packed.clone();
    let at = wrong_checksum.len() - 6;
    wrong_checksum[at] ^= 1;
    assert!(decompress(Encoding::Gzip, &wrong_checksum, 1 << 20).is_err());
    assert!(decompress(Encoding::Gzip, b"plain", 1 << 20).is_err());
    let mut garbage_behind = packed;
    garbage_behind.extend_from_slice(b"garbage");
    assert!(decompress(Encoding::Gzip, &garbage_behind, 1 << 20).is_err());
}

#[test]
fn several_members_are_one_body() {
    let mut packed = gzip(b"{\"metrics\"");
    packed.extend(gzip(b":[]}"));
    assert_eq!(
        decompress(Encoding::Gzip, &packed, 1 << 20).unwrap(),
        b"{\"metrics\":[]}".as_slice()
    );
}

proptest! {
    #[test]
    fn any_bytes_come_back(plain in proptest::collection::vec(any::<u8>(), 0..70_000)) {
        for encoding in PACKED {
            let packed = pack(encoding, &plain);
            prop_assert!(plain.len() <= encoding.unfolded_bytes_max(packed.len(), 1 << 30));
            let unpacked = decompress(encoding, &packed, 70_000).unwrap();
            prop_assert_eq!(&*unpacked, plain.as_slice());
        }
        let packed = gzip(&plain);
        prop_assert!(plain.len() <= Encoding::Gzip.unfolded_bytes_max(packed.len(), usize::MAX));
        prop_assert_eq!(&*decompress(Encoding::Gzip, &packed, plain.len()).unwrap(), &*plain);
    }

    #[test]
    fn any_bytes_never_panic(body in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = decompress(Encoding::Gzip, &body, 1 << 20);
    }
}
