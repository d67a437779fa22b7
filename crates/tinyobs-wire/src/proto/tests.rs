use proptest::prelude::*;

use super::*;

fn all(bytes: &[u8]) -> Result<Vec<(u32, Value<'_>)>, ProtoError> {
    let mut fields = Fields::new(bytes);
    let mut found = Vec::new();
    while let Some(field) = fields.next_field()? {
        found.push(field);
    }
    Ok(found)
}

#[test]
fn every_wire_type() {
    // The first two are the examples of the format's description.
    assert_eq!(all(&[0x08, 0x96, 0x01]), Ok(vec![(1, Value::Varint(150))]));
    assert_eq!(
        all(b"\x12\x07testing"),
        Ok(vec![(2, Value::Bytes(b"testing"))])
    );
    let mut bytes = vec![0x19];
    bytes.extend(1.5f64.to_bits().to_le_bytes());
    bytes.extend([0x25, 1, 2, 3, 4]);
    let found = all(&bytes).unwrap();
    assert_eq!(found[0].1.double(), 1.5);
    assert_eq!(found[1], (4, Value::Fixed32(0x0403_0201)));
    assert_eq!(Value::Varint(u64::MAX).signed(), -1);
    let zigzag = [0, 1, 2, 3].map(|number| Value::Varint(number).zigzag());
    assert_eq!(zigzag, [0, -1, 1, -2]);
}

#[test]
fn i_proto_2_what_is_cut_or_malformed_is_an_error() {
    for bytes in [
        &[0x08][..],
        &[0x08, 0x80],
        &[0x12, 0x05, b'a'],
        &[0x19, 1, 2],
        &[0x0b],
        &[0x00, 0x00],
        // Eleven bytes of a varint, and one of more than 64 bits.
        &[
            0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01,
        ],
        &[
            0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02,
        ],
        &[
            0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01,
        ],
    ] {
        assert!(all(bytes).is_err(), "{bytes:?}");
    }
    assert!(packed_fixed64(&[0; 9]).is_err());
    assert!(packed_varints(&[1, 0x80]).any(|number| number.is_err()));
}

proptest! {
    #[test]
    fn i_proto_1_any_bytes_do_no_harm(bytes: Vec<u8>) {
        let _ = all(&bytes);
        let _ = packed_varints(&bytes).count();
    }

    #[test]
    fn numbers_come_back(numbers: Vec<u64>) {
        let mut bytes = Vec::new();
        for number in &numbers {
            let mut rest = *number;
            while rest >= 0x80 {
                bytes.push(rest as u8 | 0x80);
                rest >>= 7;
            }
            bytes.push(rest as u8);
        }
        let read: Result<Vec<u64>, _> = packed_varints(&bytes).collect();
        prop_assert_eq!(read, Ok(numbers));
    }
}
