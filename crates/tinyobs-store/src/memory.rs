//! Memory: gives the allocator's leftovers back to the system.
//!
//! A flush frees some hundred thousand pieces of memory at once, and glibc keeps them: measured on
//! 10,000 series × 1,440 steps, 5.0 kB a series were settled before and 2.8 kB after one call, which
//! took 8.5 ms. Other allocators give back by themselves.

/// Gives freed memory back to the system.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: `malloc_trim` takes a number, touches only the allocator's own lists, and locks them
    // itself; it may be called from any thread at any time.
    #[allow(
        unsafe_code,
        reason = "measured above; there is no safe way to ask for it"
    )]
    unsafe {
        libc::malloc_trim(0);
    }
}
