//! Scripts: queries and what comes out of them, as Prometheus' promqltest writes them.
//!
//! Ours are in `scripts/*.test` beside `src`. Those of others are not in the repository:
//! `PROMQL_SUITE=DIR cargo test -p tinyobs-promql --test scripts -- --ignored --nocapture`, where DIR
//! holds `testdata/*.test`. Queries on native histograms and on start timestamps are counted and
//! not asked.

use std::fs;
use std::path::{Path, PathBuf};

#[path = "scripts/memory.rs"]
mod memory;
#[path = "scripts/run.rs"]
mod run;
#[path = "scripts/script.rs"]
mod script;

use memory::Memory;
use run::{Answered, Backend, Question, Report, run};
use tinyobs_model::Labels;
use tinyobs_promql::{Control, Query, evaluate, parse};

/// The crate itself.
#[derive(Default)]
struct Inside {
    memory: Memory,
    late_names: bool,
}

impl Backend for Inside {
    fn clear(&mut self) {
        self.memory = Memory::default();
    }

    fn insert(&mut self, labels: &Labels, time_ms: i64, value: f64) {
        self.memory.insert(labels, time_ms, value);
    }

    fn late_names(&mut self, late: bool) {
        self.late_names = late;
    }

    fn ask(&mut self, question: &Question<'_>) -> Result<Answered, String> {
        let expr = parse(question.text).map_err(|error| error.to_string())?;
        let query = Query {
            end_ms: question.end_ms,
            step_ms: question.step_ms,
            delayed_names: self.late_names,
            ..Query::instant(&expr, question.text, question.start_ms)
        };
        let answer =
            evaluate(&query, &self.memory, &Control::new()).map_err(|error| error.to_string())?;
        Ok(Answered {
            value: answer.value,
            warnings: answer.warnings,
            infos: answer.infos,
        })
    }
}

#[test]
fn our_scripts() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let mut passed = 0;
    for path in scripts(&dir) {
        let (name, report) = report(&path);
        let wrong = [report.failures, report.annotations].concat();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert_eq!(report.native + report.start_timestamps, 0, "{name}");
        passed += report.passed;
    }
    assert!(passed > 100, "only {passed} queries");
}

#[test]
#[ignore = "needs PROMQL_SUITE, a directory with testdata"]
fn scripts_of_others() {
    let dir = std::env::var("PROMQL_SUITE").expect("PROMQL_SUITE is a directory");
    let mut failures = Vec::new();
    let mut total = Report::default();
    for path in scripts(&Path::new(&dir).join("testdata")) {
        let (name, report) = report(&path);
        show(&name, &report);
        total.passed += report.passed;
        for late in &report.delayed {
            println!("late names: {late}");
        }
        total.delayed.extend(report.delayed);
        total.native += report.native;
        total.start_timestamps += report.start_timestamps;
        total.ranges += report.ranges;
        failures.extend(report.failures);
        failures.extend(report.annotations.clone());
        total.annotations.extend(report.annotations);
    }
    show("total", &total);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn scripts(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).expect("a directory");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "test"))
        .collect();
    paths.sort();
    paths
}

fn report(path: &Path) -> (String, Report) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let text = fs::read_to_string(path).expect("readable");
    (name.to_string(), run(&name, &text, &mut Inside::default()))
}

fn show(name: &str, report: &Report) {
    println!(
        "{name:28} {:5} passed ({} with late names), {:3} failed, {:3} annotations wrong, \
         {:4} also as a range, {:4} native, {:3} start timestamps",
        report.passed,
        report.delayed.len(),
        report.failures.len(),
        report.annotations.len(),
        report.ranges,
        report.native,
        report.start_timestamps,
    );
}
