//! Json: series as lines.

use std::io::{self, Write};

use tinyobs_model::{Columns, Resolution, Stretch, limits};
use tinyobs_wire::lines::{Described, Writer};

use super::{Export, Unread, about, next};

/// Writes everything. `line_samples` is given for lines as VictoriaMetrics has them.
pub fn write(export: Export, line_samples: Option<usize>, out: &mut dyn Write) -> io::Result<()> {
    let is_ours = line_samples.is_none();
    let line_samples = line_samples.unwrap_or(limits::LINE_SAMPLES_DEFAULT);
    let mut lines = Lines::default();
    let mut stretch = Stretch::default();
    let mut unread = Unread::default();
    for mut cursor in export.series {
        let labels = cursor.labels();
        let metadata = export.metrics.get(labels.metric_name());
        let described = metadata.filter(|_| is_ours).map(|metadata| Described {
            kind: metadata.kind,
            about: about(metadata),
        });
        lines.writer.begin(labels, described);
        while next(cursor.as_mut(), &mut stretch, &mut unread) {
            for sample in stretch.samples.iter() {
                lines.samples.push(sample);
                if lines.samples.len() == line_samples {
                    lines.flush(out)?;
                }
            }
            lines.rows(&stretch, is_ours, out)?;
        }
        lines.flush(out)?;
    }
    unread.finish(true, out)
}

/// The lines of one series after the other.
#[derive(Default)]
struct Lines {
    writer: Writer,
    /// Of the line that is being filled.
    samples: Columns,
    text: Vec<u8>,
}

impl Lines {
    /// Writes the samples that wait.
    fn flush(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.samples.is_empty() {
            return Ok(());
        }
        let Columns { times, values } = &self.samples;
        self.text.clear();
        self.writer.samples(&mut self.text, times, values);
        self.samples.clear();
        out.write_all(&self.text)
    }

    fn rows(&mut self, stretch: &Stretch, is_ours: bool, out: &mut dyn Write) -> io::Result<()> {
        if stretch.resolution == Resolution::Raw {
            return Ok(());
        }
        self.flush(out)?;
        for rows in stretch.rollups.chunks(limits::LINE_ROWS) {
            self.text.clear();
            if is_ours {
                self.writer
                    .rollups(&mut self.text, stretch.resolution, rows);
            } else {
                let rows = rows.iter().filter(|row| row.count > 0);
                rows.for_each(|row| self.samples.push(row.last));
                self.flush(out)?;
                continue;
            }
            out.write_all(&self.text)?;
        }
        Ok(())
    }
}
