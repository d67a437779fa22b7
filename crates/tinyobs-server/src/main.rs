//! The binary `tinyobs`. What it does is in the library, so that tests can do it too.

use std::process::ExitCode;

fn main() -> ExitCode {
    tinyobs_server::cli::run(std::env::args_os())
}
