//! Promql: scripts of queries and what comes out of them, against the real binary.
//!
//!   scripts ─▶ [`run`]: samples by remote write, queries by HTTP ─▶ passed and failed, by file and
//!   by what of Prometheus' flags they need
//!
//! The format is that of Prometheus' promqltest, see crates/tinyobs-promql/scripts, which are the
//! scripts taken unless others are named. A server with nothing in it is started for each `clear`.
//! Queries on native histograms and start timestamps are counted and not asked.

mod http;
#[path = "../../crates/tinyobs-promql/tests/scripts/run.rs"]
mod run;
#[path = "../../crates/tinyobs-promql/tests/scripts/script.rs"]
mod script;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;

use self::http::OverHttp;
use self::run::Report;
use crate::tools;

/// Which scripts, and against what.
#[derive(Args)]
pub struct Options {
    /// A directory with scripts, or with `testdata` that holds them, in place of our own.
    #[arg(long)]
    suite: Option<PathBuf>,
    /// This `tinyobs` instead of a debug build made now.
    #[arg(long)]
    server: Option<PathBuf>,
    /// How many failures to show; all are counted.
    #[arg(long, default_value_t = 20)]
    failures: usize,
}

/// Runs them all and fails if any fails.
pub fn run(options: &Options) -> Result<()> {
    let binary = match &options.server {
        Some(path) => path.canonicalize()?,
        None => tools::build_server(false)?,
    };
    let dir = tempfile::tempdir()?;
    let mut server = OverHttp::new(binary, dir.path().to_path_buf());
    let mut all = Report::default();
    let mut categories: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    println!(
        "{:28} passed failed annotations-wrong as-range native start-timestamps",
        "file"
    );
    for path in scripts(options.suite.as_deref())? {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let report = run::run(&name, &text, &mut server);
        line(&name, &report);
        for (category, (passed, failed)) in &report.categories {
            let sums = categories.entry(category).or_default();
            (sums.0, sums.1) = (sums.0 + passed, sums.1 + failed);
        }
        all.passed += report.passed;
        all.native += report.native;
        all.start_timestamps += report.start_timestamps;
        all.ranges += report.ranges;
        all.failures.extend(report.failures);
        all.annotations.extend(report.annotations);
    }
    line("total", &all);
    for (category, (passed, failed)) in &categories {
        println!("{category:28} {passed:6} {failed:6}");
    }
    let wrong = [all.failures, all.annotations].concat();
    for failure in wrong.iter().take(options.failures) {
        println!("{failure}");
    }
    ensure!(all.passed > 0, "there was nothing to ask");
    ensure!(
        wrong.is_empty(),
        "{} did not come out as expected",
        wrong.len()
    );
    Ok(())
}

fn line(name: &str, report: &Report) {
    println!(
        "{name:28} {:6} {:6} {:17} {:8} {:6} {:16}",
        report.passed,
        report.failures.len(),
        report.annotations.len(),
        report.ranges,
        report.native,
        report.start_timestamps,
    );
}

fn scripts(suite: Option<&Path>) -> Result<Vec<PathBuf>> {
    let dir = match suite {
        None => tools::root().join("crates/tinyobs-promql/scripts"),
        Some(dir) if dir.join("testdata").is_dir() => dir.join("testdata"),
        Some(dir) => dir.to_path_buf(),
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(&dir).with_context(|| dir.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "test") {
            paths.push(path);
        }
    }
    ensure!(!paths.is_empty(), "no script in {}", dir.display());
    paths.sort();
    Ok(paths)
}
