//! Targets: `/api/v1/targets`, the clients that push; and `rules`, `alerts`, `alertmanagers`, of
//! which there are none yet.
//!
//!   [`clients`](crate::clients) ─▶ one active target each
//!
//! Nobody is scraped: a target is up as long as it pushes, and its last push is its last scrape.

use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::{Value, json};
use tinyobs_wire::time;

use super::compose;
use super::failure::Failure;
use super::form::{Form, cut};
use super::series::{run, selection};
use crate::clients::Known;
use crate::state::App;

/// `GET /api/v1/targets`
pub async fn targets(State(app): State<App>, request: Request) -> Result<Response, Failure> {
    let form = Form::read(&app, request).await?;
    let state = one_of(&form, "state", &["any", "active", "dropped"])?;
    let pool = form.text("scrapePool").unwrap_or_default();
    let mut active: Vec<Value> = Vec::new();
    if state != Some("dropped") {
        let mut known = app.clients.known(app.now_ms());
        known.retain(|client| pool.is_empty() || client.job == pool);
        active.extend(known.iter().map(target));
    }
    let answer = json!({
        "activeTargets": active,
        "droppedTargets": [],
        "droppedTargetCounts": {},
    });
    Ok(compose::success(&answer, &[]))
}

fn target(client: &Known) -> Value {
    let interval = format!("{}ms", client.interval_ms);
    let (health, error) = if client.is_pushing {
        ("up", "")
    } else {
        ("down", "nothing was pushed for three intervals")
    };
    json!({
        "discoveredLabels": {"job": client.job, "instance": client.instance},
        "labels": {"job": client.job, "instance": client.instance},
        "scrapePool": client.job,
        "scrapeUrl": "",
        "globalUrl": "",
        "lastError": error,
        "lastScrape": time::format_rfc3339(client.last_push_ms),
        "lastScrapeDuration": 0,
        "health": health,
        "scrapeInterval": interval,
        "scrapeTimeout": interval,
    })
}

/// `GET /api/v1/rules`. There are none, but what is wrong with the question is told.
pub async fn rules(State(app): State<App>, request: Request) -> Result<Response, Failure> {
    let form = Form::read(&app, request).await?;
    one_of(&form, "type", &["alert", "record"])?;
    one_of(
        &form,
        "exclude_alerts",
        &["true", "false", "t", "f", "1", "0"],
    )?;
    let limit = form.text("group_limit").map(str::parse::<u64>);
    if limit.is_some_and(|limit| !limit.is_ok_and(|limit| limit > 0)) {
        return Err(Failure::parameter(
            "group_limit",
            "it must be a number greater than 0",
        ));
    }
    if form.text("group_next_token").is_some() && form.text("group_limit").is_none() {
        let reason = "it goes on where a group_limit ended, which is missing";
        return Err(Failure::parameter("group_next_token", reason));
    }
    let none = json!({"groups": []});
    if form.text("match[]").is_none() {
        return Ok(compose::success(&none, &[]));
    }
    // Regular expressions are work, and take their turn.
    run(&app, move |_, cancel| {
        selection(&form, cancel)?;
        Ok(compose::text(&none, &[]))
    })
    .await
}

/// The value of `name`, in whatever case, which must be one of these if it is there.
fn one_of(
    form: &Form,
    name: &str,
    known: &'static [&'static str],
) -> Result<Option<&'static str>, Failure> {
    let Some(text) = form.text(name) else {
        return Ok(None);
    };
    let found = known.iter().find(|known| known.eq_ignore_ascii_case(text));
    found.copied().map(Some).ok_or_else(|| {
        let reason = format!("{:?} is none of {}", cut(text), known.join(", "));
        Failure::parameter(name, reason)
    })
}

/// `GET /api/v1/alerts`
pub async fn alerts() -> Response {
    compose::success(&json!({"alerts": []}), &[])
}

/// `GET /api/v1/alertmanagers`
pub async fn alertmanagers() -> Response {
    let none = json!({"activeAlertmanagers": [], "droppedAlertmanagers": []});
    compose::success(&none, &[])
}
