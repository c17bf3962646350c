//! Compares the dependencies of the manifests with the table in ARCHITECTURE.md.

use crate::build::cargo;
use crate::command::{Failure, answer};
use crate::project;
use serde_json::Value;
use std::collections::BTreeSet;

/// Every direct dependency has its line, and every line is about one.
pub(crate) fn check() -> Result<(), Failure> {
    let metadata = answer(cargo("metadata").args(["--no-deps", "--format-version", "1"]))
        .and_then(|text| serde_json::from_str::<Value>(&text).ok())
        .ok_or_else(|| Failure::new("`cargo metadata` gave no answer"))?;
    let file = project::root().join("ARCHITECTURE.md");
    let page = std::fs::read_to_string(&file)
        .map_err(|error| Failure::new(format!("cannot read {}: {error}", file.display())))?;
    let (used, explained) = (used(&metadata), explained(&page));
    let mut problems = Vec::new();
    for name in used.difference(&explained) {
        problems.push(format!("`{name}` is a dependency, and ARCHITECTURE.md does not say why"));
    }
    for name in explained.difference(&used) {
        problems.push(format!("`{name}` is explained in ARCHITECTURE.md, and nothing depends on it"));
    }
    if problems.is_empty() { Ok(()) } else { Err(Failure::new(problems.join("\n"))) }
}

/// Names of the direct dependencies that come from a registry.
fn used(metadata: &Value) -> BTreeSet<String> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    packages
        .flat_map(|package| package["dependencies"].as_array().into_iter().flatten())
        .filter(|dependency| !dependency["source"].is_null())
        .filter_map(|dependency| dependency["name"].as_str().map(str::to_owned))
        .collect()
}

/// Names in the first column of the table.
fn explained(page: &str) -> BTreeSet<String> {
    let table = page.split_once("\n## Why each dependency was taken").map_or("", |(_, rest)| rest);
    table
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split('|').next())
        .flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{explained, used};
    use serde_json::json;

    #[test]
    fn names_are_found_on_both_sides() {
        let page =
            "| `elsewhere` | x |\n## Why each dependency was taken\n\n| crate | for |\n|---|---|\n| `a`, `b` | `c` |\n";
        assert_eq!(explained(page).into_iter().collect::<Vec<_>>(), ["a", "b"]);
        let metadata = json!({"packages": [{"dependencies": [
            {"name": "a", "source": "registry"}, {"name": "ours", "source": null}
        ]}]});
        assert_eq!(used(&metadata).into_iter().collect::<Vec<_>>(), ["a"]);
    }
}
