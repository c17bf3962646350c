//! Node packages, from a lock file, into a folder below `target/`.

use crate::command::{Failure, Log, answer, exists};
use crate::{debian, project};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Oldest major version that runs Azurite, and the version of azure-identity that the tests have.
const OLDEST: u32 = 20;

/// Installs what `manifest` (a folder with package.json and package-lock.json) names; returns the folder of programs.
pub(crate) fn install(log: &Log, manifest: &Path, name: &str) -> Result<PathBuf, Failure> {
    if !exists("node") || !exists("npm") {
        debian::install(log, &["nodejs", "npm"], "Node.js is not installed")?;
    }
    let version = answer(Command::new("node").arg("--version")).unwrap_or_default();
    let major: u32 = version.trim_start_matches('v').split('.').next().and_then(|text| text.parse().ok()).unwrap_or(0);
    if major < OLDEST {
        return Err(Failure::new(format!(
            "Node.js {OLDEST} or newer is needed, and `node --version` says `{version}`"
        )));
    }
    let folder = project::work().join("node").join(name);
    let programs = folder.join("node_modules").join(".bin");
    let lock = read(&manifest.join("package-lock.json"))?;
    let stamp = folder.join("installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|text| text == lock) {
        log.note("installed already");
        return Ok(programs);
    }
    let io = |error: std::io::Error| Failure::new(format!("cannot write {}: {error}", folder.display()));
    let _ = std::fs::remove_file(&stamp);
    std::fs::create_dir_all(&folder).map_err(io)?;
    std::fs::write(folder.join("package-lock.json"), &lock).map_err(io)?;
    std::fs::write(folder.join("package.json"), read(&manifest.join("package.json"))?).map_err(io)?;
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    log.run(Command::new(npm).args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(&folder))?;
    std::fs::write(stamp, lock).map_err(io)?;
    Ok(programs)
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display())))
}
