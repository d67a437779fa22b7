//! Csv: series as rows of one table.

use std::io::{self, Write};

use tinyobs_model::Stretch;
use tinyobs_wire::csv::Table;

use super::{Export, Unread, next, plain_samples};

/// Writes everything.
pub fn write(export: Export, out: &mut dyn Write) -> io::Result<()> {
    // The header comes first and names every label.
    let series = export.series.iter();
    let labels = series.flat_map(|cursor| cursor.labels().iter_without_name());
    let mut table = Table::new(labels.map(|(name, _)| name.to_owned()).collect());
    let mut text = Vec::new();
    table.header(&mut text);
    let mut stretch = Stretch::default();
    let mut unread = Unread::default();
    for mut cursor in export.series {
        let labels = cursor.labels();
        let metadata = export.metrics.get(labels.metric_name());
        table.begin(labels, metadata.map(|known| known.kind).unwrap_or_default());
        while next(cursor.as_mut(), &mut stretch, &mut unread) {
            for sample in plain_samples(&stretch) {
                table.row(&mut text, sample, stretch.resolution);
            }
            out.write_all(&text)?;
            text.clear();
        }
    }
    out.write_all(&text)?;
    unread.finish(false, out)
}
