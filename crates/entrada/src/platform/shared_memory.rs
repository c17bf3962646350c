//! Small files in memory that only this user can read: what the processes of one user have in common, until the machine
//! stops.

use std::fmt;
use std::path::PathBuf;

/// Where such files are kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedMemory {
    /// A folder to take as it is; by default one is looked for in the machine's memory.
    folder: Option<PathBuf>,
}

/// Why processes cannot share anything here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unshareable(String);

impl fmt::Display for Unshareable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl SharedMemory {
    /// A folder of a test's own.
    #[cfg(test)]
    pub(crate) fn at(folder: &std::path::Path) -> Self {
        Self { folder: Some(folder.to_owned()) }
    }

    /// The file `name` and the lock beside it. Nothing is created before something is written or locked.
    pub(crate) fn file(&self, name: &str) -> Result<SharedFile, Unshareable> {
        let folder = match &self.folder {
            Some(folder) => folder.clone(),
            None => system::folder()?,
        };
        Ok(SharedFile { content: folder.join(format!("{name}.sealed")), lock: folder.join(format!("{name}.lock")) })
    }

    /// What binds a secret to this start of this machine and to this user: neither is secret, and both are gone from a
    /// copy that is looked at elsewhere or later.
    pub(crate) fn binding(&self) -> Result<Vec<u8>, Unshareable> {
        system::binding()
    }
}

/// A file that processes share, and its lock.
#[derive(Debug)]
pub(crate) struct SharedFile {
    content: PathBuf,
    lock: PathBuf,
}

impl SharedFile {
    /// What the file holds; `None` where there is none, it is too large, or it cannot be read.
    pub(crate) fn read(&self) -> Option<Vec<u8>> {
        system::read(&self.content)
    }

    /// Replaces the file as a whole: nobody ever sees half of it.
    pub(crate) fn write(&self, content: &[u8]) -> Result<(), Unshareable> {
        system::write(&self.content, content)
    }

    /// Takes the lock if nobody has it. A process that ends, however it does, has it no more.
    pub(crate) fn try_lock(&self) -> Result<Option<Locked>, Unshareable> {
        system::try_lock(&self.lock)
    }
}

pub(crate) use system::Locked;

#[cfg(target_os = "linux")]
mod system {
    use std::fs::{DirBuilder, File, OpenOptions};
    use std::io::{self, Read, Write};
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    use rustix::fs::{FlockOperation, OFlags, flock, statfs};
    use rustix::io::Errno;

    use super::Unshareable;

    /// A token of a principal in many groups has some sixteen kilobytes.
    const LARGEST: u64 = 256 << 10;
    /// What nobody has written for longer belongs to nobody any more: no managed identity's token lives longer.
    const OLD: Duration = Duration::from_secs(2 * 86_400);
    const TMPFS: u64 = 0x0102_1994;
    const RAMFS: u64 = 0x8584_58F6;

    /// The lock of a file; dropping it gives it back.
    #[derive(Debug)]
    pub(crate) struct Locked(File);

    impl Drop for Locked {
        fn drop(&mut self) {
            // A child that was forked meanwhile has the same file open: closing it here would not be enough.
            let _ = flock(&self.0, FlockOperation::Unlock);
        }
    }

    /// A folder of this user's in the machine's memory.
    pub(super) fn folder() -> Result<PathBuf, Unshareable> {
        let uid = rustix::process::geteuid().as_raw();
        let candidates = [format!("/dev/shm/entrada-{uid}"), format!("/run/user/{uid}/entrada")];
        let mut reasons = Vec::new();
        for candidate in candidates {
            let candidate = PathBuf::from(candidate);
            match private(&candidate, uid) {
                Ok(()) => return Ok(candidate),
                Err(reason) => reasons.push(format!("{}: {reason}", candidate.display())),
            }
        }
        Err(Unshareable(reasons.join("; ")))
    }

    /// Makes the folder, or makes sure that it is in memory and this user's alone.
    fn private(folder: &Path, uid: u32) -> Result<(), String> {
        let parent = folder.parent().unwrap_or(folder);
        let kind = statfs(parent).map_err(|error| error.to_string())?.f_type;
        #[allow(clippy::cast_sign_loss, clippy::unnecessary_cast)]
        if !matches!(kind as u64, TMPFS | RAMFS) {
            return Err("not in memory".into());
        }
        match DirBuilder::new().mode(0o700).create(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error.to_string()),
            _ => {}
        }
        let found = std::fs::symlink_metadata(folder).map_err(|error| error.to_string())?;
        if !found.is_dir() || found.uid() != uid || found.permissions().mode() & 0o077 != 0 {
            return Err("it is there, but it is not a folder of this user alone".into());
        }
        Ok(())
    }

    pub(super) fn binding() -> Result<Vec<u8>, Unshareable> {
        let boot = std::fs::read("/proc/sys/kernel/random/boot_id")
            .map_err(|error| Unshareable(format!("the id of this start of the machine cannot be read: {error}")))?;
        let mut binding = boot.trim_ascii().to_vec();
        binding.extend(rustix::process::geteuid().as_raw().to_le_bytes());
        Ok(binding)
    }

    fn options() -> OpenOptions {
        let mut options = OpenOptions::new();
        let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC;
        options.mode(0o600).custom_flags(i32::try_from(flags.bits()).unwrap_or_default());
        options
    }

    pub(super) fn read(path: &Path) -> Option<Vec<u8>> {
        let file = options().read(true).open(path).ok()?;
        let mut content = Vec::new();
        file.take(LARGEST + 1).read_to_end(&mut content).ok()?;
        (content.len() as u64 <= LARGEST).then_some(content)
    }

    pub(super) fn write(path: &Path, content: &[u8]) -> Result<(), Unshareable> {
        let attempt = || {
            let folder = path.parent().unwrap_or(path);
            sweep(folder);
            let temporary = folder.join(format!("{}.tmp", uuid::Uuid::new_v4()));
            let written = options()
                .write(true)
                .create_new(true)
                .open(&temporary)
                .and_then(|mut file| file.write_all(content))
                .and_then(|()| std::fs::rename(&temporary, path));
            if written.is_err() {
                let _ = std::fs::remove_file(&temporary);
            }
            written
        };
        attempt().map_err(|error: io::Error| Unshareable(format!("{}: {error}", path.display())))
    }

    /// Removes what is left of identities and secrets that are in use no more.
    fn sweep(folder: &Path) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let age = entry.metadata().ok().and_then(|data| data.modified().ok()?.elapsed().ok());
            if age.is_some_and(|age| age > OLD) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }

    pub(super) fn try_lock(path: &Path) -> Result<Option<Locked>, Unshareable> {
        let unshareable = |reason: String| Unshareable(format!("{}: {reason}", path.display()));
        let file = options().read(true).write(true).create(true).truncate(false).open(path);
        let file = file.map_err(|error| unshareable(error.to_string()))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Locked(file))),
            Err(Errno::WOULDBLOCK | Errno::INTR) => Ok(None),
            Err(error) => Err(unshareable(error.to_string())),
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::path::{Path, PathBuf};

    use super::Unshareable;

    /// The lock of a file; there is none here.
    #[derive(Debug)]
    pub(crate) struct Locked;

    fn not_here() -> Unshareable {
        Unshareable("only Linux has folders in memory".into())
    }

    pub(super) fn folder() -> Result<PathBuf, Unshareable> {
        Err(not_here())
    }

    pub(super) fn binding() -> Result<Vec<u8>, Unshareable> {
        Err(not_here())
    }

    pub(super) fn read(_path: &Path) -> Option<Vec<u8>> {
        None
    }

    pub(super) fn write(_path: &Path, _content: &[u8]) -> Result<(), Unshareable> {
        Err(not_here())
    }

    pub(super) fn try_lock(_path: &Path) -> Result<Option<Locked>, Unshareable> {
        Err(not_here())
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn files_are_private_and_whole_and_locks_exclude() {
        let folder = tempfile::tempdir().expect("a folder");
        let shared = SharedMemory::at(folder.path());
        let (one, two) = (shared.file("a").expect("a file"), shared.file("a").expect("a file"));
        assert_eq!(one.read(), None);
        one.write(b"first").expect("written");
        one.write(b"second").expect("written");
        assert_eq!(two.read().as_deref(), Some(&b"second"[..]));
        let mode = std::fs::metadata(folder.path().join("a.sealed")).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "no temporary file stays");

        let locked = one.try_lock().expect("a lock").expect("free");
        assert!(two.try_lock().expect("a lock").is_none());
        drop(locked);
        assert!(two.try_lock().expect("a lock").is_some());
    }

    #[test]
    fn a_link_is_not_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let elsewhere = folder.path().join("elsewhere");
        std::fs::write(&elsewhere, "secret").expect("written");
        std::os::unix::fs::symlink(&elsewhere, folder.path().join("a.sealed")).expect("a link");
        assert_eq!(SharedMemory::at(folder.path()).file("a").expect("a file").read(), None);
    }

    #[test]
    fn the_machines_own_folder_is_in_memory_and_private() {
        let Ok(folder) = system::folder() else {
            // A machine without /dev/shm; that this is said is all there is to check.
            assert!(SharedMemory::default().file("a").is_err());
            return;
        };
        let mode = std::fs::metadata(&folder).expect("made").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}
