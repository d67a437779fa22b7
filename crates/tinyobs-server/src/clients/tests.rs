use super::*;

fn push(instance: &str, interval_ms: Option<u64>, is_final: bool) -> Push<'_> {
    Push {
        job: "s",
        instance,
        interval_ms,
        is_final,
    }
}

/// The value of `up` that a push brings about, and of which instance.
fn saw(clients: &Clients, push: &Push<'_>, now_ms: i64) -> Option<f64> {
    let up = clients.saw(push, || false, now_ms)?;
    assert_eq!(up.sample.time_ms, now_ms);
    assert_eq!(up.labels.metric_name(), "up");
    assert_eq!(up.labels.get("job"), Some("s"));
    assert_eq!(up.labels.get("instance"), Some(push.instance));
    Some(up.sample.value)
}

fn overdue(clients: &Clients, now_ms: i64) -> Vec<f64> {
    let ups = clients.overdue(now_ms);
    assert!(ups.iter().all(|up| up.sample.time_ms == now_ms));
    ups.iter().map(|up| up.sample.value).collect()
}

#[test]
fn a_client_counts_until_three_intervals_or_its_last_push() {
    let clients = Clients::default();
    saw(&clients, &push("a", Some(5_000), false), 0);
    saw(&clients, &push("b", None, false), 0);
    saw(&clients, &push("a", Some(5_000), false), 1_000);
    assert_eq!(clients.pushing(1_000), 2);
    assert_eq!(clients.pushing(16_000), 2);
    assert_eq!(clients.pushing(16_001), 1);
    assert_eq!(clients.pushing(180_000), 1);
    assert_eq!(clients.pushing(180_001), 0);
    saw(&clients, &push("b", None, true), 1_000);
    assert_eq!(clients.pushing(1_000), 1);
}

#[test]
fn i_client_1_the_silent_make_room() {
    let clients = Clients::default();
    for i in 0..limits::CLIENTS {
        saw(&clients, &push(&i.to_string(), Some(5_000), false), 0);
    }
    assert_eq!(
        saw(&clients, &push("one more", Some(5_000), false), 14_000),
        None
    );
    assert_eq!(clients.pushing(15_000), limits::CLIENTS);
    assert_eq!(
        saw(&clients, &push("one more", Some(5_000), false), 15_001),
        Some(1.0)
    );
    assert_eq!(clients.pushing(15_001), 1);
    assert_eq!(clients.lock().by_name.len(), 1);
}

#[test]
fn i_client_1_a_full_table_is_looked_through_once_a_second() {
    let clients = Clients::default();
    for i in 0..limits::CLIENTS {
        saw(&clients, &push(&i.to_string(), Some(5_000), false), 0);
    }
    let more = |name: &str, now_ms| saw(&clients, &push(name, Some(5_000), false), now_ms);
    assert_eq!(more("more", 15_000), None);
    // All are silent by now, and nobody looks: one who looked found nothing just before.
    assert_eq!(more("more", 15_999), None);
    assert_eq!(more("more", 16_000), Some(1.0));
    assert_eq!(clients.pushing(16_000), 1);
}

#[test]
fn i_client_4_nobody_waits_while_a_batch_is_looked_through() {
    let clients = Clients::default();
    let other = push("b", None, false);
    let has_own_up = || {
        // Another push of another client, in the middle of it.
        assert!(clients.state.try_lock().is_ok());
        assert_eq!(saw(&clients, &other, 0), Some(1.0));
        // And one of the same client: its `up` is on its way.
        assert_eq!(saw(&clients, &push("a", None, false), 0), None);
        false
    };
    let up = clients.saw(&push("a", None, false), has_own_up, 0);
    assert_eq!(up.unwrap().sample.value, 1.0);
    // Its end comes in between.
    let ends = || {
        let end = clients
            .saw(&push("a", None, true), || false, 60_000)
            .unwrap();
        assert!(tinyobs_model::is_stale_marker(end.sample.value));
        false
    };
    assert_eq!(clients.saw(&push("a", None, false), ends, 60_000), None);
}

#[test]
fn i_client_2_up_is_1_once_an_interval_then_0_then_ends() {
    let clients = Clients::default();
    let a = push("a", Some(4_000), false);
    assert_eq!(saw(&clients, &a, 0), Some(1.0));
    // A push in several requests, and one that comes a little early.
    assert_eq!(saw(&clients, &a, 100), None);
    assert_eq!(saw(&clients, &a, 2_999), None);
    assert_eq!(saw(&clients, &a, 3_900), Some(1.0));
    assert_eq!(overdue(&clients, 15_900), [0.0; 0]);
    assert_eq!(overdue(&clients, 15_901), [0.0]);
    assert_eq!(overdue(&clients, 16_901), [0.0; 0]);
    assert_eq!(overdue(&clients, 75_901), [0.0]);
    // It comes back at once, however short ago the 0 was.
    assert_eq!(saw(&clients, &a, 76_000), Some(1.0));
    assert_eq!(overdue(&clients, 76_001), [0.0; 0]);
    assert_eq!(overdue(&clients, 88_001), [0.0]);
    let end = clients
        .saw(&push("a", None, true), || false, 89_000)
        .unwrap();
    assert!(tinyobs_model::is_stale_marker(end.sample.value));
    assert_eq!(overdue(&clients, 200_000), [0.0; 0]);
    // One that never comes back ends too.
    assert_eq!(saw(&clients, &a, 300_000), Some(1.0));
    assert_eq!(overdue(&clients, 312_001), [0.0]);
    assert_eq!(overdue(&clients, 300_000 + limits::CLIENT_DOWN_MS), [0.0]);
    let last = overdue(&clients, 300_001 + limits::CLIENT_DOWN_MS);
    assert!(last.len() == 1 && tinyobs_model::is_stale_marker(last[0]));
    assert_eq!(clients.lock().by_name.len(), 0);
}

#[test]
fn i_client_3_an_up_of_the_senders_own_wins() {
    let clients = Clients::default();
    let a = push("a", Some(1_000), false);
    assert_eq!(clients.saw(&a, || true, 0), None);
    assert_eq!(clients.saw(&a, || false, 1_000), None);
    assert_eq!(overdue(&clients, 9_000), [0.0; 0]);
    assert_eq!(clients.saw(&push("a", None, true), || false, 9_000), None);

    let mut batch = WriteBatch::new();
    let row = |batch: &mut WriteBatch, name, job: &str, instance: &str| {
        let labels = Labels::new(name, [(job, "s"), ("instance", instance)]).unwrap();
        push_row(batch, 0, &labels, Kind::Gauge, Sample::new(1, 1.0), None);
    };
    row(&mut batch, "up", "job", "b");
    row(&mut batch, "up", "other", "a");
    row(&mut batch, "ups", "job", "a");
    let has_own_up = |batch: &WriteBatch| own_ups(batch).iter().any(|one| is_up_of(one, &a));
    assert!(!has_own_up(&batch));
    row(&mut batch, "up", "service", "a");
    assert!(has_own_up(&batch));
}

#[test]
fn who_has_no_name_has_no_up() {
    let clients = Clients::default();
    let nobody = Push {
        job: "",
        ..push("a", None, false)
    };
    assert_eq!(clients.saw(&nobody, || false, 0), None);
    assert_eq!(clients.pushing(0), 1);
}

#[test]
fn an_interval_is_watched_when_it_is_not_said() {
    let mut interval = Interval::new(None);
    assert_eq!(interval.ms(), 60_000);
    interval.saw(None, 20);
    assert_eq!(interval.ms(), 60_000, "parts of one push");
    interval.saw(None, 300_000);
    assert_eq!(interval.ms(), 300_000);
    interval.saw(None, 20_000);
    assert_eq!(interval.ms(), 230_000);
    for _ in 0..30 {
        interval.saw(None, 2_000);
    }
    assert_eq!(interval.ms(), 15_000);
    interval.saw(Some(5_000), 2_000);
    interval.saw(None, 90_000);
    assert_eq!(interval.ms(), 5_000, "what is said counts");
    assert_eq!(Interval::new(Some(u64::MAX)).ms(), 3_600_000);
}
