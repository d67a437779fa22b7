//! The SDK against a small HTTP server over real sockets.
//!
//! - `server`: the server, which records what it gets and answers as told.
//! - `push`: what travels.
//! - `delivery`: splitting, retries, refusals, a server that comes and goes.
//! - `lifetime`: stop, drop, several clients, runtimes.
//! - `tower_layer`: the HTTP layer, behind its feature.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod delivery;
mod lifetime;
mod push;
mod server;
#[cfg(feature = "axum")]
mod tower_layer;
