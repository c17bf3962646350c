//! Packages of a Debian machine that these commands may install themselves.

use crate::command::{Failure, Log, exists};
use crate::project;
use std::process::Command;
use std::sync::Mutex;

/// Two installations at once would find the package database locked.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Installs the packages of programs that are not there, each with the package it is in.
pub(crate) fn provide(log: &Log, programs: &[(&str, &str)]) -> Result<(), Failure> {
    let (missing, packages): (Vec<&str>, Vec<&str>) =
        programs.iter().copied().filter(|(program, _)| !exists(program)).unzip();
    if missing.is_empty() {
        return Ok(());
    }
    install(log, &packages, &format!("missing here: {}", missing.join(", ")))
}

/// Installs packages with apt-get, where that is possible without asking anybody.
pub(crate) fn install(log: &Log, packages: &[&str], missing: &str) -> Result<(), Failure> {
    if !exists("apt-get") || !project::is_root() {
        let names = packages.join(" ");
        return Err(Failure::new(format!(
            "{missing}; install it (on Debian: apt-get install {names}) and run this again"
        )));
    }
    let _guard = ONE_AT_A_TIME.lock();
    let apt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").arg("-qq");
        command
    };
    log.run(apt().arg("update"))?;
    log.run(apt().args(["install", "-y", "--no-install-recommends"]).args(packages))
}
