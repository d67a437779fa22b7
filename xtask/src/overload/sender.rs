//! Sender: connections that send at a pace, and what they are told.
//!
//!   [Pace] ─▶ one thread a [`Template`] ─▶ answers ─▶ [Load]
//!
//! With an open loop, what is due is due whatever became of what was sent before. A connection whose
//! answer is still to come when its next request is due sends late; one that is more than a request
//! behind leaves some out, and counts them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use tinyobs_testing::Server;
use tinyobs_testing::process::cpu_seconds;

use super::Scale;
use super::wire::Template;

/// How requests follow one another.
#[derive(Debug, Clone, Copy)]
pub enum Pace {
    /// One of each sender.
    Once,
    /// The next when the one before is answered.
    Closed,
    /// So many samples a second, all senders together.
    Open(f64),
}

/// What senders were told.
#[derive(Debug, Default)]
pub struct Told {
    pub acked: u64,
    pub acked_polite: u64,
    pub refused: u64,
    /// Connections that ended without an answer.
    pub closed: u64,
    /// Requests left out because no connection was free.
    pub late: u64,
    /// Seconds since the beginning, and how long an answer took.
    answers: Vec<(f32, f32)>,
    refused_at: Vec<f32>,
    /// An answer that is neither.
    pub wrong: Option<String>,
}

/// A phase.
#[derive(Debug)]
pub struct Load {
    pub told: Told,
    took: Duration,
    /// Of the server.
    cpu_seconds: f64,
    /// Samples of a request.
    series: f64,
}

impl Load {
    /// Samples acknowledged a second.
    pub fn rate(&self) -> f64 {
        self.told.acked as f64 * self.series / self.took.as_secs_f64()
    }

    /// Samples acknowledged for a second of the server's CPU: what others do on the machine hardly
    /// shows in it.
    pub fn rate_of_cpu(&self) -> f64 {
        self.told.acked as f64 * self.series / self.cpu_seconds
    }

    /// Samples offered a second, those among them that no connection was free for.
    pub fn offered(&self) -> f64 {
        self.sent() + self.told.late as f64 * self.series / self.took.as_secs_f64()
    }

    /// Samples sent a second.
    pub fn sent(&self) -> f64 {
        let sent = self.told.acked + self.told.refused + self.told.closed;
        sent as f64 * self.series / self.took.as_secs_f64()
    }

    /// How long acknowledgements took.
    pub fn answers(&self) -> String {
        let mut took: Vec<f32> = self.told.answers.iter().map(|answer| answer.1).collect();
        took.sort_by(f32::total_cmp);
        let at = |share: f64| {
            took.get((took.len() as f64 * share) as usize)
                .map_or(0.0, |s| s * 1e3)
        };
        format!("{:.1} ms half, {:.1} ms 99 %", at(0.5), at(0.99))
    }

    /// What 99 of 100 acknowledgements stay below, from a moment on.
    pub fn slowest_usual(&self, from: Duration) -> Duration {
        let answers = self.told.answers.iter();
        let mut took: Vec<f32> = answers
            .filter(|(at, _)| *at >= from.as_secs_f32())
            .map(|(_, took)| *took)
            .collect();
        took.sort_by(f32::total_cmp);
        let at = took.len() * 99 / 100;
        Duration::from_secs_f32(took.get(at).copied().unwrap_or(f32::from(u8::MAX)))
    }

    /// Requests refused from a moment on.
    pub fn refused_from(&self, from: Duration) -> usize {
        let refused = self.told.refused_at.iter();
        refused.filter(|at| **at >= from.as_secs_f32()).count()
    }
}

/// Lets all of them send for so long, over so many connections.
pub fn run_load(
    server: &Server,
    senders: &mut [Template],
    connections: usize,
    pace: Pace,
    time: Duration,
) -> Result<Load> {
    let addr: SocketAddr = server.url.trim_start_matches("http://").parse()?;
    let Some(scale) = senders.first().map(|sender| sender.scale) else {
        bail!("nobody sends");
    };
    let Scale { series, .. } = scale;
    let mut shares: Vec<Vec<&mut Template>> = Vec::new();
    shares.resize_with(connections, Vec::new);
    for template in senders {
        shares[template.sender % connections].push(template);
    }
    let cpu = cpu_seconds(server.pid())?;
    let begun = Instant::now();
    let all = thread::scope(|scope| -> Result<Vec<Told>> {
        let threads: Vec<_> = shares
            .into_iter()
            .map(|mut templates| {
                let first = templates[0].sender;
                let sender = Sender {
                    addr,
                    stream: None,
                    begun,
                    until: begun + time,
                    gap: match pace {
                        Pace::Open(rate) => {
                            Duration::from_secs_f64((series * connections) as f64 / rate)
                        }
                        _ => Duration::ZERO,
                    },
                    is_once: matches!(pace, Pace::Once),
                    is_polite: first >= scale.senders - scale.polite,
                    shift: first as f64 / scale.senders as f64,
                    told: Told::default(),
                };
                scope.spawn(move || sender.run(&mut templates))
            })
            .collect();
        let joined = threads.into_iter().map(thread::ScopedJoinHandle::join);
        joined
            .map(|told| told.map_err(|_| anyhow!("a sender panicked")))
            .collect()
    })?;
    let took = begun.elapsed();
    let told = all.into_iter().fold(Told::default(), Told::and);
    let load = Load {
        told,
        took,
        cpu_seconds: cpu_seconds(server.pid())? - cpu,
        series: series as f64,
    };
    println!(
        "{pace:?} over {connections}: {} acknowledged, {} refused, {} closed in {:.1} s; {}",
        load.told.acked,
        load.told.refused,
        load.told.closed,
        took.as_secs_f64(),
        load.answers()
    );
    Ok(load)
}

impl Told {
    fn and(mut self, other: Self) -> Self {
        self.acked += other.acked;
        self.acked_polite += other.acked_polite;
        self.refused += other.refused;
        self.closed += other.closed;
        self.late += other.late;
        self.answers.extend(other.answers);
        self.refused_at.extend(other.refused_at);
        self.wrong = self.wrong.or(other.wrong);
        self
    }
}

struct Sender {
    addr: SocketAddr,
    stream: Option<TcpStream>,
    begun: Instant,
    until: Instant,
    gap: Duration,
    is_once: bool,
    is_polite: bool,
    /// The part of a gap that it begins later.
    shift: f64,
    told: Told,
}

struct Answer {
    status: u16,
    retry_after: Option<u64>,
    is_last: bool,
    text: String,
}

impl Sender {
    /// The series of one request after those of another.
    fn run(mut self, templates: &mut [&mut Template]) -> Told {
        // Not all at the same moment.
        let mut due = self.begun + self.gap.mul_f64(self.shift);
        for turn in 0.. {
            let template = &mut *templates[turn % templates.len()];
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if Instant::now() >= self.until {
                return self.told;
            }
            let waits = self.once(template);
            if self.is_once && self.told.acked > 0 {
                return self.told;
            }
            due = if waits.is_zero() && !self.gap.is_zero() {
                self.following(due + self.gap)
            } else {
                Instant::now() + waits
            };
        }
        self.told
    }

    /// What is due next: at once if it is late, and what should have been sent by now is left out.
    fn following(&mut self, due: Instant) -> Instant {
        let behind = Instant::now().saturating_duration_since(due);
        let missed = (behind.as_nanos() / self.gap.as_nanos()) as u32;
        self.told.late += u64::from(missed);
        due + self.gap * missed
    }

    /// Sends the request, and says how long to wait before the next.
    fn once(&mut self, template: &mut Template) -> Duration {
        let sent = Instant::now();
        let Ok(answer) = self.ask(&template.request) else {
            // It may have been stored, and its like is sent under another number.
            self.stream = None;
            self.told.closed += 1;
            template.open.push(template.number);
            template.next();
            return Duration::from_millis(1);
        };
        if answer.is_last {
            self.stream = None;
        }
        let at = sent.duration_since(self.begun).as_secs_f32();
        match answer.status {
            204 => {
                self.told.acked += 1;
                self.told.acked_polite += u64::from(self.is_polite);
                self.told.answers.push((at, sent.elapsed().as_secs_f32()));
                template.acked.push(template.number);
                template.next();
            }
            429 | 503 if answer.retry_after.is_some() => {
                self.told.refused += 1;
                self.told.refused_at.push(at);
                // A refusal after a part was read promises nothing.
                template.open.push(template.number);
                if self.is_polite {
                    return Duration::from_secs(answer.retry_after.unwrap_or_default());
                }
            }
            status => {
                self.told.wrong = Some(format!("{status} {}", answer.text));
                template.open.push(template.number);
            }
        }
        Duration::ZERO
    }

    fn ask(&mut self, request: &[u8]) -> Result<Answer> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => {
                let stream = TcpStream::connect_timeout(&self.addr, Duration::from_secs(40))?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(Duration::from_secs(40)))?;
                stream.set_write_timeout(Some(Duration::from_secs(40)))?;
                none.insert(stream)
            }
        };
        // Whoever refuses early may close before it has read everything: its answer counts.
        let written = stream.write_all(request);
        let mut answer = read_answer(stream)?;
        answer.is_last |= written.is_err();
        Ok(answer)
    }
}

/// Reads an answer with a `content-length`, or none.
fn read_answer(stream: &mut TcpStream) -> Result<Answer> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4_096]);
    loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            bail!("the connection ended");
        }
        bytes.extend_from_slice(&buffer[..read]);
        let Some(border) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = std::str::from_utf8(&bytes[..border])?;
        let header = |name: &str| {
            let mut lines = head.split("\r\n").filter_map(|line| line.split_once(": "));
            let found = lines.find(|(known, _)| known.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value)
        };
        let length: usize = header("content-length").unwrap_or("0").parse()?;
        if bytes.len() < border + 4 + length {
            continue;
        }
        let status = head.split(' ').nth(1).context("a status")?.parse()?;
        return Ok(Answer {
            status,
            retry_after: header("retry-after").and_then(|text| text.parse().ok()),
            is_last: header("connection") == Some("close"),
            text: String::from_utf8_lossy(&bytes[border + 4..]).into_owned(),
        });
    }
}
