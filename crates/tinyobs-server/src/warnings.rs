//! Warnings: what an answer lacks although it is a 200.
//!
//!   store (what the start could not read) ─▶ [warnings] ─▶ `"warnings":[…]` of an answer
//!
//! I-WARN-1  An answer from which series may be missing says so itself: who asks does not have to
//!           ask for health as well.
//! Proved by: tests/it/damaged.rs.

use crate::state::App;

const LOST: &str = "definitions of series were damaged when the server started, so series may be \
                    missing here: see /v1/health";

/// What to say with an answer that lists or selects series. Left out of the answer when empty.
pub fn warnings(app: &App) -> Vec<&'static str> {
    if app.store.lost_definitions() {
        vec![LOST]
    } else {
        Vec::new()
    }
}
