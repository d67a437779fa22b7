use super::*;

fn source(instance: &str, interval_ms: Option<u64>, is_final: bool) -> Source {
    Source {
        service: "s".to_owned(),
        instance: instance.to_owned(),
        start_ms: None,
        interval_ms,
        is_final,
    }
}

#[test]
fn a_client_counts_until_three_intervals_or_its_last_push() {
    let clients = Clients::default();
    clients.saw(&source("a", Some(5_000), false), 0);
    clients.saw(&source("b", None, false), 0);
    clients.saw(&source("a", Some(5_000), false), 1_000);
    assert_eq!(clients.pushing(1_000), 2);
    assert_eq!(clients.pushing(16_000), 2);
    assert_eq!(clients.pushing(16_001), 1);
    assert_eq!(clients.pushing(45_001), 0);
    clients.saw(&source("b", None, true), 1_000);
    assert_eq!(clients.pushing(1_000), 1);
}

#[test]
fn i_client_1_the_silent_make_room() {
    let clients = Clients::default();
    for i in 0..limits::CLIENTS {
        clients.saw(&source(&i.to_string(), Some(5_000), false), 0);
    }
    clients.saw(&source("one more", Some(5_000), false), 15_000);
    assert_eq!(clients.pushing(15_000), limits::CLIENTS);
    clients.saw(&source("one more", Some(5_000), false), 15_001);
    assert_eq!(clients.pushing(15_001), 1);
    assert_eq!(clients.lock().len(), 1);
}
