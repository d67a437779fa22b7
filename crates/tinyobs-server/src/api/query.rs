//! Query: `/api/v1/query`, `/api/v1/query_range`, `/api/v1/query_exemplars`.
//!
//!   [Form] ─▶ [Ask] ─▶ light lane: parsed, weighed ─▶ promql::evaluate ─▶ [Written] ─▶ [`send`]
//!
//! I-QUERY-1  The deadline counts from when the request was read, whatever it waits for.
//! Proved by: tests/it/api.rs, tests/it/api_bounds.rs.
//!
//! [`send`]: super::send

use std::time::Instant;

use axum::extract::{Request, State};
use axum::response::Response;
use tinyobs_model::{SeriesSource, limits};
use tinyobs_promql::{Control, Expr, evaluate, parse};

use super::ask::{Ask, in_order, range_of};
use super::compose;
use super::failure::Failure;
use super::form::Form;
use super::lanes::Turn;
use super::stats::{Took, Watch};
use super::weigh::weigh;
use super::write::Written;
use crate::state::App;
use crate::warnings::warnings;

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
    in_order(range_of(&form)?)?;
    let text = form.required("query")?;
    parse(text).map_err(|error| Failure::unparsed("query", &error))?;
    Ok(compose::success(&[(); 0], &[]))
}

/// Either of them, evaluated.
async fn answer(app: &App, ask: Ask) -> Result<Response, Failure> {
    let deadline = Instant::now() + ask.timeout;
    let written = run(app, ask, deadline).await?;
    app.answers.send(written, deadline).await
}

/// Evaluates a query in its lane.
pub async fn run(app: &App, ask: Ask, deadline: Instant) -> Result<Written, Failure> {
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
    let answer = evaluate(&ask.query(expr), source, control)?;
    Ok(Written::new(answer, ask.start_ms, ask.limit))
}
