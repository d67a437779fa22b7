//! Check: what was acknowledged is there, with its values, and nothing that was never sent.

use std::collections::HashSet;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tinyobs_testing::Server;

use super::wire::Template;

/// Compares a series of each sender, all of which share their requests, and the number of all samples. Returns how many were read.
pub fn compare(server: &Server, senders: &[Template], base_ms: i64) -> Result<u64> {
    let mut read = 0;
    for template in senders {
        let series = template.sender % template.scale.series;
        let told = || format!("series {series} of sender {}", template.sender);
        read += one(server, template, series, base_ms).with_context(told)?;
    }
    let acked: usize = senders.iter().map(|sender| sender.acked.len()).sum();
    let open = senders
        .iter()
        .map(|sender| of(&sender.open).difference(&of(&sender.acked)).count());
    let (least, most) = (acked, acked + open.sum::<usize>());
    let stats = server.get("/v1/stats")?;
    let stored = stats["TotalMetrics"]
        .as_u64()
        .context("no number of samples")?;
    let series = senders.first().map_or(0, |sender| sender.scale.series);
    let range = (least * series) as u64..=(most * series) as u64;
    ensure!(
        range.contains(&stored),
        "{stored} samples are stored, not within {range:?}"
    );
    Ok(read)
}

fn of(numbers: &[u32]) -> HashSet<u32> {
    numbers.iter().copied().collect()
}

fn one(server: &Server, template: &Template, series: usize, base_ms: i64) -> Result<u64> {
    let path = format!(
        "/api/v1/export?match[]=%7Bsender%3D%22{}%22%2Cseries%3D%22{series}%22%7D&start={}",
        template.sender,
        base_ms as f64 / 1e3
    );
    let answer = server.ask(&path)?;
    ensure!(answer.status == 200, "{}", answer.text());
    let mut stored = HashSet::new();
    for line in answer.text().lines() {
        let line: Value = serde_json::from_str(line)?;
        let list = |name: &str| line[name].as_array().cloned().context("no list");
        for (value, time) in list("values")?.iter().zip(list("timestamps")?) {
            let number = value.as_f64().context("no value")? as u32;
            let time_ms = time.as_i64().context("no time")?;
            let expected = base_ms + i64::from(number);
            ensure!(
                time_ms == expected,
                "number {number} is at {time_ms}, not {expected}"
            );
            ensure!(stored.insert(number), "number {number} is there twice");
        }
    }
    let (acked, open) = (of(&template.acked), of(&template.open));
    let lost = acked.difference(&stored).count();
    ensure!(
        lost == 0,
        "{lost} of {} acknowledged are missing",
        acked.len()
    );
    let phantom = stored
        .iter()
        .find(|number| !acked.contains(number) && !open.contains(number));
    ensure!(phantom.is_none(), "number {phantom:?} was never sent");
    Ok(stored.len() as u64)
}
