//! Maintenance: rollups, merges and retention on demand, where the server has them.
//!
//! A server without `POST /v1/admin/maintenance` is told from one whose maintenance fails once,
//! at the beginning; from then on every answer but a success is an error.

use anyhow::{Result, ensure};
use tinyobs_testing::{Server, agent, post};

const PATH: &str = "/v1/admin/maintenance";

/// Whether this server has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maintenance {
    /// It must work whenever it is asked for.
    Here,
    /// The path is not known: asking is left out, and the result says so.
    NotYet,
}

impl Maintenance {
    /// Asks for it once.
    pub fn of(server: &Server) -> Result<Self> {
        let answer = server.post(PATH, "")?;
        if answer.status == 404 {
            return Ok(Self::NotYet);
        }
        ensure_success(answer.status, &answer.text())?;
        Ok(Self::Here)
    }

    /// Asks for it. False when no answer came, because the server ended or is about to.
    pub fn run(self, url: &str) -> Result<bool> {
        if self == Self::NotYet {
            return Ok(false);
        }
        let Ok(answer) = post(&agent(), &format!("{url}{PATH}"), "") else {
            return Ok(false);
        };
        if answer.status == 503 {
            return Ok(false);
        }
        ensure_success(answer.status, &answer.text())?;
        Ok(true)
    }

    /// For the line of results.
    pub fn note(self, runs: u64) -> String {
        match self {
            Self::Here => format!("{runs} maintenance runs"),
            Self::NotYet => "no maintenance in this server".to_owned(),
        }
    }
}

fn ensure_success(status: u16, text: &str) -> Result<()> {
    ensure!(
        (200..300).contains(&status),
        "POST {PATH} answered {status}: {text}"
    );
    Ok(())
}
