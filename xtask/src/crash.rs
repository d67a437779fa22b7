//! Crash: kill the server while it is written to, and look for what it had acknowledged.
//!
//!   writers ─▶ server ─▶ 200 ─▶ noted outside ─▶ kill -9 ─▶ start ─▶ read all ─▶ compare
//!
//! Every sample has its own value, so that one in the wrong place would be noticed. Rounds differ
//! in how the server ends: killed under load, killed while it stops, or stopped cleanly.
//!
//! Passes when nothing acknowledged is missing, nothing is there that was never sent, no time of
//! a series is there twice, and every start succeeds unaided.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail, ensure};
use clap::Args;
use tinyobs_testing::{Server, Start, agent};

use crate::tools;

/// How often, and how.
#[derive(Args)]
pub struct Options {
    /// How many times the server is killed; about one clean stop comes with three kills.
    #[arg(long, default_value_t = 50)]
    kills: u32,
    /// `interval` or `sync`; a killed process loses nothing in either.
    #[arg(long, default_value = "interval")]
    durability: String,
    /// Seed of the random moments, to repeat a run.
    #[arg(long)]
    seed: Option<u64>,
    /// Use the release build.
    #[arg(long)]
    release: bool,
}

impl Options {
    /// So many kills, everything else as usual.
    pub fn short(kills: u32) -> Self {
        Self {
            kills,
            durability: "interval".into(),
            seed: None,
            release: false,
        }
    }
}

const WRITERS: u64 = 4;
const SERIES_PER_BATCH: u64 = 10;
const SAMPLES_PER_SERIES: u64 = 10;

/// Series label and time of a sample.
type Place = (String, i64);

/// What one writer sent.
#[derive(Default)]
struct Sent {
    acked: Vec<(Place, f64)>,
    /// Sent, but no answer came: may be there or not, each sample for itself.
    open: Vec<(Place, f64)>,
}

/// Runs the rounds.
pub fn run(options: &Options) -> Result<()> {
    let binary = tools::build_server(options.release)?;
    let dir = tempfile::tempdir()?;
    let seed = options.seed.unwrap_or_else(|| now_ms() as u64);
    let mut random = Random(seed | 1);
    let args = vec![
        "--durability".into(),
        options.durability.clone(),
        "--max-series".into(),
        "1000000".into(),
    ];
    let start = Start {
        binary,
        data_dir: dir.path().join("data"),
        args,
    };
    println!("seed {seed}: repeat with `cargo xtask crash --seed {seed}`");
    let mut rounds: Vec<Sent> = Vec::new();
    let (mut slowest, mut clean) = (Duration::ZERO, 0);
    let mut kills = 0;
    while kills < options.kills {
        let server = Server::start(&start)?;
        slowest = slowest.max(server.started_in);
        if let Some(last) = rounds.last() {
            verify(&server, rounds.len() - 1, last)?;
        }
        let (sent, killed) = round_of(server, rounds.len() as u64, &mut random)?;
        rounds.push(sent);
        if killed {
            kills += 1;
            if kills % 10 == 0 {
                println!("  {kills} of {} kills", options.kills);
            }
        } else {
            clean += 1;
        }
    }
    // Once more from the beginning: what stood after one restart must stand after all of them.
    let server = Server::start(&start)?;
    slowest = slowest.max(server.started_in);
    for (round, sent) in rounds.iter().enumerate() {
        verify(&server, round, sent)?;
    }
    let acked: usize = rounds.iter().map(|sent| sent.acked.len()).sum();
    let open: usize = rounds.iter().map(|sent| sent.open.len()).sum();
    let held = server.get("/v1/stats")?["TotalMetrics"]
        .as_u64()
        .unwrap_or(0) as usize;
    ensure!(
        acked > 0,
        "nothing was ever acknowledged: the test proved nothing"
    );
    ensure!(
        (acked..=acked + open).contains(&held),
        "the server counts {held} samples, {acked} were acknowledged and {open} are open"
    );
    println!(
        "{kills} kills and {clean} clean stops, {acked} samples acknowledged, {open} without an \
         answer: 0 lost, 0 phantom, 0 twice; slowest start {slowest:?}"
    );
    Ok(())
}

/// Writes for a random while, then ends the server in a random way. Returns what was sent, and
/// whether the server was killed.
fn round_of(server: Server, round: u64, random: &mut Random) -> Result<(Sent, bool)> {
    let done = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (url, done) = (server.url.clone(), Arc::clone(&done));
            thread::spawn(move || write_until(&url, round, writer, &done))
        })
        .collect();
    thread::sleep(Duration::from_millis(20 + random.below(300)));
    let way = random.below(4);
    match way {
        0 => {
            let status = server.stop()?;
            ensure!(status.success(), "a clean stop ended with {status}");
        }
        1 => {
            // In the middle of writing everything out.
            server.terminate()?;
            thread::sleep(Duration::from_millis(random.below(40)));
            server.kill()?;
        }
        _ => server.kill()?,
    }
    done.store(true, Ordering::SeqCst);
    let mut sent = Sent::default();
    for writer in writers {
        let Ok(one) = writer.join() else {
            bail!("a writer panicked")
        };
        sent.acked.extend(one.acked);
        sent.open.extend(one.open);
    }
    Ok((sent, way != 0))
}

fn write_until(url: &str, round: u64, writer: u64, done: &AtomicBool) -> Sent {
    let agent = agent();
    let base_ms = now_ms();
    let mut sent = Sent::default();
    let mut batch = 0u64;
    while !done.load(Ordering::SeqCst) {
        let (body, samples) = batch_of(round, writer, batch, base_ms);
        let answer = agent
            .post(format!("{url}/v1/ingest"))
            .header("Content-Type", "application/json")
            .send(&body);
        match answer {
            Ok(answer) if answer.status() == 200 => sent.acked.extend(samples),
            Ok(_) => sent.open.extend(samples),
            Err(_) => {
                sent.open.extend(samples);
                break;
            }
        }
        batch += 1;
        // Many moments matter, not many samples.
        thread::sleep(Duration::from_millis(2));
    }
    sent
}

/// One request: series that live for some batches, so that definitions come all the time.
fn batch_of(round: u64, writer: u64, batch: u64, base_ms: i64) -> (String, Vec<(Place, f64)>) {
    let mut body = String::from("{\"metrics\":[");
    let mut samples = Vec::new();
    for series in 0..SERIES_PER_BATCH {
        let label = format!("r{round} w{writer} g{} s{series}", batch / 8);
        for i in 0..SAMPLES_PER_SERIES {
            let time_ms = base_ms - 60_000 + (batch * SAMPLES_PER_SERIES + i) as i64;
            let number =
                ((round * WRITERS + writer) * 1_000_000 + batch * 100 + i * 10 + series) as f64;
            let comma = if samples.is_empty() { "" } else { "," };
            write!(
                body,
                "{comma}{{\"name\":\"crash\",\"type\":\"gauge\",\"value\":{number},\
                 \"labels\":{{\"at\":\"{label}\"}},\"timestamp\":{time_ms}}}"
            )
            .expect("writing to a string does not fail");
            samples.push(((label.clone(), time_ms), number));
        }
    }
    body.push_str("]}");
    (body, samples)
}

/// Compares what the server holds of a round with what was sent in it.
fn verify(server: &Server, round: usize, sent: &Sent) -> Result<()> {
    let stored = read_round(server, round)?;
    let acked: HashMap<&Place, f64> = sent.acked.iter().map(|(place, v)| (place, *v)).collect();
    let open: HashMap<&Place, f64> = sent.open.iter().map(|(place, v)| (place, *v)).collect();
    for (place, value) in &stored {
        let expected = acked.get(place).or_else(|| open.get(place));
        ensure!(
            expected == Some(value),
            "phantom: {place:?} = {value}, sent was {expected:?}"
        );
    }
    let lost: Vec<_> = acked
        .keys()
        .filter(|place| !stored.contains_key(**place))
        .collect();
    ensure!(
        lost.is_empty(),
        "{} of {} acknowledged samples of round {round} are lost, such as {:?}",
        lost.len(),
        acked.len(),
        lost[0]
    );
    Ok(())
}

fn read_round(server: &Server, round: usize) -> Result<HashMap<Place, f64>> {
    let selector = format!("%7Bat%3D~%22r{round}%20.%2A%22%7D");
    let path = format!("/v1/query?metric=crash&match[]={selector}&start=0&limit=1000000");
    let answer = server.get(&path)?;
    ensure!(
        answer["truncated"] == false,
        "an answer was cut: a round wrote too much"
    );
    let mut stored = HashMap::new();
    for row in answer["metrics"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
    {
        let label = row["labels"]["at"].as_str().unwrap_or_default().to_owned();
        let time_ms = parse_ms(row["timestamp"].as_str().unwrap_or_default())?;
        let value = row["value"].as_f64().unwrap_or(f64::NAN);
        let before = stored.insert((label, time_ms), value);
        ensure!(before.is_none(), "twice: {row}");
    }
    Ok(stored)
}

/// Milliseconds of `2026-11-22T03:04:05.678Z`.
fn parse_ms(text: &str) -> Result<i64> {
    let digits: Vec<i64> = text
        .split(|c: char| !c.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    let [year, month, day, hour, minute, second, ref fraction @ ..] = digits[..] else {
        bail!("{text:?} is not a time");
    };
    ensure!(
        fraction.is_empty() || text.len() == 24,
        "{text:?} is not in milliseconds"
    );
    // Days since 1970 of a Gregorian date, counting years from March.
    let (y, m) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 719_469;
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
    Ok(seconds * 1_000 + fraction.first().copied().unwrap_or(0))
}

fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as i64)
}

/// Xorshift: enough for random moments, and repeatable.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_are_read() {
        assert_eq!(super::parse_ms("1970-01-01T00:00:00.001Z").unwrap(), 1);
        assert_eq!(
            super::parse_ms("2026-11-22T00:16:02.347Z").unwrap(),
            1_795_306_562_347
        );
        assert!(super::parse_ms("yesterday").is_err());
    }
}
