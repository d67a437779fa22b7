//! Send: a payload to one target, as fast as it takes it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Result, bail};
use tinyobs_testing::agent;

use super::payload::{Connection, Payload};

/// No connection gets further ahead of another than this many steps: Prometheus refuses what is an
/// hour older than the newest it has.
const STEPS_AHEAD: u32 = 60;
/// How often a request is repeated that comes at a bad moment, says the target.
const REPEATS: u32 = 100;

/// What the sending came to.
#[derive(Debug, Default, Clone, Copy)]
pub struct Sent {
    /// Samples of requests that were answered with 2xx.
    pub accepted: u64,
    /// Requests that had to be repeated.
    pub repeated: u64,
}

/// Sends all of it; an error when a request is refused for good.
pub fn send(payload: &Payload, url: &str) -> Result<Sent> {
    let url = format!("{url}{}", payload.protocol.path());
    let progress: Vec<AtomicU32> = payload
        .connections
        .iter()
        .map(|_| AtomicU32::new(0))
        .collect();
    let (progress, url) = (&progress, &url);
    thread::scope(|scope| {
        let threads: Vec<_> = (payload.connections.iter().zip(progress))
            .map(|(connection, own)| {
                scope.spawn(move || {
                    let sent = one(payload, connection, url, own, progress);
                    // The others must not wait for one that has ended, however it did.
                    own.store(u32::MAX, Ordering::Relaxed);
                    sent
                })
            })
            .collect();
        let mut all = Sent::default();
        for thread in threads {
            let Ok(sent) = thread.join() else {
                bail!("a sender panicked");
            };
            let sent = sent?;
            all.accepted += sent.accepted;
            all.repeated += sent.repeated;
        }
        Ok(all)
    })
}

fn one(
    payload: &Payload,
    connection: &Connection,
    url: &str,
    own: &AtomicU32,
    progress: &[AtomicU32],
) -> Result<Sent> {
    let agent = agent();
    let mut sent = Sent::default();
    let mut bytes = Vec::new();
    for request in &connection.requests {
        own.store(request.step, Ordering::Relaxed);
        let is_ahead = |other: &AtomicU32| {
            request.step > other.load(Ordering::Relaxed).saturating_add(STEPS_AHEAD)
        };
        while progress.iter().any(is_ahead) {
            thread::sleep(Duration::from_micros(500));
        }
        connection.read(request, &mut bytes)?;
        let mut repeats = 0;
        loop {
            let mut post = agent.post(url);
            for (name, value) in payload.protocol.headers() {
                post = post.header(*name, *value);
            }
            let mut answer = post.send(&bytes[..])?;
            let status = answer.status().as_u16();
            let text = answer.body_mut().read_to_string()?;
            match status {
                200..300 => break,
                429 | 500.. if repeats < REPEATS => {
                    repeats += 1;
                    thread::sleep(Duration::from_millis(50));
                }
                _ => bail!("{url} answered {status} after {repeats} repeats: {text}"),
            }
        }
        sent.accepted += u64::from(request.samples);
        sent.repeated += u64::from(repeats);
    }
    Ok(sent)
}
