//! Query: `/api/v1/query`, `/api/v1/query_range`, `/api/v1/query_exemplars`.
//!
//!   [Form] ─▶ [Ask] ─▶ light lane: parsed, weighed ─▶ promql::evaluate ─▶ [Written] ─▶ body
//!
//! I-QUERY-1  An answer that is large is sent while it is being written, after its query has given
//!            its place back; what such answers hold together is bounded.
//! Proved by: tests/it/api.rs, tests/it/api_bounds.rs.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tinyobs_model::{SeriesSource, limits};
use tinyobs_promql::{Control, Expr, evaluate, parse};

use super::ask::{Ask, range_of};
use super::compose;
use super::failure::Failure;
use super::form::Form;
use super::lanes::Turn;
use super::stats::{Took, Watch};
use super::weigh::weigh;
use super::write::Written;
use crate::state::App;
use crate::warnings::warnings;
use crate::{json, streamed};

/// Bytes of an answer that is written at once.
const SMALL_BYTES: usize = 1 << 20;

/// `GET`, `POST /api/v1/query`
pub async fn instant(State(app): State<App>, request: Request) -> Result<Response, Failure> {
    let form = Form::read(&app, request).await?;
    let ask = Ask::instant(&form, app.now_ms())?;
    answer(&app, ask).await
}

/// `GET`, `POST /api/v1/query_range`
pub async fn range(State(app): State<App>, request: Request) -> Result<Response, Failure> {
    let form = Form::read(&app, request).await?;
    answer(&app, Ask::range(&form)?).await
}

/// `GET`, `POST /api/v1/query_exemplars`. None are kept, but what is wrong with the question is told.
pub async fn exemplars(State(app): State<App>, request: Request) -> Result<Response, Failure> {
    let form = Form::read(&app, request).await?;
    range_of(&form)?;
    let text = form.required("query")?;
    parse(text).map_err(|error| Failure::unparsed("query", &error))?;
    Ok(compose::success(&[(); 0], &[]))
}

/// Either of them, evaluated.
async fn answer(app: &App, ask: Ask) -> Result<Response, Failure> {
    let written = run(app, ask).await?;
    let bytes = written.bytes();
    if bytes > SMALL_BYTES {
        return stream(app, written, bytes);
    }
    let mut text = Vec::with_capacity(bytes * 2 + 256);
    written.write(&mut text).expect("memory takes everything");
    Ok(json::from_text(StatusCode::OK, text))
}

/// Evaluates a query in its lane.
pub async fn run(app: &App, ask: Ask) -> Result<Written, Failure> {
    let deadline = Instant::now() + ask.timeout;
    let mut watch = Watch::start();
    let state = app.clone();
    let work = move |control: &Control, turn: &Turn| {
        let queued = watch.lap();
        if ask.text.len() > limits::LIGHT_QUERY_BYTES {
            turn.step_aside(control)?;
        }
        let expr = ask.parse()?;
        let store = &*state.store;
        let work = weigh(&ask.query(&expr), &|matchers| store.series_count(matchers));
        let prepared = watch.lap();
        if work > limits::LIGHT_QUERY_WORK {
            turn.step_aside(control)?;
        }
        let mut written = evaluated(&ask, &expr, store, control)?;
        written.warnings = warnings(&state);
        written.took = ask.stats.then(|| Took {
            queued,
            prepared,
            evaluated: watch.lap(),
            held_up: turn.held_up(),
        });
        Ok(written)
    };
    app.lanes.run(deadline, work).await
}

/// Evaluates a query where it may block.
pub fn evaluated(
    ask: &Ask,
    expr: &Expr,
    source: &dyn SeriesSource,
    control: &Control,
) -> Result<Written, Failure> {
    Ok(Written {
        answer: evaluate(&ask.query(expr), source, control)?,
        time_ms: ask.start_ms,
        limit: ask.limit,
        warnings: Vec::new(),
        took: None,
    })
}

/// I-QUERY-1
fn stream(app: &App, written: Written, bytes: usize) -> Result<Response, Failure> {
    let share = u32::try_from(bytes.min(limits::ANSWERS_BYTES)).unwrap_or(u32::MAX);
    let share = Arc::clone(&app.answer_bytes).try_acquire_many_owned(share);
    let share = share.map_err(|_| {
        Failure::unavailable("too many large answers are being sent already, ask for less or later")
    })?;
    let write = move |out: &mut dyn io::Write| written.write(out);
    let mut response = streamed::answer(share, "the answer of a query", write);
    let json = HeaderValue::from_static("application/json");
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, json);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response.into_response())
}
