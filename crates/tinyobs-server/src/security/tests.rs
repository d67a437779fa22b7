use super::*;

fn status(host: &str, origin: Option<&str>) -> u16 {
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, host.parse().unwrap());
    if let Some(origin) = origin {
        headers.insert(header::ORIGIN, origin.parse().unwrap());
    }
    let allowed = ["obs.example.com".to_owned()];
    match check(&Uri::from_static("/v1/stats"), &headers, &allowed) {
        Ok(()) => 200,
        Err(error) => error.into_response().status().as_u16(),
    }
}

#[test]
fn i_sec_1_only_names_that_cannot_be_rebound_pass() {
    for host in [
        "127.0.0.1",
        "127.0.0.1:8080",
        "10.1.2.3:80",
        "localhost",
        "LocalHost:8080",
        "localhost.",
        "shop.localhost:8080",
        "[::1]",
        "[::1]:8080",
        "[fe80::1]:1",
        "obs.example.com",
        "OBS.example.com:443",
    ] {
        assert_eq!(status(host, None), 200, "{host}");
    }
    for host in [
        "evil.com",
        "evil.com:8080",
        "127.0.0.1.evil.com",
        "localhost.evil.com",
        "notlocalhost",
        "x.obs.example.com",
        "127.0.0.1.",
        "0x7f.1",
        "2130706433",
        "tinyobs",
    ] {
        assert_eq!(status(host, None), 403, "{host}");
    }
    for host in [
        ":8080",
        "[::1",
        "[::1]x",
        "localhost:",
        "localhost:99999",
        "a:b:c",
        "127.0.0.1:80:80",
    ] {
        assert_eq!(status(host, None), 400, "{host}");
    }
}

#[test]
fn i_sec_2_other_sites_are_refused() {
    let host = "127.0.0.1:8080";
    for origin in [
        "http://127.0.0.1:8080",
        "https://127.0.0.1:8080",
        "https://obs.example.com",
    ] {
        assert_eq!(status(host, Some(origin)), 200, "{origin}");
    }
    for origin in [
        "null",
        "",
        "http://evil.com",
        "http://127.0.0.1",
        "http://127.0.0.1:3000",
        "http://localhost:8080",
        "http://127.0.0.1:8080.evil.com",
        "http://127.0.0.1:8080/",
        "file://",
        "chrome-extension://abc",
    ] {
        assert_eq!(status(host, Some(origin)), 403, "{origin}");
    }
}

#[test]
fn a_host_is_named_once_and_the_same() {
    let mut headers = HeaderMap::new();
    assert!(check(&Uri::from_static("/"), &headers, &[]).is_err());
    headers.insert(header::HOST, HeaderValue::from_static("localhost"));
    assert!(check(&Uri::from_static("http://localhost/"), &headers, &[]).is_ok());
    assert!(check(&Uri::from_static("http://evil.com/"), &headers, &[]).is_err());
    headers.append(header::HOST, HeaderValue::from_static("localhost"));
    assert!(check(&Uri::from_static("/"), &headers, &[]).is_err());
}
