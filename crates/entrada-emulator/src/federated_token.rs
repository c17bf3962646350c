//! The service-account token of a pod: a file that the cluster writes, and that Entra takes in place of a secret.

use crate::clock;
use crate::config::Kubernetes;
use crate::tokens::SigningKey;
use serde::Deserialize;
use serde_json::json;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Name of the file, as AKS mounts it.
const FILE: &str = "azure-identity-token";

/// Lifetime of a token, in seconds.
const LIFETIME: i64 = 3_600;

/// How long after a token the next one is written: at four fifths of its life, as the kubelet does.
const RENEWAL: Duration = Duration::from_secs(2_880);

/// What a token is to say. What is left out is as the cluster writes it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Wish {
    /// Lifetime in seconds, negative for a token that has expired.
    expires_in: Option<i64>,
    subject: Option<String>,
    issuer: Option<String>,
    audience: Option<String>,
}

impl Wish {
    pub(crate) fn lasting(expires_in: i64) -> Self {
        Self { expires_in: Some(expires_in), ..Self::default() }
    }
}

/// The file with the token.
pub(crate) struct FederatedToken {
    file: PathBuf,
    since: Mutex<Since>,
}

/// What became of the file.
#[derive(Clone, Copy)]
enum Since {
    /// Nobody has asked for it.
    Never,
    /// The cluster wrote it, and writes it again at this time.
    Written(Instant),
    /// It was rewritten or removed on purpose, and stays as it is.
    Changed,
}

impl FederatedToken {
    pub(crate) fn new(folder: &Path) -> Self {
        Self { file: folder.join(FILE), since: Mutex::new(Since::Never) }
    }

    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Writes the first token, unless there was one.
    pub(crate) fn ensure(&self, key: &SigningKey, cluster: &Kubernetes) -> io::Result<()> {
        let mut since = self.lock();
        if matches!(*since, Since::Never) {
            self.replace(key, cluster, &Wish::default())?;
            *since = Since::Written(Instant::now() + RENEWAL);
        }
        Ok(())
    }

    /// Writes the next token of its own accord, when it is time.
    pub(crate) fn renew(&self, key: &SigningKey, cluster: &Kubernetes, now: Instant) -> io::Result<()> {
        let mut since = self.lock();
        if matches!(*since, Since::Written(due) if due <= now) {
            self.replace(key, cluster, &Wish::default())?;
            *since = Since::Written(now + RENEWAL);
        }
        Ok(())
    }

    /// Writes a new token in the place of the one there is.
    pub(crate) fn write(&self, key: &SigningKey, cluster: &Kubernetes, wish: &Wish) -> io::Result<()> {
        let mut since = self.lock();
        *since = Since::Changed;
        self.replace(key, cluster, wish)
    }

    /// Removes the file.
    pub(crate) fn remove(&self) -> io::Result<()> {
        let mut since = self.lock();
        *since = Since::Changed;
        match std::fs::remove_file(&self.file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Since> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn replace(&self, key: &SigningKey, cluster: &Kubernetes, wish: &Wish) -> io::Result<()> {
        let now = clock::now();
        let expires = now.saturating_add(wish.expires_in.unwrap_or(LIFETIME));
        let issued = now.min(expires);
        let subject = wish.subject.as_deref().unwrap_or(&cluster.subject);
        let mut parts = subject.split(':').skip(2);
        let claims = json!({
            "aud": [wish.audience.as_deref().unwrap_or(crate::world::EXCHANGE_AUDIENCE)],
            "exp": expires,
            "iat": issued,
            "iss": wish.issuer.as_deref().unwrap_or(&cluster.issuer),
            "jti": uuid::Uuid::new_v4().to_string(),
            "kubernetes.io": {
                "namespace": parts.next().unwrap_or_default(),
                "serviceaccount": {"name": parts.next().unwrap_or_default()},
            },
            "nbf": issued,
            "sub": subject,
        });
        let token = key.sign_for_cluster(&claims).ok_or_else(|| io::Error::other("the token could not be signed"))?;
        // A reader sees the old token or the new one, never a part: the file is replaced, as the cluster does.
        let new = self.file.with_extension("new");
        std::fs::write(&new, token)?;
        std::fs::rename(&new, &self.file)
    }
}

#[cfg(test)]
mod tests {
    use super::{FederatedToken, Kubernetes, RENEWAL, Wish};
    use crate::tokens::SigningKey;
    use tokio::time::Instant;

    #[test]
    fn the_cluster_renews_what_nobody_has_changed() {
        let folder = tempfile::tempdir().expect("a folder");
        let (key, cluster) = (SigningKey::generate().expect("key"), Kubernetes::default());
        let token = FederatedToken::new(folder.path());
        let read = || std::fs::read_to_string(token.file()).ok();
        token.renew(&key, &cluster, Instant::now() + RENEWAL).expect("nothing to do");
        assert!(read().is_none(), "nobody has asked for it");
        token.ensure(&key, &cluster).expect("written");
        let first = read().expect("a token");
        token.renew(&key, &cluster, Instant::now()).expect("too early");
        assert_eq!(read().as_ref(), Some(&first));
        token.renew(&key, &cluster, Instant::now() + RENEWAL).expect("written");
        assert_ne!(read().expect("a token"), first);
        token.write(&key, &cluster, &Wish::lasting(-5)).expect("written");
        let changed = read();
        token.renew(&key, &cluster, Instant::now() + RENEWAL * 2).expect("nothing to do");
        assert_eq!(read(), changed);
    }
}
