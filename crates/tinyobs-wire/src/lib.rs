//! What travels: decoders and encoders as pure functions, decompression with a cap.
//!
//!   SDK ─▶ [encode] ─▶ HTTP ─▶ [decompress] ─▶ [json] ─▶ `WriteBatch` ─▶ store
//!   store ─▶ [exposition] ─▶ HTTP ─▶ Prometheus
//!   store ─▶ [lines], [csv], [exposition] ─▶ export        import ─▶ [lines], [original] ─▶ store
//!
//! A value goes in, a value comes out: nothing here does I/O, so every test is of that shape too.
//! In reading order:
//!
//! - [`number`]: a finite number in decimal.
//! - [`encode`]: the push body as the SDK writes it.
//! - [`decompress`]: the one function that decompresses.
//! - [`json`]: the push body as the server reads it.
//! - [`proto`]: protobuf's fields, borrowed from a body.
//! - [`remote_write`]: what Prometheus and its kin push.
//! - [`otlp`]: metrics as OpenTelemetry pushes them.
//! - [`time`]: moments as people and programs write them.
//! - [`selector`]: `name{label="value"}` as a parameter.
//! - [`text`]: the Prometheus and OpenMetrics text formats, line by line.
//! - [`families`]: what a page in them holds; [`metric_family`]: the same from protobuf.
//! - [`bom`]: the mark that text may begin with.
//! - [`influx`]: InfluxDB's line protocol.
//! - [`exposition`]: the Prometheus text format and OpenMetrics.
//! - [`lines`]: series as lines of JSON, out and in.
//! - [`csv`]: series as rows of a table, out.
//! - [`original`]: the export files of the Go original, in.

#[cfg(feature = "decode")]
pub mod bom;
#[cfg(feature = "decode")]
pub mod csv;
#[cfg(feature = "decode")]
pub mod decompress;
pub mod encode;
#[cfg(feature = "decode")]
pub mod exposition;
#[cfg(feature = "decode")]
pub mod families;
#[cfg(feature = "decode")]
pub mod influx;
#[cfg(feature = "decode")]
pub mod json;
#[cfg(feature = "decode")]
pub mod lines;
#[cfg(feature = "decode")]
pub mod metric_family;
pub mod number;
#[cfg(feature = "decode")]
pub mod original;
#[cfg(feature = "decode")]
pub mod otlp;
#[cfg(feature = "decode")]
pub mod proto;
#[cfg(feature = "decode")]
pub mod remote_write;
#[cfg(feature = "decode")]
pub mod selector;
#[cfg(feature = "decode")]
pub mod text;
#[cfg(feature = "decode")]
pub mod time;
