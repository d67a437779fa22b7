use super::*;

fn uri(endpoint: &str) -> String {
    ingest_uri(endpoint).unwrap().to_string()
}

fn why_not(endpoint: &str) -> String {
    ingest_uri(endpoint).unwrap_err().to_string()
}

#[test]
fn the_path_is_added_unless_it_is_there() {
    let full = "http://127.0.0.1:8080/v1/ingest";
    assert_eq!(uri("http://127.0.0.1:8080"), full);
    assert_eq!(uri(" http://127.0.0.1:8080/ "), full);
    assert_eq!(uri(full), full);
    assert_eq!(uri("http://127.0.0.1:8080/v1/ingest/"), full);
    assert_eq!(uri("http://host/obs"), "http://host/obs/v1/ingest");
    assert_eq!(uri("http://[::1]:80"), "http://[::1]:80/v1/ingest");
}

#[test]
fn endpoints_that_cannot_work() {
    assert!(why_not("https://host").contains("no TLS"));
    assert!(why_not("host:8080").contains("http://"));
    assert!(why_not("/v1/ingest").contains("http://"));
    assert!(why_not("http://host/?a=b").contains("query"));
    assert!(why_not("http://a b").contains("no URL"));
    assert!(why_not("").contains("no URL"));
}

#[test]
fn bad_configuration_is_told_at_the_start() {
    let bad = |builder: ClientBuilder| builder.start().unwrap_err().to_string();
    assert_eq!(
        bad(Client::builder("  ")),
        "service must have between 1 and 4096 bytes, not 0"
    );
    assert_eq!(
        bad(Client::builder("s").flush_interval(Duration::ZERO)),
        "flush interval must be between 10 ms and 1 h, not 0ns"
    );
    assert_eq!(
        bad(Client::builder("s").api_key("a\nb")),
        "api key holds characters that an HTTP header cannot carry"
    );
    assert!(bad(Client::builder("s").label("__tinyobs_x", "v")).contains("__tinyobs_"));
    assert!(bad(Client::builder("s").label("a", "1").label("a", "2")).contains("twice"));
    assert!(bad(Client::builder("s").instance("")).starts_with("instance must have"));
}

#[test]
fn each_client_of_a_process_is_an_instance_of_its_own() {
    let (first, second) = (default_instance(), default_instance());
    assert_ne!(first, second);
    assert!(first.contains(&format!(":{}", process::id())), "{first}");
}
