//! Tidy: what must hold of the repository itself. Every check is a test.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::licences;
use crate::tools::root;

/// Our crates in the order of a sample's way. Each may depend on those before it, if listed.
const LAYERS: &[(&str, &[&str])] = &[
    ("tinyobs-model", &[]),
    ("tinyobs-wire", &["tinyobs-model"]),
    ("tinyobs", &["tinyobs-model", "tinyobs-wire"]),
    ("tinyobs-store", &["tinyobs-model"]),
    ("tinyobs-promql", &["tinyobs-model"]),
    ("tinyobs-ui", &[]),
    ("tinyobs-demo", &["tinyobs"]),
    (
        "tinyobs-server",
        &[
            "tinyobs-model",
            "tinyobs-wire",
            "tinyobs",
            "tinyobs-store",
            "tinyobs-promql",
            "tinyobs-ui",
            "tinyobs-demo",
        ],
    ),
    ("tinyobs-testing", &[]),
    (
        "xtask",
        &[
            "tinyobs-model",
            "tinyobs-promql",
            "tinyobs-testing",
            "tinyobs-wire",
        ],
    ),
];

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root())
        .output()
        .expect("cargo metadata runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON")
}

/// Each of our packages with its direct dependencies, those for tests and builds left out.
fn ours(metadata: &Value) -> BTreeMap<String, Vec<String>> {
    let packages = metadata["packages"].as_array().expect("a list");
    let ours = packages
        .iter()
        .filter(|package| package["source"].is_null());
    let entry = |package: &Value| {
        let dependencies = package["dependencies"].as_array().expect("a list");
        let normal = dependencies
            .iter()
            .filter(|dependency| dependency["kind"].is_null());
        let names = normal.map(|dependency| text(&dependency["name"]));
        (text(&package["name"]), names.collect())
    };
    ours.map(entry).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[test]
fn dependencies_run_one_way() {
    let ours = ours(&metadata());
    let known: Vec<&str> = LAYERS.iter().map(|(name, _)| *name).collect();
    for (name, dependencies) in &ours {
        let layer = LAYERS.iter().find(|(known, _)| known == name);
        let (_, allowed) = layer.unwrap_or_else(|| panic!("{name} has no place in LAYERS"));
        for dependency in dependencies.iter().filter(|d| known.contains(&d.as_str())) {
            assert!(
                allowed.contains(&dependency.as_str()),
                "{name} must not know {dependency}"
            );
        }
    }
    for (place, (name, allowed)) in LAYERS.iter().enumerate() {
        assert!(
            ours.contains_key(*name),
            "{name} is in LAYERS but not in the workspace"
        );
        assert!(
            allowed.iter().all(|a| known[..place].contains(a)),
            "{name} looks ahead"
        );
    }
}

#[test]
fn every_direct_dependency_is_explained() {
    let page = fs::read_to_string(root().join("docs/dependencies.md")).expect("the page");
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("a list");
    let ours: Vec<&Value> = packages.iter().filter(|p| p["source"].is_null()).collect();
    let names: Vec<String> = ours.iter().map(|package| text(&package["name"])).collect();
    for package in &ours {
        for dependency in package["dependencies"].as_array().expect("a list") {
            let name = text(&dependency["name"]);
            let line = format!("| `{name}` |");
            assert!(
                names.contains(&name) || page.contains(&line),
                "no line `{line}` for {name}"
            );
        }
    }
    for manifest in ["ui/package.json", "clients/codemirror/package.json"] {
        let text = fs::read_to_string(root().join(manifest)).expect("a manifest");
        let npm: Value = serde_json::from_str(&text).expect("JSON");
        let groups = ["dependencies", "devDependencies"].map(|group| npm[group].as_object());
        for name in groups.into_iter().flatten().flat_map(|group| group.keys()) {
            let line = format!("| `{name}` |");
            assert!(page.contains(&line), "no line `{line}` for {name}");
        }
    }
}

#[test]
fn every_licence_is_allowed() {
    let metadata = metadata();
    assert!(
        metadata["packages"]
            .as_array()
            .is_some_and(|all| all.len() > 100)
    );
    assert_eq!(licences::refused(&metadata), Vec::<String>::new());
}

#[test]
fn every_crate_that_a_client_uses_is_explained() {
    let page = fs::read_to_string(root().join("docs/dependencies.md")).expect("the page");
    let manifest = fs::read_to_string(root().join("clients/Cargo.toml")).expect("the manifest");
    let (_, rest) = manifest
        .split_once("[dependencies]\n")
        .expect("dependencies");
    let names: Vec<&str> = rest
        .lines()
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| Some(line.split_once(" = ")?.0))
        .collect();
    assert!(names.len() > 2, "{names:?}");
    for name in names {
        assert!(page.contains(&format!("`{name}`")), "nothing of {name}");
    }
}

#[test]
fn the_sdk_stays_small() {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree", "--locked", "-p", "tinyobs", "-e", "normal", "--prefix", "none",
        ])
        .current_dir(root())
        .output()
        .expect("cargo tree runs");
    let tree = String::from_utf8(output.stdout).expect("text");
    let mut crates: Vec<&str> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|l| !l.is_empty())
        .collect();
    crates.sort_unstable();
    crates.dedup();
    assert!(crates.len() > 2, "cargo tree printed {tree:?}");
    assert!(crates.len() <= 20, "{} crates: {crates:?}", crates.len());
    assert!(!crates.contains(&"tokio"), "the default build has no tokio");
}
