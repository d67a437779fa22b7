//! Labels: what a resource, a scope and a point say about a series.
//!
//!   Resource ─▶ [Resource::of] ─▶ `job`, `instance`, … of every series, and `target_info`
//!   attributes ─▶ [of_attributes] ─▶ the rest
//!
//! I-OTLP-LABEL-1  `job` is `service.namespace/service.name`, or the name alone, or
//!                 `unknown_service`; `instance` is `service.instance.id`.
//! I-OTLP-LABEL-2  Keys that become the same label name are joined with `;`, by key.
//! I-OTLP-LABEL-3  An attribute never takes the place of a label of its resource or scope: it gets
//!                 `exported_` in front, as a scraped label does in Prometheus.
//! Proved by: labels/tests.rs.

use std::borrow::Cow;

use super::name;
use super::point::{Attributes, Broken};

/// The resource's attributes that every series has as labels; the others are in `target_info`.
const PROMOTED: [(&str, &str); 4] = [
    ("service.name", "service_name"),
    ("service.namespace", "service_namespace"),
    ("service.instance.id", "service_instance_id"),
    ("deployment.environment.name", "deployment_environment_name"),
];

/// A label's name and value.
pub type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// A resource as labels.
#[derive(Debug, Default)]
pub struct Resource {
    /// Of every series, the labels of the scope behind them.
    pub shared: Vec<(&'static str, String)>,
    /// How many of them are the resource's own.
    own: usize,
    /// Of `target_info`, besides `job` and `instance`; empty when there is nothing to tell.
    pub target: Vec<(String, String)>,
    /// Why it cannot be used, and with it none of its points.
    pub broken: Option<Broken>,
}

impl Resource {
    /// The labels of these attributes.
    pub fn of(attributes: &Attributes<'_>) -> Self {
        let get = |key| attributes.get(key);
        let job = match (get("service.namespace"), get("service.name")) {
            (_, "") => "unknown_service".to_owned(),
            ("", service) => service.to_owned(),
            (namespace, service) => format!("{namespace}/{service}"),
        };
        let mut shared = vec![
            ("job", job),
            ("instance", get("service.instance.id").to_owned()),
        ];
        shared.extend(PROMOTED.map(|(key, label)| (label, get(key).to_owned())));
        shared.retain(|(_, value)| !value.is_empty());
        let rest = attributes
            .pairs
            .iter()
            .filter(|(key, _)| !PROMOTED.iter().any(|(promoted, _)| promoted == key));
        let rest = rest.map(|(key, value)| (&**key, &**value));
        let identity = shared
            .iter()
            .filter(|(label, _)| ["job", "instance"].contains(label));
        let identity: Vec<_> = identity.cloned().collect();
        let target = of_pairs(rest, &identity);
        let owned = |(name, value): Pair<'_>| (name.into_owned(), value.into_owned());
        Self {
            own: shared.len(),
            shared,
            target: target.into_iter().map(owned).collect(),
            broken: attributes.broken.clone(),
        }
    }

    /// Another scope's points follow.
    pub fn set_scope(&mut self, scope: &str, version: &str) {
        self.shared.truncate(self.own);
        for (label, value) in [("otel_scope_name", scope), ("otel_scope_version", version)] {
            if !value.is_empty() {
                self.shared.push((label, value.to_owned()));
            }
        }
    }

    /// The value of a shared label, or "".
    pub fn get(&self, label: &str) -> &str {
        let found = self.shared.iter().find(|(known, _)| *known == label);
        found.map_or("", |(_, value)| value)
    }
}

/// A point's attributes as labels beside those that it shares with others.
pub fn of_attributes<'p>(
    attributes: &'p Attributes<'_>,
    shared: &[(&'static str, String)],
) -> Vec<Pair<'p>> {
    let pairs = attributes.pairs.iter();
    of_pairs(pairs.map(|(key, value)| (&**key, &**value)), shared)
}

fn of_pairs<'p>(
    pairs: impl Iterator<Item = (&'p str, &'p str)>,
    shared: &[(&'static str, String)],
) -> Vec<Pair<'p>> {
    let named = |(key, value): (&'p str, &'p str)| {
        let label = name::label(key);
        // I-OTLP-LABEL-3
        let label = if shared.iter().any(|(taken, _)| *taken == label) {
            Cow::Owned(format!("exported_{label}"))
        } else {
            label
        };
        (label, key, value)
    };
    let mut all: Vec<(Cow<'p, str>, &str, &str)> = pairs.map(named).collect();
    all.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    let mut labels: Vec<Pair<'p>> = Vec::with_capacity(all.len());
    for (label, _, value) in all {
        match labels.last_mut() {
            // I-OTLP-LABEL-2
            Some((known, joined)) if *known == label => {
                let joined = joined.to_mut();
                joined.push(';');
                joined.push_str(value);
            }
            _ => labels.push((label, Cow::Borrowed(value))),
        }
    }
    labels
}

#[cfg(test)]
mod tests;
