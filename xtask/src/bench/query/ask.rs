//! Ask: one query to one server, again and again, with what it takes the server.

use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tinyobs_testing::Agent;
use tinyobs_testing::process::cpu_seconds;

/// The account of a process is in ticks of 10 ms: so many CPU seconds say what one answer takes.
const CPU_SECONDS: f64 = 0.3;
/// No query is asked longer than this.
const WITHIN_SECONDS: f64 = 10.0;

/// A query at its moments.
pub struct Question {
    path: &'static str,
    pairs: Vec<(&'static str, String)>,
}

/// What one target answered, and what it took.
pub struct Asked {
    /// CPU seconds of one answer.
    pub cpu: f64,
    /// Seconds until one answer, the median.
    pub wall: f64,
    /// The answer.
    pub answer: Value,
}

impl Question {
    /// Of a line of the set.
    pub fn new(kind: &str, text: &str, end_ms: i64) -> Result<Self> {
        let end = end_ms / 1_000;
        let words: Vec<&str> = kind.split(' ').collect();
        let query = ("query", text.to_owned());
        match words.as_slice() {
            ["instant"] => Ok(Self {
                path: "/api/v1/query",
                pairs: vec![query, ("time", end.to_string())],
            }),
            ["range", span, step] => Ok(Self {
                path: "/api/v1/query_range",
                pairs: vec![
                    query,
                    ("start", (end - span.parse::<i64>()?).to_string()),
                    ("end", end.to_string()),
                    ("step", (*step).to_owned()),
                ],
            }),
            _ => bail!("{kind:?} is no kind of query"),
        }
    }

    fn ask(&self, agent: &Agent, url: &str) -> Result<Vec<u8>> {
        let mut request = agent.get(format!("{url}{}", self.path));
        for (name, value) in &self.pairs {
            request = request.query(name, value);
        }
        let mut answer = request.call()?;
        let body = answer
            .body_mut()
            .with_config()
            .limit(1 << 30)
            .read_to_vec()?;
        let text = || String::from_utf8_lossy(&body[..body.len().min(300)]).into_owned();
        ensure!(answer.status() == 200, "{} {}", answer.status(), text());
        Ok(body)
    }
}

/// Asks once to warm up, then at least `times` and until the clock of the process says something.
pub fn measure(
    agent: &Agent,
    url: &str,
    pid: u32,
    question: &Question,
    times: u32,
) -> Result<Asked> {
    let body = question
        .ask(agent, url)
        .with_context(|| format!("{:?}", question.pairs))?;
    let answer: Value = serde_json::from_slice(&body)?;
    let (before, begun) = (cpu_seconds(pid)?, Instant::now());
    let mut walls = Vec::new();
    loop {
        let asking = Instant::now();
        question.ask(agent, url)?;
        walls.push(asking.elapsed().as_secs_f64());
        let used = cpu_seconds(pid)? - before;
        let enough = used >= CPU_SECONDS || begun.elapsed().as_secs_f64() > WITHIN_SECONDS;
        if enough && walls.len() >= times as usize {
            let cpu = used / walls.len() as f64;
            walls.sort_by(f64::total_cmp);
            let wall = walls[walls.len() / 2];
            return Ok(Asked {
                cpu,
                wall,
                answer: answer["data"]["result"].clone(),
            });
        }
    }
}
