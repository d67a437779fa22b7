//! Suite: every expression of other people's test scripts is one here, and survives printing.
//!
//! Not part of the usual run, because those scripts are not ours and not in the repository:
//! `PROMQL_SUITE=DIR cargo test -p tinyobs-promql --test suite -- --ignored`, where DIR holds
//! promqltest scripts in `testdata/*.test` and lists of queries in `queries/*_queries.txt`.

use std::fs;
use std::path::Path;

use tinyobs_promql::parse;

/// An expression and whether it may be refused.
struct Case {
    place: String,
    text: String,
    may_fail: bool,
}

#[test]
#[ignore = "needs PROMQL_SUITE, a directory with testdata and queries"]
fn every_expression_parses_and_survives_printing() {
    let dir = std::env::var("PROMQL_SUITE").expect("PROMQL_SUITE is a directory");
    let mut cases = Vec::new();
    for entry in fs::read_dir(Path::new(&dir).join("testdata")).expect("a directory") {
        scripts(&entry.expect("an entry").path(), &mut cases);
    }
    for entry in fs::read_dir(Path::new(&dir).join("queries")).expect("a directory") {
        queries(&entry.expect("an entry").path(), &mut cases);
    }
    assert!(cases.len() > 1_000, "only {} expressions", cases.len());
    let wrong: Vec<String> = cases.iter().filter_map(wrong).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `eval instant at 5m EXPR`, `eval range from 0 to 1m step 10s EXPR`.
fn scripts(path: &Path, cases: &mut Vec<Case>) {
    if path.extension().is_none_or(|end| end != "test") {
        return;
    }
    let text = fs::read_to_string(path).expect("readable");
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    for (i, line) in lines.iter().enumerate() {
        let words: Vec<&str> = line.splitn(9, ' ').collect();
        let before = match words.get(..2) {
            Some([eval, "instant"]) if eval.starts_with("eval") => 4,
            Some([eval, "range"]) if eval.starts_with("eval") => 8,
            _ => continue,
        };
        let expects_failure = lines[i + 1..]
            .iter()
            .take_while(|next| !next.is_empty() && !next.starts_with("eval"))
            .any(|next| next.starts_with("expect fail"));
        cases.push(Case {
            place: format!("{}:{}", path.display(), i + 1),
            text: line.splitn(before + 1, ' ').last().unwrap_or("").to_owned(),
            may_fail: expects_failure || line.starts_with("eval_fail"),
        });
    }
}

/// Marked as a query that runs, but Prometheus refuses it as we do.
const REFUSED_THERE_TOO: [&str; 1] = ["NaN == NaN"];

/// The expression is the last of the columns; `e` and `fail` say that it must not run.
fn queries(path: &Path, cases: &mut Vec<Case>) {
    if !path.to_string_lossy().ends_with("_queries.txt") {
        return;
    }
    let text = fs::read_to_string(path).expect("readable");
    for (i, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.is_empty())
    {
        let columns: Vec<&str> = line.split('\t').collect();
        let (text, marks) = columns.split_last().expect("one at least");
        cases.push(Case {
            place: format!("{}:{}", path.display(), i + 1),
            text: (*text).to_owned(),
            may_fail: marks.iter().any(|mark| matches!(*mark, "e" | "fail"))
                || REFUSED_THERE_TOO.contains(text),
        });
    }
}

fn wrong(case: &Case) -> Option<String> {
    let Case { place, text, .. } = case;
    let tree = match parse(text) {
        Ok(tree) => tree,
        Err(_) if case.may_fail => return None,
        Err(error) => return Some(format!("{place}: {error}\n{}", error.caret(text))),
    };
    for printed in [tree.to_string(), tree.pretty()] {
        if parse(&printed).as_ref() != Ok(&tree) {
            return Some(format!("{place}: {text}\nprinted {printed}"));
        }
    }
    None
}
