//! The service-account token of a pod: a file that the cluster writes, and that Entra takes in place of a secret.
//!
//! Under an identity binding it is for the cluster's token proxy, and Entra itself does not take it
//! (<https://learn.microsoft.com/azure/aks/workload-identity-overview>).

use crate::clock;
use crate::config::Kubernetes;
use crate::host::Host;
use crate::tokens::SigningKey;
use crate::world::{BINDING_AUDIENCE, EXCHANGE_AUDIENCE};
use serde::Deserialize;
use serde_json::json;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Name of the file, as AKS mounts it.
const FILE: &str = "azure-identity-token";

/// Name of the file under an identity binding. A pod has the one or the other; here both kinds may be running.
const BINDING_FILE: &str = "azure-identity-token-for-binding";

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

/// The files with the token, for Entra and for the proxy of an identity binding; what befalls one befalls the other.
pub(crate) struct FederatedToken {
    file: PathBuf,
    binding_file: PathBuf,
    since: Mutex<Since>,
}

/// What became of the files.
#[derive(Clone, Copy)]
enum Since {
    /// Nobody has asked for them.
    Never,
    /// The cluster wrote them, and writes them again at this time.
    Written(Instant),
    /// They were rewritten or removed on purpose, and stay as they are.
    Changed,
}

impl FederatedToken {
    pub(crate) fn new(folder: &Path) -> Self {
        let (file, binding_file) = (folder.join(FILE), folder.join(BINDING_FILE));
        Self { file, binding_file, since: Mutex::new(Since::Never) }
    }

    /// The file of a pod on `host`.
    pub(crate) fn file(&self, host: Host) -> &Path {
        if host == Host::KubernetesIdentityBinding { &self.binding_file } else { &self.file }
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

    /// Removes the files.
    pub(crate) fn remove(&self) -> io::Result<()> {
        let mut since = self.lock();
        *since = Since::Changed;
        for file in [&self.file, &self.binding_file] {
            match std::fs::remove_file(file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Since> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn replace(&self, key: &SigningKey, cluster: &Kubernetes, wish: &Wish) -> io::Result<()> {
        replace(&self.file, key, cluster, wish, EXCHANGE_AUDIENCE)?;
        replace(&self.binding_file, key, cluster, wish, BINDING_AUDIENCE)
    }
}

fn replace(file: &Path, key: &SigningKey, cluster: &Kubernetes, wish: &Wish, audience: &str) -> io::Result<()> {
    let now = clock::now();
    let expires = now.saturating_add(wish.expires_in.unwrap_or(LIFETIME));
    let issued = now.min(expires);
    let subject = wish.subject.as_deref().unwrap_or(&cluster.subject);
    let mut parts = subject.split(':').skip(2);
    let claims = json!({
        "aud": [wish.audience.as_deref().unwrap_or(audience)],
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
    let token =
        key.sign_as(&cluster.issuer, &claims).ok_or_else(|| io::Error::other("the token could not be signed"))?;
    // A reader sees the old token or the new one, never a part: the file is replaced, as the cluster does.
    let new = file.with_extension("new");
    std::fs::write(&new, token)?;
    std::fs::rename(&new, file)
}

#[cfg(test)]
mod tests {
    use super::{FederatedToken, Host, Kubernetes, RENEWAL, Wish};
    use crate::tokens::SigningKey;
    use tokio::time::Instant;

    #[test]
    fn the_cluster_renews_what_nobody_has_changed() {
        let folder = tempfile::tempdir().expect("a folder");
        let (key, cluster) = (SigningKey::generate().expect("key"), Kubernetes::default());
        let token = FederatedToken::new(folder.path());
        let read = || std::fs::read_to_string(token.file(Host::Kubernetes)).ok();
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
