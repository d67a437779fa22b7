use super::*;

fn key(field: u8, wire: u8) -> u8 {
    field << 3 | wire
}

fn message(field: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![key(field, 2)];
    let mut len = content.len();
    while len >= 0x80 {
        out.push(len as u8 | 0x80);
        len >>= 7;
    }
    out.push(len as u8);
    out.extend_from_slice(content);
    out
}

fn read(any: &[u8]) -> String {
    text(Proto::any(any).unwrap(), &Proto).unwrap().into_owned()
}

#[test]
fn every_type_has_a_text() {
    assert_eq!(read(&[]), "");
    assert_eq!(read(&message(1, b"plain")), "plain");
    assert_eq!(read(&[key(2, 0), 1]), "true");
    assert_eq!(read(&[key(2, 0), 0]), "false");
    assert_eq!(read(&[key(3, 0), 200, 1]), "200");
    let minus_two = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    assert_eq!(read(&[&[key(3, 0)], &minus_two[..]].concat()), "-2");
    let half = [&[key(4, 1)], &0.5_f64.to_le_bytes()[..]].concat();
    assert_eq!(read(&half), "0.5");
    let bytes = message(7, b"\x00\xffab");
    assert_eq!(read(&bytes), "AP9hYg==");
    let list = message(
        5,
        &[message(1, &message(1, b"a\"b")), message(1, &half)].concat(),
    );
    assert_eq!(read(&list), "[\"a\\\"b\",0.5]");
    let pair = [message(1, b"k"), message(2, &list)].concat();
    assert_eq!(
        read(&message(6, &message(1, &pair))),
        "{\"k\":[\"a\\\"b\",0.5]}"
    );
    let nan = [&[key(4, 1)], &f64::NAN.to_le_bytes()[..]].concat();
    assert_eq!(read(&message(5, &message(1, &nan))), "[\"NaN\"]");
}

#[test]
fn base64_pads() {
    for (plain, coded) in [
        (&b""[..], ""),
        (b"f", "Zg=="),
        (b"fo", "Zm8="),
        (b"foo", "Zm9v"),
        (b"foob", "Zm9vYg=="),
    ] {
        assert_eq!(base64(plain), coded);
    }
}

/// A list in a list in a list, `depth` of them.
fn nested(depth: usize) -> Vec<u8> {
    (0..depth).fold(Vec::new(), |inner, _| message(5, &message(1, &inner)))
}

#[test]
fn i_otlp_any_1_nesting_ends_somewhere() {
    let deepest = read(&nested(limits::OTLP_NESTING));
    assert_eq!(deepest.matches('[').count(), limits::OTLP_NESTING);
    for depth in [limits::OTLP_NESTING + 1, 5_000] {
        let any = nested(depth);
        let error = text(Proto::any(&any).unwrap(), &Proto).unwrap_err();
        let AnyError::Broken((rule, message)) = error else {
            panic!("{error:?}")
        };
        assert_eq!(rule, Refusal::Malformed);
        assert_eq!(message, "an attribute is nested in more than 16 levels");
    }
}

#[test]
fn i_otlp_any_2_a_text_stops_growing() {
    let long = message(1, &vec![1; 1 << 20]);
    let list = message(5, &message(1, &long).repeat(8));
    let written = read(&list).len();
    assert!(written > limits::LABEL_VALUE_BYTES, "{written}");
    assert!(written < 8 * limits::LABEL_VALUE_BYTES, "{written}");
    let bytes = read(&message(7, &vec![1; 1 << 20]));
    assert!(bytes.len() > limits::LABEL_VALUE_BYTES);
    assert!(bytes.len() < 2 * limits::LABEL_VALUE_BYTES);
}
