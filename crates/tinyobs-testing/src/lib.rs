//! A real TinyObs process in a test's hands: start it, ask it, measure it, kill it.
//!
//! - [`server`]: the binary as a child process.
//! - [`process`]: what the system says of it.

pub mod process;
pub mod server;

pub use ureq::Agent;

pub use server::{Answer, Around, Server, Start, Started, agent, post, post_bytes};
