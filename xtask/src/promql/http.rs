//! Http: a fresh server, written to by remote write 1.0 and asked as Prometheus is.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use snap::raw::Encoder;
use tinyobs_model::{Labels, Sample};
use tinyobs_promql::{AnswerValue, SeriesPoints};
use tinyobs_testing::{Agent, Around, Server, Start, Started, agent};

use super::run::{Answered, Backend, Question};

/// Samples of one request.
const SAMPLES_PER_REQUEST: usize = 5_000;

/// A server, started when it is first needed.
pub struct OverHttp {
    binary: PathBuf,
    dir: PathBuf,
    started: u32,
    server: Option<Server>,
    agent: Agent,
    /// What is not sent yet.
    samples: BTreeMap<Labels, Vec<Sample>>,
}

impl OverHttp {
    /// Servers of `binary`, each with a directory of its own in `dir`.
    pub fn new(binary: PathBuf, dir: PathBuf) -> Self {
        Self {
            binary,
            dir,
            started: 0,
            server: None,
            agent: agent(),
            samples: BTreeMap::new(),
        }
    }

    fn url(&mut self) -> Result<String> {
        if self.server.is_none() {
            self.started += 1;
            let keep_all = ["--retention-raw", "0", "--max-series", "1000000"];
            let start = Start {
                binary: self.binary.clone(),
                data_dir: self.dir.join(self.started.to_string()),
                args: keep_all.map(str::to_owned).to_vec(),
            };
            let around = Around {
                log: Some(self.dir.join("log")),
                ..Around::default()
            };
            match Server::start_in(&start, &around)? {
                Started::Ready(server) => self.server = Some(server),
                Started::Ended(status) => bail!("the server ended while starting: {status}"),
            }
        }
        Ok(self.server.as_ref().context("a server")?.url.clone())
    }

    /// Sends what was inserted.
    fn flush(&mut self) -> Result<()> {
        let url = self.url()?;
        let mut message = Vec::new();
        let mut count = 0;
        for (labels, samples) in std::mem::take(&mut self.samples) {
            count += samples.len();
            field(&mut message, 1, &series(&labels, &samples));
            if count >= SAMPLES_PER_REQUEST {
                self.write(&url, &message)?;
                message.clear();
                count = 0;
            }
        }
        if message.is_empty() {
            Ok(())
        } else {
            self.write(&url, &message)
        }
    }

    fn write(&self, url: &str, message: &[u8]) -> Result<()> {
        let body = Encoder::new().compress_vec(message)?;
        let request = self
            .agent
            .post(format!("{url}/api/v1/write"))
            .header("Content-Type", "application/x-protobuf")
            .header("Content-Encoding", "snappy")
            .header("X-Prometheus-Remote-Write-Version", "0.1.0");
        let mut answer = request.send(&body[..])?;
        let text = answer.body_mut().read_to_string()?;
        ensure!(
            answer.status().is_success(),
            "remote write: {} {text}",
            answer.status()
        );
        Ok(())
    }

    /// The body of an answer, whatever its status.
    fn get(&mut self, question: &Question<'_>) -> Result<Value> {
        self.flush()?;
        let url = self.url()?;
        let seconds = |ms: i64| (ms as f64 / 1_000.0).to_string();
        let mut request;
        if question.step_ms == 0 {
            request = self.agent.get(format!("{url}/api/v1/query"));
            request = request.query("time", seconds(question.start_ms));
        } else {
            request = self.agent.get(format!("{url}/api/v1/query_range"));
            request = request
                .query("start", seconds(question.start_ms))
                .query("end", seconds(question.end_ms))
                .query("step", seconds(question.step_ms));
        }
        let mut answer = request.query("query", question.text).call()?;
        let body = answer
            .body_mut()
            .with_config()
            .limit(1 << 30)
            .read_to_vec()?;
        let text = String::from_utf8_lossy(&body).into_owned();
        let json: Value = serde_json::from_slice(&body).with_context(|| text.clone())?;
        let fits = (json["status"] == "success") == answer.status().is_success();
        ensure!(
            fits && !answer.status().is_server_error(),
            "{} {text}",
            answer.status()
        );
        Ok(json)
    }
}

impl Backend for OverHttp {
    fn clear(&mut self) {
        self.server = None;
        self.samples.clear();
    }

    fn insert(&mut self, labels: &Labels, time_ms: i64, value: f64) {
        let samples = self.samples.entry(labels.clone()).or_default();
        samples.push(Sample { time_ms, value });
    }

    /// There is no choice: names go at the end.
    fn late_names(&mut self, _: bool) {}

    fn ask(&mut self, question: &Question<'_>) -> Result<Answered, String> {
        // A server that does not answer at all is no failure of a query, which may be expected.
        let json = self
            .get(question)
            .unwrap_or_else(|error| panic!("{error:#}: {}", question.text));
        if json["status"] != "success" {
            return Err(json["error"].as_str().unwrap_or("no error").to_owned());
        }
        let texts = |name: &str| -> Vec<String> {
            let list = json[name].as_array().into_iter().flatten();
            list.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let value = value(&json["data"]).ok_or_else(|| format!("another shape: {json}"))?;
        Ok(Answered {
            value,
            warnings: texts("warnings"),
            infos: texts("infos"),
        })
    }
}

fn value(data: &Value) -> Option<AnswerValue> {
    let result = &data["result"];
    Some(match data["resultType"].as_str()? {
        "scalar" => AnswerValue::Scalar(sample(result)?),
        "string" => AnswerValue::String(result.get(1)?.as_str()?.to_owned()),
        "vector" => AnswerValue::Vector(list(result, |one| Some(vec![sample(&one["value"])?]))?),
        _ => AnswerValue::Matrix(list(result, |one| {
            one["values"].as_array()?.iter().map(sample).collect()
        })?),
    })
}

fn list(
    result: &Value,
    points: impl Fn(&Value) -> Option<Vec<Sample>>,
) -> Option<Vec<SeriesPoints>> {
    let series = |one: &Value| {
        let metric = one["metric"].as_object()?;
        let pairs = metric
            .iter()
            .map(|(name, value)| Some((name.as_str(), value.as_str()?)));
        let labels = Labels::of_pairs(pairs.collect::<Option<Vec<_>>>()?);
        Some(SeriesPoints {
            labels,
            points: points(one)?,
        })
    };
    result.as_array()?.iter().map(series).collect()
}

/// `[1.5, "0.25"]`
fn sample(pair: &Value) -> Option<Sample> {
    let time_ms = (pair.get(0)?.as_f64()? * 1_000.0).round() as i64;
    let value = pair.get(1)?.as_str()?.parse().ok()?;
    Some(Sample { time_ms, value })
}

/// A `TimeSeries`: canonical labels are its first field as they are.
fn series(labels: &Labels, samples: &[Sample]) -> Vec<u8> {
    let mut out = labels.as_bytes().to_vec();
    for sample in samples {
        let mut inner = vec![0x09];
        inner.extend(sample.value.to_le_bytes());
        inner.push(0x10);
        varint(&mut inner, sample.time_ms as u64);
        field(&mut out, 2, &inner);
    }
    out
}

fn field(out: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    out.push(number << 3 | 2);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
