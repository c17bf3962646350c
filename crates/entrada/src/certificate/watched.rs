//! A certificate in a file that somebody renews.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroizing;

use super::SignatureAlgorithm;
use super::problem::Problem;
use super::read::{ClientCertificate, LARGEST};
use crate::error::Error;
use crate::platform::{FileError, FileStamp, Files};
use crate::runtime;

/// A file with a certificate and its key. It is looked at whenever they are needed, and read again when it has changed.
pub(crate) struct Watched {
    path: PathBuf,
    password: Option<Zeroizing<String>>,
    /// What the key must be able to sign with.
    algorithm: Option<SignatureAlgorithm>,
    current: Mutex<Option<Current>>,
}

#[derive(Clone)]
struct Current {
    version: Version,
    certificate: Arc<ClientCertificate>,
}

/// What tells one content of the file from another. Kubernetes replaces what a link leads to.
type Version = (Option<FileStamp>, Option<PathBuf>);

impl Watched {
    /// Nothing is read yet. A relative path is taken from the folder that the program is in now.
    pub(super) fn new(
        path: &Path,
        password: Option<Zeroizing<String>>,
        algorithm: Option<SignatureAlgorithm>,
        files: &dyn Files,
    ) -> Self {
        let folder = if path.is_relative() { files.real_path(Path::new(".")).ok() } else { None };
        let path = folder.map_or_else(|| path.to_owned(), |folder| folder.join(path));
        Self { path, password, algorithm, current: Mutex::default() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn password(&self) -> Option<&str> {
        self.password.as_ref().map(|password| password.as_str())
    }

    /// The certificate in words.
    pub(super) fn named(&self) -> String {
        format!("the certificate {}", self.path.display())
    }

    /// Reads the file for the first time.
    pub(super) fn open(&self, files: &dyn Files) -> Result<(), Problem> {
        let current = self.load(files)?;
        self.remember(current);
        Ok(())
    }

    /// The certificate that is good now: the one in the file or, while that cannot be used, the one that was there before.
    pub(super) fn look(&self, files: &dyn Files, now: i64) -> Result<Arc<ClientCertificate>, Error> {
        let before = {
            let _gate = runtime::fork_gate();
            self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
        };
        if let Some(before) = &before
            && before.version == self.version(files)
        {
            let dates = before.certificate.chain().check_dates(now);
            return dates.map(|()| Arc::clone(&before.certificate)).map_err(|problem| problem.failure(&self.named()));
        }
        let loaded = self.load(files).and_then(|loaded| {
            loaded.certificate.chain().check_dates(now)?;
            Ok(loaded)
        });
        let problem = match (loaded, before) {
            (Ok(loaded), before) => {
                if before.is_some() {
                    tracing::info!(path = %self.path.display(), "took up a renewed certificate");
                }
                let certificate = Arc::clone(&loaded.certificate);
                self.remember(loaded);
                return Ok(certificate);
            }
            (Err(problem), None) => return Err(problem.failure(&self.named())),
            (Err(problem), Some(before)) => match before.certificate.chain().check_dates(now) {
                Ok(()) => {
                    tracing::warn!(
                        path = %self.path.display(),
                        reason = problem.what(),
                        "the certificate was replaced by something that cannot be used; the old one still is"
                    );
                    return Ok(before.certificate);
                }
                Err(old) => problem.after(&old),
            },
        };
        Err(problem.failure(&self.named()))
    }

    fn remember(&self, current: Current) {
        let _gate = runtime::fork_gate();
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(current);
    }

    fn version(&self, files: &dyn Files) -> Version {
        (files.stamp(&self.path), files.real_path(&self.path).ok())
    }

    fn load(&self, files: &dyn Files) -> Result<Current, Problem> {
        // Before the content: if the file changes in between, it is read once more next time.
        let version = self.version(files);
        let content = files.read(&self.path, LARGEST).map_err(|error| unreadable(&error))?;
        let certificate = ClientCertificate::read(&content, self.password())?;
        if let Some(algorithm) = self.algorithm {
            certificate.chain().key().check(algorithm)?;
        }
        Ok(Current { version, certificate: Arc::new(certificate) })
    }
}

fn unreadable(error: &FileError) -> Problem {
    let next = match error {
        FileError::Missing => "check the path, and that the file is mounted into this container",
        FileError::Denied => "let the user that this program runs as read it",
        FileError::TooLarge(_) => "name a file with one private key and its certificates",
        _ => "name a regular file, in PEM, PKCS#12 or DER",
    };
    Problem::new(error.to_string(), next)
}
