//! Where things are.

use std::path::{Path, PathBuf};

/// The repository's folder.
pub(crate) fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// Cargo's target folder.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// What these commands install and write, beside `dist/`.
pub(crate) fn work() -> PathBuf {
    target().join("xtask")
}

/// Logs of steps.
pub(crate) fn logs() -> PathBuf {
    work().join("logs")
}

/// Where `cargo xtask wheel` leaves the wheel.
pub(crate) fn dist() -> PathBuf {
    root().join("dist")
}

/// A path as a person would write it: from the repository's folder where it is inside.
pub(crate) fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// Whether whoever runs this may do everything on this machine.
pub(crate) fn is_root() -> bool {
    crate::command::answer(std::process::Command::new("id").arg("-u")).is_some_and(|id| id == "0")
}

/// Whether this is a run whose outcome nobody watches, where a skipped step must not pass unseen.
pub(crate) fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
}
