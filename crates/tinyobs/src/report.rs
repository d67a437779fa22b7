//! Report: what became of a push.

use std::fmt;

/// What [`flush`](crate::Client::flush) and [`stop`](crate::Client::stop) could deliver.
///
/// Values are cumulative, so what is undelivered is not lost as long as a later push succeeds: that
/// one carries everything since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Series whose latest value is at the server.
    pub series_delivered: u64,
    /// Series whose latest value is not, because the server could not be reached in time.
    pub series_undelivered: u64,
    /// Series that the server looked at and refused; `last_error` says why.
    pub series_refused: u64,
    /// Series left out because their value is NaN or infinite.
    pub series_skipped: u64,
    /// Samples stored, as the server counts them: a histogram is one for each bucket, and two more.
    pub samples_delivered: u64,
    /// HTTP requests of this push.
    pub requests: u64,
    /// How many of them repeated an earlier one.
    pub retries: u64,
    /// What went wrong last, if anything did.
    pub last_error: Option<String>,
}

impl Report {
    /// Whether the server has everything there was to send.
    pub fn is_complete(&self) -> bool {
        self.series_undelivered == 0 && self.series_refused == 0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (series, samples) = (self.series_delivered, self.samples_delivered);
        let plural = if self.requests == 1 { "" } else { "s" };
        write!(
            f,
            "{series} series ({samples} samples) delivered in {} request{plural}",
            self.requests
        )?;
        let rest = [
            (self.retries, "retries"),
            (self.series_undelivered, "series undelivered"),
            (self.series_refused, "series refused"),
            (self.series_skipped, "series skipped"),
        ];
        for (count, what) in rest.into_iter().filter(|(count, _)| *count > 0) {
            write!(f, ", {count} {what}")?;
        }
        match &self.last_error {
            Some(error) => write!(f, "; last error: {error}"),
            None => Ok(()),
        }
    }
}
