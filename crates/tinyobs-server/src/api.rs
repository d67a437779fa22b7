//! Api: Prometheus' HTTP API, `/api/v1/…`.
//!
//!   form ─▶ [`form`] ─▶ [`ask`] ─▶ [`lanes`] ─▶ promql::evaluate ─▶ [`write`], [`send`]
//!                        └ [`series`], [`metadata`], [`parse`], [`status`], [`targets`] ─▶ bytes
//!
//! What Prometheus' own clients, Grafana above all, read: an envelope of `status`, `data`,
//! `errorType`, `error`, `warnings` and `infos`, with statuses of its own. Parameters that are not
//! known are passed over here, unlike everywhere else: data sources add some of their own.
//!
//! I-API-1  Every answer of a handler is in the envelope, and its status follows from `errorType`.
//! I-API-2  A parameter that is there and cannot be read is 400 and names the parameter.
//! I-API-3  No answer holds more than its query may, and what waits to be sent is bounded.
//! Proved by: tests/it/api.rs, tests/it/api_series.rs, tests/it/api_bounds.rs.

pub mod ask;
pub mod compose;
pub mod failure;
pub mod form;
pub mod lanes;
pub mod metadata;
pub mod parse;
pub mod query;
pub mod send;
pub mod series;
pub mod stats;
pub mod status;
pub mod targets;
mod tree;
mod weigh;
pub mod write;
