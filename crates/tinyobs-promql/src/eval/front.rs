//! Front: a place in the times of a series that goes forward with the steps.
//!
//! Samples mostly come at equal distances, and steps always do: so many samples further as at the
//! step before is tried first, which takes two looks, however many samples lie between two steps.
//!
//! I-FRONT-1  After every step, all times before the place are within the limit, and none behind it.
//! Proved by: tests/steps.rs, scripts/windows.test, scripts/selectors.test.

/// How many samples have been passed.
#[derive(Debug, Default)]
pub(super) struct Front {
    place: usize,
    /// How many more than at the step before.
    stride: usize,
}

impl Front {
    /// Passes all `times` up to `limit_ms`, which never gets less, and says how many those are.
    #[inline]
    pub fn pass(&mut self, times: &[i64], limit_ms: i64) -> usize {
        let guess = self.place + self.stride;
        let last_passed = guess.checked_sub(1).map(|last| times.get(last));
        let reached = last_passed.is_none_or(|last| last.is_some_and(|&time| time <= limit_ms));
        if reached && times.get(guess).is_none_or(|&time| time > limit_ms) {
            self.place = guess;
            return guess;
        }
        let mut place = self.place;
        while times.get(place).is_some_and(|&time| time <= limit_ms) {
            place += 1;
        }
        self.stride = place - self.place;
        self.place = place;
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i_front_1_it_stands_where_a_search_would() {
        let times: Vec<i64> = (0..200)
            .map(|i: i64| i * 15 + i * i % 7 + if i > 100 { 1_000 } else { 0 })
            .collect();
        for step in [1, 14, 15, 60, 61, 700] {
            let mut front = Front::default();
            for limit in (-50..5_000).step_by(step) {
                let expected = times.partition_point(|&time| time <= limit);
                assert_eq!(front.pass(&times, limit), expected, "{step} {limit}");
            }
        }
        assert_eq!(Front::default().pass(&[], 0), 0);
    }
}
