//! Remote write: what a real Prometheus scraped is what it wrote here, over a kill of the server.
//!
//!   [`page`] ─▶ prometheus ─ remote write 1.0, then 2.0 ─▶ tinyobs ─▶ `/v1/export` ─▶ compare
//!
//! Prometheus collects two pages twice a second. In the middle the server is killed as `kill -9`
//! does, stays away, and comes back with its data; then one of the pages vanishes.
//!
//! Passes when each sample that Prometheus has is here at its time with its bits, and none more;
//! when it did have to send again; when every series of the vanished page ends with a stale marker,
//! and only these; when a NaN has Prometheus' bits; and when types and help are those of the page.

mod page;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use clap::Args;
use tinyobs_testing::{Server, Start};
use tinyobs_wire::lines::{Content, Line};

use self::page::Pages;
use crate::peers::prometheus::Prometheus;
use crate::peers::{self, Peer};
use crate::tools;

/// What is compared.
#[derive(Args, Default)]
pub struct Options {
    /// This `tinyobs` instead of one built now.
    #[arg(long)]
    server: Option<PathBuf>,
}

/// Longer than a busy machine takes for a dozen scrapes, and Prometheus to give up waiting.
const WITHIN: Duration = Duration::from_secs(30);
/// How long the server stays away: several of Prometheus' attempts.
const AWAY: Duration = Duration::from_secs(2);
/// What the market calls the versions, and Prometheus their messages.
const VERSIONS: [(&str, &str); 2] = [
    ("1.0", "prometheus.WriteRequest"),
    ("2.0", "io.prometheus.write.v2.Request"),
];
/// The bits of a stale marker, and those that Prometheus gives each other NaN.
const STALE: u64 = 0x7ff0_0000_0000_0002;
const NAN: u64 = 0x7ff8_0000_0000_0001;

/// Series by their labels, their samples' bits by time.
type Stored = BTreeMap<String, BTreeMap<i64, u64>>;

/// Runs it with either version.
pub fn run(options: &Options) -> Result<()> {
    let program = peers::find(Peer::Prometheus)?.program;
    let binary = match &options.server {
        Some(path) => path.canonicalize()?,
        None => tools::build_server(false)?,
    };
    for (version, message) in VERSIONS {
        one(&program, &binary, message).with_context(|| format!("remote write {version}"))?;
        println!("  remote write {version}: as Prometheus has it");
    }
    Ok(())
}

fn one(program: &Path, binary: &Path, message: &str) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let start = Start {
        binary: binary.to_path_buf(),
        data_dir: dir.path().join("data"),
        args: Vec::new(),
    };
    let mut server = Server::start(&start)?;
    let pages = Pages::serve()?;
    let config = config(pages.port, &server.url, message);
    // Version 2.0 takes types and help from its log.
    let args = ["--enable-feature=metadata-wal-records"];
    let prometheus = Prometheus::start(program, dir.path(), &config, &args)?;
    wait_for("samples arrive", || {
        let newest = stored(&server)?.into_values().map(|samples| samples.len());
        ensure!(newest.max() >= Some(4), "no series has four samples yet");
        Ok(())
    })?;
    server.kill_now()?;
    thread::sleep(AWAY);
    server = server.start_again(&start)?;
    let vanishing = pages.vanish();
    wait_for("Prometheus notices that a page has vanished", || {
        let gone = prometheus.query("up{job=\"leaver\"} == 0")?;
        ensure!(
            !gone.is_empty() && vanishing.elapsed() > Duration::from_secs(1),
            "not yet"
        );
        Ok(())
    })?;
    let until_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as i64;
    wait_for("what Prometheus has is here", || {
        compare(
            &scraped(&prometheus, until_ms)?,
            &before(&server, until_ms)?,
        )
    })?;
    check_resent(&prometheus)?;
    wait_for("types and help are here", || check_metadata(&server))
}

fn config(port: u16, server: &str, message: &str) -> String {
    let job = |name: &str| {
        format!(
            "- job_name: {name}\n  metrics_path: /{name}\n  static_configs: [{{targets: \
             ['127.0.0.1:{port}']}}]\n"
        )
    };
    format!(
        "global: {{scrape_interval: 500ms, scrape_timeout: 500ms}}\nscrape_configs:\n{}{}\
         remote_write:\n- url: {server}/api/v1/write\n  protobuf_message: {message}\n  queue_config: \
         {{batch_send_deadline: 200ms, max_backoff: 1s}}\n  metadata_config: {{send_interval: 1s}}\n",
        job("steady"),
        job("leaver")
    )
}

/// Repeats a check until it passes; the last thing that it found wrong when it does not in time.
fn wait_for(what: &str, check: impl Fn() -> Result<()>) -> Result<()> {
    let begun = Instant::now();
    loop {
        match check() {
            Err(_) if begun.elapsed() < WITHIN => thread::sleep(Duration::from_millis(200)),
            done => return done.with_context(|| format!("waited {WITHIN:?} until {what}")),
        }
    }
}

/// All that the server has.
fn stored(server: &Server) -> Result<Stored> {
    let answer = server.ask("/v1/export?format=json")?;
    ensure!(
        answer.status == 200,
        "the export was answered {}",
        answer.status
    );
    let mut all = Stored::new();
    for line in std::str::from_utf8(&answer.body)?.lines() {
        let line = Line::parse(line).map_err(|(_, message)| anyhow::anyhow!(message))?;
        let labels = line.labels.iter().map(|(name, value)| (&**name, &**value));
        let name = [("__name__", &*line.name)];
        let labels: BTreeMap<&str, &str> = labels.chain(name).collect();
        let Content::Samples(samples) = &line.content else {
            continue;
        };
        let samples = samples
            .iter()
            .map(|sample| (sample.time_ms, sample.value.to_bits()));
        all.entry(format!("{labels:?}"))
            .or_default()
            .extend(samples);
    }
    Ok(all)
}

/// Likewise, up to a time.
fn before(server: &Server, until_ms: i64) -> Result<Stored> {
    let mut all = stored(server)?;
    for samples in all.values_mut() {
        samples.retain(|time_ms, _| *time_ms <= until_ms);
    }
    Ok(all)
}

/// All that Prometheus has up to a time; it shows no stale markers.
fn scraped(prometheus: &Prometheus, until_ms: i64) -> Result<Stored> {
    let until = format!("{:.3}", until_ms as f64 / 1_000.0);
    let pairs = [("query", "{__name__!=\"\"}[10m]"), ("time", until.as_str())];
    let answer = prometheus.get("/api/v1/query", &pairs)?;
    let mut all = Stored::new();
    for series in answer["result"].as_array().context("no result")? {
        let metric = series["metric"].as_object().context("no labels")?;
        let labels: BTreeMap<&str, &str> = metric
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
            .collect();
        let samples = series["values"].as_array().context("no values")?;
        let samples = samples.iter().map(|sample| {
            let time_ms = (sample[0].as_f64().context("no time")? * 1_000.0).round() as i64;
            let value: f64 = sample[1].as_str().context("no value")?.parse()?;
            Ok((time_ms, sent(value)))
        });
        all.insert(format!("{labels:?}"), samples.collect::<Result<_>>()?);
    }
    Ok(all)
}

/// The bits that Prometheus sends of a value. In either version it leaves out what equals 0, and so
/// its −0 travels as 0: seen in the bytes of 3.5.3.
fn sent(value: f64) -> u64 {
    if value.is_nan() {
        NAN
    } else if value == 0.0 {
        0
    } else {
        value.to_bits()
    }
}

/// Sample by sample, and then what Prometheus does not show: where series have ended.
fn compare(theirs: &Stored, ours: &Stored) -> Result<()> {
    let names = |all: &Stored| all.keys().cloned().collect::<BTreeSet<_>>();
    let (expected, found) = (names(theirs), names(ours));
    let differing: Vec<_> = expected.symmetric_difference(&found).collect();
    ensure!(
        differing.is_empty(),
        "series that only one has: {differing:?}"
    );
    let mut of_the_leaver = 0;
    for (series, samples) in ours {
        let (ends, samples): (BTreeMap<i64, u64>, BTreeMap<i64, u64>) =
            samples.iter().partition(|(_, bits)| **bits == STALE);
        let scraped = &theirs[series];
        if let Some((time_ms, bits)) = scraped
            .iter()
            .find(|(at, bits)| samples.get(at) != Some(bits))
        {
            let here = samples.get(time_ms).map(|bits| f64::from_bits(*bits));
            let there = f64::from_bits(*bits);
            anyhow::bail!("{series} at {time_ms} is {there} at Prometheus and {here:?} here");
        }
        let more = samples.len() - scraped.len();
        ensure!(
            more == 0,
            "{series} has {more} samples that Prometheus does not have"
        );
        // What Prometheus says of the scrapes themselves goes on.
        let has_left = series.contains("\"leaver\"") && !is_of_scrapes(series);
        of_the_leaver += usize::from(has_left);
        let last = samples.last_key_value().map(|(at, _)| *at);
        let is_ended = ends.len() == 1 && ends.keys().next() > last.as_ref();
        ensure!(
            is_ended == has_left && ends.is_empty() != has_left,
            "{series} ends at {:?}, and its last sample is of {last:?}",
            ends.keys()
        );
    }
    ensure!(
        of_the_leaver == page::SERIES,
        "{of_the_leaver} series have left"
    );
    check_values(ours)
}

fn is_of_scrapes(series: &str) -> bool {
    series.contains("\"__name__\": \"up\"") || series.contains("\"__name__\": \"scrape_")
}

/// The values that a page always has, so that Prometheus' word is not all there is for them.
fn check_values(ours: &Stored) -> Result<()> {
    for (of, value) in page::EXTREMES {
        let bits = sent(value);
        let series: Vec<_> = ours
            .iter()
            .filter(|(series, _)| series.contains(&format!("\"of\": \"{of}\"")))
            .collect();
        ensure!(series.len() == 2, "{} series of {of}", series.len());
        for (series, samples) in series {
            let wrong = samples
                .values()
                .find(|found| **found != bits && **found != STALE);
            ensure!(
                wrong.is_none(),
                "{series} should be {bits:x}, is {wrong:x?}"
            );
        }
    }
    Ok(())
}

/// The server was away, and Prometheus noticed: otherwise nothing is said about coming back.
fn check_resent(prometheus: &Prometheus) -> Result<()> {
    let page = prometheus.page("/metrics")?;
    let name = "prometheus_remote_storage_samples_retried_total";
    let resent = page
        .lines()
        .filter(|line| line.starts_with(name))
        .filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok())
        .sum::<f64>();
    ensure!(
        resent > 0.0,
        "Prometheus did not have to send anything again"
    );
    Ok(())
}

fn check_metadata(server: &Server) -> Result<()> {
    let list = server.get("/v1/metrics/list")?;
    let details = list["details"].as_array().context("no details")?;
    for (name, kind, help) in page::DESCRIBED {
        let said = details
            .iter()
            .find(|detail| detail["name"] == name)
            .with_context(|| format!("no {name}"))?;
        ensure!(
            said["type"] == kind && said["help"] == help,
            "{name} should be a {kind}, {help:?}: {said}"
        );
    }
    Ok(())
}
