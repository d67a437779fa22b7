//! The TinyObs SDK: counters, gauges and histograms that are pushed to a TinyObs server.
//!
//! ```
//! use std::time::Duration;
//!
//! fn main() -> Result<(), tinyobs::Error> {
//!     let client = tinyobs::Client::builder("checkout")
//! #       .endpoint("http://127.0.0.1:9")
//!         .start()?;
//!
//!     let orders = client.counter("orders_total", &[("kind", "web")]);
//!     let queue = client.gauge("queue_depth", &[]);
//!     let query = client.histogram("db_query_seconds", &[("table", "orders")]);
//!
//!     orders.inc();
//!     queue.set(17);
//!     query.observe(Duration::from_millis(12));
//!
//!     println!("{}", client.stop(Duration::from_secs(1)));
//!     Ok(())
//! }
//! ```
//!
//! That is all: a thread of its own pushes every five seconds to `http://127.0.0.1:8080`, or where
//! `TINYOBS_ENDPOINT` says. It works in a plain `main`, in any async runtime and in tests; no
//! runtime is needed, and none is brought along.
//!
//! # Metrics
//!
//! A metric has a name and a kind; each set of labels is a series of its own. Ask for a handle once
//! and keep it: an update through it is an atomic addition, without lock or allocation. Asking
//! again gives the same series, whatever the order of the labels.
//!
//! ```
//! # let client = tinyobs::Client::builder("docs").endpoint("http://127.0.0.1:9").start().unwrap();
//! let a = client.counter("hits_total", &[("method", "GET"), ("status", "200")]);
//! let b = client.counter("hits_total", &[("status", "200"), ("method", "GET")]);
//! a.inc();
//! b.add(2);
//! assert_eq!(a.value(), 3.0);
//!
//! client.describe("upload_bytes", "bytes", "Size of an upload.");
//! let upload = client.histogram_with("upload_bytes", &[], &[1e3, 1e6, 1e9]);
//! upload.observe(48_000);
//!
//! let import = client.histogram("import_seconds", &[]);
//! {
//!     let _timer = import.start_timer(); // Observes when it is dropped.
//! }
//! assert_eq!(import.count(), 1);
//! # client.stop(std::time::Duration::ZERO);
//! ```
//!
//! Wherever a number is expected, any number type will do, and a [`Duration`](std::time::Duration)
//! counts as seconds.
//!
//! # What arrives
//!
//! Values are cumulative: each push carries everything since the start, at one moment. A push that
//! is lost costs freshness, nothing else, and while the server is away nothing piles up. Every
//! series gets the labels `service` and `instance` (`host:pid` unless set), so two processes never
//! write into each other's series.
//!
//! # The end of a program
//!
//! When the last clone of a [`Client`] is dropped, the last values are delivered, within two
//! seconds. [`Client::stop`] does the same with a deadline of yours and a [`Report`];
//! [`Client::flush`] pushes and goes on. `std::process::exit` and a client in a `static` skip
//! `Drop`: call `stop` before. A forked child has no flush thread; start a client of its own there.
//!
//! # What cannot happen
//!
//! After [`start`](ClientBuilder::start), which refuses a configuration that cannot work, nothing
//! returns an error, and nothing panics. A name that is taken by another kind, a label too long, a
//! server that is away: the handle works all the same, and one line on standard error, or in your
//! `log` logger, says what is wrong. A metric with more than [`limits::SERIES_PER_METRIC`] label
//! sets counts the rest together, under the label `tinyobs_overflow="true"`.
//!
//! # HTTP services
//!
//! With the feature `axum` (or `tower`), `tower::layer` counts and times requests by method,
//! matched route and status.
//!
//! # From the Go SDK
//!
//! | Go | Rust |
//! |---|---|
//! | `sdk.New(sdk.ClientConfig{Service: "s"})`, `Start(ctx)` | `Client::builder("s").start()?` |
//! | `client.Counter("c").Inc("k", "v")` | `client.counter("c", &[("k", "v")]).inc()` |
//! | `client.Gauge("g").Set(1, "k", "v")` | `client.gauge("g", &[("k", "v")]).set(1)` |
//! | `client.Histogram("h").Observe(0.2)` | `client.histogram("h", &[]).observe(0.2)` |
//! | `httpx.Middleware(client)(handler)` | `router.layer(tinyobs::tower::layer(&client))` |
//! | `client.Stop()` | `client.stop(timeout)` |

// In reading order: what a program holds, where values live, how they leave.
mod builder;
mod client;
mod error;

mod counter;
mod gauge;
mod histogram;
mod number;

mod key;
mod registry;
mod series;

mod control;
mod flusher;
mod report;
mod snapshot;
mod transport;

mod answer;
mod backoff;
mod clock;
pub mod limits;
mod notice;
mod own;
mod process;
#[cfg(feature = "tower")]
pub mod tower;

pub use builder::ClientBuilder;
pub use client::Client;
pub use counter::Counter;
pub use error::Error;
pub use gauge::Gauge;
pub use histogram::{DEFAULT_BOUNDS, Histogram, Timer};
pub use number::Number;
pub use report::Report;
