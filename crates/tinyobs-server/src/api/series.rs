//! Series: `/api/v1/labels`, `/api/v1/label/<name>/values`, `/api/v1/series`.
//!
//!   `match[]` ─▶ [Selection]   `start`, `end` ─▶ [Present] ─▶ names, values or label sets
//!
//! Whether a series has data between `start` and `end` is looked up only for those that would add
//! something to the answer.
//!
//! I-SERIES-1  What is answered has samples, or summaries of such, in the asked time.
//! I-SERIES-2  Names, values and series come sorted, each once.
//! I-SERIES-3  An answer that `limit`, or `limits::LISTED_BYTES`, cuts says so in a warning.
//! Proved by: api/series/tests.rs, tests/it/api_series.rs.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use axum::extract::{Path, Request, State};
use axum::response::Response;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use tinyobs_model::{Labels, MatchOp, Matcher, limits};
use tinyobs_promql::parse_selector;

use super::ask::range_of;
use super::compose;
use super::failure::{Failure, Kind};
use super::form::Form;
use super::write::truncated;
use crate::gate::Cancel;
use crate::state::App;
use crate::warnings::warnings;

mod present;

use present::Present;

const MATCH: &str = "match[]";

/// `GET`, `POST /api/v1/labels`
pub async fn labels(State(app): State<App>, request: Request) -> Result<Response, Failure> {
    let form = Form::read(&app, request).await?;
    listed(&app, form, |labels, names| {
        names.extend(labels.iter().map(|(name, _)| name.to_owned()));
    })
    .await
}

/// `GET /api/v1/label/<name>/values`
pub async fn values(
    State(app): State<App>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    let name = unescaped(&name);
    if name.is_empty() || name.len() > limits::LABEL_NAME_BYTES {
        let most = limits::LABEL_NAME_BYTES;
        let message = format!("a label's name has 1 to {most} bytes");
        return Err(Failure::new(Kind::BadData, message));
    }
    let form = Form::read(&app, request).await?;
    listed(&app, form, move |labels, values| {
        values.extend(labels.get(&name).map(str::to_owned));
    })
    .await
}

/// `GET`, `POST /api/v1/series`
pub async fn series(State(app): State<App>, request: Request) -> Result<Response, Failure> {
    let form = Form::read(&app, request).await?;
    if form.text(MATCH).is_none() {
        let reason = "at least one is needed, such as match[]=up or match[]={job=\"node\"}";
        return Err(Failure::parameter(MATCH, reason));
    }
    let (range, limit) = (range_of(&form)?, form.limit("limit")?);
    run(&app, move |app, cancel| {
        let selection = selection(&form, cancel)?;
        let mut found = Found::new("series");
        Present::new(&app.store, range, cancel).each(&selection, &mut |labels, has_data| {
            // One more than is wanted tells that there are more.
            let is_enough = found.all.len() > limit || found.is_full();
            if !is_enough && !found.all.contains(labels) && has_data()? {
                found.add(labels.clone(), labels.as_bytes().len());
            }
            Ok(!is_enough)
        })?;
        Ok(found.to_text(limit, LabelSet, app))
    })
    .await
}

/// What `add` makes of the labels of all series that are asked for.
async fn listed(
    app: &App,
    form: Form,
    add: impl Fn(&Labels, &mut BTreeSet<String>) + Send + 'static,
) -> Result<Response, Failure> {
    let (range, limit) = (range_of(&form)?, form.limit("limit")?);
    run(app, move |app, cancel| {
        let selection = selection(&form, cancel)?;
        let mut found = Found::new("entries");
        Present::new(&app.store, range, cancel).each(&selection, &mut |labels, has_data| {
            let mut more = BTreeSet::new();
            add(labels, &mut more);
            more.retain(|one| !found.all.contains(one));
            if !more.is_empty() && has_data()? {
                for one in more {
                    let bytes = one.len();
                    found.add(one, bytes);
                }
            }
            Ok(!found.is_full())
        })?;
        Ok(found.to_text(limit, |one| one, app))
    })
    .await
}

/// What goes into an answer, each once and in order, as long as there is room.
struct Found<T> {
    all: BTreeSet<T>,
    bytes: usize,
    what: &'static str,
}

impl<T: Ord> Found<T> {
    fn new(what: &'static str) -> Self {
        Self {
            all: BTreeSet::new(),
            bytes: 0,
            what,
        }
    }

    fn add(&mut self, one: T, bytes: usize) {
        self.bytes += bytes;
        self.all.insert(one);
    }

    fn is_full(&self) -> bool {
        self.bytes > limits::LISTED_BYTES
    }

    /// The first `limit` of them, as `shown` has them.
    fn to_text<'a, S: Serialize>(
        &'a self,
        limit: usize,
        shown: impl Fn(&'a T) -> S,
        app: &App,
    ) -> Vec<u8> {
        let listed: Vec<S> = self.all.iter().take(limit).map(shown).collect();
        // I-SERIES-3
        let is_cut = self.all.len() > limit || self.is_full();
        let cut = is_cut.then(|| truncated(listed.len(), self.what));
        let own = warnings(app).into_iter().map(str::to_owned);
        let notes: Vec<String> = cut.into_iter().chain(own).collect();
        compose::text(&listed, &notes)
    }
}

/// Runs `read` in the queue of all reading requests, and sends the text that it makes.
pub(super) async fn run<F>(app: &App, read: F) -> Result<Response, Failure>
where
    F: FnOnce(&App, &Cancel) -> Result<Vec<u8>, Failure> + Send + 'static,
{
    let deadline = Instant::now() + Duration::from_secs(limits::QUERY_SECONDS);
    let read = move |app: &App, cancel: &Cancel| Ok(read(app, cancel));
    let text = app.query(read).await??;
    app.answers.send_text(text, deadline).await
}

/// The series that are asked for: those that satisfy all matchers of any one list.
pub(super) type Selection = Vec<Vec<Matcher>>;

/// Every `match[]`; everything when there is none.
pub(super) fn selection(form: &Form, cancel: &Cancel) -> Result<Selection, Failure> {
    let mut selection = Selection::new();
    let bad = |most: usize, what: &str| {
        Failure::parameter(MATCH, format!("the request has more than {most} {what}"))
    };
    for (place, text) in form.all(MATCH).enumerate() {
        cancel.check()?;
        if place == limits::SELECTORS {
            return Err(bad(limits::SELECTORS, "selectors"));
        }
        let selector = parse_selector(text).map_err(|error| Failure::unparsed(MATCH, &error))?;
        selection.push(selector.matchers);
        selection.extend(selector.alternatives);
        let all = || selection.iter().flatten();
        let regexes = all().filter(|one| matches!(one.op(), MatchOp::Regex | MatchOp::NotRegex));
        if regexes.count() > limits::REGEXES_PER_REQUEST {
            return Err(bad(limits::REGEXES_PER_REQUEST, "regular expressions"));
        }
        if all().count() > limits::MATCHERS_PER_REQUEST {
            return Err(bad(limits::MATCHERS_PER_REQUEST, "matchers"));
        }
    }
    if selection.is_empty() {
        selection.push(Vec::new());
    }
    Ok(selection)
}

/// Labels as an object, the metric's name among them.
struct LabelSet<'a>(&'a Labels);

impl Serialize for LabelSet<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.0.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// The name that a path means: `U__` begins one in which `_2e_` stands for `.` and `__` for `_`, as
/// Prometheus' clients write names that were not possible before. What is no such name is as it is.
fn unescaped(name: &str) -> String {
    fn decoded(escaped: &str) -> Option<String> {
        const DIGITS: usize = 6;
        let mut out = String::new();
        let mut rest = escaped;
        while let Some(at) = rest.find('_') {
            out.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            if let Some(behind) = rest.strip_prefix('_') {
                out.push('_');
                rest = behind;
                continue;
            }
            let (digits, behind) = rest.split_once('_')?;
            if digits.len() > DIGITS || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return None;
            }
            out.push(char::from_u32(u32::from_str_radix(digits, 16).ok()?)?);
            rest = behind;
        }
        out.push_str(rest);
        Some(out)
    }
    let escaped = name.strip_prefix("U__");
    escaped.and_then(decoded).unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests;
