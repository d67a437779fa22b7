use std::collections::BTreeSet;
use std::fs;

use super::log::Log;
use super::*;

fn names(dir: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(tools::root().join("fuzz").join(dir)).expect("is there");
    let stem = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.expect("can be read").path();
        path.file_stem()
            .expect("has a name")
            .to_string_lossy()
            .into_owned()
    };
    entries.map(stem).collect()
}

#[test]
fn every_target_is_run_and_has_small_seeds() {
    let listed: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("fuzz_targets"), listed);
    assert_eq!(names("seeds"), listed);
    for (target, longest) in TARGETS {
        let seeds = tools::root().join("fuzz/seeds").join(target);
        let entries = fs::read_dir(seeds).expect("is there");
        let sizes: Vec<u64> = entries
            .map(|e| e.expect("can be read").metadata().expect("likewise").len())
            .collect();
        assert!(!sizes.is_empty(), "{target} has no seeds");
        assert!(
            sizes.iter().all(|size| *size <= longest as u64),
            "{target}: {sizes:?}"
        );
    }
}

#[test]
fn libfuzzers_lines_are_understood() {
    let mut log = Log::default();
    for line in [
        "INFO: Seed: 1",
        "#4096\tpulse  cov: 412 ft: 900 corp: 80/2Kb lim: 4096 exec/s: 2048 rss: 28Mb",
        "thread '<unnamed>' (1) panicked at src/lib.rs:1:1:",
        "left is not right",
        "artifact_prefix='f/'; Test unit written to f/labels-crash-1",
        "stat::number_of_executed_units: 5000",
    ] {
        log.take(line.to_owned());
    }
    assert_eq!((log.runs, log.reached), (5_000, 412));
    assert!(
        log.trouble()
            .starts_with("    thread '<unnamed>' (1) panicked")
    );
    let command = "cargo xtask fuzz labels --input f/labels-crash-1";
    assert_eq!(log.command("labels"), command);
}

#[test]
fn numbers_have_commas() {
    assert_eq!(
        [0, 999, 1_000, 10_000_000].map(grouped),
        ["0", "999", "1,000", "10,000,000"]
    );
}
