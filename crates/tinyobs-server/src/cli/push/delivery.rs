//! Delivery: items to the server, again and again while it cannot be reached or has no room.
//!
//!   [`Batch`](super::Batch) ─▶ [deliver] ─▶ `POST /v1/ingest` ─▶ what was [Refused]
//!
//! I-PUSH-5  What the server did not answer for is sent again: for as long as was said new attempts
//!           begin, and the last one may take its own time. Times stand in the items, so that sending
//!           them twice stores them once.
//! Proved by: tests/it/push.rs `i_push_5_…`.

use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::cli::http::{Remote, RemoteError};

const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// What the server would not have.
pub struct Refused {
    /// Numbers of lines, and why.
    pub said: Vec<(usize, String)>,
    /// Lines of which it does not say more.
    pub unsaid: usize,
}

/// Sends items, and returns what the server says about the refused ones.
pub fn deliver(
    server: &Remote,
    items: Vec<(usize, Value)>,
    patience: Duration,
) -> Result<Refused, Box<dyn Error>> {
    let (numbers, items): (Vec<usize>, Vec<Value>) = items.into_iter().unzip();
    let body = json!({ "metrics": items });
    let until = Instant::now() + patience;
    let mut wait = FIRST_WAIT;
    loop {
        let error = match attempt(server, &body, &numbers) {
            Ok(refused) => return Ok(refused),
            Err(error) => error,
        };
        if !is_passing(&error) || Instant::now() + wait > until {
            return Err(error.into());
        }
        if wait == FIRST_WAIT {
            eprintln!("{error}; trying again for {} seconds", patience.as_secs());
        }
        thread::sleep(wait);
        wait = (2 * wait).min(LONGEST_WAIT);
    }
}

fn attempt(server: &Remote, body: &Value, numbers: &[usize]) -> Result<Refused, RemoteError> {
    let (status, json) = server.post_json("/v1/ingest", body)?;
    let errors = json["errors"].as_array();
    // What is refused for good is in the list, whether something else was stored or not.
    let Some(errors) = errors.filter(|_| matches!(status, 200 | 400 | 429)) else {
        return Err(server.refused(status, &json));
    };
    let said = errors.iter().map(|error| {
        let place = error["index"].as_u64().unwrap_or(0) as usize;
        let message = error["message"].as_str().unwrap_or("refused");
        let number = numbers.get(place).copied().unwrap_or(0);
        (number, message.to_owned())
    });
    let said: Vec<_> = said.collect();
    // Where nothing was stored, the answer does not count.
    let all = if status == 200 { 0 } else { numbers.len() };
    let refused = json["refused"].as_u64().map_or(all, |count| count as usize);
    Ok(Refused {
        unsaid: refused.saturating_sub(said.len()),
        said,
    })
}

/// Whether it may be otherwise soon.
fn is_passing(error: &RemoteError) -> bool {
    match error {
        RemoteError::Silent { .. } => true,
        RemoteError::Refused { status, .. } => matches!(status, 408 | 429 | 502..=504 | 507),
        RemoteError::Address(_) => false,
    }
}
