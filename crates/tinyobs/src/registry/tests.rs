use std::thread;

use super::*;

fn registry_of(series_per_metric: usize) -> Registry {
    let own = OwnLabels {
        extra: vec![("env".to_owned(), "dev".to_owned())],
        implied: vec![
            ("service".to_owned(), "shop".to_owned()),
            ("instance".to_owned(), "host:1".to_owned()),
        ],
    };
    Registry::new(own, series_per_metric, Arc::default())
}

fn registry() -> Registry {
    registry_of(limits::SERIES_PER_METRIC)
}

fn rendered(registry: &Registry) -> Vec<String> {
    let table = registry.read();
    table.series.iter().map(|s| s.labels.to_string()).collect()
}

#[test]
fn i_registry_1_labels_in_any_order_are_one_series() {
    let registry = registry();
    registry.counter("hits", &[("a", "1"), ("b", "2")]).inc();
    registry.counter("hits", &[("b", "2"), ("a", "1")]).inc();
    registry
        .counter("hits", &[("b", "2"), ("empty", ""), ("a", "1")])
        .inc();
    let handle = registry.counter("hits", &[("a", "1"), ("b", "2")]);
    assert_eq!(handle.value(), 3.0);
    assert_eq!(rendered(&registry), [r#"hits{a="1",b="2",env="dev"}"#]);
}

#[test]
fn i_registry_1_what_the_client_or_the_server_adds_makes_no_second_series() {
    let registry = registry();
    registry.gauge("g", &[]).set(1);
    registry.gauge("g", &[("env", "dev")]).set(2);
    registry
        .gauge("g", &[("service", "shop"), ("instance", "host:1")])
        .set(3);
    assert_eq!(registry.gauge("g", &[]).value(), 3.0);
    registry.gauge("g", &[("service", "other")]);
    registry.gauge("g", &[("env", "live")]);
    assert_eq!(
        rendered(&registry),
        [
            r#"g{env="dev"}"#,
            r#"g{env="dev",service="other"}"#,
            r#"g{env="live"}"#
        ]
    );
}

#[test]
fn i_registry_1_characters_cannot_imitate_borders() {
    let registry = registry();
    let sets: [&[(&str, &str)]; 5] = [
        &[("a", "1,b=2")],
        &[("a", "1"), ("b", "2")],
        &[("a", "1\",b=\"2")],
        &[("a", "1\u{0}b\u{ff}2")],
        &[("a1", "b2")],
    ];
    for (i, labels) in sets.iter().enumerate() {
        registry.counter("c", labels).add(i + 1);
    }
    for (i, labels) in sets.iter().enumerate() {
        assert_eq!(registry.counter("c", labels).value(), (i + 1) as f64);
    }
}

#[test]
fn i_key_1_many_labels_leave_the_stack_and_mean_the_same() {
    let registry = registry();
    let names: Vec<String> = (0..40).map(|i| format!("l{i}")).collect();
    let mut labels: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "v")).collect();
    registry.counter("c", &labels).inc();
    labels.reverse();
    registry.counter("c", &labels).inc();
    assert_eq!(registry.counter("c", &labels).value(), 2.0);
    assert_eq!(registry.read().series.len(), 1);
}

#[test]
fn i_registry_1_threads_that_race_for_a_new_series_get_the_same() {
    let registry = registry();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for i in 0..500 {
                    let label = (i % 50).to_string();
                    registry.counter("c", &[("i", &label)]).inc();
                }
            });
        }
    });
    assert_eq!(registry.read().series.len(), 50);
    for i in 0..50_u8 {
        let counter = registry.counter("c", &[("i", &i.to_string())]);
        assert_eq!(counter.value(), 80.0);
    }
}

#[test]
fn two_keys_of_one_hash_are_told_apart() {
    let registry = registry();
    registry.counter("a", &[]);
    registry.counter("b", &[]);
    let series = registry.read().series.clone();
    let mut table = Table::default();
    for one in &series {
        table.insert(7, one);
    }
    let find = |name| {
        let key = Key::new(name, &[], &registry.own);
        table.find(&key, 7).map(|series| &*series.family.name)
    };
    assert_eq!(
        (find("a"), find("b"), find("c")),
        (Some("a"), Some("b"), None)
    );
}

#[test]
fn i_registry_2_beyond_the_limit_label_sets_share_one_series() {
    let registry = registry_of(3);
    for i in 0..1_000 {
        registry.counter("c", &[("i", &i.to_string())]).inc();
    }
    registry.counter("c", &[("i", "1")]).inc();
    assert_eq!(registry.counter("c", &[OVERFLOW_LABEL]).value(), 997.0);
    assert_eq!(registry.counter("c", &[("i", "1")]).value(), 2.0);
    assert_eq!(
        rendered(&registry)[3],
        r#"c{env="dev",tinyobs_overflow="true"}"#
    );
    assert_eq!(registry.read().series.len(), 4);
}

#[test]
fn i_registry_2_even_a_limit_of_none_has_its_overflow() {
    let registry = registry_of(0);
    registry.describe("h", "seconds", "Help.");
    registry.histogram("h", &[("a", "b")], None).observe(1);
    assert_eq!(
        rendered(&registry),
        [r#"h{env="dev",tinyobs_overflow="true"}"#]
    );
    assert!(registry.read().series[0].first);
}

#[test]
fn i_registry_2_names_are_limited_too() {
    let registry = registry();
    for i in 0..limits::METRICS + 10 {
        registry.counter(&format!("m{i}"), &[]).inc();
        registry.describe(&format!("m{i}"), "", "Help.");
    }
    let table = registry.read();
    assert_eq!(table.families.len(), limits::METRICS);
    assert_eq!(table.metadata.len(), limits::METRICS);
    assert_eq!(table.series.len(), limits::METRICS);
}

#[test]
fn i_registry_3_what_breaks_a_rule_leads_nowhere() {
    let registry = registry();
    let long = "x".repeat(5_000);
    let names: Vec<String> = (0..63).map(|i| format!("l{i}")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "v")).collect();
    let bad: [(&str, &[(&str, &str)]); 8] = [
        ("", &[]),
        (&long, &[]),
        ("c", &[("", "v")]),
        ("c", &[("a", &long)]),
        ("c", &[("__tinyobs_x", "v")]),
        ("c", &[("a", "1"), ("a", "2")]),
        ("c", &[("__name__", "d")]),
        // With env, service and instance that would be 66.
        ("c", &many),
    ];
    for (name, labels) in bad {
        let counter = registry.counter(name, labels);
        counter.inc();
        assert_eq!(counter.value(), 1.0);
    }
    registry.histogram("h", &[("le", "1")], None).observe(1);
    assert_eq!(rendered(&registry), Vec::<String>::new());
}

#[test]
fn i_registry_3_a_histogram_that_no_server_could_unfold_leads_nowhere() {
    let registry = registry();
    let bounds: Vec<f64> = (0..500).map(f64::from).collect();
    let long = "x".repeat(4_000);
    let names: Vec<String> = (0..40).map(|i| format!("l{i}")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (&**name, &*long)).collect();
    // 503 rows of 80 kB are 40 MB, of 160 kB are 80 MB.
    registry.histogram("fits", &many[..20], Some(&bounds));
    registry.histogram("h", &many, Some(&bounds)).observe(1);
    // The same labels are no trouble with fewer rows.
    registry.histogram("few", &many, Some(&bounds[..10]));
    let table = registry.read();
    let names: Vec<&str> = table.series.iter().map(|s| &*s.family.name).collect();
    assert_eq!(names, ["fits", "few"]);
}

#[test]
fn i_registry_4_a_name_has_one_kind() {
    let registry = registry();
    registry.counter("c", &[]).add(5);
    registry.gauge("c", &[]).set(77);
    registry.gauge("c", &[("new", "label")]).set(77);
    registry.histogram("c", &[], None).observe(1);
    assert_eq!(registry.counter("c", &[]).value(), 5.0);
    assert_eq!(rendered(&registry), [r#"c{env="dev"}"#]);
}

#[test]
fn i_registry_4_a_histogram_owns_its_rows() {
    let registry = registry();
    registry.histogram("h", &[], None);
    for row in ["h_bucket", "h_sum", "h_count"] {
        registry.counter(row, &[]).inc();
    }
    registry.counter("other_count", &[]);
    registry.histogram("other", &[], None).observe(1);
    assert_eq!(
        rendered(&registry),
        [r#"h{env="dev"}"#, r#"other_count{env="dev"}"#]
    );
}

#[test]
fn the_first_bounds_are_those_of_all_series() {
    let registry = registry();
    registry.histogram("h", &[], Some(&[2.0, 1.0]));
    registry.histogram("h", &[("a", "1")], Some(&[5.0]));
    registry.histogram("h", &[("a", "2")], None);
    for series in &registry.read().series {
        assert_eq!(*series.family.bounds, [1.0, 2.0]);
    }
}

#[test]
fn conflicts_are_told_once_a_metric() {
    let registry = registry();
    registry.histogram("h", &[], Some(&[1.0]));
    let family = registry.read().families["h"].clone();
    assert_eq!(family.conflict(Kind::Histogram, None), None);
    let same_after_cleaning = [1.0, 1.0, f64::INFINITY];
    assert_eq!(
        family.conflict(Kind::Histogram, Some(&same_after_cleaning)),
        None
    );
    let told = family.conflict(Kind::Gauge, None).unwrap();
    assert_eq!(
        told,
        "metric \"h\" is a histogram; what is recorded into it as a gauge is dropped"
    );
    assert_eq!(family.conflict(Kind::Gauge, None), None);
}

#[test]
fn long_help_is_cut_between_characters() {
    let registry = registry();
    registry.describe("c", "s", &"é".repeat(600));
    let table = registry.read();
    assert_eq!(&*table.meta("c").unwrap().help, "é".repeat(512));
}
