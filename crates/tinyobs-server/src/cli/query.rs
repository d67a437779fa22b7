//! Query: `tinyobs query`, a PromQL query in the terminal, of a running server or a stopped one.
//!
//!   query ─▶ `/api/v1/query`, `query_range` │ the engine over a store ─▶ table, chart or JSON
//!
//! I-CLIQUERY-1  A store that no server has open answers with the very same JSON as a server.
//! I-CLIQUERY-2  What is wrong with a query is shown under its place.
//! Proved by: tests/it/cli_query.rs, cli/query/chart/tests.rs, cli/query/table/tests.rs.

use std::error::Error;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::Value;
use tinyobs_promql::{Control, ParseError, Span};
use tinyobs_store::Store;

use super::target::{self, Limits, Target};
use super::{Outcome, arguments_of_client, http, say};
use crate::api::ask::{Ask, length_ms, time_of};
use crate::api::failure::Failure;
use crate::api::form::Form;
use crate::api::query::evaluated;
use crate::api::stats::{Took, Watch};
use crate::config::Resolved;
use visible::{as_wide, visible_lines};

mod chart;
mod explain;
mod table;
mod visible;

/// Columns of a terminal that does not say how wide it is.
const WIDTH: usize = 80;

/// The subcommand.
pub fn command() -> Command {
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    let switch = |name: &'static str, help: &'static str| {
        let arg = Arg::new(name).long(name).help(help);
        arg.action(ArgAction::SetTrue)
    };
    Command::new("query")
        .about("Answer a PromQL query as a table or a chart")
        .after_help(
            "Examples:\n  tinyobs query 'up == 0'\n  \
             tinyobs query 'sum by (service) (rate(http_requests_total[5m]))' --range 1h\n  \
             tinyobs query 'histogram_quantile(0.99, rate(latency_seconds_bucket[5m]))' --range 1d \
             --step 5m --json\n\n\
             Without --range, --start and --end it is answered for one moment, now or at --time. \
             A store that no server has open is read from its directory.",
        )
        .arg(
            Arg::new("query")
                .value_name("QUERY")
                .required(true)
                .allow_hyphen_values(true)
                .help("What to ask, in PromQL"),
        )
        .arg(option(
            "time",
            "TIME",
            "The moment: RFC 3339 or Unix seconds; now without it",
        ))
        .arg(option(
            "range",
            "DURATION",
            "So long, such as 1h or 30d: up to --end, which is now without it, or from --start on",
        ))
        .arg(option("start", "TIME", "From here"))
        .arg(option("end", "TIME", "Up to here; now without it"))
        .arg(option(
            "step",
            "DURATION",
            "Between two points; as many as fit without it",
        ))
        .arg(switch("json", "Write the answer as the HTTP API gives it"))
        .arg(switch(
            "explain",
            "Say what the query took, on standard error",
        ))
        .args(arguments_of_client(&["data-dir", "listen"]))
        .arg(target::url_argument())
}

/// Runs it.
pub fn run(matches: &ArgMatches, resolved: &Resolved) -> Outcome {
    let question = Question::new(matches)?;
    let answer = match Target::find(matches, resolved, Limits::NONE)? {
        Target::Server(server) => {
            let pairs: Vec<(&str, &str)> = question.pairs().collect();
            let (status, answer) = server.ask(&http::with_query(question.path(), &pairs))?;
            if !answer["status"].is_string() {
                return Err(server.refused(status, &answer).into());
            }
            answer
        }
        Target::Store(store) => {
            let text = of_store(&store, &question);
            store.close()?;
            serde_json::from_slice(&text)?
        }
    };
    if answer["status"] != "success" {
        return Err(refused(&answer, &question.text).into());
    }
    if matches.get_flag("json") {
        say(&format!("{answer}\n"));
    } else {
        say(&drawn(&answer["data"], width()));
    }
    for kind in ["warnings", "infos"] {
        for note in answer[kind].as_array().into_iter().flatten() {
            eprintln!("{}", visible_lines(note.as_str().unwrap_or_default()));
        }
    }
    if matches.get_flag("explain") {
        let text = explain::text(&answer["data"]["stats"]);
        eprint!("{}", visible_lines(&text));
    }
    Ok(())
}

/// What is asked, as parameters of the API.
struct Question {
    text: String,
    is_range: bool,
    pairs: Vec<(&'static str, String)>,
}

impl Question {
    fn new(matches: &ArgMatches) -> Result<Self, Box<dyn Error>> {
        let of = |name: &str| matches.get_one::<String>(name).cloned();
        let text = of("query").unwrap_or_default();
        let is_range = ["range", "start", "end"]
            .iter()
            .any(|name| of(name).is_some());
        let mut pairs = vec![("query", text.clone())];
        if is_range {
            if of("time").is_some() {
                return Err("--time is for one moment: use --end with --range".into());
            }
            pairs.extend(range(&of)?);
        } else {
            if of("step").is_some() {
                return Err("--step needs --range, or --start and --end".into());
            }
            moment("time", of("time"))?;
            pairs.extend(of("time").map(|time| ("time", time)));
        }
        if matches.get_flag("explain") {
            pairs.push(("stats", "all".to_owned()));
        }
        Ok(Self {
            text,
            is_range,
            pairs,
        })
    }

    fn path(&self) -> &'static str {
        if self.is_range {
            "/api/v1/query_range"
        } else {
            "/api/v1/query"
        }
    }

    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
    }
}

/// `start`, `end` and `step`, from any two of the flags.
fn range(
    of: &dyn Fn(&str) -> Option<String>,
) -> Result<[(&'static str, String); 3], Box<dyn Error>> {
    let (start_ms, end_ms) = (moment("start", of("start"))?, moment("end", of("end"))?);
    let range_ms = of("range").map(|text| length(&text, "range")).transpose()?;
    let now_ms = now_ms();
    let (start_ms, end_ms) = match (start_ms, end_ms, range_ms) {
        (Some(_), Some(_), Some(_)) => {
            return Err("two of --range, --start and --end are enough".into());
        }
        (None, Some(_), None) => return Err("--end needs --start or --range".into()),
        (Some(start_ms), end_ms, None) => (start_ms, end_ms.unwrap_or(now_ms)),
        (Some(start_ms), None, Some(range_ms)) => (start_ms, start_ms.saturating_add(range_ms)),
        (None, end_ms, range_ms) => {
            let end_ms = end_ms.unwrap_or(now_ms);
            (end_ms.saturating_sub(range_ms.unwrap_or_default()), end_ms)
        }
    };
    if end_ms < start_ms {
        return Err("the end lies before the start".into());
    }
    Ok(pairs(start_ms, end_ms, of("step")))
}

/// The moment that the flag `name` says.
fn moment(name: &str, text: Option<String>) -> Result<Option<i64>, String> {
    // The end of the year 9999, which some write for "for ever".
    const SECONDS_MAX: i64 = 253_402_300_799;
    let text = text.unwrap_or_default();
    if let Ok(number) = text.parse::<i64>()
        && number > SECONDS_MAX
    {
        let seconds = number as f64 / 1_000.0;
        return Err(format!(
            "--{name} {text} looks like milliseconds: use Unix seconds, {seconds}, or RFC 3339"
        ));
    }
    let form = Form::of(&[(name, &text)]);
    time_of(&form, name).map_err(|error| error.message().to_owned())
}

fn length(text: &str, name: &str) -> Result<i64, String> {
    let ms = length_ms(name, text).map_err(|error| error.message().to_owned())?;
    match ms {
        1.. => Ok(ms),
        _ => Err(format!("--{name} must be greater than 0")),
    }
}

fn pairs(start_ms: i64, end_ms: i64, step: Option<String>) -> [(&'static str, String); 3] {
    let seconds = |ms: i64| format!("{}", ms as f64 / 1_000.0);
    // A point a column, in whole seconds: what is drawn is as wide as the terminal.
    let fitting = || ((end_ms - start_ms) / chart::columns(width()) as i64).max(1_000);
    let step = step.unwrap_or_else(|| seconds(fitting() / 1_000 * 1_000));
    [
        ("start", seconds(start_ms)),
        ("end", seconds(end_ms)),
        ("step", step),
    ]
}

/// I-CLIQUERY-1
fn of_store(store: &Store, question: &Question) -> Vec<u8> {
    let answered = || -> Result<Vec<u8>, Failure> {
        let form = Form::of(&question.pairs().collect::<Vec<_>>());
        let mut watch = Watch::start();
        let ask = if question.is_range {
            Ask::range(&form)?
        } else {
            Ask::instant(&form, now_ms())?
        };
        let expr = ask.parse()?;
        let prepared = watch.lap();
        // Nobody else waits, and whoever asked can end it.
        let mut written = evaluated(&ask, &expr, store, &Control::new())?;
        written.took = ask.stats.then(|| Took {
            queued: Duration::ZERO,
            prepared,
            evaluated: watch.lap(),
            held_up: None,
        });
        let mut text = Vec::new();
        written.write(&mut text).expect("memory takes everything");
        Ok(text)
    };
    answered().unwrap_or_else(|failure| failure.to_json())
}

/// I-CLIQUERY-2
fn refused(answer: &Value, query: &str) -> String {
    let message = answer["error"].as_str().unwrap_or("no answer");
    let message = message.trim_start_matches("invalid parameter \"query\": ");
    let place = |name: &str| {
        let at = answer["position"][name].as_u64()?;
        usize::try_from(at).ok().filter(|&at| at <= query.len())
    };
    match (place("start"), place("end")) {
        (Some(start), Some(end)) if start <= end => {
            let span = Span::new(start, end);
            let error = ParseError {
                position: span.position(query),
                span,
                reason: String::new(),
            };
            let message = visible_lines(message);
            format!("{message}\n{}", as_wide(&error.caret(query)))
        }
        _ => visible_lines(message),
    }
}

fn drawn(data: &Value, width: usize) -> String {
    let result = &data["result"];
    match data["resultType"].as_str() {
        Some("scalar" | "string") => format!("{}\n", result[1].as_str().unwrap_or_default()),
        Some("vector") => table::text(result, width),
        _ => chart::text(result, width),
    }
}

fn width() -> usize {
    let columns = std::env::var("COLUMNS").ok();
    let columns = columns.and_then(|columns| columns.parse().ok());
    columns.unwrap_or(WIDTH).clamp(40, 400)
}

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| i64::try_from(now.as_millis()).unwrap_or(i64::MAX))
}
