use std::sync::atomic::AtomicU32;

use super::*;

/// Lets a query pass so often, and then no more.
struct Patience(AtomicU32);

impl Pace for Patience {
    fn pass(&self, _: &Control) -> Result<(), EvalError> {
        let left = self.0.load(Ordering::Relaxed);
        let reason = "enough".to_owned();
        let left = left.checked_sub(1).ok_or(EvalError::Busy { reason })?;
        self.0.store(left, Ordering::Relaxed);
        Ok(())
    }
}

#[test]
fn a_pace_can_end_a_query_and_is_not_asked_after_the_end() {
    let patience = Arc::new(Patience(AtomicU32::new(2)));
    let control = Control::new().with_pace(Arc::clone(&patience) as Arc<dyn Pace>);
    control.check().expect("the first time");
    control.check_end().expect("nobody is asked");
    control.check().expect("the second time");
    assert_eq!(control.check().expect_err("no more").to_string(), "enough");
    patience.0.store(1, Ordering::Relaxed);
    control.cancel();
    assert!(matches!(control.check(), Err(EvalError::Cancelled)));
    assert_eq!(patience.0.load(Ordering::Relaxed), 1);
    let late = Control::new().with_deadline(Instant::now());
    assert!(matches!(late.check_end(), Err(EvalError::Timeout)));
}
