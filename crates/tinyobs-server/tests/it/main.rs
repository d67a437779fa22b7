//! The server as its clients see it: bytes over TCP, against a server in this process (or the real
//! binary, where it is about the process).

#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

mod api;
mod api_bounds;
mod api_series;
mod api_status;
mod assets;
mod backup;
mod budget;
mod cardinality;
mod cli;
mod cli_query;
mod client;
mod damaged;
mod execute;
mod export;
mod federate;
mod import;
mod influx;
mod ingest;
mod lifecycle;
mod limits;
mod maintenance;
mod otlp;
mod otlp_refused;
mod push;
mod pushgateway;
mod query;
mod remote_write;
mod resolution;
mod round_trip;
mod routes;
mod scrape;
mod security;
mod server;
mod stream;
mod survive;
mod tools;
mod transfer;
mod up;
