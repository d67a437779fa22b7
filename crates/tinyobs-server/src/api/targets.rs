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
use crate::clients::Known;
use crate::state::App;

/// `GET /api/v1/targets`
pub async fn targets(State(app): State<App>, request: Request) -> Result<Response, Failure> {
    let form = Form::read(&app, request).await?;
    let state = form.text("state").unwrap_or("any").to_lowercase();
    if !matches!(state.as_str(), "any" | "active" | "dropped") {
        let reason = format!("{:?} is none of any, active, dropped", cut(&state));
        return Err(Failure::parameter("state", reason));
    }
    let pool = form.text("scrapePool").unwrap_or_default();
    let mut active: Vec<Value> = Vec::new();
    if state != "dropped" {
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

/// `GET /api/v1/rules`
pub async fn rules() -> Response {
    compose::success(&json!({"groups": []}), &[])
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
