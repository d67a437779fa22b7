//! The dashboard, as a table of files inside the binary.
//!
//! ```text
//! ui/ (TypeScript) ─▶ build.rs ─▶ [tinyobs-ui] ─▶ tinyobs-server `/`, `/assets/*` ─▶ browser
//! ```
//!
//! I-UI-4  No file needs an inline script or style: the server's Content-Security-Policy forbids both.
//! I-UI-5  Whatever the index refers to is in the table; nothing is loaded from elsewhere (works offline).
//! I-UI-6  `etag` is a function of the content, and `immutable` files carry a content hash in their name.
//!
//! No logic lives here; what it takes to get the files is in `build.rs`.
//! Proved by: `tests.rs`, and `ui/e2e` in a browser.

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// One file of the dashboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asset {
    /// Below the site's root, without a leading slash: `assets/index-….js`.
    pub path: &'static str,
    /// Value of the `Content-Type` header.
    pub content_type: &'static str,
    /// Value of the `ETag` header. Weak, since plain and gzip bytes share it.
    pub etag: &'static str,
    /// The bytes.
    pub body: &'static [u8],
    /// The same bytes gzipped, when that is smaller.
    pub gzip: Option<&'static [u8]>,
    /// Whether it can be cached for ever (`Cache-Control: immutable`); otherwise `no-cache`.
    pub immutable: bool,
}

/// The file at `path`, with or without a leading slash; `/` is the index.
pub fn asset(path: &str) -> Option<&'static Asset> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = if path.is_empty() { "index.html" } else { path };
    let found = ASSETS.binary_search_by(|asset| asset.path.cmp(path)).ok()?;
    ASSETS.get(found)
}

/// The page itself.
pub fn index() -> &'static Asset {
    asset("index.html").expect("build.rs embeds no directory without an index.html")
}

/// Every file, sorted by path.
pub fn assets() -> &'static [Asset] {
    ASSETS
}

#[cfg(test)]
mod tests;
