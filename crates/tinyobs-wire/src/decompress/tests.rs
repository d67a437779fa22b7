use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::*;

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
    assert_eq!(Encoding::from_header("br"), None);
    assert_eq!(Encoding::from_header("gzip, gzip"), None);
}

#[test]
fn i_unfold_1_the_limit_is_exact() {
    let plain = vec![b'x'; 100_000];
    let packed = gzip(&plain);
    assert_eq!(
        decompress(Encoding::Gzip, &packed, 100_000).unwrap(),
        plain.as_slice()
    );
    let too_large = Err(DecompressError::TooLarge { limit: 99_999 });
    assert_eq!(decompress(Encoding::Gzip, &packed, 99_999), too_large);
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
        let packed = gzip(&plain);
        prop_assert!(plain.len() <= Encoding::Gzip.unfolded_bytes_max(packed.len(), usize::MAX));
        prop_assert_eq!(&*decompress(Encoding::Gzip, &packed, plain.len()).unwrap(), &*plain);
    }

    #[test]
    fn any_bytes_never_panic(body in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = decompress(Encoding::Gzip, &body, 1 << 20);
    }
}
