//! Verify: what the server holds against the log of what was sent.
//!
//! Passes when nothing acknowledged is missing, nothing is there that was never sent or was
//! refused, and no time of a series is there twice.

use std::collections::HashMap;

use anyhow::{Result, bail, ensure};
use tinyobs_testing::Server;

use super::load::{Outcome, Place, Sent};

/// Compares a round, of which samples before `kept_from_ms` may have left by retention. Returns how
/// many have.
pub fn round(server: &Server, round: u64, log: &[Sent], kept_from_ms: i64) -> Result<usize> {
    let stored = read_round(server, round, log)?;
    let mut acked: HashMap<&Place, f64> = HashMap::new();
    let mut open: HashMap<&Place, f64> = HashMap::new();
    for sent in log {
        let into = match sent.outcome {
            Outcome::Acked => &mut acked,
            Outcome::Open => &mut open,
            Outcome::Refused => continue,
        };
        into.extend(sent.samples.iter().map(|(place, value)| (place, *value)));
    }
    for (place, value) in &stored {
        let expected = acked.get(place).or_else(|| open.get(place));
        ensure!(
            expected == Some(value),
            "phantom: {place:?} = {value}, sent and not refused was {expected:?}"
        );
    }
    let missing = acked.keys().filter(|place| !stored.contains_key(**place));
    let (lost, left): (Vec<&Place>, Vec<&Place>) =
        missing.copied().partition(|place| place.1 >= kept_from_ms);
    ensure!(
        lost.is_empty(),
        "{} of {} acknowledged samples of round {round} are lost, such as {:?}",
        lost.len(),
        acked.len(),
        lost[0]
    );
    Ok(left.len())
}

/// Everything that is stored of a round, in as many answers as it takes.
fn read_round(server: &Server, round: u64, log: &[Sent]) -> Result<HashMap<Place, f64>> {
    let selector = format!("%7Bat%3D~%22r{round}%20.%2A%22%7D");
    let mut stored = HashMap::new();
    for (start, end) in pieces(log) {
        stored.extend(samples(
            server,
            &format!("metric=crash&match[]={selector}&start={start}&end={end}&limit=1000000"),
        )?);
    }
    Ok(stored)
}

/// All time there is, in stretches (both ends are part of them) of so many samples sent that an answer
/// holds them.
fn pieces(log: &[Sent]) -> Vec<(i64, i64)> {
    const PIECE: usize = 500_000;
    const LAST_MS: i64 = 4_102_444_800_000;
    let times = |sent: &Sent| sent.samples.iter().map(|(place, _)| place.1).collect();
    let mut times: Vec<i64> = log.iter().flat_map::<Vec<i64>, _>(times).collect();
    times.sort_unstable();
    let mut starts: Vec<i64> = times.into_iter().step_by(PIECE).skip(1).collect();
    starts.dedup();
    let ends = starts.iter().map(|start| start - 1).chain([LAST_MS]);
    [0].into_iter().chain(starts.clone()).zip(ends).collect()
}

/// The samples that `GET /v1/query` answers, by the label `at` and time.
pub fn samples(server: &Server, parameters: &str) -> Result<HashMap<Place, f64>> {
    let answer = server.get(&format!("/v1/query?{parameters}"))?;
    ensure!(
        answer["truncated"] == false,
        "an answer was cut: a round wrote too much"
    );
    let mut stored = HashMap::new();
    let rows = answer["metrics"].as_array().map(Vec::as_slice);
    for row in rows.unwrap_or_default() {
        let label = row["labels"]["at"].as_str().unwrap_or_default().to_owned();
        let time_ms = parse_ms(row["timestamp"].as_str().unwrap_or_default())?;
        let value = row["value"].as_f64().unwrap_or(f64::NAN);
        let before = stored.insert((label, time_ms), value);
        ensure!(before.is_none(), "twice: {row}");
    }
    Ok(stored)
}

/// Milliseconds of `2026-11-22T03:04:05.678Z`.
pub fn parse_ms(text: &str) -> Result<i64> {
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

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::super::load::{Outcome, Sent};

    #[test]
    fn pieces_cover_all_time_and_meet() {
        let sent = |times: std::ops::Range<i64>| Sent {
            samples: times.map(|time| ((String::new(), time), 0.0)).collect(),
            begun: SystemTime::UNIX_EPOCH,
            ended: SystemTime::UNIX_EPOCH,
            outcome: Outcome::Acked,
            status: 200,
            retry_after: false,
        };
        assert_eq!(super::pieces(&[]), [(0, 4_102_444_800_000)]);
        assert_eq!(
            super::pieces(&[sent(600_000..1_200_000), sent(0..600_000)]),
            [
                (0, 499_999),
                (500_000, 999_999),
                (1_000_000, 4_102_444_800_000)
            ]
        );
    }

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
