//! The dashboard's files, straight from the binary.

use crate::server::TestServer;

#[test]
fn i_asset_2_the_index_is_asked_for_again_and_the_rest_kept() {
    let server = TestServer::start();
    let client = server.client();
    for asset in tinyobs_ui::assets() {
        let path = format!("/{}", asset.path);
        let answer = client.get(&path);
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.body, asset.body, "{path}");
        assert_eq!(answer.header("content-type"), Some(asset.content_type));
        assert_eq!(answer.header("etag"), Some(asset.etag));
        let cache = answer.header("cache-control").unwrap();
        assert_eq!(cache.contains("immutable"), asset.immutable, "{path}");
        assert_eq!(cache == "no-cache", !asset.immutable, "{path}");
        let known = client.send("GET", &path, &[("if-none-match", asset.etag)], b"");
        assert_eq!((known.status, known.body.len()), (304, 0), "{path}");
        assert_eq!(known.header("etag"), Some(asset.etag));
        let other = client.send("GET", &path, &[("if-none-match", "\"other\"")], b"");
        assert_eq!(other.status, 200, "{path}");
        if let Some(packed) = asset.gzip {
            let answer = client.send("GET", &path, &[("accept-encoding", "br, gzip")], b"");
            assert_eq!(answer.header("content-encoding"), Some("gzip"), "{path}");
            assert_eq!(answer.body, packed, "{path}");
            let off = client.send("GET", &path, &[("accept-encoding", "gzip;q=0")], b"");
            assert_eq!(off.header("content-encoding"), None, "{path}");
        }
        assert_eq!(
            client.send("POST", &path, &[], b"").header("allow"),
            Some("GET,HEAD")
        );
    }
    assert_eq!(client.get("/").body, tinyobs_ui::index().body);
}

#[test]
fn i_asset_1_no_file_but_ours() {
    let server = TestServer::start();
    let client = server.client();
    let up = [
        "..",
        "%2e%2e",
        ".%2e",
        "%2e.",
        "..;",
        "..%00",
        "%c0%ae%c0%ae",
        "....",
        "..%5c",
        "%252e%252e",
    ];
    let slash = ["/", "//", "%2f", "%5c", "/./"];
    let target = ["etc/passwd", "Cargo.toml", "data/LOCK", "proc/self/environ"];
    let prefix = ["/", "/assets/", "/v1/"];
    let mut spellings = 0;
    for up in up {
        for slash in slash {
            for target in target {
                for prefix in prefix {
                    let path = format!("{prefix}{}{target}", format!("{up}{slash}").repeat(3));
                    let answer = client.get(&path);
                    assert_eq!(answer.status, 404, "{path}: {}", answer.text());
                    spellings += 1;
                }
            }
        }
    }
    assert_eq!(spellings, 600);
}
