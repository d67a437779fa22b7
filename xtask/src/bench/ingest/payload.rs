//! Payload: a whole load as requests in files, made before any clock starts.
//!
//!   [`Mix`] ─▶ [`body`] ─▶ a file a connection ─▶ [`send`](super::send), once for every target
//!
//! Targets of the fleet are dealt out to the connections, so that the samples of a series arrive in
//! order. What is read is in the page cache, so that sending costs little.
//!
//! Proved by: payload/tests.rs.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::thread;

use anyhow::{Context, Result, bail};

use super::body::{self, Body, Protocol};
use super::mix::Mix;

/// Connections that send at once: a core's worth of senders for each core of a small machine.
const CONNECTIONS: u32 = 2;
/// Samples of one request: what Prometheus and agents send of a large load.
const SAMPLES_PER_REQUEST: u32 = 5_000;

/// All requests of a load.
pub struct Payload {
    /// How they travel.
    pub protocol: Protocol,
    /// Of each connection.
    pub connections: Vec<Connection>,
}

/// The requests of one connection, in the order of time.
pub struct Connection {
    file: File,
    /// Of each request.
    pub requests: Vec<Request>,
}

/// One request in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// Samples in it.
    pub samples: u32,
    /// The last step in it.
    pub step: u32,
    at: u64,
    len: usize,
}

impl Payload {
    /// Writes all requests into files in `dir`.
    pub fn build(protocol: Protocol, mix: &Mix, dir: &Path) -> Result<Self> {
        let connections = thread::scope(|scope| {
            let build = |number| {
                let path = dir.join(format!("requests-{number}"));
                scope.spawn(move || Connection::build(protocol, mix, number, &path))
            };
            let threads: Vec<_> = (0..CONNECTIONS).map(build).collect();
            let join = |thread: thread::ScopedJoinHandle<'_, Result<_>>| match thread.join() {
                Ok(built) => built,
                Err(_) => bail!("the generator panicked"),
            };
            threads.into_iter().map(join).collect::<Result<_>>()
        })?;
        Ok(Self {
            protocol,
            connections,
        })
    }

    /// Samples in all requests.
    pub fn samples(&self) -> u64 {
        self.requests()
            .map(|request| u64::from(request.samples))
            .sum()
    }

    /// Bytes of all requests.
    pub fn bytes(&self) -> u64 {
        self.requests().map(|request| request.len as u64).sum()
    }

    fn requests(&self) -> impl Iterator<Item = &Request> {
        let connections = self.connections.iter();
        connections.flat_map(|connection| &connection.requests)
    }
}

impl Connection {
    fn build(protocol: Protocol, mix: &Mix, number: u32, path: &Path) -> Result<Self> {
        let targets: Vec<u32> = (number..mix.targets())
            .step_by(CONNECTIONS as usize)
            .collect();
        let all = targets.iter().flat_map(|&target| mix.of_target(target));
        let begun = |series| Ok((body::fixed(protocol, mix, series)?, mix.begin(series)));
        let mut series = all.map(begun).collect::<Result<Vec<_>>>()?;
        let mut built = Writer::create(path)?;
        let mut body = Body::new(protocol);
        for step in 0..mix.steps {
            let mut states = series.iter_mut();
            for &target in &targets {
                let time_ms = mix.time_ms(target, step);
                for number in mix.of_target(target) {
                    let (fixed, state) = states.next().context("a state for each series")?;
                    body.push(fixed, mix.next(number, step, state), time_ms)?;
                    if body.samples() == SAMPLES_PER_REQUEST {
                        built.add(&mut body, step)?;
                    }
                }
            }
            if step + 1 == mix.steps {
                built.add(&mut body, step)?;
            }
        }
        built.file.flush()?;
        Ok(Self {
            file: File::open(path)?,
            requests: built.requests,
        })
    }

    /// The bytes of a request, into memory that was used before.
    pub fn read(&self, request: &Request, bytes: &mut Vec<u8>) -> Result<()> {
        bytes.resize(request.len, 0);
        Ok(self.file.read_exact_at(bytes, request.at)?)
    }
}

struct Writer {
    file: BufWriter<File>,
    at: u64,
    requests: Vec<Request>,
}

impl Writer {
    fn create(path: &Path) -> Result<Self> {
        Ok(Self {
            file: BufWriter::with_capacity(1 << 20, File::create(path)?),
            at: 0,
            requests: Vec::new(),
        })
    }

    fn add(&mut self, body: &mut Body, step: u32) -> Result<()> {
        let samples = body.samples();
        if samples == 0 {
            return Ok(());
        }
        let bytes = body.finish()?;
        self.file.write_all(&bytes)?;
        self.requests.push(Request {
            samples,
            step,
            at: self.at,
            len: bytes.len(),
        });
        self.at += bytes.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
