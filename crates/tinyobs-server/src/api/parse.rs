//! Parse: `/api/v1/format_query` and `/api/v1/parse_query`.
//!
//!   text ─▶ promql::parse ─▶ text over several lines, or the tree as JSON ([`super::tree`])

use axum::extract::{Request, State};
use axum::response::Response;
use tinyobs_promql::Expr;

use super::compose;
use super::failure::Failure;
use super::form::Form;
use super::tree::Tree;
use crate::state::App;

/// `GET`, `POST /api/v1/format_query`
pub async fn format(State(app): State<App>, request: Request) -> Result<Response, Failure> {
    parsed(app, request, |expr| compose::success(&expr.pretty(), &[])).await
}

/// `GET`, `POST /api/v1/parse_query`
pub async fn tree(State(app): State<App>, request: Request) -> Result<Response, Failure> {
    parsed(app, request, |expr| compose::success(&Tree(expr), &[])).await
}

/// In the queue of all reading requests: to read a long query can be much work.
async fn parsed(
    app: App,
    request: Request,
    answer: fn(&Expr) -> Response,
) -> Result<Response, Failure> {
    let form = Form::read(&app, request).await?;
    let read = move |_: &App, _: &crate::gate::Cancel| {
        let text = form.text("query").unwrap_or_default();
        Ok(tinyobs_promql::parse(text)
            .map(|expr| answer(&expr))
            .map_err(|error| Failure::unparsed("query", &error)))
    };
    app.query(read).await.map_err(Failure::from)?
}
