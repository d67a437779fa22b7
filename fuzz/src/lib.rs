//! Fuzz: what the targets in `fuzz_targets/` share. See `cargo xtask fuzz --help`.
//!
//!   libFuzzer ─▶ bytes ─▶ [Feed] ─▶ values ─▶ code under test ─▶ compared with what must come out
//!
//! Every target takes any bytes. What it looks for is a panic, a wrong answer, an allocation that
//! the input does not justify ([`allocations`]), or more than the time that one input may take.

pub mod allocations;
pub mod damage;
pub mod feed;

pub use damage::Damage;
pub use feed::Feed;
