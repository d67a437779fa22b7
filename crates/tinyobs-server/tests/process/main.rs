//! The real binary as its users meet it: started, written to by the real SDK, attacked, killed.

mod abuse;
mod exact;
mod lifecycle;
mod pushgateway;
mod tools;

use std::path::{Path, PathBuf};

use tinyobs_testing::Start;

/// How to start the binary on a directory of its own.
fn start_in(dir: &Path) -> Start {
    Start {
        binary: PathBuf::from(env!("CARGO_BIN_EXE_tinyobs")),
        data_dir: dir.join("data"),
        args: Vec::new(),
    }
}
