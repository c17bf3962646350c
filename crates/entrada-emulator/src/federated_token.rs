//! The service-account token of a pod: a file that the cluster writes, and that Entra takes in place of a secret.

use crate::clock;
use crate::config::Kubernetes;
use crate::tokens::SigningKey;
use serde::Deserialize;
use serde_json::json;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Name of the file, as AKS mounts it.
const FILE: &str = "azure-identity-token";

/// Lifetime of a token, in seconds.
const LIFETIME: i64 = 3_600;

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
    /// Whether it was ever written, or removed on purpose.
    touched: Mutex<bool>,
}

impl FederatedToken {
    pub(crate) fn new(folder: &Path) -> Self {
        Self { file: folder.join(FILE), touched: Mutex::new(false) }
    }

    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Writes the first token, unless there was one.
    pub(crate) fn ensure(&self, key: &SigningKey, cluster: &Kubernetes) -> io::Result<()> {
        let mut touched = self.touched.lock().unwrap_or_else(PoisonError::into_inner);
        if !*touched {
            self.replace(key, cluster, &Wish::default())?;
            *touched = true;
        }
        Ok(())
    }

    /// Writes a new token in the place of the one there is.
    pub(crate) fn write(&self, key: &SigningKey, cluster: &Kubernetes, wish: &Wish) -> io::Result<()> {
        let mut touched = self.touched.lock().unwrap_or_else(PoisonError::into_inner);
        *touched = true;
        self.replace(key, cluster, wish)
    }

    /// Removes the file.
    pub(crate) fn remove(&self) -> io::Result<()> {
        let mut touched = self.touched.lock().unwrap_or_else(PoisonError::into_inner);
        *touched = true;
        match std::fs::remove_file(&self.file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
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
