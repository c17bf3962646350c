//! Files.

use std::path::Path;
use std::time::SystemTime;

/// Where files are looked at.
pub trait Files: Send + Sync {
    /// What tells one version of a file from another; `None` where there is no such file.
    fn stamp(&self, path: &Path) -> Option<FileStamp>;

    /// Whether `path` is a file that this user may start as a program.
    fn is_program(&self, path: &Path) -> bool;
}

/// What tells one version of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileStamp {
    /// When the file was last written.
    pub modified: Option<SystemTime>,
    /// Its size in bytes.
    pub size: u64,
}

/// The files of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemFiles;

impl Files for SystemFiles {
    fn stamp(&self, path: &Path) -> Option<FileStamp> {
        let metadata = std::fs::metadata(path).ok()?;
        Some(FileStamp { modified: metadata.modified().ok(), size: metadata.len() })
    }

    #[cfg(unix)]
    fn is_program(&self, path: &Path) -> bool {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
    }

    #[cfg(not(unix))]
    fn is_program(&self, path: &Path) -> bool {
        path.is_file()
    }
}
