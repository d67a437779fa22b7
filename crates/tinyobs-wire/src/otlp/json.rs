//! JSON: a request in OTLP's JSON, read list by list.
//!
//!   text ─▶ [read] ─▶ [`Sink`](super::rows::Sink)
//!
//! An object is read into a small struct whose lists stay raw text, and a list is gone through
//! element by element: so fields may come in any order, and no list becomes memory before its
//! elements are counted. Numbers stay text too, because 64-bit ones are strings in OTLP, and Rust's
//! parser reads every `f64` bit for bit.
//!
//! I-OTLP-JSON-2  Where the JSON is whole, what is wrong costs its point, or what it is shared by, and
//!                is named by its path: `resourceMetrics[0].scopeMetrics[1].metrics[2].…`.
//! Proved by: otlp/tests.rs, otlp/tests/json_places.rs.

use std::borrow::Cow;
use std::fmt::Write;

use serde::Deserialize;
use tinyobs_model::Refusal;

use super::BodyError;
use super::point::{Broken, Metric, Place, Point, Shape};
use super::rows::Sink;
use crate::json::{Text, reason, reason_at, shown};

mod attributes;
mod fill;
mod message;
mod scalar;

use attributes::read_attributes;
use fill::fill;
pub use message::Object;
use message::{
    Data, DataPoint, Each, Metric as MetricMessage, Raw, Request, Resource, ResourceMetrics, Scope,
    ScopeMetrics,
};
use scalar::{Wrong, flag, temporality, words};

/// Why the text cannot be read.
pub fn broken(reason: &impl ToString) -> BodyError {
    BodyError::Json {
        reason: shown(&reason.to_string()),
    }
}

/// Reads an `ExportMetricsServiceRequest`.
pub fn read(body: &[u8], sink: &mut Sink<'_>) -> Result<(), BodyError> {
    let request = serde_json::from_slice::<Object<Request<'_>>>(body);
    let Object(request) = request.map_err(|error| broken(&reason_at(&error)))?;
    let mut point = Point::default();
    let mut reader = Reader {
        sink,
        places: [0; 4],
        kind: "",
    };
    let mut place = 0;
    each(request.resource_metrics, |one| {
        reader.places[0] = place;
        place += 1;
        reader.resource(&one, &mut point)
    })
}

/// Calls `part` with every element of a list; null and nothing are empty.
pub fn each<'a, T: Deserialize<'a>>(
    list: Raw<'a>,
    part: impl FnMut(T) -> Result<(), BodyError>,
) -> Result<(), BodyError> {
    let Some(list) = list else {
        return Ok(());
    };
    match Each::of(list.get(), part) {
        Ok(done) => done,
        Err(reason) => Err(broken(&reason)),
    }
}

/// An object, or its defaults when it is not there; an error when it is not one of these.
fn object<'a, T: Deserialize<'a> + Default>(raw: Raw<'a>) -> Result<T, String> {
    match raw {
        Some(raw) => serde_json::from_str(raw.get())
            .map(|Object(read)| read)
            .map_err(|error| reason(&error)),
        None => Ok(T::default()),
    }
}

/// The lists that points stand in, from the outside in.
const LISTS: [&str; 4] = ["resourceMetrics", "scopeMetrics", "metrics", "dataPoints"];

/// Where it reads, for those who are told what is wrong.
struct Reader<'r, 's> {
    sink: &'r mut Sink<'s>,
    /// In [`LISTS`].
    places: [usize; 4],
    /// The field of the metric that its points are in.
    kind: &'static str,
}

impl Reader<'_, '_> {
    /// Where an element of the list at this depth stands.
    fn path(&self, depth: usize) -> String {
        let mut path = String::new();
        for (level, (list, place)) in LISTS.iter().zip(self.places).take(depth + 1).enumerate() {
            let dot = if level == 0 { "" } else { "." };
            let kind = if level == 3 { self.kind } else { "" };
            let between = if level == 3 { "." } else { "" };
            let _ = write!(path, "{dot}{kind}{between}{list}[{place}]");
        }
        path
    }

    /// Goes through a list at this depth; what is no such list is refused as one point.
    fn each<'a, T: Deserialize<'a>>(
        &mut self,
        depth: usize,
        list: Raw<'a>,
        mut part: impl FnMut(&mut Self, T) -> Result<(), BodyError>,
    ) -> Result<(), BodyError> {
        let Some(list) = list else {
            return Ok(());
        };
        let mut place = 0;
        let read = Each::of(list.get(), |one: T| {
            self.places[depth] = place;
            place += 1;
            part(self, one)
        });
        match read {
            Ok(done) => done,
            Err(reason) => {
                let path = self.path(depth - 1);
                let message = format!("{path}: {}: {reason}", LISTS[depth]);
                self.sink.refuse((Refusal::Malformed, message))
            }
        }
    }

    /// Refuses an element that is not read, as one point.
    fn refuse(&mut self, depth: usize, wrong: &str) -> Result<(), BodyError> {
        let message = format!("{} {wrong}", self.path(depth));
        self.sink.refuse((Refusal::Malformed, message))
    }

    fn resource<'a>(
        &mut self,
        message: &ResourceMetrics<'a>,
        point: &mut Point<'a>,
    ) -> Result<(), BodyError> {
        if let Some(wrong) = &message.wrong {
            return self.refuse(0, wrong);
        }
        let mut place = Place::default();
        let read = object(message.resource).map_err(|reason| Wrong::malformed("resource", &reason));
        let read = read.and_then(|resource: Resource<'a>| {
            read_attributes("resource.", resource.attributes, &mut place.attributes)
        });
        if let Err(wrong) = read {
            let (rule, message) = wrong.at(&self.path(0));
            place.attributes.break_as(rule, message);
        }
        self.each(1, message.scope_metrics, |reader, one: ScopeMetrics<'a>| {
            reader.scope(&one, &mut place, point)
        })?;
        self.sink.end_resource(&place);
        Ok(())
    }

    fn scope<'a>(
        &mut self,
        message: &ScopeMetrics<'a>,
        place: &mut Place<'a>,
        point: &mut Point<'a>,
    ) -> Result<(), BodyError> {
        if let Some(wrong) = &message.wrong {
            return self.refuse(1, wrong);
        }
        let text = |text: Option<Text<'a>>| text.map_or(Cow::Borrowed(""), |Text(text)| text);
        let scope: Result<Scope<'a>, String> = object(message.scope);
        let mut broken = None;
        match scope {
            Ok(scope) => place.set_scope(text(scope.name), text(scope.version)),
            // Its points would be taken for another scope's.
            Err(reason) => broken = Some(Wrong::malformed("scope", &reason).at(&self.path(1))),
        }
        self.each(2, message.metrics, |reader, one: MetricMessage<'a>| {
            reader.metric(&one, broken.clone(), place, point)
        })
    }

    /// A metric, all of whose points are refused if something is `broken` already.
    fn metric<'a>(
        &mut self,
        message: &MetricMessage<'a>,
        mut broken: Option<Broken>,
        place: &mut Place<'a>,
        point: &mut Point<'a>,
    ) -> Result<(), BodyError> {
        if let Some(wrong) = &message.wrong {
            return self.refuse(2, wrong);
        }
        let kinds = [
            ("gauge", message.gauge),
            ("sum", message.sum),
            ("histogram", message.histogram),
            ("exponentialHistogram", message.exponential_histogram),
            ("summary", message.summary),
        ];
        let mut told = kinds.into_iter().filter(|(_, raw)| raw.is_some());
        let Some((kind, data)) = told.next() else {
            return Ok(());
        };
        if let Some((other, _)) = told.next() {
            let wrong = format!("has {kind} and {other}, and a metric is of one kind");
            return self.refuse(2, &wrong);
        }
        self.kind = kind;
        let data: Data<'a> = match object(data) {
            Ok(data) => data,
            Err(reason) => return self.refuse(2, &format!("cannot be read: {kind}: {reason}")),
        };
        let mut note = |wrong: Wrong, under: &str| {
            broken.get_or_insert(wrong.at(&format!("{}{under}", self.path(2))));
        };
        let mut text = |field, raw| {
            let read = words(field, raw);
            read.unwrap_or_else(|wrong| {
                note(wrong, "");
                Cow::Borrowed("")
            })
        };
        let name = text("name", message.name);
        let description = text("description", message.description);
        let unit = text("unit", message.unit);
        let shape = shape(kind, &data).unwrap_or_else(|wrong| {
            note(wrong, &format!(".{kind}"));
            Shape::Gauge
        });
        let metric = Metric {
            name,
            description,
            unit,
            shape,
            broken,
        };
        let mut is_told = false;
        self.each(3, data.data_points, |reader, one: DataPoint<'a>| {
            if !std::mem::replace(&mut is_told, true) {
                reader.sink.begin(place, &metric);
            }
            point.clear();
            let read = match &one.wrong {
                Some(wrong) => Err((Refusal::Malformed, format!("{} {wrong}", reader.path(3)))),
                None => fill(&one, shape, point).map_err(|wrong| wrong.at(&reader.path(3))),
            };
            if let Err(broken) = read {
                point.broken = Some(broken);
            }
            reader.sink.point(point)
        })
    }
}

fn shape(kind: &str, data: &Data<'_>) -> Result<Shape, Wrong> {
    let temporality = temporality(data.aggregation_temporality)?;
    Ok(match kind {
        "gauge" => Shape::Gauge,
        "sum" => Shape::Sum {
            is_monotonic: flag("isMonotonic", data.is_monotonic)?,
            temporality,
        },
        "histogram" => Shape::Histogram(temporality),
        "exponentialHistogram" => Shape::Exponential(temporality),
        _ => Shape::Summary,
    })
}
