//! Format: which of the two a scraper gets.
//!
//!   `Accept: …` ─▶ [Format::accepted] ─▶ `Content-Type: …`
//!
//! Prometheus lists what it reads with a weight for each, OpenMetrics before text; curl says `*/*`,
//! and people read text more easily.
//!
//! I-EXPO-5 is upheld here. Proved by: format/tests.rs.

/// A format of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Prometheus' text format 0.0.4.
    #[default]
    Text,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

impl Format {
    /// The one that the values of `Accept` headers ask for. Who accepts neither gets text: a scraper
    /// makes more of it than of a 406.
    pub fn accepted<'a>(headers: impl IntoIterator<Item = &'a str>) -> Self {
        let mut text = Best::default();
        let mut open = Best::default();
        for range in headers.into_iter().flat_map(|header| header.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
            let (mut weight, mut version) = (1_000, None);
            for (name, value) in parts.filter_map(|part| part.split_once('=')) {
                let value = value.trim().trim_matches('"');
                match name.trim().to_ascii_lowercase().as_str() {
                    "q" => weight = thousandths(value),
                    "version" => version = Some(value),
                    _ => {}
                }
            }
            let is = |known: &str| version.is_none_or(|version| version == known);
            match essence.as_str() {
                "application/openmetrics-text" if is("1.0.0") => open.meet(2, weight),
                "text/plain" if is("0.0.4") => text.meet(2, weight),
                "application/*" => open.meet(1, weight),
                "text/*" => text.meet(1, weight),
                "*/*" => {
                    text.meet(0, weight);
                    open.meet(0, weight);
                }
                _ => {}
            }
        }
        // At equal weight the one that was named; text when neither was.
        if open.weight > 0 && (open.weight, open.named) > (text.weight, text.named) {
            Self::OpenMetrics
        } else {
            Self::Text
        }
    }

    /// `Content-Type` of the page.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// What the page ends with.
    pub const fn end(self) -> &'static str {
        match self {
            Self::Text => "",
            Self::OpenMetrics => "# EOF\n",
        }
    }
}

/// The weight of a format: the most exact range that covers it says.
#[derive(Default)]
struct Best {
    weight: u16,
    named: u8,
}

impl Best {
    fn meet(&mut self, named: u8, weight: u16) {
        if (named, weight) > (self.named, self.weight) {
            *self = Self { weight, named };
        }
    }
}

/// A weight such as `0.5`; what is none counts for nothing.
fn thousandths(text: &str) -> u16 {
    let weight = text.parse::<f32>().unwrap_or(0.0);
    (weight.clamp(0.0, 1.0) * 1_000.0).round() as u16
}

#[cfg(test)]
mod tests;
