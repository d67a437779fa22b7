//! Series: `/api/v1/labels`, `/api/v1/label/<name>/values`, `/api/v1/series`.
//!
//!   `match[]` ─▶ [Selection]   `start`, `end` ─▶ [Present] ─▶ names, values or label sets
//!
//! Series are those that have data between `start` and `end`, not all that are known: the index says
//! which there are, and whether one has data there is looked up in the store, unless the asked time
//! covers all that is stored. It is looked up only for series that would add something to the answer.
//!
//! I-SERIES-1  What is answered has samples, or summaries of such, in the asked time.
//! I-SERIES-2  Names, values and series come sorted, each once.
//! I-SERIES-3  An answer that `limit` cuts says so in a warning.
//! Proved by: api/series/tests.rs, tests/it/api_series.rs.

use std::collections::BTreeSet;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use tinyobs_model::{
    Labels, MatchOp, Matcher, ResolvedCursor, SeriesSource, Stretch, TimeRange, limits,
};
use tinyobs_promql::parse_selector;
use tinyobs_store::Store;

use super::ask::range_of;
use super::compose;
use super::failure::{Failure, Kind};
use super::form::Form;
use super::write::truncated;
use crate::gate::Cancel;
use crate::state::App;
use crate::warnings::warnings;

const MATCH: &str = "match[]";
/// As coarse as can be: it is only asked whether there is anything.
const COARSE_MS: i64 = 3_600_000;

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
        let mut found = BTreeSet::new();
        let mut present = Present::new(&app.store, range, cancel);
        present.each(&selection, &mut |labels, has_data| {
            // One more than is wanted tells that there are more.
            if found.len() <= limit && !found.contains(labels) && has_data()? {
                found.insert(labels.clone());
            }
            Ok(found.len() <= limit)
        })?;
        let is_cut = found.len() > limit;
        let listed: Vec<LabelSet<'_>> = found.iter().take(limit).map(LabelSet).collect();
        Ok(compose::success(
            &listed,
            &notes(app, limit, is_cut, "series"),
        ))
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
        let mut found = BTreeSet::new();
        let mut present = Present::new(&app.store, range, cancel);
        present.each(&selection, &mut |labels, has_data| {
            let mut more = BTreeSet::new();
            add(labels, &mut more);
            more.retain(|one| !found.contains(one));
            if !more.is_empty() && has_data()? {
                found.append(&mut more);
            }
            Ok(true)
        })?;
        let is_cut = found.len() > limit;
        let listed: Vec<&String> = found.iter().take(limit).collect();
        Ok(compose::success(
            &listed,
            &notes(app, limit, is_cut, "entries"),
        ))
    })
    .await
}

fn notes(app: &App, limit: usize, is_cut: bool, what: &str) -> Vec<String> {
    // I-SERIES-3
    let cut = is_cut.then(|| truncated(limit, what));
    let own = warnings(app).into_iter().map(str::to_owned);
    cut.into_iter().chain(own).collect()
}

/// Runs `read` in the queue of all reading requests.
async fn run<F>(app: &App, read: F) -> Result<Response, Failure>
where
    F: FnOnce(&App, &Cancel) -> Result<Response, Failure> + Send + 'static,
{
    let read = move |app: &App, cancel: &Cancel| Ok(read(app, cancel));
    app.query(read).await.map_err(Failure::from)?
}

/// The series that are asked for: those that satisfy all matchers of any one list.
type Selection = Vec<Vec<Matcher>>;

/// Every `match[]`; everything when there is none.
fn selection(form: &Form, cancel: &Cancel) -> Result<Selection, Failure> {
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

/// Which series have data in a range.
struct Present<'a> {
    store: &'a Store,
    range: TimeRange,
    /// The range covers everything, so that nothing needs to be looked up.
    is_all: bool,
    cancel: &'a Cancel,
}

/// Whether the series at hand has data in the range; looked up when it is called.
type HasData<'a> = &'a mut dyn FnMut() -> Result<bool, Failure>;

impl<'a> Present<'a> {
    fn new(store: &'a Store, range: TimeRange, cancel: &'a Cancel) -> Self {
        let stats = store.stats();
        let spaces = store.storage().spaces;
        let rolled = spaces.iter().filter_map(|space| space.oldest_ms);
        let oldest_ms = rolled.chain(stats.oldest_ms).min();
        let is_all = oldest_ms.is_none_or(|oldest| range.start_ms <= oldest)
            && stats.newest_ms.is_none_or(|newest| newest <= range.end_ms);
        Self {
            store,
            range,
            is_all,
            cancel,
        }
    }

    /// Calls `each` with every series of the selection until it wants no more.
    fn each(
        &mut self,
        selection: &Selection,
        each: &mut dyn FnMut(&Labels, HasData<'_>) -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        let mut stretch = Stretch::default();
        for matchers in selection {
            let cursors = self
                .store
                .select_resolved(matchers, self.range, COARSE_MS)?;
            for mut cursor in cursors {
                self.cancel.check()?;
                let labels = cursor.labels().clone();
                let mut has_data = || self.has_data(cursor.as_mut(), &mut stretch);
                if !each(&labels, &mut has_data)? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// I-SERIES-1
    fn has_data(
        &self,
        cursor: &mut dyn ResolvedCursor,
        stretch: &mut Stretch,
    ) -> Result<bool, Failure> {
        if self.is_all {
            return Ok(true);
        }
        while cursor.next_stretch(stretch)? {
            if !stretch.samples.is_empty() || !stretch.rollups.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }
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
