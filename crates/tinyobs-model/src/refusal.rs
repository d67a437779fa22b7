//! Refusal: why one item of a batch was not stored, in words a sender can act on.
//!
//! I-REFUSE-1  A refused item never takes its neighbours with it: good items of a batch are kept.
//! Proved by: batch/tests.rs, and with a server around it tinyobs-server tests/it/ingest.rs.

use std::fmt;

/// The rule that an item broke. Its name is part of the API: senders and tests match on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// The item does not have the shape that the format asks for.
    Malformed,
    /// The metric name is missing or empty.
    NameEmpty,
    /// The metric name is longer than `limits::METRIC_NAME_BYTES`.
    NameTooLong,
    /// A label name is empty.
    LabelNameEmpty,
    /// A label name is longer than `limits::LABEL_NAME_BYTES`.
    LabelNameTooLong,
    /// A label name begins with `__tinyobs_`, which is ours.
    LabelNameReserved,
    /// A label value is longer than `limits::LABEL_VALUE_BYTES`.
    LabelValueTooLong,
    /// The same label name twice.
    LabelDuplicate,
    /// More than `limits::LABELS_PER_SERIES` labels.
    TooManyLabels,
    /// The kind is not one of `Kind::ALL`.
    TypeUnknown,
    /// The value is missing or not a JSON number.
    ValueNotANumber,
    /// The time cannot be read.
    TimeInvalid,
    /// The time lies more than `limits::FUTURE_MS` ahead of the server's clock.
    TimeInFuture,
    /// The time lies before everything that is still kept.
    TimeExpired,
    /// The interval of a delta ends before what has been counted of its series.
    DeltaLate,
    /// A histogram's buckets do not ascend, shrink, or are too many.
    HistogramInvalid,
    /// A new series, and the store already holds as many as it may.
    SeriesLimit,
    /// A new series of a metric that already has as many as a metric may.
    MetricSeriesLimit,
    /// The items before it unfold to as much as one request may take.
    BatchTooLarge,
}

impl Refusal {
    /// Whether it is about how many series there may be: the sender may come again later.
    pub const fn is_series_limit(self) -> bool {
        matches!(self, Self::SeriesLimit | Self::MetricSeriesLimit)
    }

    /// The rule's stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::NameEmpty => "name_empty",
            Self::NameTooLong => "name_too_long",
            Self::LabelNameEmpty => "label_name_empty",
            Self::LabelNameTooLong => "label_name_too_long",
            Self::LabelNameReserved => "label_name_reserved",
            Self::LabelValueTooLong => "label_value_too_long",
            Self::LabelDuplicate => "label_duplicate",
            Self::TooManyLabels => "too_many_labels",
            Self::TypeUnknown => "type_unknown",
            Self::ValueNotANumber => "value_not_a_number",
            Self::TimeInvalid => "time_invalid",
            Self::TimeInFuture => "time_in_future",
            Self::TimeExpired => "time_expired",
            Self::DeltaLate => "delta_late",
            Self::HistogramInvalid => "histogram_invalid",
            Self::SeriesLimit => "series_limit",
            Self::MetricSeriesLimit => "metric_series_limit",
            Self::BatchTooLarge => "batch_too_large",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Items from here on are none of the request's, but what we make besides them, such as `up`.
pub const OWN_ITEMS: u32 = 1 << 31;

impl Refused {
    /// Whether it is about something that the sender sent.
    pub const fn is_of_request(&self) -> bool {
        self.item < OWN_ITEMS
    }
}

/// One refused item of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Which item of the request, counted from 0.
    pub item: u32,
    /// The rule it broke.
    pub rule: Refusal,
    /// The same for people, with the offending name or number in it.
    pub message: String,
}
