use tinyobs_model::{Kind, LabelsBuilder, WriteBatch};

use super::*;
use crate::Config;

fn app() -> App {
    let store = Store::open(tinyobs_store::StoreOptions::memory()).unwrap();
    App::new(store, Config::default())
}

fn put(app: &App, pairs: &[(&str, &str)]) {
    let mut batch = WriteBatch::new();
    let mut builder = LabelsBuilder::new();
    builder.begin("h_bucket");
    for (name, value) in pairs {
        builder.push(name, value);
    }
    let sample = Sample::new(app.now_ms(), 1.0);
    batch
        .push(0, &mut builder, Kind::Histogram, sample, None)
        .unwrap();
    assert_eq!(app.store.append(&batch).unwrap().refused, []);
}

fn key(pairs: &[(&str, &str)]) -> Vec<u8> {
    let labels = Labels::new("h_bucket", pairs.iter().copied()).unwrap();
    labels.as_bytes().to_vec()
}

#[test]
fn i_add_2_bounds_are_those_of_the_very_histogram() {
    let app = app();
    put(&app, &[("le", "1"), ("k", "a")]);
    put(&app, &[("le", "2"), ("k", "a")]);
    put(&app, &[("le", "4"), ("k", "b")]);
    put(&app, &[("le", "8"), ("k", "a"), ("more", "x")]);
    put(&app, &[("k", "a")]);
    let bounds = |app: &App| {
        let mut bounds = Adding::new(app, None).bounds(&key(&[("k", "a")])).unwrap();
        bounds.sort_by(f64::total_cmp);
        bounds
    };
    assert_eq!(bounds(&app), [1.0, 2.0]);
    // Remembered, until the metric has another series.
    assert_eq!(bounds(&app), [1.0, 2.0]);
    put(&app, &[("le", "16"), ("k", "a")]);
    assert_eq!(bounds(&app), [1.0, 2.0, 16.0]);
    assert_eq!(app.deltas.turns.blocking_lock().bounds.len(), 1);
}

#[test]
fn i_add_2_not_all_histograms_are_remembered() {
    let app = app();
    let mut adding = Adding::new(&app, None);
    for i in 0..=limits::DELTA_HISTOGRAMS {
        adding.bounds(&key(&[("k", &i.to_string())])).unwrap();
    }
    drop(adding);
    assert_eq!(app.deltas.turns.blocking_lock().bounds.len(), 1);
}

#[tokio::test]
async fn i_add_1_who_adds_is_alone() {
    let app = app();
    let mut first = Adding::new(&app, None);
    assert!(app.deltas.turns.try_lock().is_ok(), "nobody has added yet");
    first.newest(&key(&[])).unwrap();
    assert!(app.deltas.turns.try_lock().is_err());
    let mut second = Adding::new(&app, None);
    second.newest(&key(&[])).unwrap_err();
    assert!(second.must_wait() && second.into_turn().is_none());
    let other = app.clone();
    let turn = tokio::spawn(async move { other.deltas.turn().await.unwrap() });
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert!(!turn.is_finished());
    assert!(!first.must_wait());
    drop(first.into_turn());
    let mut second = Adding::new(&app, Some(turn.await.unwrap()));
    assert_eq!(second.newest(&key(&[])), Ok(None));
    assert!(!second.must_wait() && second.into_turn().is_some());
}

#[tokio::test]
async fn i_add_1_not_everybody_waits() {
    let app = app();
    let turn = app.deltas.turn().await.unwrap();
    let waiting: Vec<_> = (0..limits::DELTAS_WAITING)
        .map(|_| {
            let app = app.clone();
            tokio::spawn(async move { app.deltas.turn().await.is_ok() })
        })
        .collect();
    // More than the others need to get in line; one more would wait for as long as the turn is held.
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let more = tokio::time::timeout(std::time::Duration::from_secs(5), app.deltas.turn()).await;
    let error = more.expect("it is told at once").unwrap_err();
    let response = axum::response::IntoResponse::into_response(error);
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "1");
    drop(turn);
    for one in waiting {
        assert!(one.await.unwrap());
    }
    assert!(app.deltas.turn().await.is_ok());
}

#[test]
fn i_otlp_http_2_what_was_not_stored_was_not_counted() {
    use tinyobs_wire::otlp::{Format, decode};
    let app = app();
    let point = |s: i64, add: u32| {
        format!(
            r#"{{"timeUnixNano":"{}000000","asInt":{add}}}"#,
            app.now_ms() - 10_000 + s
        )
    };
    let body = |point: &str| {
        format!(
            r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"name":"c","sum":{{
            "aggregationTemporality":1,"isMonotonic":true,"dataPoints":[{point}]}}}}]}}]}}]}}"#
        )
    };
    let total = |body: &str, is_stored: bool| {
        let mut adding = Adding::new(&app, None);
        let decoded = decode(Format::Json, body.as_bytes(), &mut adding).unwrap();
        let total = decoded.batch.rows().first().map(|row| row.sample.value);
        if is_stored {
            app.store.append(&decoded.batch).unwrap();
        }
        total
    };
    let (first, second) = (body(&point(0, 5)), body(&point(1, 2)));
    // The store was full, say.
    assert_eq!(total(&first, false), Some(5.0));
    assert_eq!(total(&first, true), Some(5.0));
    assert_eq!(total(&first, true), None);
    assert_eq!(total(&second, false), Some(7.0));
    assert_eq!(total(&second, true), Some(7.0));
}

#[test]
fn i_otlp_delta_2_what_the_store_refuses_for_its_time_is_not_counted() {
    use tinyobs_wire::otlp::{Format, decode};
    const DAY_MS: i64 = 86_400_000;
    let app = app();
    let now_ms = app.now_ms();
    let point = |(time_ms, add): &(i64, u32)| {
        format!(r#"{{"timeUnixNano":"{time_ms}000000","asInt":{add}}}"#)
    };
    let body = |points: &[(i64, u32)]| {
        let points: Vec<String> = points.iter().map(point).collect();
        format!(
            r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"name":"c","sum":{{
            "aggregationTemporality":1,"isMonotonic":true,"dataPoints":[{}]}}}}]}}]}}]}}"#,
            points.join(",")
        )
    };
    // What is stored, and the places of the points that are not.
    let push = |points: &[(i64, u32)]| {
        let mut adding = Adding::new(&app, None);
        let decoded = decode(Format::Json, body(points).as_bytes(), &mut adding).unwrap();
        let appended = app.store.append(&decoded.batch).unwrap();
        let refused = decoded.refused.iter().chain(&appended.refused);
        let refused: Vec<u32> = refused.map(|one| one.item).collect();
        let rows = decoded.batch.rows().iter();
        let rows = rows.filter(|row| !refused.contains(&row.item));
        (
            rows.map(|row| row.sample.value).collect::<Vec<f64>>(),
            refused,
        )
    };
    // One from long ago, one that is right, one from a clock that is ahead, and the next one.
    let points = [
        (now_ms - 20_000 * DAY_MS, 1),
        (now_ms - 9_000, 2),
        (now_ms + DAY_MS, 4),
        (now_ms - 8_000, 8),
    ];
    assert_eq!(push(&points), (vec![2.0, 10.0], vec![0, 2]));
    // A retry adds nothing, and what follows is counted from there.
    assert_eq!(push(&points), (vec![], vec![0, 2]));
    assert_eq!(push(&[(now_ms - 7_000, 16)]), (vec![26.0], vec![]));
}

/// A push of one point of `c`: a gauge, or a delta.
async fn pushed(app: App, is_delta: bool) -> axum::http::StatusCode {
    use axum::extract::{Request, State};
    let shape = if is_delta {
        (
            r#""sum":{"aggregationTemporality":1,"isMonotonic":true,"#,
            "}",
        )
    } else {
        (r#""gauge":{"#, "}")
    };
    let now_ms = app.now_ms();
    let point = format!(r#""dataPoints":[{{"timeUnixNano":"{now_ms}000000","asInt":1}}]"#);
    let body = format!(
        r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"name":"c",{}{point}{}}}]}}]}}]}}"#,
        shape.0, shape.1
    );
    let request = Request::post("/v1/metrics").header("content-type", "application/json");
    let request = request.body(body.into()).unwrap();
    let answer = crate::otlp::metrics(State(app), request).await;
    answer.status()
}

#[tokio::test(flavor = "multi_thread")]
async fn i_add_1_who_waits_for_a_turn_keeps_nobody_else_waiting() {
    use std::time::Duration;
    const WAIT: Duration = Duration::from_secs(5);
    let app = app();
    let turn = app.deltas.turn().await.unwrap();
    let push = |is_delta| tokio::spawn(pushed(app.clone(), is_delta));
    let mut waiting: Vec<_> = (0..limits::INGEST_AT_ONCE).map(|_| push(true)).collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let other = tokio::time::timeout(WAIT, push(false)).await;
    drop(turn);
    assert_eq!(other.expect("it is answered at once").unwrap(), 200);
    for one in waiting.drain(..) {
        assert_eq!(one.await.unwrap(), 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn i_intake_3_whose_turn_it_is_passes_a_full_gate() {
    use std::time::Duration;
    let app = app();
    let turn = app.deltas.turn().await.unwrap();
    let waiting = tokio::spawn(pushed(app.clone(), true));
    // It has found out that it needs a turn.
    while app.deltas.waiting.available_permits() == limits::DELTAS_WAITING {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (release, held) = tokio::sync::watch::channel(());
    let full: Vec<_> = (0..limits::INGEST_AT_ONCE + limits::INGEST_WAITING)
        .map(|_| {
            let (app, mut held) = (app.clone(), held.clone());
            let runtime = tokio::runtime::Handle::current();
            tokio::spawn(async move {
                let work = move |_: &_| Ok(runtime.block_on(held.changed()).is_err());
                app.ingest.run(work).await
            })
        })
        .collect();
    while app.ingest.waiting() < limits::INGEST_WAITING {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(turn);
    let answered = tokio::time::timeout(Duration::from_secs(5), waiting).await;
    drop(release);
    assert_eq!(answered.expect("it passes").unwrap(), 200);
    for one in full {
        assert!(one.await.unwrap().unwrap());
    }
}
