//! What a counter, a gauge or a histogram takes: any number, or a duration in seconds.

use std::time::Duration;

/// Up to here every whole number has an `f64` of its own.
const WHOLE_MAX: u64 = 1 << 53;

/// A number that can be added, set or observed: every primitive number, and [`Duration`], which
/// counts as seconds. Sealed.
pub trait Number: sealed::Sealed + Copy {
    /// The number as the wire carries it.
    #[doc(hidden)]
    fn as_f64(self) -> f64;
    /// The same as an integer, if it is one, not negative and exact.
    #[doc(hidden)]
    fn as_whole(self) -> Option<u64>;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! integers {
    ($($int:ty)*) => {$(
        impl sealed::Sealed for $int {}
        impl Number for $int {
            #[inline]
            #[allow(clippy::cast_lossless)]
            fn as_f64(self) -> f64 {
                self as f64
            }

            #[inline]
            #[allow(clippy::unnecessary_fallible_conversions)]
            fn as_whole(self) -> Option<u64> {
                u64::try_from(self).ok().filter(|whole| *whole <= WHOLE_MAX)
            }
        }
    )*};
}

macro_rules! floats {
    ($($float:ty)*) => {$(
        impl sealed::Sealed for $float {}
        impl Number for $float {
            #[inline]
            #[allow(clippy::cast_lossless)]
            fn as_f64(self) -> f64 {
                self as f64
            }

            #[inline]
            fn as_whole(self) -> Option<u64> {
                let value = self.as_f64();
                let whole = value as u64;
                // NaN, negative and broken numbers do not survive the way there and back.
                (whole <= WHOLE_MAX && whole as f64 == value).then_some(whole)
            }
        }
    )*};
}

integers!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);
floats!(f32 f64);

impl sealed::Sealed for Duration {}
impl Number for Duration {
    #[inline]
    fn as_f64(self) -> f64 {
        self.as_secs_f64()
    }

    #[inline]
    fn as_whole(self) -> Option<u64> {
        (self.subsec_nanos() == 0)
            .then_some(self.as_secs())
            .filter(|whole| *whole <= WHOLE_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_told_from_others() {
        assert_eq!(3_i32.as_whole(), Some(3));
        assert_eq!((-3_i32).as_whole(), None);
        assert_eq!(u64::MAX.as_whole(), None);
        assert_eq!(3.0.as_whole(), Some(3));
        assert_eq!((-0.0).as_whole(), Some(0));
        assert_eq!(3.5.as_whole(), None);
        assert_eq!((-3.0).as_whole(), None);
        assert_eq!(f64::NAN.as_whole(), None);
        assert_eq!(f64::INFINITY.as_whole(), None);
        assert_eq!(1e300.as_whole(), None);
        assert_eq!(Duration::from_secs(2).as_whole(), Some(2));
        assert_eq!(Duration::from_millis(1_500).as_whole(), None);
        assert_eq!(Duration::from_millis(1_500).as_f64(), 1.5);
    }
}
