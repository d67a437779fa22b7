//! The TinyObs server: HTTP edge, configuration, wiring, shutdown.
//!
//!   TCP ─▶ connection ─▶ routes (security, limits, time) ─▶ ingest ─▶ wire ─▶ store
//!                                                        └▶ query, range, … ◀─ store
//!
//! The binary `tinyobs` is a thin [`cli`] around [`Server::start`], which tests call too. In
//! reading order:
//!
//! - [`config`]: flags, environment, file, defaults: one table of settings.
//! - [`cli`]: the subcommands.
//! - [`server`]: start, accept, drain, close.
//! - `connection`: one TCP connection, with a deadline for a silent peer.
//! - [`routes`]: the table of routes and the layers around them.
//! - `state`: what handlers share; `gate`: how many of them run at once.
//! - `error`, `params`, `body`, `json`, `warnings`: what handlers are made of.
//! - `intake`: what every way in shares; `ingest`, `stream`, `pushgateway` with its `groups`,
//!   `influx`, `otlp`, `remote_write`: the ways in; `clients`: who uses them; `background`: what time brings about.
//! - `query`, `range`, `catalogue`, `cardinality`, `stats`, `storage`, `scrape`, `health`,
//!   `assets`: the ways out.
//! - `api`: Prometheus' HTTP API over PromQL; `execute`: the original's queries, in its shape.
//! - `export`, `import`: everything stored as text, and back; `streamed`: answers of any size.
//! - `maintenance`, `backup` and its `archive`: what an administrator asks for.
//! - `observe`, `counters`, `process`: what the server knows of itself.
//! - `demo`: the example app behind `--demo`.

mod api;
mod archive;
mod assets;
mod background;
mod backup;
mod body;
mod cardinality;
mod catalogue;
pub mod cli;
mod clients;
pub mod config;
mod connection;
mod counters;
mod demo;
mod error;
mod execute;
mod export;
mod gate;
mod groups;
mod head;
mod health;
mod import;
mod influx;
mod ingest;
mod intake;
mod json;
mod maintenance;
mod observe;
mod otlp;
mod params;
mod process;
mod pushgateway;
mod query;
mod range;
mod remote_write;
pub mod routes;
mod scrape;
mod security;
pub mod server;
mod state;
mod stats;
mod storage;
mod stream;
mod streamed;
mod warnings;

pub use config::Config;
pub use server::{Running, Server, StartError};
