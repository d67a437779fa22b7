use super::*;

#[test]
fn content_types() {
    let is = |text: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, text.parse().unwrap());
        is_stream(&headers)
    };
    assert!(is("application/x-ndjson"));
    assert!(is("Application/JSONL; charset=utf-8"));
    assert!(!is("application/json"));
    assert!(!is_stream(&HeaderMap::new()));
}

#[test]
fn i_stream_1_whole_lines_leave_as_soon_as_there_are_enough() {
    let mut lines = Lines::default();
    let line = ["x".repeat(99_999).as_bytes(), b"\n"].concat();
    for _ in 0..5 {
        assert_eq!(lines.add(&line).unwrap(), None);
    }
    let chunk = lines.add(&line[..60_000]).unwrap().unwrap();
    assert_eq!(chunk.len(), 500_000);
    assert_eq!(lines.held.len(), 60_000);
    // A line of any length but one too long.
    let mut lines = Lines::default();
    assert_eq!(
        lines.add(&vec![b'x'; limits::STREAM_LINE_BYTES]).unwrap(),
        None
    );
    let error = lines.add(b"x").unwrap_err();
    assert_eq!(error.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(
        error.message(),
        "a line after line 0 has more than 1048576 bytes"
    );
}
