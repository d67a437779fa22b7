//! Federate: `GET /federate?match[]=…`, the latest value of each selected series with its time, for
//! a Prometheus that keeps what others have collected.
//!
//! As Prometheus answers it: values not older than five minutes, none of a series that has ended,
//! times in milliseconds, and `instance=""` where a series has no such label, so that a scraper
//! with `honor_labels: true` does not put its own there. Types are the known ones; Prometheus itself
//! says `untyped` for everything.
//!
//! I-FEDERATE-1  A series is on the page once, however many selectors select it.
//! Proved by: tests/it/federate.rs, `cargo xtask clients scrape`.

use std::collections::BTreeMap;

use axum::extract::{Request, State};
use axum::response::Response;
use tinyobs_model::{Kind, Labels, Sample, limits};
use tinyobs_wire::exposition::{Exposed, Format, Latest, TextWriter, write_series};

use super::{Known, answer};
use crate::error::ApiError;
use crate::params::{Params, Selection};
use crate::state::App;

const INSTANCE: &str = "instance";

/// `GET /federate`
pub async fn federate(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    let params = Params::parse(request.uri().query(), &["match[]"])?;
    if params.text("match[]").is_none() {
        let message = "parameter \"match[]\" is required, such as match[]={job=\"api\"}";
        return Err(ApiError::bad_request(message));
    }
    let page = app.query(move |app, cancel| {
        let selection = params.selection(cancel)?;
        page(app, &selection)
    });
    Ok(answer(page.await?, Format::Text))
}

fn page(app: &App, selection: &Selection) -> Result<String, ApiError> {
    let since_ms = app.now_ms() - limits::LIVE_MS;
    // I-FEDERATE-1
    let mut latest: BTreeMap<Labels, (Kind, Sample)> = BTreeMap::new();
    for matchers in selection {
        let found = app.store.latest(matchers, since_ms)?;
        latest.extend(
            found
                .into_iter()
                .map(|(info, sample)| (info.labels, (info.kind, sample))),
        );
    }
    let known = Known::of(app);
    let exposed = latest.iter().map(|(labels, (kind, sample))| Exposed {
        labels,
        kind: *kind,
        value: Latest {
            value: sample.value,
            time_ms: Some(sample.time_ms),
        },
    });
    let mut writer = TextWriter::new(Format::Text).with_empty(INSTANCE);
    write_series(&mut writer, exposed, |name| known.about(name));
    Ok(writer.into_string())
}
