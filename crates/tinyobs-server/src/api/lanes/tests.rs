use std::sync::mpsc;

use super::super::failure::Kind;
use super::*;

fn lanes(heavy: usize, heavy_waiting: usize, light_for: Duration) -> Arc<Lanes> {
    Arc::new(Lanes {
        light: Lane::new(1, 8, "queries"),
        heavy: Lane::new(heavy, heavy_waiting, "heavy queries"),
        light_for,
    })
}

const LONG: Duration = Duration::from_mins(1);

fn soon() -> Instant {
    Instant::now() + LONG
}

/// Steps aside and stays there until told to end.
fn occupy(
    lanes: &Arc<Lanes>,
) -> (
    mpsc::Sender<()>,
    tokio::task::JoinHandle<Result<(), Failure>>,
) {
    let (end, ended) = mpsc::channel::<()>();
    let lanes = Arc::clone(lanes);
    let work = tokio::spawn(async move {
        let work = move |control: &Control, turn: &Turn| {
            turn.step_aside(control)?;
            let _ = ended.recv();
            Ok(())
        };
        lanes.run(soon(), work).await
    });
    (end, work)
}

async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn i_lanes_4_light_queries_pass_heavy_ones() {
    let lanes = lanes(1, 8, LONG);
    let heavy: Vec<_> = (0..5).map(|_| occupy(&lanes)).collect();
    // One works, four wait, and the only light place is free.
    until(|| lanes.waiting() == [0, 4]).await;
    until(|| lanes.light.places.available_permits() == 1).await;
    assert_eq!(lanes.run(soon(), |_, _| Ok(7)).await.unwrap(), 7);
    // Which of them works is not known.
    let (ends, works): (Vec<_>, Vec<_>) = heavy.into_iter().unzip();
    drop(ends);
    for work in works {
        work.await.unwrap().unwrap();
    }
    // I-LANES-1
    until(|| lanes.waiting() == [0, 0]).await;
    until(|| lanes.heavy.places.available_permits() == 1).await;
    until(|| lanes.light.places.available_permits() == 1).await;
}

#[tokio::test]
async fn what_takes_longer_than_it_looked_steps_aside() {
    let lanes = lanes(1, 8, Duration::from_millis(5));
    let (end, heavy) = occupy(&lanes);
    until(|| lanes.heavy.places.available_permits() == 0).await;
    let late = tokio::spawn({
        let lanes = Arc::clone(&lanes);
        let work = |control: &Control, turn: &Turn| {
            while turn.held_up().is_none() {
                control.check()?;
            }
            Ok(turn.held_up())
        };
        async move { lanes.run(soon(), work).await }
    });
    until(|| lanes.waiting()[1] == 1).await;
    assert_eq!(lanes.run(soon(), |_, _| Ok(7)).await.unwrap(), 7);
    drop(end);
    heavy.await.unwrap().unwrap();
    assert!(late.await.unwrap().unwrap().is_some());
}

#[tokio::test]
async fn who_only_waits_for_a_core_does_not_step_aside() {
    let lanes = lanes(1, 8, Duration::from_millis(50));
    let work = |control: &Control, turn: &Turn| {
        // As good as a machine that has other things to do.
        thread::sleep(Duration::from_millis(100));
        control.check()?;
        Ok(turn.held_up())
    };
    let held_up = lanes.run(soon(), work).await.unwrap();
    assert_eq!(held_up, None);
}

#[tokio::test]
async fn i_lanes_2_a_full_queue_answers_at_once() {
    let lanes = lanes(1, 1, LONG);
    let first = occupy(&lanes);
    until(|| lanes.heavy.places.available_permits() == 0).await;
    let second = occupy(&lanes);
    until(|| lanes.waiting()[1] == 1).await;
    let refused = lanes.run(soon(), |control, turn| Ok(turn.step_aside(control)?));
    let refused = refused.await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Unavailable);
    assert_eq!(
        refused.message(),
        "too many heavy queries are waiting already, ask again in a moment"
    );
    for (end, work) in [first, second] {
        drop(end);
        work.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn i_lanes_3_who_waits_leaves_in_time() {
    let lanes = lanes(1, 8, LONG);
    let (end, first) = occupy(&lanes);
    until(|| lanes.heavy.places.available_permits() == 0).await;
    let deadline = Instant::now() + Duration::from_millis(50);
    let late = lanes.run(deadline, |control, turn| Ok(turn.step_aside(control)?));
    assert_eq!(late.await.unwrap_err().kind(), Kind::Timeout);
    // A client that leaves.
    let (_end, left) = occupy(&lanes);
    until(|| lanes.waiting()[1] == 1).await;
    left.abort();
    until(|| lanes.waiting()[1] == 0).await;
    drop(end);
    first.await.unwrap().unwrap();
}

#[tokio::test]
async fn i_lanes_1_a_panic_gives_the_place_back() {
    let lanes = lanes(1, 8, LONG);
    let failing = tokio::spawn({
        let lanes = Arc::clone(&lanes);
        async move {
            let work = |control: &Control, turn: &Turn| -> Result<(), Failure> {
                turn.step_aside(control)?;
                panic!("on purpose")
            };
            lanes.run(soon(), work).await
        }
    });
    assert!(failing.await.unwrap_err().is_panic());
    until(|| lanes.heavy.places.available_permits() == 1).await;
}
