//! Progress: a bar on stderr while something takes long. Where nobody looks, there is none.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar over so many bytes.
pub fn bytes(what: &'static str, total: u64) -> ProgressBar {
    bar(
        "{msg} [{bar:30}] {bytes} of {total_bytes}, {eta} left",
        what,
        total,
    )
}

/// A bar over so many steps.
pub fn steps(what: &'static str, total: u64) -> ProgressBar {
    bar("{msg} [{bar:30}] {pos} of {len}", what, total)
}

/// Bytes so far, where nobody knows how many there will be.
pub fn flow(what: &'static str) -> ProgressBar {
    bar("{msg} {bytes}, {bytes_per_sec}", what, 0)
}

fn bar(template: &str, what: &'static str, total: u64) -> ProgressBar {
    let style = ProgressStyle::with_template(template).expect("our own template");
    ProgressBar::new(total)
        .with_style(style.progress_chars("=> "))
        .with_message(what)
}
