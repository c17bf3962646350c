//! The key files that Azure Arc's agent challenges with.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// How many challenges may be open; the oldest is forgotten.
const OPEN: usize = 64;

/// The folder that the agent keeps its keys in on this platform.
fn agent_folder() -> PathBuf {
    if cfg!(windows) {
        let data = std::env::var_os("ProgramData").unwrap_or_else(|| r"C:\ProgramData".into());
        return PathBuf::from(data).join("AzureConnectedMachineAgent").join("Tokens");
    }
    PathBuf::from("/var/opt/azcmagent/tokens")
}

/// The challenges of a run that nobody has met yet.
pub(crate) struct ArcKeys {
    /// The folder that challenges name.
    named: PathBuf,
    /// The folder that files are written to.
    folder: PathBuf,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    keys: Vec<(PathBuf, String)>,
    /// Folders that were made for the keys, the outermost first.
    made: Vec<PathBuf>,
}

impl ArcKeys {
    /// Keys in the agent's folder, or in another one that the agent's stands for.
    pub(crate) fn new(folder: Option<PathBuf>) -> Self {
        let named = agent_folder();
        Self { folder: folder.unwrap_or_else(|| named.clone()), named, open: Mutex::default() }
    }

    /// Writes a key file and gives the path that a challenge names.
    pub(crate) fn challenge(&self) -> Result<String, String> {
        let name = format!("{}.key", uuid::Uuid::new_v4());
        let key = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let file = self.folder.join(&name);
        make_folder(&self.folder, &mut open.made)
            .and_then(|()| write(&file, &key))
            .map_err(|error| self.cannot_write(&error))?;
        if open.keys.len() == OPEN {
            let (oldest, _) = open.keys.remove(0);
            let _ = std::fs::remove_file(oldest);
        }
        open.keys.push((file, key));
        Ok(self.named.join(name).to_string_lossy().into_owned())
    }

    /// Checks that key files can be written.
    pub(crate) fn check(&self) -> Result<(), String> {
        let file = self.folder.join(format!("{}.key", uuid::Uuid::new_v4()));
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        make_folder(&self.folder, &mut open.made)
            .and_then(|()| write(&file, ""))
            .and_then(|()| std::fs::remove_file(&file))
            .map_err(|error| self.cannot_write(&error))
    }

    /// Whether a key is that of an open challenge, which it closes.
    pub(crate) fn take(&self, key: &str) -> bool {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(index) = open.keys.iter().position(|(_, other)| other == key) else { return false };
        let (file, _) = open.keys.remove(index);
        let _ = std::fs::remove_file(file);
        true
    }

    /// Removes the files, and the folders that were made for them.
    pub(crate) fn remove(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        for (file, _) in open.keys.drain(..) {
            let _ = std::fs::remove_file(file);
        }
        // A folder that somebody else has put something into stays.
        while let Some(folder) = open.made.pop() {
            let _ = std::fs::remove_dir(folder);
        }
    }

    fn cannot_write(&self, error: &io::Error) -> String {
        format!(
            "cannot write Azure Arc's key files to {}: {error}; run the emulator as a user who may (root), make the folder for yourself, or name another one with `arc_key_folder` and mount it there",
            self.folder.display()
        )
    }
}

fn make_folder(folder: &Path, made: &mut Vec<PathBuf>) -> io::Result<()> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|path| !path.exists()).collect();
    for path in missing.into_iter().rev().filter(|path| !path.as_os_str().is_empty()) {
        match std::fs::create_dir(path) {
            Ok(()) => made.push(path.to_path_buf()),
            // Another run was faster, and has to remove it.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn write(file: &Path, key: &str) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(file)?.write_all(key.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::ArcKeys;

    #[test]
    fn a_key_is_good_once_and_nothing_is_left() {
        let folder = tempfile::tempdir().expect("a folder");
        let below = folder.path().join("deeper").join("tokens");
        let keys = ArcKeys::new(Some(below.clone()));
        let realm = keys.challenge().expect("written");
        assert!(!realm.contains("deeper"), "the agent's folder is named: {realm}");
        let file = std::fs::read_dir(&below).expect("made").next().expect("a file").expect("an entry").path();
        let key = std::fs::read_to_string(&file).expect("read");
        assert!(keys.take(&key) && !file.exists() && !keys.take(&key));
        keys.challenge().expect("another");
        keys.remove();
        assert!(folder.path().read_dir().expect("there").next().is_none());
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let keys = ArcKeys::new(Some(file.path().join("tokens")));
        let problem = keys.check().expect_err("no folder");
        assert!(problem.contains("arc_key_folder") && problem.contains("tokens"), "{problem}");
        assert!(keys.challenge().is_err());
    }
}
