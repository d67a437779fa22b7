//! What can be wrong with a client's configuration. Nothing else in this crate returns an error.

use std::fmt;

/// Why [`start`](crate::ClientBuilder::start) did not start.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The service name or the instance is empty or too long.
    #[error("{what} must have between 1 and {most} bytes, not {len}")]
    Name {
        /// Which of the two.
        what: &'static str,
        /// Its length in bytes.
        len: usize,
        /// The longest there may be.
        most: usize,
    },
    /// The endpoint is not an address to push to.
    #[error("endpoint {endpoint:?} cannot be used: {reason}")]
    Endpoint {
        /// As configured.
        endpoint: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An extra label breaks a rule.
    #[error("label cannot be used: {0}")]
    Label(String),
    /// The interval between two pushes is out of range.
    #[error("flush interval must be between 10 ms and 1 h, not {0:?}")]
    FlushInterval(std::time::Duration),
    /// The API key holds characters that no HTTP header can carry.
    #[error("api key holds characters that an HTTP header cannot carry")]
    ApiKey,
    /// The operating system has no thread left to give.
    #[error("cannot start the flush thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// The same sentence as [`Display`](fmt::Display): a `main` that returns this error prints it so.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
