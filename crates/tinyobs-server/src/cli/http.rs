//! Http: how the subcommands talk to a running server.

use std::io::{self, Read};
use std::time::Duration;

use serde_json::Value;

/// A running server.
pub struct Remote {
    url: String,
    agent: ureq::Agent,
}

/// What went wrong, for people.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// The address is none that we can ask.
    #[error("{0:?} is not the address of a server, such as http://127.0.0.1:8080")]
    Address(String),
    /// Nobody answers.
    #[error("no server answers at {url}: {reason}")]
    Silent {
        /// Where.
        url: String,
        /// What happened.
        reason: String,
    },
    /// It answers, but not with what was asked for.
    #[error("the server at {url} answered {status}: {message}")]
    Refused {
        /// Where.
        url: String,
        /// The status.
        status: u16,
        /// What it said.
        message: String,
    },
}

impl Remote {
    /// The server at `url`.
    pub fn new(url: &str) -> Result<Self, RemoteError> {
        let url = url.trim_end_matches('/');
        let rest = url.strip_prefix("http://").unwrap_or_default();
        if rest.is_empty() || rest.contains(['/', ' ', '?', '#', '@']) {
            return Err(RemoteError::Address(url.to_owned()));
        }
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            // Whatever the environment says about proxies: the server is the one that was named.
            .proxy(None)
            .timeout_connect(Some(Duration::from_secs(5)))
            .timeout_recv_response(Some(Duration::from_mins(2)))
            .build();
        Ok(Self {
            url: url.to_owned(),
            agent: config.into(),
        })
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The JSON of a 200.
    pub fn get(&self, path: &str) -> Result<Value, RemoteError> {
        let (status, json) = self.read(self.agent.get(self.at(path)).call())?;
        match status {
            200 => Ok(json),
            _ => Err(self.refused(status, &json)),
        }
    }

    /// Status and JSON of an answer to a GET.
    pub fn ask(&self, path: &str) -> Result<(u16, Value), RemoteError> {
        self.read(self.agent.get(self.at(path)).call())
    }

    /// Status and JSON of an answer to a POST without a body.
    pub fn post(&self, path: &str) -> Result<(u16, Value), RemoteError> {
        self.read(self.agent.post(self.at(path)).send_empty())
    }

    /// Status and JSON of an answer to a POST of JSON.
    pub fn post_json(&self, path: &str, body: &Value) -> Result<(u16, Value), RemoteError> {
        let post = self.agent.post(self.at(path));
        let post = post.header("content-type", "application/json");
        self.read(post.send(body.to_string()))
    }

    /// Status and JSON of an answer to a POST of whatever `body` yields.
    pub fn upload(
        &self,
        path: &str,
        encoding: &str,
        body: &mut dyn Read,
    ) -> Result<(u16, Value), RemoteError> {
        let post = self.agent.post(self.at(path));
        let post = post.header("content-encoding", encoding);
        self.read(post.send(ureq::SendBody::from_reader(body)))
    }

    /// Length and bytes of a 200.
    pub fn download(&self, path: &str) -> Result<(u64, impl Read), RemoteError> {
        let mut answer = self
            .agent
            .get(self.at(path))
            .call()
            .map_err(|error| self.silent(&error))?;
        let status = answer.status().as_u16();
        if status != 200 {
            let (_, json) = self.read(Ok(answer))?;
            return Err(self.refused(status, &json));
        }
        let len = answer.body_mut().content_length().unwrap_or(0);
        let body = answer.into_body().into_with_config().limit(u64::MAX);
        Ok((len, body.reader()))
    }

    /// An error for an answer of this status.
    pub fn refused(&self, status: u16, json: &Value) -> RemoteError {
        let message = json["message"].as_str().unwrap_or("nothing more");
        RemoteError::Refused {
            url: self.url.clone(),
            status,
            message: message.to_owned(),
        }
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    fn read(
        &self,
        answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<(u16, Value), RemoteError> {
        let mut answer = answer.map_err(|error| self.silent(&error))?;
        let text = answer.body_mut().read_to_vec();
        let text = text.map_err(|error| self.silent(&error))?;
        // Another program may listen there, and say what it likes.
        let json = serde_json::from_slice(&text).unwrap_or(Value::Null);
        Ok((answer.status().as_u16(), json))
    }

    fn silent(&self, error: &ureq::Error) -> RemoteError {
        let reason = match error {
            ureq::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                "nothing listens there".to_owned()
            }
            other => other.to_string(),
        };
        RemoteError::Silent {
            url: self.url.clone(),
            reason,
        }
    }
}

/// `path` with parameters, as [`crate::params`] reads them.
pub fn with_query(path: &str, pairs: &[(&str, &str)]) -> String {
    use std::fmt::Write;
    let mut text = path.to_owned();
    let mut border = '?';
    for (name, value) in pairs {
        text.push(border);
        border = '&';
        for (place, part) in [name, value].into_iter().enumerate() {
            if place == 1 {
                text.push('=');
            }
            for byte in part.bytes() {
                if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
                    text.push(char::from(byte));
                } else {
                    // Writing to a String cannot fail.
                    let _ = write!(text, "%{byte:02X}");
                }
            }
        }
    }
    text
}
