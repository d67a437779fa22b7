//! The HTTP layer on a real axum router, without sockets on the app's side.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode};
use axum::routing::{get, post};
use serde_json::Value as Json;
use tinyobs::Client;
use tower::ServiceExt as _;

use crate::server::Server;

const SECONDS: Duration = Duration::from_secs(5);

fn app(client: &Client) -> Router {
    Router::new()
        .route("/users/{id}", get(|| async { "hello" }))
        .route("/echo", post(|body: String| async { body }))
        .route(
            "/panic",
            get(|| async { panic!("the handler's own mistake") as &str }),
        )
        .route("/slow", get(std::future::pending::<&str>))
        .route(
            "/broken",
            get(|| async { StatusCode::INTERNAL_SERVER_ERROR }),
        )
        .layer(tinyobs::tower::layer(client))
}

fn request(method: &str, path: &str) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .body(Body::from("content"))
        .unwrap()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(future)
}

/// `method endpoint status count` of every series, sorted.
fn counted(server: &Server) -> Vec<String> {
    let requests = server.requests();
    let mut lines: Vec<String> = requests
        .last()
        .unwrap()
        .items()
        .iter()
        .filter_map(line)
        .collect();
    lines.sort();
    lines
}

fn line(item: &Json) -> Option<String> {
    let label = |name: &str| item["labels"][name].as_str().unwrap().to_owned();
    let count = match item["name"].as_str().unwrap() {
        "http_requests_total" => &item["value"],
        _ => return None,
    };
    Some(format!(
        "{} {} {} {count}",
        label("method"),
        label("endpoint"),
        label("status")
    ))
}

#[test]
fn i_tower_1_labels_are_routes_not_paths() {
    let server = Server::start();
    let client = server.client().start().unwrap();
    let app = app(&client);
    block_on(async {
        for i in 0..300 {
            let _ = app
                .clone()
                .oneshot(request("GET", &format!("/users/{i}")))
                .await;
            let _ = app
                .clone()
                .oneshot(request("GET", &format!("/no/{i}")))
                .await;
            let _ = app
                .clone()
                .oneshot(request(&format!("X{i}"), "/users/1"))
                .await;
        }
        let _ = app.clone().oneshot(request("GET", "/broken")).await;
    });
    client.stop(SECONDS);
    assert_eq!(
        counted(&server),
        [
            "GET /broken 500 1",
            "GET /users/{id} 200 300",
            "GET unmatched 404 300",
            "_OTHER /users/{id} 405 300",
        ]
    );
    let items = server.items();
    let durations = items
        .iter()
        .filter(|i| i["name"] == "http_request_duration_seconds");
    let counts: u64 = durations.map(|item| item["count"].as_u64().unwrap()).sum();
    assert_eq!(counts, 901);
    let described = items
        .iter()
        .find(|i| i["name"] == "http_request_duration_seconds");
    assert_eq!(described.unwrap()["unit"], "seconds");
}

#[test]
fn bodies_pass_through_untouched() {
    let server = Server::start();
    let client = server.client().start().unwrap();
    let app = app(&client);
    let body = block_on(async {
        let response = app.oneshot(request("POST", "/echo")).await.unwrap();
        to_bytes(response.into_body(), 1_000).await.unwrap()
    });
    assert_eq!(body, "content");
    client.stop(SECONDS);
    assert_eq!(counted(&server), ["POST /echo 200 1"]);
}

#[test]
fn requests_without_a_response_count_too() {
    let server = Server::start();
    let client = server.client().start().unwrap();
    let app = app(&client);
    let slow = app.clone().oneshot(request("GET", "/slow"));
    block_on(async {
        let given_up = tokio::time::timeout(Duration::from_millis(20), slow).await;
        assert!(given_up.is_err());
    });
    let panicking = std::thread::spawn(move || {
        let _ = block_on(app.oneshot(request("GET", "/panic")));
    });
    assert!(panicking.join().is_err());
    client.stop(SECONDS);
    assert_eq!(counted(&server), ["GET /panic 500 1", "GET /slow 499 1"]);
}

#[test]
fn i_tower_3_the_layer_does_not_keep_the_client_alive() {
    let server = Server::start();
    let client = server.client().start().unwrap();
    let app = app(&client);
    block_on(async {
        let _ = app.clone().oneshot(request("GET", "/users/7")).await;
    });
    drop(client);
    assert!(server.requests().last().unwrap().is_final());
    block_on(async {
        let response = app.oneshot(request("GET", "/users/7")).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
    });
}

#[test]
fn i_routes_1_even_raw_paths_as_routes_stay_bounded() {
    let server = Server::start();
    let client = server.client().start().unwrap();
    let layer = tinyobs::tower::layer(&client)
        .endpoint(|extensions| extensions.get::<String>().map(String::as_str));
    let service = tower::ServiceBuilder::new()
        .layer(layer)
        .service_fn(|_: Request<Body>| async { Ok::<_, std::io::Error>(Response::new(())) });
    block_on(async {
        for i in 0..5_000 {
            let mut request = request("GET", "/");
            request.extensions_mut().insert(format!("/raw/{i}"));
            service.clone().oneshot(request).await.unwrap();
        }
    });
    client.stop(SECONDS);
    let requests = server.requests();
    let last = requests.iter().filter(|request| request.is_final());
    let counters = last
        .flat_map(|request| request.items().to_vec())
        .filter(|item| item["name"] == "http_requests_total");
    let counts: Vec<u64> = counters
        .map(|item| item["value"].as_u64().unwrap())
        .collect();
    assert_eq!(counts.len(), 2_001);
    assert_eq!(counts.iter().sum::<u64>(), 5_000);
}

#[test]
fn other_routers_name_their_routes_themselves() {
    #[derive(Clone)]
    struct Template(&'static str);

    let server = Server::start();
    let client = server.client().start().unwrap();
    let layer = tinyobs::tower::layer(&client)
        .endpoint(|extensions| extensions.get::<Template>().map(|template| template.0));
    let service = tower::ServiceBuilder::new()
        .layer(layer)
        .service_fn(|_: Request<Body>| async {
            Ok::<_, std::io::Error>(Response::new(Body::empty()))
        });
    let mut known = request("GET", "/raw/1");
    known.extensions_mut().insert(Template("/raw/{n}"));
    block_on(async {
        service.clone().oneshot(known).await.unwrap();
        service.oneshot(request("GET", "/raw/2")).await.unwrap();
    });
    client.stop(SECONDS);
    assert_eq!(
        counted(&server),
        ["GET /raw/{n} 200 1", "GET unmatched 200 1"]
    );
}
