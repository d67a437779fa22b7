use std::sync::mpsc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::IntoResponse;

use super::*;

/// Takes the only place: until the sender says so, and true then.
async fn occupied(gate: &Arc<Gate>) -> (mpsc::Sender<()>, tokio::task::JoinHandle<bool>) {
    let (release, held) = mpsc::channel::<()>();
    let first = tokio::spawn({
        let gate = Arc::clone(gate);
        async move { gate.run(move |_| Ok(held.recv().is_ok())).await.unwrap() }
    });
    while gate.places.available_permits() > 0 {
        tokio::task::yield_now().await;
    }
    (release, first)
}

#[tokio::test]
async fn i_gate_2_a_full_queue_answers_at_once() {
    let gate = Arc::new(Gate::new(1, 1, "queries"));
    let (release, first) = occupied(&gate).await;
    let second = tokio::spawn({
        let gate = Arc::clone(&gate);
        async move { gate.run(|_| Ok(2)).await.unwrap() }
    });
    while gate.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    let refused = gate.run(|_| Ok(3)).await.unwrap_err().into_response();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers()["retry-after"], "1");
    release.send(()).unwrap();
    assert!(first.await.unwrap());
    assert_eq!(second.await.unwrap(), 2);
    assert_eq!(gate.waiting(), 0);
}

#[tokio::test]
async fn i_gate_1_abandoned_work_is_cancelled_and_keeps_its_place_until_then() {
    let gate = Arc::new(Gate::new(1, 0, "queries"));
    let (started, has_started) = mpsc::channel();
    let (ended, has_ended) = mpsc::channel();
    let work = tokio::spawn({
        let gate = Arc::clone(&gate);
        async move {
            gate.run(move |cancel| {
                started.send(()).unwrap();
                while cancel.check().is_ok() {
                    std::thread::sleep(Duration::from_millis(1));
                }
                ended.send(()).unwrap();
                Ok(())
            })
            .await
        }
    });
    tokio::task::spawn_blocking(move || has_started.recv().unwrap())
        .await
        .unwrap();
    assert_eq!(gate.places.available_permits(), 0);
    work.abort();
    tokio::task::spawn_blocking(move || has_ended.recv().unwrap())
        .await
        .unwrap();
    while gate.places.available_permits() == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn i_gate_2_a_push_is_told_after_a_pause_in_which_it_holds_nothing() {
    let pause = Duration::from_millis(300);
    let gate = Arc::new(Gate::new(1, 0, "pushes").refusing_after(pause));
    let (release, first) = occupied(&gate).await;
    let body = Arc::new(());
    let held = Arc::clone(&body);
    let begun = std::time::Instant::now();
    let second = tokio::spawn({
        let gate = Arc::clone(&gate);
        async move { gate.run(move |_| Ok(Arc::strong_count(&held))).await }
    });
    while Arc::strong_count(&body) > 1 {
        tokio::task::yield_now().await;
    }
    assert!(!second.is_finished(), "nothing held, and not told yet");
    let refused = second.await.unwrap().unwrap_err().into_response();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(begun.elapsed() >= pause);
    assert_eq!(gate.waiting(), 0, "the queue is left at once");
    release.send(()).unwrap();
    assert!(first.await.unwrap());
}

#[tokio::test]
async fn i_gate_3_what_has_begun_waits_and_who_keeps_others_waiting_passes() {
    let gate = Arc::new(Gate::new(1, 0, "pushes"));
    let (release, first) = occupied(&gate).await;
    let patient = tokio::spawn({
        let gate = Arc::clone(&gate);
        async move { gate.run_patient(|_| Ok(2)).await.unwrap() }
    });
    while gate.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    gate.run(|_| Ok(3)).await.unwrap_err();
    assert_eq!(gate.run_ahead(|_| Ok(4)).await.unwrap(), 4);
    assert_eq!((patient.is_finished(), gate.waiting()), (false, 1));
    release.send(()).unwrap();
    assert!(first.await.unwrap());
    assert_eq!(patient.await.unwrap(), 2);
    assert_eq!(gate.waiting(), 0);
}
