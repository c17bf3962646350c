//! Files.

use std::fmt;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use zeroize::Zeroizing;

/// Where files are looked at.
pub trait Files: Send + Sync {
    /// What tells one version of a file from another; `None` where there is no such file.
    fn stamp(&self, path: &Path) -> Option<FileStamp>;

    /// Whether `path` is a file that this user may start as a program.
    fn is_program(&self, path: &Path) -> bool;

    /// The path without links: where `path` really is.
    ///
    /// # Errors
    /// [`FileError`] where there is no such file or folder, or it may not be looked at.
    fn real_path(&self, path: &Path) -> Result<PathBuf, FileError>;

    /// Reads a file whole, if it holds no more than `at_most` bytes. What is read is wiped when dropped: it is a secret
    /// as often as not.
    ///
    /// # Errors
    /// [`FileError`] where it cannot be read, is larger, or is no regular file.
    fn read(&self, path: &Path, at_most: usize) -> Result<Zeroizing<Vec<u8>>, FileError>;
}

/// Why a file could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileError {
    /// There is no such file.
    Missing,
    /// This user may not read it.
    Denied,
    /// It holds more than this many bytes.
    TooLarge(usize),
    /// Something else; the text is the system's.
    Other(String),
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no such file"),
            Self::Denied => f.write_str("this user may not read it"),
            Self::TooLarge(at_most) => write!(f, "it is larger than {at_most} bytes"),
            Self::Other(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for FileError {}

impl From<std::io::Error> for FileError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => Self::Missing,
            ErrorKind::PermissionDenied => Self::Denied,
            _ => Self::Other(error.to_string()),
        }
    }
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

    fn real_path(&self, path: &Path) -> Result<PathBuf, FileError> {
        Ok(std::fs::canonicalize(path)?)
    }

    fn read(&self, path: &Path, at_most: usize) -> Result<Zeroizing<Vec<u8>>, FileError> {
        // A pipe or a device may never end, or never begin.
        if !std::fs::metadata(path)?.is_file() {
            return Err(FileError::Other("it is not a regular file".into()));
        }
        let mut content = Zeroizing::new(Vec::with_capacity(at_most.min(64 << 10) + 1));
        std::fs::File::open(path)?.take(at_most as u64 + 1).read_to_end(&mut content)?;
        if content.len() > at_most {
            return Err(FileError::TooLarge(at_most));
        }
        Ok(content)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_bounded_and_regular() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.key");
        std::fs::write(&path, "12345").expect("written");
        assert_eq!(SystemFiles.read(&path, 5).expect("read").as_slice(), b"12345");
        assert_eq!(SystemFiles.read(&path, 4).expect_err("too large"), FileError::TooLarge(4));
        assert_eq!(SystemFiles.read(&folder.path().join("b"), 4).expect_err("missing"), FileError::Missing);
        assert!(matches!(SystemFiles.read(folder.path(), 4), Err(FileError::Other(_))));
    }
}
