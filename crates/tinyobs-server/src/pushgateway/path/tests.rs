use axum::response::IntoResponse;

use super::*;

fn labels(path: &str) -> Vec<(String, String)> {
    read(path).unwrap()
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    all.iter().map(own).collect()
}

#[test]
fn labels_of_paths() {
    assert_eq!(labels("/metrics/job/a"), pairs(&[("job", "a")]));
    assert_eq!(labels("/metrics/job/a/"), pairs(&[("job", "a")]));
    assert_eq!(
        labels("/metrics/job/my%20job+1/instance/h%2Fé/empty/"),
        pairs(&[("instance", "h/é"), ("job", "my job+1")])
    );
    // The examples of the Pushgateway's own documentation.
    assert_eq!(
        labels("/metrics/job/directory_cleaner/path@base64/L3Zhci90bXA"),
        pairs(&[("job", "directory_cleaner"), ("path", "/var/tmp")])
    );
    assert_eq!(
        labels("/metrics/job@base64/zqDPgc6_zrzOt864zrXPjc-C/first_label@base64/="),
        pairs(&[("job", "Προμηθεύς")])
    );
    assert_eq!(
        labels("/metrics/job@base64/L3Zhci90bXA="),
        pairs(&[("job", "/var/tmp")])
    );
}

#[test]
fn i_pushpath_1_the_order_of_labels_does_not_matter() {
    assert_eq!(
        labels("/metrics/job/j/a/1/b/2"),
        labels("/metrics/b/2/job/j/a@base64/MQ")
    );
}

#[test]
fn what_is_no_group() {
    for path in [
        "/metrics/job/",
        "/metrics/job//a/b",
        "/metrics/job/a/b",
        "/metrics/job/a/b/c/d",
        "/metrics/job/a//c",
        "/metrics/job/a/__b/c",
        "/metrics/job/a/b/c/b/d",
        "/metrics/job/a/job/b",
        "/metrics/job/%ff",
        "/metrics/job/%4",
        "/metrics/job@base64/a",
        "/metrics/job@base64/a+b=",
        "/metrics/job@base64/_w",
        &format!("/metrics/job/a/{}", "b/c/".repeat(100)),
        &format!("/metrics/job/{}", "a".repeat(5_000)),
    ] {
        let response = read(path).unwrap_err().into_response();
        assert_eq!(response.status(), 400, "{path}");
    }
}
