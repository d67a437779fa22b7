//! Priority: requests go before the store's own work.
//!
//! On a core that both want, the thread that calls [`give_way`] gets about a quarter, which is twice
//! what it needs at the highest rate that samples come in at. With the same share for both, answers at
//! half of that rate were three hundred milliseconds late whenever large tables were merged.

/// How much nicer than requests, in steps of which each takes a tenth of the share.
#[cfg(target_os = "linux")]
const NICE: i32 = 5;

/// Makes the calling thread give way, where a thread can have a priority of its own.
#[cfg(target_os = "linux")]
pub fn give_way() {
    // On Linux this concerns a thread, whatever its documentation says of processes.
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::debug!(%error, "maintenance keeps its priority");
    }
}

/// Elsewhere the priority is the whole process'.
#[cfg(not(target_os = "linux"))]
pub fn give_way() {}
