use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::sync::Mutex;
use std::thread;

use serde_json::{Value as Json, json};

use super::*;

/// A TinyObs server that only listens.
fn recorder() -> (String, Arc<Mutex<Vec<Json>>>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let pushes = Arc::new(Mutex::new(Vec::new()));
    let recorded = pushes.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            while let Some(body) = read(&mut stream) {
                let count = body["metrics"].as_array().unwrap().len();
                recorded.lock().unwrap().push(body);
                let answer = json!({"status": "success", "count": count, "errors": []}).to_string();
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
                    answer.len()
                );
                let _ = stream.get_mut().write_all((head + &answer).as_bytes());
            }
        }
    });
    (endpoint, pushes)
}

fn read(stream: &mut BufReader<std::net::TcpStream>) -> Option<Json> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let line = line.trim().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().ok()?;
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

fn options(endpoint: &str) -> DemoOptions {
    DemoOptions {
        endpoint: endpoint.to_owned(),
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
    }
}

fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shop_is_alive_at_once_and_ends_with_its_last_push() {
    let (endpoint, pushes) = recorder();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(run(options(&endpoint), async {
        let _ = stopped.await;
    }));
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    stop.send(()).unwrap();
    let report = running.await.unwrap().unwrap();
    assert!(report.is_complete(), "{report}");

    let pushes = pushes.lock().unwrap();
    let last = pushes.last().unwrap();
    assert_eq!(last["source"]["service"], SERVICE);
    assert_eq!(last["source"]["final"], true);
    let items = last["metrics"].as_array().unwrap();
    let names: BTreeSet<&str> = items.iter().map(|i| i["name"].as_str().unwrap()).collect();
    for name in [
        "active_users",
        "batch_duration_seconds",
        "batch_rows_total",
        "demo_load",
        "errors_total",
        "http_request_duration_seconds",
        "http_requests_total",
        "orders_total",
        "queue_depth",
    ] {
        assert!(names.contains(name), "{name} is not among {names:?}");
    }
    // No batch has ended yet, so there is no last success to tell of.
    assert!(!names.contains("batch_last_success_timestamp_seconds"));
    let requests: u64 = items
        .iter()
        .filter(|item| item["name"] == "http_requests_total")
        .map(|item| item["value"].as_u64().unwrap())
        .sum();
    assert!(requests >= 3, "{requests} requests");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_and_its_api() {
    let (endpoint, _) = recorder();
    let demo = Demo::bind(options(&endpoint)).await.unwrap();
    let address = demo.address();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(demo.run(async {
        let _ = stopped.await;
    }));
    let fetch = |path: &'static str| tokio::task::spawn_blocking(move || get(address, path));

    let page = fetch("/").await.unwrap();
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    assert!(page.contains("content-security-policy: default-src 'none'"));
    assert!(!page.contains("onclick") && !page.contains("<style") && !page.contains("style="));
    assert!(fetch("/app.js").await.unwrap().contains("text/javascript"));
    assert!(fetch("/app.css").await.unwrap().contains("text/css"));

    let users = fetch("/api/users").await.unwrap();
    assert!(
        users.contains("Alice") || users.starts_with("HTTP/1.1 500"),
        "{users}"
    );
    let health = fetch("/health").await.unwrap();
    assert!(health.contains(r#""status":"healthy""#), "{health}");
    let stats = fetch("/api/stats").await.unwrap();
    let stats: Json = serde_json::from_str(stats.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert!(stats["requests"].as_u64().unwrap() >= 6, "{stats}");
    assert_eq!(stats["dashboard"], endpoint.as_str());
    assert!(fetch("/nothing").await.unwrap().starts_with("HTTP/1.1 404"));

    stop.send(()).unwrap();
    assert!(running.await.unwrap().unwrap().is_complete());
}

#[tokio::test]
async fn a_port_that_is_taken_is_replaced_by_a_free_one() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let wanted = taken.local_addr().unwrap();
    let demo = Demo::bind(DemoOptions {
        listen: wanted,
        endpoint: "http://127.0.0.1:9".to_owned(),
    })
    .await
    .unwrap();
    assert_eq!(demo.address().ip(), wanted.ip());
    assert_ne!(demo.address().port(), wanted.port());
    demo.client.stop(Duration::ZERO);
}

#[tokio::test]
async fn an_endpoint_that_cannot_work_is_told() {
    let error = run(options("ftp://host"), async {}).await.unwrap_err();
    assert!(matches!(error, DemoError::Client(_)), "{error}");
}
