use tinyobs_model::{Columns, SeriesSource, TimeRange, is_stale_marker};
use tinyobs_store::{Clock, StoreOptions, SystemClock};
use tinyobs_wire::families::read_text;
use tinyobs_wire::text::Dialect;

use super::*;

const MINUTE: i64 = limits::PUSHED_SAMPLE_MS;

struct There {
    store: Store,
    groups: Groups,
    start_ms: i64,
    now_ms: i64,
}

impl There {
    fn new() -> Self {
        let start_ms = SystemClock.now_ms() / 1_000 * 1_000 - 3_600_000;
        Self {
            store: Store::open(StoreOptions::memory()).unwrap(),
            groups: Groups::default(),
            start_ms,
            now_ms: start_ms,
        }
    }

    fn push(&self, key: &Key, body: &str, replace: bool, options: Options) -> Pushed {
        let page = read_text(body.as_bytes(), Dialect::Prometheus, key).unwrap();
        let pushed = self
            .groups
            .push(&self.store, key, page, replace, options, self.now_ms);
        pushed.unwrap()
    }

    fn put(&self, body: &str) {
        assert_eq!(
            self.push(&key("j"), body, true, Options::default()).refused,
            []
        );
    }

    fn tick(&mut self, later_ms: i64) {
        self.now_ms += later_ms;
        self.groups.tick(&self.store, self.now_ms).unwrap();
    }

    /// Each series with its samples: `end` is a stale marker, times are seconds since the start,
    /// those among the values with a plus.
    fn all(&self) -> Vec<String> {
        let mut out = Vec::new();
        for mut cursor in self.store.select(&[], TimeRange::ALL).unwrap() {
            let mut line = format!("{}:", cursor.labels());
            let mut block = Columns::default();
            while cursor.next_block(&mut block).unwrap() {
                for (time_ms, value) in block.times.iter().zip(&block.values) {
                    let at = (time_ms - self.start_ms) / 1_000;
                    let value = match *value {
                        value if is_stale_marker(value) => "end".to_owned(),
                        value if value > 1e9 && value.is_finite() => {
                            format!("+{}", value - self.start_ms as f64 / 1_000.0)
                        }
                        value => value.to_string(),
                    };
                    line = format!("{line} {at}={value}");
                }
            }
            out.push(line);
        }
        out
    }
}

fn key(job: &str) -> Key {
    vec![("job".to_owned(), job.to_owned())]
}

#[test]
fn i_group_2_put_replaces_and_post_adds() {
    let mut there = There::new();
    there.put("a 1\nb{x=\"1\"} 2\nb{x=\"2\"} 3\n");
    there.now_ms += 1_000;
    there.push(&key("j"), "b{x=\"2\"} 4\nc 5\n", false, Options::default());
    there.now_ms += 1_000;
    there.put("c 6\n");
    assert_eq!(
        there.all(),
        [
            "a{job=\"j\"}: 0=1 2=end",
            "b{job=\"j\",x=\"1\"}: 0=2 1=end",
            "b{job=\"j\",x=\"2\"}: 0=3 1=4 2=end",
            "c{job=\"j\"}: 1=5 2=6",
            "push_failure_time_seconds{job=\"j\"}: 0=0 1=0 2=0",
            "push_time_seconds{job=\"j\"}: 0=+0 1=+1 2=+2",
            "up{job=\"j\"}: 0=1 1=1 2=1",
        ]
    );
}

#[test]
fn i_group_5_a_series_is_of_the_family_that_was_pushed_last() {
    const SUMMARY: &str = "# TYPE x summary\nx_sum 1\nx_count 5\n";
    const GAUGE: &str = "# TYPE x_count gauge\nx_count 9\n";
    for (first, second, values) in [
        (SUMMARY, GAUGE, "0=5 1=9 61=9"),
        (GAUGE, SUMMARY, "0=9 1=5 61=5"),
    ] {
        let mut there = There::new();
        there.put(first);
        there.now_ms += 1_000;
        there.push(&key("j"), second, false, Options::default());
        there.tick(MINUTE);
        let count = format!("x_count{{job=\"j\"}}: {values}");
        assert!(there.all().contains(&count), "{:?}", there.all());
        // A part that only the older family has stays.
        assert!(
            there
                .all()
                .iter()
                .any(|line| line.starts_with("x_sum{") && line.ends_with("61=1"))
        );
    }
}

#[test]
fn a_group_is_sampled_each_minute_until_it_is_deleted() {
    let mut there = There::new();
    there.put("a 1\n");
    for _ in 0..3 {
        there.tick(MINUTE / 2);
    }
    there.now_ms += 1_000;
    there
        .groups
        .delete(&there.store, &key("j"), there.now_ms)
        .unwrap();
    there
        .groups
        .delete(&there.store, &key("k"), there.now_ms)
        .unwrap();
    there.tick(10 * MINUTE);
    let times = "0=+0 60=+0 91=end";
    assert_eq!(
        there.all(),
        [
            "a{job=\"j\"}: 0=1 60=1 91=end".to_owned(),
            "push_failure_time_seconds{job=\"j\"}: 0=0 60=0 91=end".to_owned(),
            format!("push_time_seconds{{job=\"j\"}}: {times}"),
            "up{job=\"j\"}: 0=1 60=1 91=end".to_owned(),
        ]
    );
    assert_eq!(there.groups.len(), 0);
    assert_eq!(there.groups.lock().bytes, 0);
}

#[test]
fn a_time_to_live_ends_a_group() {
    let mut there = There::new();
    let options = Options {
        ttl_ms: Some(90_000),
        interval_ms: None,
    };
    there.push(&key("j"), "a 1\n", true, options);
    there.tick(MINUTE);
    there.tick(29_999);
    assert_eq!(there.groups.len(), 1);
    there.tick(1);
    assert_eq!(there.groups.len(), 0);
    assert_eq!(there.all()[0], "a{job=\"j\"}: 0=1 60=1 90=end");
    assert_eq!(there.all()[3], "up{job=\"j\"}: 0=1 60=1 90=end");
}

#[test]
fn up_is_0_after_three_intervals_said_or_watched() {
    let mut there = There::new();
    let options = Options {
        ttl_ms: None,
        interval_ms: Some(5_000),
    };
    there.push(&key("j"), "", true, options);
    there.tick(15_000);
    there.tick(1_000);
    there.tick(1_000);
    there.push(&key("j"), "", true, options);
    assert_eq!(there.all()[2], "up{job=\"j\"}: 0=1 16=0 17=1");
    // Without a word, from the second push on.
    let mut there = There::new();
    there.put("");
    there.tick(2 * MINUTE);
    there.put("");
    there.tick(6 * MINUTE);
    there.tick(1_000);
    assert_eq!(there.all()[2], "up{job=\"j\"}: 0=1 120=1 480=1 481=0");
}

#[test]
fn an_up_of_the_groups_own_wins() {
    let mut there = There::new();
    there.put("up 7\npush_time_seconds 8\n");
    there.tick(MINUTE);
    assert_eq!(
        there.all(),
        [
            "push_failure_time_seconds{job=\"j\"}: 0=0 60=0",
            "push_time_seconds{job=\"j\"}: 0=8 60=8",
            "up{job=\"j\"}: 0=7 60=7",
        ]
    );
}

#[test]
fn a_failed_push_is_noted() {
    let mut there = There::new();
    let failed = |there: &There, job, make| {
        let noted = there.groups.failed(
            &there.store,
            &key(job),
            make,
            Options::default(),
            there.now_ms,
        );
        noted.unwrap();
    };
    failed(&there, "nobody", false);
    failed(&there, "k", true);
    there.put("a 1\n");
    there.now_ms += 1_000;
    failed(&there, "j", false);
    assert_eq!(
        there.all(),
        [
            "a{job=\"j\"}: 0=1",
            "push_failure_time_seconds{job=\"j\"}: 0=0 1=+1",
            "push_failure_time_seconds{job=\"k\"}: 0=+0",
            "push_time_seconds{job=\"j\"}: 0=+0 1=+0",
            "push_time_seconds{job=\"k\"}: 0=0",
            "up{job=\"j\"}: 0=1",
        ]
    );
}

#[test]
fn i_group_2_who_waited_for_its_turn_does_not_write_into_the_past() {
    let mut there = There::new();
    there.now_ms += 5_000;
    there.put("a 1\n");
    // It read the clock three seconds before the one above, and had to wait for it.
    there.now_ms -= 3_000;
    there.put("b 2\n");
    let all = there.all();
    assert!(all.contains(&"a{job=\"j\"}: 5=end".to_owned()), "{all:?}");
    assert!(all.contains(&"b{job=\"j\"}: 5=2".to_owned()), "{all:?}");
}

#[test]
fn what_fails_does_not_keep_a_group_alive() {
    let mut there = There::new();
    let options = Options {
        ttl_ms: Some(60_000),
        ..Options::default()
    };
    there.push(&key("j"), "a 1\n", true, options);
    there.now_ms += 50_000;
    for job in ["j", "k"] {
        let noted = there
            .groups
            .failed(&there.store, &key(job), true, options, there.now_ms);
        noted.unwrap();
    }
    assert_eq!(there.groups.len(), 2);
    there.tick(10_000);
    assert_eq!(there.groups.len(), 1, "its last push is a minute ago");
    // One that was never pushed lives as long as the push that failed asked for.
    there.tick(50_000);
    assert_eq!(there.groups.len(), 0);
}

#[test]
fn i_group_3_the_names_of_groups_count() {
    let there = There::new();
    let long = "x".repeat(4_000);
    let name = |group: usize| -> Key {
        let labels = (0..14).map(|i| (format!("l{i}"), long.clone()));
        let job = ("job".to_owned(), group.to_string());
        std::iter::once(job).chain(labels).collect()
    };
    let page = |key: &Key| read_text(b"", Dialect::Prometheus, key).unwrap();
    let refused = (0..limits::PUSHED_GROUPS).find_map(|group| {
        let key = name(group);
        let options = Options::default();
        let pushed = there
            .groups
            .push(&there.store, &key, page(&key), true, options, there.now_ms);
        pushed.err().map(|error| (group, error))
    });
    let (group, error) = refused.expect("no end of names");
    assert!(matches!(error, GroupError::TooLarge { .. }), "{error}");
    assert!(
        group < limits::PUSHED_BYTES / (4 * 14 * 4_000) + 1,
        "{group}"
    );
}

#[test]
fn i_group_4_what_the_store_refuses_is_in_no_group() {
    let mut there = There::new();
    there.store = Store::open(StoreOptions {
        max_series: 2,
        ..StoreOptions::memory()
    })
    .unwrap();
    let pushed = there.push(&key("j"), "a 1\nb 2\n\nc 3\n", true, Options::default());
    assert_eq!(pushed.refused.len(), 1);
    assert_eq!(pushed.refused[0].item, 4, "the line");
    let state = there.groups.lock();
    let names: Vec<&String> = state.groups[&key("j")].families.keys().collect();
    assert_eq!(names, ["a", "b"]);
}

#[test]
fn i_group_3_groups_are_bounded() {
    let there = There::new();
    let mut state = there.groups.lock();
    for i in 0..limits::PUSHED_GROUPS {
        state.insert(&key(&i.to_string()), Group::new());
    }
    drop(state);
    let push = |job: &str| {
        let page = Page::default();
        let options = Options::default();
        there
            .groups
            .push(&there.store, &key(job), page, true, options, there.now_ms)
    };
    assert!(matches!(push("one more"), Err(GroupError::TooMany { .. })));
    push("7").unwrap();
    there.groups.lock().bytes = limits::PUSHED_BYTES + 1;
    assert!(matches!(push("7"), Err(GroupError::TooLarge { .. })));
}

#[test]
fn i_group_1_a_delete_that_could_not_be_written_is_when_it_is_repeated() {
    let dir = tempfile::tempdir().unwrap();
    let mut there = There::new();
    there.groups = Groups::open(dir.path()).unwrap();
    there.put("a 1\n");
    // A directory where the draft would be written.
    let draft = dir.path().join("pushed-groups.tmp");
    std::fs::create_dir(&draft).unwrap();
    let delete = || there.groups.delete(&there.store, &key("j"), there.now_ms);
    assert!(matches!(delete(), Err(GroupError::File(_))));
    assert!(matches!(delete(), Err(GroupError::File(_))));
    assert_eq!(Groups::open(dir.path()).unwrap().len(), 1);
    std::fs::remove_dir(&draft).unwrap();
    delete().unwrap();
    assert_eq!(Groups::open(dir.path()).unwrap().len(), 0);
}

#[test]
fn i_group_1_a_group_is_in_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut there = There::new();
    there.groups = Groups::open(dir.path()).unwrap();
    there.put("# TYPE a counter\n# HELP a Help.\na{x=\"\\\"\"} NaN\n");
    let other = Options {
        ttl_ms: Some(60_000),
        interval_ms: Some(5_000),
    };
    there.push(&key("k"), "b -0\nc +Inf\n", true, other);
    there.push(&key("gone"), "b 1\n", true, other);
    there
        .groups
        .delete(&there.store, &key("gone"), there.now_ms)
        .unwrap();
    let before = there.groups.lock().groups.clone();
    let again = Groups::open(dir.path()).unwrap();
    let after = again.lock().groups.clone();
    assert_eq!(
        before.keys().collect::<Vec<_>>(),
        after.keys().collect::<Vec<_>>()
    );
    assert_eq!(file::render(&before), file::render(&after));
    // What was sampled before a restart is sampled right after it.
    there.groups = again;
    there.tick(1_000);
    assert!(
        there
            .all()
            .contains(&"c{job=\"k\"}: 0=inf 1=inf".to_owned())
    );
}
