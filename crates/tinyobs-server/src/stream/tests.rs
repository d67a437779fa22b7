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
}

#[test]
fn i_limit_1_a_line_is_too_long_however_it_comes() {
    let most = limits::STREAM_LINE_BYTES;
    let fits = ["x".repeat(most).as_bytes(), b"\n"].concat();
    let over = ["y".repeat(most + 1).as_bytes(), b"\n"].concat();
    for pieces in [1_000, 65_536, most, 4 * most] {
        let mut lines = Lines::default();
        let (mut whole, mut error) = (Vec::new(), None);
        for piece in [b"a\n", &fits[..], &over[..]].concat().chunks(pieces) {
            match lines.add(piece).and_then(|chunk| {
                let chunk = chunk.unwrap_or_default();
                lines.number += chunk.split(|byte| *byte == b'\n').count() as u64 - 1;
                whole.extend(chunk);
                lines.check()
            }) {
                Ok(()) => {}
                Err(wrong) => {
                    error = Some(wrong);
                    break;
                }
            }
        }
        assert_eq!(whole.len(), most + 3, "in pieces of {pieces}");
        let error = error.unwrap();
        assert_eq!(error.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(error.message(), "line 3 has more than 1048576 bytes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn i_stream_5_who_has_begun_is_slowed_down_and_not_refused() {
    use http_body_util::channel::Channel;
    const WAIT: Duration = Duration::from_millis(10);
    let store = tinyobs_store::Store::open(tinyobs_store::StoreOptions::memory()).unwrap();
    let app = App::new(store, crate::Config::default());
    let (mut sender, body) = Channel::<axum::body::Bytes>::new(1);
    let request = Request::post("/v1/ingest").body(Body::new(body)).unwrap();
    let stream = tokio::spawn({
        let app = app.clone();
        async move { push(&app, request).await }
    });
    let line = |value: u32| format!("{{\"name\":\"m\",\"value\":{value}}}\n");
    sender.send_data(line(1).into()).await.unwrap();
    while app.counters.stored_total() < 1 {
        tokio::time::sleep(WAIT).await;
    }
    // Every place is taken, and the queue is full.
    let (release, held) = tokio::sync::watch::channel(());
    let others: Vec<_> = (0..limits::INGEST_AT_ONCE + limits::INGEST_WAITING)
        .map(|_| {
            let (app, mut held) = (app.clone(), held.clone());
            let runtime = tokio::runtime::Handle::current();
            tokio::spawn(async move {
                let work = move |_: &Cancel| Ok(runtime.block_on(held.changed()).is_err());
                app.ingest.run(work).await
            })
        })
        .collect();
    while app.ingest.waiting() < limits::INGEST_WAITING {
        tokio::time::sleep(WAIT).await;
    }
    sender.send_data(line(2).into()).await.unwrap();
    drop(sender);
    while app.ingest.waiting() == limits::INGEST_WAITING && !stream.is_finished() {
        tokio::time::sleep(WAIT).await;
    }
    drop(release);
    let answer = stream.await.unwrap().expect("it waits");
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(app.counters.stored_total(), 2);
    for other in others {
        assert!(other.await.unwrap().unwrap());
    }
}
