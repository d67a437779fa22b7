use proptest::prelude::*;

use super::*;

fn name(name: &str, unit: &str, role: Role) -> String {
    metric(name, unit, role).name
}

#[test]
fn units_become_suffixes() {
    for (otel, unit, role, prometheus) in [
        (
            "http.server.request.duration",
            "s",
            Role::Other,
            "http_server_request_duration_seconds",
        ),
        (
            "process.cpu.time",
            "s",
            Role::Counter,
            "process_cpu_time_seconds_total",
        ),
        (
            "process.memory.usage",
            "By",
            Role::Gauge,
            "process_memory_usage_bytes",
        ),
        (
            "system.network.io",
            "By",
            Role::Counter,
            "system_network_io_bytes_total",
        ),
        (
            "system.cpu.utilization",
            "1",
            Role::Gauge,
            "system_cpu_utilization_ratio",
        ),
        ("requests", "1", Role::Counter, "requests_total"),
        (
            "http.server.active_requests",
            "{request}",
            Role::Gauge,
            "http_server_active_requests",
        ),
        (
            "disk.speed",
            "By/s",
            Role::Gauge,
            "disk_speed_bytes_per_second",
        ),
        ("errors", "{error}/min", Role::Gauge, "errors_per_minute"),
        ("gc.pause", "ms", Role::Other, "gc_pause_milliseconds"),
        ("hits", "%", Role::Gauge, "hits_percent"),
        (
            "boiler.temperature",
            "Cel",
            Role::Gauge,
            "boiler_temperature_celsius",
        ),
        ("fuel", "m/m", Role::Gauge, "fuel_meters_per_minute"),
        (
            "odd",
            "furlong/fortnight",
            Role::Gauge,
            "odd_furlong_per_fortnight",
        ),
        ("odd", "m^2 . s", Role::Gauge, "odd_m_2_s"),
        ("plain", "", Role::Gauge, "plain"),
        ("braced", "By{all}", Role::Gauge, "braced"),
    ] {
        assert_eq!(name(otel, unit, role), prometheus, "{otel} in {unit:?}");
    }
}

#[test]
fn i_otlp_name_2_what_a_name_has_is_not_added() {
    for (otel, unit, role, prometheus) in [
        (
            "request_duration_seconds",
            "s",
            Role::Other,
            "request_duration_seconds",
        ),
        ("seconds.spent", "s", Role::Counter, "seconds_spent_total"),
        ("requests.total", "", Role::Counter, "requests_total"),
        ("total.requests", "", Role::Counter, "requests_total"),
        ("used_ratio", "1", Role::Gauge, "used_ratio"),
        (
            "io_bytes_per_second",
            "By/s",
            Role::Gauge,
            "io_bytes_per_second",
        ),
    ] {
        assert_eq!(name(otel, unit, role), prometheus, "{otel} in {unit:?}");
    }
}

#[test]
fn i_otlp_name_1_other_characters_are_borders() {
    assert_eq!(name("a..b//c__d", "", Role::Gauge), "a_b_c_d");
    assert_eq!(name("_private_", "", Role::Gauge), "private");
    assert_eq!(
        name("2xx.responses", "", Role::Counter),
        "_2xx_responses_total"
    );
    assert_eq!(name("job:rate", "", Role::Gauge), "job:rate");
    assert_eq!(name("größe", "", Role::Gauge), "gr_e");
    assert_eq!(name("温度", "s", Role::Counter), "");
    assert_eq!(name("", "", Role::Counter), "");
}

#[test]
fn units_are_told_in_words() {
    let unit = |unit, role| metric("m", unit, role).unit;
    assert_eq!(unit("s", Role::Other), "seconds");
    assert_eq!(unit("By/s", Role::Gauge), "bytes_per_second");
    assert_eq!(unit("1", Role::Gauge), "ratio");
    assert_eq!(unit("1", Role::Counter), "");
    assert_eq!(unit("{request}", Role::Counter), "");
}

#[test]
fn keys_become_label_names() {
    assert_eq!(label("http.request.method"), "http_request_method");
    assert!(matches!(label("plain_key"), Cow::Borrowed("plain_key")));
    assert_eq!(label("2nd"), "key_2nd");
    assert_eq!(label("_x"), "_x");
    assert_eq!(label("größe"), "gr__e");
    assert_eq!(label(""), "");
}

proptest! {
    #[test]
    fn i_otlp_name_1_holds_of_any_text(text in "\\PC{0,20}", unit in "\\PC{0,8}") {
        for role in [Role::Gauge, Role::Counter, Role::Other] {
            let named = metric(&text, &unit, role).name;
            prop_assert!(!named.starts_with(|c: char| c.is_ascii_digit()));
            prop_assert!(named.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':')));
            // What was named once keeps its name.
            prop_assert_eq!(&metric(&named, &unit, role).name, &named);
        }
        let key = label(&text);
        prop_assert!(key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
    }
}
