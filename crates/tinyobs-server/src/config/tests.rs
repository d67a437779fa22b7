use super::*;

fn resolved(
    flags: &[(&str, &str)],
    variables: &[(&str, &str)],
    file: &str,
) -> Result<Resolved, ConfigError> {
    let get = |pairs: &[(&str, &str)], name: &str| {
        let found = pairs.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let places = Places {
        flag: &|key| get(flags, key),
        variable: &|name| get(variables, name),
        file: None,
    };
    let file = file::parse(Path::new("tinyobs.toml"), file)?;
    resolve_with(&places, &file)
}

fn message(flags: &[(&str, &str)], variables: &[(&str, &str)], file: &str) -> String {
    resolved(flags, variables, file).unwrap_err().to_string()
}

#[test]
fn the_nearer_place_wins() {
    let file = "max-series = 3\nengine = \"memory\"\n# a comment\nlog-level = 'debug'\n";
    let all = resolved(
        &[("max-series", "1")],
        &[("TINYOBS_MAX_SERIES", "2"), ("TINYOBS_ENGINE", "disk")],
        file,
    )
    .unwrap();
    assert_eq!(all.config.max_series, 1);
    assert_eq!(all.config.engine, EngineKind::Disk);
    assert_eq!(
        all.config.log_level,
        tracing::level_filters::LevelFilter::DEBUG
    );
    assert_eq!(all.config.durability, Durability::Interval);
    let origin = |key: &str| {
        let found = all.origins.iter().find(|(setting, ..)| setting.key == key);
        found.unwrap().2.to_string()
    };
    assert_eq!(origin("max-series"), "flag");
    assert_eq!(origin("engine"), "environment variable TINYOBS_ENGINE");
    assert_eq!(origin("log-level"), "tinyobs.toml, line 4");
    assert_eq!(origin("durability"), "default");
}

#[test]
fn the_originals_port_counts_less_than_our_own_variable() {
    let listen = |variables| {
        resolved(&[], variables, "listen = \"[::1]:1\"")
            .unwrap()
            .config
            .listen
    };
    assert_eq!(listen(&[]), "[::1]:1");
    assert_eq!(listen(&[("PORT", "9000")]), "127.0.0.1:9000");
    let both = [("PORT", "9000"), ("TINYOBS_LISTEN", "127.0.0.1:9001")];
    assert_eq!(listen(&both), "127.0.0.1:9001");
    assert_eq!(
        message(&[], &[("PORT", "web")], ""),
        "PORT: \"127.0.0.1:web\" is not an address and a port, such as 127.0.0.1:8080"
    );
}

#[test]
fn i_config_2_what_cannot_be_read_is_named() {
    assert_eq!(
        message(&[("engine", "tape")], &[], ""),
        "--engine: \"tape\" is neither disk nor memory"
    );
    assert_eq!(
        message(&[], &[("TINYOBS_MAX_SERIES", "0")], ""),
        "TINYOBS_MAX_SERIES: \"0\" is not a number of series, which is 1 or more"
    );
    assert_eq!(
        message(&[], &[], "\ndurability = \"never\""),
        "tinyobs.toml:2: durability: \"never\" is neither interval nor sync"
    );
    assert!(
        message(&[], &[], "engine = \"disk\"\ndata_dir = \"x\"").starts_with(
            "tinyobs.toml:2: unknown key \"data_dir\"; known: listen, otlp-listen, data-dir,"
        )
    );
    assert!(message(&[], &[], "[server]\nlisten = 1").starts_with("tinyobs.toml:1: unknown key"));
    assert!(message(&[], &[], "engine = 1979-05-27").starts_with("tinyobs.toml:1: engine must be"));
    assert!(message(&[], &[], "engine = \"disk\"\nengine").starts_with("tinyobs.toml:2: "));
    assert!(message(&[("listen", ":8080")], &[], "").contains("not an address"));
    assert!(message(&[("allowed-hosts", "http://a")], &[], "").contains("not a host name"));
    let missing = file::read(Path::new("/nowhere/at-all.toml")).unwrap_err();
    assert!(
        missing
            .to_string()
            .starts_with("cannot read /nowhere/at-all.toml: ")
    );
}

#[test]
fn otlp_has_an_address_of_its_own_or_none() {
    let otlp = |flags: &[(&str, &str)]| resolved(flags, &[], "").unwrap().config.otlp_listen;
    assert_eq!(otlp(&[]).as_deref(), Some("127.0.0.1:4318"));
    assert_eq!(otlp(&[("otlp-listen", "off")]), None);
    assert_eq!(
        otlp(&[("otlp-listen", "9000")]).as_deref(),
        Some("127.0.0.1:9000")
    );
    assert_eq!(
        message(&[("otlp-listen", "on")], &[], ""),
        "--otlp-listen: \"on\" is not an address and a port, such as 127.0.0.1:8080, or off"
    );
}

#[test]
fn how_much_and_how_long() {
    let variables = [
        ("TINYOBS_MAX_STORAGE", "64MiB"),
        ("TINYOBS_RETENTION_5M", "0"),
        ("TINYOBS_MAX_SERIES_PER_METRIC", "50"),
    ];
    let config = resolved(
        &[("retention-raw", "12h")],
        &variables,
        "retention-1h = \"2y\"",
    )
    .unwrap()
    .config;
    let options = config.store_options();
    assert_eq!(options.max_bytes, 64 << 20);
    assert_eq!(options.max_series_per_metric, 50);
    let expected = Retention {
        raw_ms: 12 * 3_600_000,
        five_minutes_ms: 0,
        hour_ms: 2 * 365 * 24 * 3_600_000,
    };
    assert_eq!(options.retention, expected);
    for (flag, text, reason) in [
        (
            "max-storage",
            "lots",
            "is not a size, such as 512MB, 1GiB or 0 for no limit",
        ),
        (
            "max-storage",
            "1MB",
            "is too little to work with; 16 MiB is the least, 0 means no limit",
        ),
        (
            "retention-raw",
            "14",
            "is not a duration, such as 12h, 14d, 1y or 0 for ever",
        ),
        (
            "max-series-per-metric",
            "-1",
            "is not a number of series; 0 means no limit",
        ),
    ] {
        let expected = format!("--{flag}: {text:?} {reason}");
        assert_eq!(message(&[(flag, text)], &[], ""), expected);
    }
}

#[test]
fn the_originals_storage_limit_counts_less_than_our_own() {
    let bytes = |variables| {
        resolved(&[], variables, "")
            .unwrap()
            .config
            .max_storage_bytes
    };
    assert_eq!(bytes(&[("TINYOBS_MAX_STORAGE_GB", "3")]), 3 << 30);
    assert_eq!(bytes(&[("TINYOBS_MAX_STORAGE_GB", "0")]), 0);
    let both = [
        ("TINYOBS_MAX_STORAGE_GB", "3"),
        ("TINYOBS_MAX_STORAGE", "1G"),
    ];
    assert_eq!(bytes(&both), 1 << 30);
    assert_eq!(
        message(&[], &[("TINYOBS_MAX_STORAGE_GB", "all")], ""),
        "TINYOBS_MAX_STORAGE_GB: \"allGiB\" is not a size, such as 512MB, 1GiB or 0 for no limit"
    );
}

#[test]
fn a_retention_that_makes_no_sense_is_pointed_out() {
    let warnings = |flags| resolved(flags, &[], "").unwrap().config.warnings();
    assert_eq!(warnings(&[]), [""; 0]);
    assert_eq!(warnings(&[("retention-1h", "0")]), [""; 0]);
    let odd = warnings(&[("retention-raw", "0"), ("retention-5m", "2y")]);
    assert!(odd[0].starts_with("--retention-raw keeps data longer than --retention-5m: "));
    assert!(odd[1].starts_with("--retention-5m keeps data longer than --retention-1h: "));
    assert_eq!(odd.len(), 2);
}

#[test]
fn lists_and_switches() {
    let config = |file| resolved(&[], &[], file).unwrap().config;
    assert_eq!(
        config("allowed-hosts = [\"a.example\", \"b.example\"]").allowed_hosts,
        ["a.example", "b.example"]
    );
    assert!(config("allow-anonymous = true").allow_anonymous);
    assert_eq!(config("listen = 9000").listen, "127.0.0.1:9000");
}

#[test]
fn what_is_shown_can_be_read_back() {
    let flags = [
        ("data-dir", "a \"quoted\" dir"),
        ("allowed-hosts", "x.example"),
    ];
    let first = resolved(&flags, &[], "").unwrap();
    let shown = first.to_toml();
    assert!(shown.contains("max-series = 10000"), "{shown}");
    assert!(shown.lines().all(|line| line.contains("  # ")), "{shown}");
    let second = resolved(&[], &[], &shown).unwrap();
    assert_eq!(second.config.data_dir, first.config.data_dir);
    assert_eq!(second.config.allowed_hosts, ["x.example"]);
}

#[test]
fn i_config_1_every_default_can_be_read() {
    let config = Config::default();
    assert_eq!(config.listen, "127.0.0.1:8080");
    assert_eq!(config.max_series, tinyobs_model::limits::SERIES_DEFAULT);
    assert_eq!(
        config.max_storage_bytes,
        tinyobs_model::limits::STORAGE_BYTES_DEFAULT
    );
    assert_eq!(config.retention, Retention::default());
    assert_eq!(config.warnings(), [""; 0]);
    for setting in SETTINGS {
        assert!(setting.variable().starts_with("TINYOBS_"));
        assert!(!setting.help.ends_with('.'), "{}", setting.key);
    }
}
