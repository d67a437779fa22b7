//! Writes `assets.rs`: one `Asset` literal per file, its bytes taken by `include_bytes!`.
//!
//! A `name.gz` beside `name` becomes the `gzip` of `name`; it is no asset of its own.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;

pub fn generate(dir: &Path, fallback: bool) -> io::Result<String> {
    let mut paths = Vec::new();
    collect(dir, "", &mut paths)?;
    paths.sort();
    let mut source = format!(
        "/// Whether the simple page without npm is embedded instead of the dashboard.\npub const IS_FALLBACK: bool = {fallback};\nstatic ASSETS: &[Asset] = &[\n"
    );
    for path in &paths {
        let file = fs::canonicalize(dir.join(path))?;
        let packed = PathBuf::from(format!("{}.gz", file.display()));
        let gzip = if packed.is_file() {
            include(&packed, "Some(", ")")
        } else {
            "None".into()
        };
        let etag = format!("W/\"{:016x}\"", fnv(FNV_START, &fs::read(&file)?));
        let _ = writeln!(
            source,
            "    Asset {{ path: {path:?}, content_type: {:?}, etag: {etag:?}, body: {}, gzip: {gzip}, immutable: {} }},",
            content_type(path),
            include(&file, "", ""),
            // Vite puts a hash of the content into the names below assets/.
            !fallback && path.starts_with("assets/"),
        );
    }
    source.push_str("];\n");
    Ok(source)
}

/// FNV-1a: enough to see that content changed, and the same on every build of the same files.
pub fn fnv(state: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(state, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn include(file: &Path, before: &str, after: &str) -> String {
    format!(
        "{before}include_bytes!({:?}){after}",
        file.display().to_string()
    )
}

fn collect(root: &Path, below: &str, paths: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(below))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() {
            name
        } else {
            format!("{below}/{name}")
        };
        if entry.file_type()?.is_dir() {
            collect(root, &path, paths)?;
        } else if Path::new(&path)
            .extension()
            .is_none_or(|extension| extension != "gz")
        {
            paths.push(path);
        }
    }
    Ok(())
}

fn content_type(path: &str) -> &'static str {
    match Path::new(path)
        .extension()
        .and_then(|extension| extension.to_str())
    {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("json") => "application/json",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}
