//! Licences: those that what we link or run may have.

use serde_json::Value;

/// Licences that are allowed; `deny.toml` has the same.
const ALLOWED: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unicode-3.0",
    "0BSD",
    "Unlicense",
    "MIT-0",
    "BSL-1.0",
    "Apache-2.0 WITH LLVM-exception",
    "CC0-1.0",
];

/// A sentence for each package of `cargo metadata` that may not be used.
pub fn refused(metadata: &Value) -> Vec<String> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    packages
        .filter_map(|package| {
            let licence = package["license"].as_str().unwrap_or_default();
            (!is_allowed(licence)).then(|| format!("{} has licence {licence:?}", package["name"]))
        })
        .collect()
}

/// "A OR B" needs one that is allowed, "A AND B" all of them; "/" is an old "OR".
fn is_allowed(licence: &str) -> bool {
    let one = |one: &str| ALLOWED.contains(&one.trim().trim_matches(['(', ')']));
    let any = |all: &str| all.replace('/', " OR ").split(" OR ").any(one);
    licence.split(" AND ").all(any)
}

#[cfg(test)]
mod tests;
