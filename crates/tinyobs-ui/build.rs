//! Gets the dashboard's files from wherever they can be had and writes the table of assets.
//!
//! ```text
//! ui/ ──copy──▶ OUT_DIR/ui ──npm──▶ dist/ ─┐
//! TINYOBS_UI_DIST, packaged dist/ ─────────┼─▶ build/table.rs ─▶ OUT_DIR/assets.rs ─▶ src/lib.rs
//! fallback/ (no npm, or told to skip) ─────┘
//! ```
//!
//! I-UI-1  The source tree is never written to: npm runs on a copy (`cargo publish` refuses otherwise,
//!         and two profiles would fight over one `node_modules`).
//! I-UI-2  A missing or failing npm never breaks a Rust build: the fallback page is embedded and one
//!         warning says why. Only `TINYOBS_UI=require` (continuous integration) makes it an error.
//! I-UI-3  npm runs only when `ui/` changed: the built files are kept under the hash of their sources.
//!
//! `TINYOBS_UI`: unset, `skip` (the fallback, at once) or `require`. `TINYOBS_UI_DIST`: a built `dist/`.

#[path = "build/npm.rs"]
mod npm;
#[path = "build/table.rs"]
mod table;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    println!("cargo:rerun-if-env-changed=TINYOBS_UI");
    println!("cargo:rerun-if-env-changed=TINYOBS_UI_DIST");
    let crate_dir = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let out_dir = PathBuf::from(variable("OUT_DIR"));
    match find(&crate_dir, &out_dir).and_then(|found| write_table(&found, &out_dir)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            println!("cargo:error={message}");
            ExitCode::FAILURE
        }
    }
}

/// Where the embedded files come from.
struct Found {
    dir: PathBuf,
    fallback: bool,
}

/// The decision, in the order of the variants tried.
fn find(crate_dir: &Path, out_dir: &Path) -> Result<Found, String> {
    let fallback = Found {
        dir: crate_dir.join("fallback"),
        fallback: true,
    };
    let wish = env::var("TINYOBS_UI").unwrap_or_default();
    if wish == "skip" || env::var_os("DOCS_RS").is_some() {
        watch(&fallback.dir);
        return Ok(fallback);
    }
    if let Some(dir) = env::var_os("TINYOBS_UI_DIST").map(PathBuf::from) {
        watch(&dir);
        return built(&dir).ok_or(format!(
            "TINYOBS_UI_DIST={}: no index.html there",
            dir.display()
        ));
    }
    if let Some(found) = built(&crate_dir.join("dist")) {
        watch(&found.dir);
        return Ok(found);
    }
    let ui_dir = crate_dir.join("../../ui");
    watch(&fallback.dir);
    npm::watch(&ui_dir);
    match npm::build(&ui_dir, out_dir) {
        Ok(dir) => Ok(Found {
            dir,
            fallback: false,
        }),
        Err(reason) if wish == "require" => Err(format!("the dashboard cannot be built: {reason}")),
        Err(reason) => {
            println!(
                "cargo:warning=the dashboard is replaced by a simple page: {reason}. Install Node 20 and \
                 npm and build again for the full one; TINYOBS_UI=skip silences this."
            );
            // A path that is never there makes cargo ask again: npm may be installed by then.
            watch(&out_dir.join("never-there"));
            Ok(fallback)
        }
    }
}

fn built(dir: &Path) -> Option<Found> {
    let there = dir.join("index.html").is_file();
    there.then(|| Found {
        dir: dir.to_path_buf(),
        fallback: false,
    })
}

fn write_table(found: &Found, out_dir: &Path) -> Result<(), String> {
    let source = table::generate(&found.dir, found.fallback)
        .map_err(|error| format!("reading {}: {error}", found.dir.display()))?;
    std::fs::write(out_dir.join("assets.rs"), source)
        .map_err(|error| format!("writing assets.rs: {error}"))
}

fn watch(path: &Path) {
    println!("cargo:rerun-if-changed={}", path.display());
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"))
}
