use super::*;
use crate::labels::METRIC_NAME;

/// Series `a` and `b`, of three samples in blocks of two.
struct Two;

struct Cursor {
    labels: Labels,
    times: Vec<i64>,
}

impl SeriesCursor for Cursor {
    fn labels(&self) -> &Labels {
        &self.labels
    }

    fn next_block(&mut self, out: &mut Columns) -> Result<bool, SelectError> {
        out.clear();
        let len = self.times.len().min(2);
        for time_ms in self.times.drain(..len) {
            out.push(Sample::new(time_ms, time_ms as f64 / 2.0));
        }
        Ok(!out.is_empty())
    }

    fn bytes_read(&self) -> u64 {
        7
    }
}

impl SeriesSource for Two {
    fn select(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
    ) -> Result<Vec<Box<dyn SeriesCursor>>, SelectError> {
        let all = ["a", "b"].map(|name| Labels::new(name, []).unwrap());
        let wanted = all
            .into_iter()
            .filter(|labels| matchers.iter().all(|one| one.matches_labels(labels)));
        let cursor = |labels| -> Box<dyn SeriesCursor> {
            let times = [1, 2, 3].into_iter().filter(|&time| range.contains(time));
            Box::new(Cursor {
                labels,
                times: times.collect(),
            })
        };
        Ok(wanted.map(cursor).collect())
    }
}

#[test]
fn i_source_4_without_rollups_a_series_is_raw_stretches() {
    let read = |matchers: &[Matcher], range| -> Vec<(String, Vec<Vec<Sample>>)> {
        let cursors = Two.select_resolved(matchers, range, 1_000).unwrap();
        let all = |mut cursor: Box<dyn ResolvedCursor>| {
            let mut stretch = Stretch {
                resolution: Resolution::Hour,
                ..Stretch::default()
            };
            let mut stretches: Vec<Vec<Sample>> = Vec::new();
            while cursor.next_stretch(&mut stretch).unwrap() {
                assert_eq!(stretch.resolution, Resolution::Raw);
                assert!(stretch.rollups.is_empty());
                stretches.push(stretch.samples.iter().collect());
            }
            assert!(stretch.samples.is_empty());
            assert_eq!(cursor.bytes_read(), 7);
            (cursor.labels().metric_name().to_owned(), stretches)
        };
        cursors.into_iter().map(all).collect()
    };
    let [one, two, three] = [1, 2, 3].map(|time_ms| Sample::new(time_ms, time_ms as f64 / 2.0));
    let whole = vec![vec![one, two], vec![three]];
    assert_eq!(
        read(&[], TimeRange::ALL),
        [("a".to_owned(), whole.clone()), ("b".to_owned(), whole)]
    );
    let b = Matcher::equal(METRIC_NAME, "b");
    let end = vec![vec![three]];
    assert_eq!(read(&[b], TimeRange::new(3, 9)), [("b".to_owned(), end)]);
}
