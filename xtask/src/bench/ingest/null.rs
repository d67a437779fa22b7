//! Null: a server that reads what is pushed and forgets it.
//!
//!   connection ─▶ a thread ─▶ `tinyobs-wire` ─▶ a count
//!
//! It decodes with the very functions of the server, so what it does in a CPU-second is what no
//! change behind the decoders can exceed. It trusts its clients: it is of the benchmark alone.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use clap::Args;
use tinyobs_wire::decompress::{Encoding, decompress_into};
use tinyobs_wire::json::{self, Decoded};
use tinyobs_wire::remote_write::{Version, decode_into};

use super::body::Protocol;

/// Where it listens.
#[derive(Args)]
pub struct Options {
    /// Address and port.
    #[arg(long)]
    listen: String,
}

/// More than any request of the benchmark unfolds to.
const BYTES_MAX: usize = 64 << 20;

static SAMPLES: AtomicU64 = AtomicU64::new(0);

/// Serves until it is killed.
pub fn serve(options: &Options) -> Result<()> {
    let listener = TcpListener::bind(&options.listen)?;
    for connection in listener.incoming() {
        let connection = connection?;
        thread::spawn(move || {
            // A connection that ends between requests, or wants what there is not, is over.
            let _ = answer(connection);
        });
    }
    Ok(())
}

fn answer(connection: TcpStream) -> Result<()> {
    connection.set_nodelay(true)?;
    let mut connection = BufReader::with_capacity(64 << 10, connection);
    let mut decoder = Decoder::default();
    let mut body = Vec::new();
    loop {
        let (path, length) = head(&mut connection)?;
        ensure!(length <= BYTES_MAX, "a body of {length} bytes");
        body.resize(length, 0);
        connection.read_exact(&mut body)?;
        let said = if path == Protocol::RemoteWrite.path() {
            decoder.remote_write(&body)
        } else if path == Protocol::Json.path() {
            decoder.json(&body)
        } else {
            Ok(())
        };
        let (status, text) = match said {
            Ok(()) => (200, SAMPLES.load(Ordering::Relaxed).to_string()),
            Err(error) => (400, format!("{error:#}")),
        };
        let length = text.len();
        let answer = format!("HTTP/1.1 {status} -\r\nContent-Length: {length}\r\n\r\n{text}");
        connection.get_mut().write_all(answer.as_bytes())?;
    }
}

/// Path and length of the body of the next request.
fn head(connection: &mut impl BufRead) -> Result<(String, usize)> {
    let mut line = String::new();
    ensure!(
        connection.read_line(&mut line)? > 0,
        "the connection has ended"
    );
    let path = line.split(' ').nth(1).context("a path")?.to_owned();
    let mut length = 0;
    loop {
        line.clear();
        connection.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else {
            return Ok((path, length));
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse()?;
        }
    }
}

/// What a connection keeps from one request to the next, as the server does.
#[derive(Default)]
struct Decoder {
    last: Option<Decoded>,
}

impl Decoder {
    fn remote_write(&mut self, body: &[u8]) -> Result<()> {
        let mut spare = self.last.take().map(|last| last.batch).unwrap_or_default();
        let scratch = std::mem::take(spare.arena());
        let plain = decompress_into(Encoding::Snappy, body, BYTES_MAX, scratch)?;
        self.count(decode_into(Version::One, plain.into_owned(), spare)?)
    }

    fn json(&mut self, body: &[u8]) -> Result<()> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        self.count(json::decode(body, now.as_millis() as i64)?)
    }

    fn count(&mut self, decoded: Decoded) -> Result<()> {
        ensure!(decoded.refused.is_empty(), "{:?}", decoded.refused);
        SAMPLES.fetch_add(decoded.batch.len() as u64, Ordering::Relaxed);
        self.last = Some(decoded);
        Ok(())
    }
}
