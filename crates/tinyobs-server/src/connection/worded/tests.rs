use super::*;

#[test]
fn i_worded_1_only_bare_errors_get_words() {
    let bare = |status: &str| {
        format!(
            "HTTP/1.1 {status}\r\ncontent-length: 0\r\ndate: Sun, 22 Nov 2026 00:16:02 GMT\r\n\r\n"
        )
    };
    for status in [
        "400 Bad Request",
        "414 URI Too Long",
        "431 Request Header Fields Too Large",
    ] {
        let answer = worded(bare(status).as_bytes()).unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status}\r\n")),
            "{head}"
        );
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())));
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["error"], status[4..]);
        assert!(!body["message"].as_str().unwrap().is_empty());
    }
    let ours = "HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\n{}";
    for other in [
        ours,
        &bare("200 OK"),
        &bare("404 Not Found"),
        "HTTP/1.1 4",
        "",
    ] {
        assert_eq!(worded(other.as_bytes()), None, "{other}");
    }
}
