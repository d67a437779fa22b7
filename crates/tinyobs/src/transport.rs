//! Transport: one blocking HTTP request.
//!
//!   delivery ─▶ [Transport] ─▶ POST /v1/ingest ─▶ server
//!
//! I-TRANSPORT-1  A request ends within its timeout, and at once when it is interrupted from
//!                another thread: that is how a stop gets past a server that never answers.
//! I-TRANSPORT-2  429, 502, 503, 504 and everything that broke on the way may succeed later; any
//!                other refusal would only repeat itself.
//! I-TRANSPORT-3  A 429 because the server has as many series as it may is a refusal, not an
//!                overload: it is as if those series had been sent with others that it took.
//! Proved by: tests/it/delivery.rs, tests/it/lifetime.rs, the tests below.

use std::io::Read as _;
use std::time::Duration;

use ureq::Agent;
use ureq::http::{HeaderMap, HeaderValue, StatusCode, Uri};

use crate::answer::Answer;
use crate::limits::ANSWER_BYTES;

/// Sends bodies to one address.
#[derive(Debug)]
pub(crate) struct Transport {
    agent: Agent,
    uri: Uri,
    authorization: Option<HeaderValue>,
}

/// What became of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The server took it, single items perhaps excepted.
    Taken(Answer),
    /// The server looked at it and will not take it.
    Refused {
        error: String,
        /// Items that the answer lists as refused, and why the first.
        answer: Answer,
    },
    /// It may work later.
    Later {
        error: String,
        retry_after: Option<Duration>,
        /// Whether another request could fare better at once. A server that answers 429 refuses
        /// this request; one that does not answer refuses all.
        others_may_pass: bool,
    },
}

impl Transport {
    pub(crate) fn new(uri: Uri, authorization: Option<HeaderValue>) -> Self {
        Self {
            agent: new_agent(),
            uri,
            authorization,
        }
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// A handle to interrupt the request under way: `shutdown` makes it fail at once.
    pub(crate) fn interrupter(&self) -> Agent {
        self.agent.clone()
    }

    /// Makes it work again after an interruption.
    pub(crate) fn renew(&mut self) {
        self.agent = new_agent();
    }

    pub(crate) fn post(&self, body: &[u8], timeout: Duration) -> Outcome {
        match self.exchange(body, timeout) {
            Ok((status, headers, bytes)) => judge(status, &headers, &bytes),
            Err(error) => Outcome::Later {
                error: error.to_string(),
                retry_after: None,
                others_may_pass: false,
            },
        }
    }

    fn exchange(
        &self,
        body: &[u8],
        timeout: Duration,
    ) -> Result<(StatusCode, HeaderMap, Vec<u8>), ureq::Error> {
        // Each phase on its own and none for the whole: with a timeout for the whole, or for the
        // resolver, ureq starts a thread for each look-up of the host name.
        let mut request = self
            .agent
            .post(&self.uri)
            .config()
            .timeout_connect(Some(timeout))
            .timeout_send_request(Some(timeout))
            .timeout_send_body(Some(timeout))
            .timeout_recv_response(Some(timeout))
            .timeout_recv_body(Some(timeout))
            .build()
            .content_type("application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        let (parts, answer) = request.send(body)?.into_parts();
        let mut bytes = Vec::new();
        answer
            .into_reader()
            .take(ANSWER_BYTES)
            .read_to_end(&mut bytes)?;
        Ok((parts.status, parts.headers, bytes))
    }
}

fn new_agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        // A redirect would turn the POST into a GET somewhere else.
        .max_redirects(0)
        // The environment's proxy is meant for the way out of the house; metrics stay inside.
        .proxy(None)
        .user_agent(concat!("tinyobs-sdk/", env!("CARGO_PKG_VERSION")))
        .build()
        .into()
}

fn judge(status: StatusCode, headers: &HeaderMap, bytes: &[u8]) -> Outcome {
    let answer = Answer::parse(bytes);
    if status.is_success() {
        return match answer {
            Some(answer) if answer.stored.is_some() => Outcome::Taken(answer),
            _ => Outcome::Refused {
                error: format!("answer {status} is not that of a TinyObs server"),
                answer: Answer::default(),
            },
        };
    }
    let answer = answer.unwrap_or_default();
    let error = match &answer.reason {
        Some(reason) => format!("answer {status}: {reason}"),
        None => format!("answer {status}"),
    };
    match status.as_u16() {
        429 if answer.all_series_limit => Outcome::Refused { error, answer },
        429 | 502 | 503 | 504 => Outcome::Later {
            error,
            retry_after: retry_after(headers),
            others_may_pass: status == StatusCode::TOO_MANY_REQUESTS,
        },
        _ => Outcome::Refused { error, answer },
    }
}

/// Seconds only: a date would depend on two clocks.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get("retry-after")?.to_str().ok()?.trim();
    seconds.parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Outcome {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_static(value));
        }
        judge(StatusCode::from_u16(status).unwrap(), &map, body.as_bytes())
    }

    #[test]
    fn i_transport_2_what_may_work_later() {
        for status in [429, 502, 503, 504] {
            let outcome = judged(status, &[("retry-after", "7")], "busy");
            let Outcome::Later {
                retry_after,
                others_may_pass,
                ..
            } = outcome
            else {
                panic!("{status} gave {outcome:?}");
            };
            assert_eq!(retry_after, Some(Duration::from_secs(7)));
            assert_eq!(others_may_pass, status == 429);
        }
    }

    #[test]
    fn i_transport_3_the_series_limit_is_a_refusal() {
        let limit = r#"{"index":0,"rule":"series_limit","message":"full"}"#;
        let body = |errors: &str| format!(r#"{{"message":"m","errors":[{errors}]}}"#);
        let refused = judged(429, &[("retry-after", "60")], &body(limit));
        let Outcome::Refused { error, answer } = refused else {
            panic!("gave {refused:?}");
        };
        assert_eq!(error, "answer 429 Too Many Requests: series_limit: full");
        assert_eq!(answer.refused, 1);
        // Any other reason, and any other status, may pass.
        let rate = r#"{"rule":"rate","message":"slow down"}"#;
        for (status, errors) in [(429, rate), (429, ""), (503, limit)] {
            let outcome = judged(status, &[], &body(errors));
            assert!(matches!(outcome, Outcome::Later { .. }), "{outcome:?}");
        }
    }

    #[test]
    fn i_transport_2_what_would_only_repeat_itself() {
        for status in [301, 400, 401, 403, 404, 405, 413, 415, 500, 501, 507] {
            let outcome = judged(status, &[], r#"{"error":"x","message":"why"}"#);
            let Outcome::Refused { error, .. } = outcome else {
                panic!("{status} gave {outcome:?}");
            };
            assert!(error.ends_with(": why"), "{error}");
        }
    }

    #[test]
    fn a_stranger_s_200_is_no_success() {
        for body in ["", "<html>it works</html>", "{}", r#"{"count":"many"}"#] {
            let outcome = judged(200, &[], body);
            assert!(matches!(outcome, Outcome::Refused { .. }), "{outcome:?}");
        }
    }

    #[test]
    fn retry_after_in_words_is_ignored() {
        let headers = [("retry-after", "Sun, 22 Nov 2026 10:00:00 GMT")];
        let Outcome::Later { retry_after, .. } = judged(503, &headers, "") else {
            panic!("503 may work later");
        };
        assert_eq!(retry_after, None);
    }
}
