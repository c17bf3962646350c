//! `entrada browse`: the browser that programs inside the emulator find in `BROWSER`.
//!
//! It is not for people, and so not shown in the help.

use crate::emulate::{fail, say};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Go to a page through the gateway of a run, and take the answer back to the program that opened it.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The gateway of the run.
    #[arg(long, value_name = "URL")]
    gateway: String,

    /// File with the certificate of the run's authority, PEM.
    #[arg(long, value_name = "FILE")]
    authority: PathBuf,

    /// The page.
    #[arg(value_name = "URL")]
    address: String,
}

pub(crate) fn run(arguments: Arguments) -> ExitCode {
    let authority = match std::fs::read_to_string(&arguments.authority) {
        Ok(authority) => authority,
        Err(error) => return fail(1, &format!("cannot read {}: {error}", arguments.authority.display())),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(1, &format!("cannot start: {error}")),
    };
    match runtime.block_on(entrada_emulator::browse(&arguments.address, &arguments.gateway, &authority)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("entrada: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Writes the program that `BROWSER` names into a folder of the run.
///
/// It does not wait: a program that opens a browser may first wait for it, and only then listen for the answer.
#[cfg(unix)]
pub(crate) fn write(folder: &Path, gateway: &str, authority: &Path) -> std::io::Result<PathBuf> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let entrada = std::env::current_exe()?;
    let script = format!(
        "#!/bin/sh\n# The browser of one run of `entrada emulate`.\n{} browse --gateway {} --authority {} -- \"$1\" </dev/null >/dev/null 2>&1 &\n",
        quoted(&entrada.to_string_lossy()),
        quoted(gateway),
        quoted(&authority.to_string_lossy()),
    );
    let path = folder.join("browser");
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o700).open(&path)?;
    file.write_all(script.as_bytes())?;
    Ok(path)
}

/// Where there is no sh, a batch file does.
#[cfg(not(unix))]
pub(crate) fn write(folder: &Path, gateway: &str, authority: &Path) -> std::io::Result<PathBuf> {
    let entrada = std::env::current_exe()?;
    let script = format!(
        "@start \"\" /b \"{}\" browse --gateway \"{gateway}\" --authority \"{}\" -- %1 >nul 2>&1\r\n",
        entrada.display(),
        authority.display()
    );
    let path = folder.join("browser.cmd");
    std::fs::write(&path, script)?;
    Ok(path)
}
