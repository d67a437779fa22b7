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
    let stored = read_round(server, round)?;
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

fn read_round(server: &Server, round: u64) -> Result<HashMap<Place, f64>> {
    let selector = format!("%7Bat%3D~%22r{round}%20.%2A%22%7D");
    samples(
        server,
        &format!("metric=crash&match[]={selector}&start=0&limit=1000000"),
    )
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
