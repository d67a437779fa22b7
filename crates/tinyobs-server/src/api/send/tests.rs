use std::time::Duration;

use http_body_util::BodyExt;
use tinyobs_model::{Labels, Sample};
use tinyobs_promql::{AnswerValue, SeriesPoints};

use super::super::failure::Kind;
use super::*;

/// An answer of so many points.
fn written(points: usize) -> Written {
    let series = SeriesPoints {
        labels: Labels::new("m", []).unwrap(),
        points: vec![Sample::new(1_000, 1.0); points],
    };
    Written::new(AnswerValue::Matrix(vec![series]).into(), 0, usize::MAX)
}

fn soon() -> Instant {
    Instant::now() + Duration::from_mins(1)
}

#[tokio::test]
async fn each_way_sends_the_same_text() {
    let room = Room::default();
    for points in [1, TINY_BYTES / 4, SMALL_BYTES / 16 + 100] {
        let expected = text(&written(points), 0);
        let response = room.send(written(points), soon()).await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/json");
        let sent = response.into_body().collect().await.unwrap().to_bytes();
        assert!(sent == expected, "{points}");
    }
}

#[tokio::test]
async fn i_send_1_what_is_sent_takes_room_until_it_is_gone() {
    let room = Room::default();
    let free = || room.bytes.available_permits();
    let points = TINY_BYTES / 4;
    let response = room.send(written(points), soon()).await.unwrap();
    let bytes = text(&written(points), 0).len();
    assert_eq!(free(), limits::ANSWERS_BYTES - bytes);
    let mut body = response.into_body();
    body.frame().await.unwrap().unwrap();
    assert_ne!(free(), limits::ANSWERS_BYTES, "only a piece is gone");
    drop(body);
    assert_eq!(free(), limits::ANSWERS_BYTES);
}

#[tokio::test]
async fn i_send_2_an_answer_waits_for_room_and_not_for_ever() {
    let room = Room::default();
    let all = u32::try_from(limits::ANSWERS_BYTES).unwrap();
    let taken = Arc::clone(&room.bytes)
        .acquire_many_owned(all)
        .await
        .unwrap();
    let points = TINY_BYTES / 4;
    let until = Instant::now() + Duration::from_millis(50);
    let refused = room.send(written(points), until).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Unavailable);
    // Small answers need no room.
    room.send(written(1), soon()).await.unwrap();
    drop(taken);
    room.send(written(points), soon()).await.unwrap();
}
