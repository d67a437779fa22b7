//! Push: `tinyobs push`, a value from a script to a running server.
//!
//!   NAME VALUE [label=value…] │ such lines on standard input ─▶ `POST /v1/ingest`

use std::io::BufRead;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Map, Value, json};
use tinyobs_model::{Kind, limits};

use super::http::Remote;
use super::{Outcome, arguments_of, progress, target};
use crate::config::Resolved;

/// The subcommand.
pub fn command() -> Command {
    Command::new("push")
        .about("Send values to a running server, from arguments or standard input")
        .after_help(
            "Examples:\n  tinyobs push backup_last_success_seconds $(date +%s) host=db1\n  \
             tinyobs push jobs_total 3 --type counter queue=mail\n  \
             df --output=target,used | awk 'NR>1 {print \"disk_used_kb\", $2, \"mount=\"$1}' | \
             tinyobs push --type gauge\n\n\
             The time is that of the server. On standard input a line is a name, a value and labels, \
             with spaces between them.",
        )
        .arg(
            Arg::new("sample")
                .value_name("NAME VALUE [LABEL=VALUE…]")
                .num_args(1..)
                .allow_negative_numbers(true)
                .action(ArgAction::Append)
                .help("What to send; standard input is read when it is left out"),
        )
        .arg(
            Arg::new("type")
                .long("type")
                .value_name("TYPE")
                .value_parser(Kind::ALL.map(Kind::as_str))
                .help("What the numbers mean"),
        )
        .args(arguments_of(&["listen"]))
        .arg(target::url_argument())
}

/// Runs it.
pub fn run(matches: &ArgMatches, resolved: &Resolved) -> Outcome {
    let server = match matches.get_one::<String>("url") {
        Some(url) => Remote::new(url)?,
        None => target::listening(&resolved.config)?,
    };
    let kind = matches.get_one::<String>("type").map(String::as_str);
    if let Some(words) = matches.get_many::<String>("sample") {
        let words: Vec<&str> = words.map(String::as_str).collect();
        return match send(&server, vec![(0, item(&words, kind)?)])?.first() {
            None => Ok(()),
            Some((_, message)) => Err(message.as_str().into()),
        };
    }
    let bar = progress::flow("push");
    let mut input = std::io::BufReader::new(bar.wrap_read(std::io::stdin()));
    let (mut items, mut bad, mut number) = (Vec::new(), 0, 0_usize);
    let mut is_empty = true;
    let mut complain = |number: usize, message: &str| {
        bad += 1;
        eprintln!("line {number}: {message}");
    };
    let mut line = String::new();
    loop {
        line.clear();
        let is_end = input.read_line(&mut line)? == 0;
        number += 1;
        let words: Vec<&str> = line.split_whitespace().collect();
        if !words.is_empty() && !line.starts_with('#') {
            is_empty = false;
            match item(&words, kind) {
                Ok(item) => items.push((number, item)),
                Err(message) => complain(number, &message),
            }
        }
        if items.len() == limits::ITEMS_PER_REQUEST || (is_end && !items.is_empty()) {
            for (number, message) in send(&server, std::mem::take(&mut items))? {
                complain(number, &message);
            }
        }
        if is_end {
            break;
        }
    }
    bar.finish_and_clear();
    if is_empty {
        eprintln!("nothing was pushed: there was no sample on standard input");
    }
    match bad {
        0 => Ok(()),
        1 => Err("1 line was not stored".into()),
        _ => Err(format!("{bad} lines were not stored").into()),
    }
}

/// `NAME VALUE [LABEL=VALUE…]` as an item of a push.
fn item(words: &[&str], kind: Option<&str>) -> Result<Value, String> {
    let [name, value, labels @ ..] = words else {
        return Err("a sample is a name, a value, and labels such as host=db1".to_owned());
    };
    let number = value.parse::<f64>().ok().filter(|value| value.is_finite());
    let number = number.ok_or_else(|| format!("{value:?} is not a finite number"))?;
    let mut pairs = Map::new();
    for label in labels {
        let Some((name, value)) = label.split_once('=') else {
            return Err(format!(
                "{label:?} is no label: it must be such as host=db1"
            ));
        };
        if pairs.insert(name.to_owned(), value.into()).is_some() {
            return Err(format!("label {name:?} is given twice"));
        }
    }
    let mut item = json!({"name": name, "value": number, "labels": pairs});
    if let Some(kind) = kind {
        item["type"] = kind.into();
    }
    Ok(item)
}

/// Sends items, and returns what the server says about the refused ones.
fn send(
    server: &Remote,
    items: Vec<(usize, Value)>,
) -> Result<Vec<(usize, String)>, Box<dyn std::error::Error>> {
    let (numbers, items): (Vec<usize>, Vec<Value>) = items.into_iter().unzip();
    let (status, json) = server.post_json("/v1/ingest", &json!({ "metrics": items }))?;
    let errors = json["errors"].as_array();
    // What is refused for good is in the list, whether something else was stored or not.
    let Some(errors) = errors.filter(|_| matches!(status, 200 | 400)) else {
        return Err(server.refused(status, &json).into());
    };
    let said = errors.iter().map(|error| {
        let place = error["index"].as_u64().unwrap_or(0) as usize;
        let message = error["message"].as_str().unwrap_or("refused");
        let number = numbers.get(place).copied().unwrap_or(0);
        (number, message.to_owned())
    });
    let mut said: Vec<_> = said.collect();
    let unsaid = json["refused"]
        .as_u64()
        .unwrap_or(0)
        .saturating_sub(said.len() as u64);
    if unsaid > 0 {
        said.push((0, format!("{unsaid} more were refused")));
    }
    Ok(said)
}

#[cfg(test)]
mod tests;
