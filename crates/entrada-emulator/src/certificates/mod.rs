//! The certificates that apps prove themselves with: those of the configuration, those registered while a run lasts,
//! and the one that is made for the run.

mod chain;
mod parsed;
pub(crate) mod run;

pub(crate) use chain::is_trusted;
pub(crate) use parsed::{Certificate, hex};

use crate::config::{AppCertificate, Config};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Why a certificate could not be registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// No app has this client id.
    #[error("no app has the client id `{client_id}`")]
    UnknownApp {
        /// The client id asked for.
        client_id: String,
    },
    /// The text holds no certificate that can be used.
    #[error("the certificate cannot be used: {0}")]
    Pem(String),
}

/// The certificates of all apps, by client id in lower case.
#[derive(Debug, Default)]
pub(crate) struct AppCertificates(RwLock<HashMap<String, Vec<Arc<Certificate>>>>);

impl AppCertificates {
    /// Reads the certificates of a configuration.
    pub(crate) fn load(config: &Config) -> Result<Self, String> {
        let all = Self::default();
        for app in &config.apps {
            for entry in &app.certificates {
                for certificate in read(&app.name, entry)? {
                    all.add(&app.client_id, certificate);
                }
            }
        }
        Ok(all)
    }

    /// Registers a certificate for an app; one that is there already stays.
    pub(crate) fn add(&self, client_id: &str, certificate: Arc<Certificate>) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let of_app = all.entry(client_id.to_ascii_lowercase()).or_default();
        if of_app.iter().all(|known| known.der != certificate.der) {
            of_app.push(certificate);
        }
    }

    /// Removes every certificate of an app; whether there was one.
    pub(crate) fn clear(&self, client_id: &str) -> bool {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.remove(&client_id.to_ascii_lowercase()).is_some()
    }

    /// The certificates of an app.
    pub(crate) fn of(&self, client_id: &str) -> Vec<Arc<Certificate>> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(&client_id.to_ascii_lowercase()).cloned().unwrap_or_default()
    }
}

/// Reads the certificates that an entry of an app names.
fn read(app: &str, entry: &AppCertificate) -> Result<Vec<Arc<Certificate>>, String> {
    let found = match (&entry.pem, &entry.file) {
        (Some(pem), None) => from_pem(pem).map_err(|error| format!("a certificate of app `{app}`: {error}"))?,
        (None, Some(file)) => {
            let text = std::fs::read_to_string(file)
                .map_err(|error| format!("cannot read the certificate {} of app `{app}`: {error}", file.display()))?;
            from_pem(&text).map_err(|error| format!("the certificate {} of app `{app}`: {error}", file.display()))?
        }
        _ => return Err(format!("a certificate of app `{app}` has either `pem` or `file`")),
    };
    Ok(found)
}

/// The certificates in PEM text; other blocks, such as keys, are passed over.
pub(crate) fn from_pem(text: &str) -> Result<Vec<Arc<Certificate>>, String> {
    let mut found = Vec::new();
    for block in x509_parser::pem::Pem::iter_from_buffer(text.as_bytes()) {
        let block = block.map_err(|error| format!("the PEM text cannot be read: {error}"))?;
        if block.label == "CERTIFICATE" {
            found.push(Arc::new(Certificate::from_der(&block.contents)?));
        }
    }
    if found.is_empty() {
        return Err("there is no block `-----BEGIN CERTIFICATE-----` in it".into());
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::from_pem;

    #[test]
    fn what_holds_no_certificate_says_so() {
        let message = from_pem("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n").expect_err("a key");
        assert!(message.contains("BEGIN CERTIFICATE"), "{message}");
        let message = from_pem("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").expect_err("no DER");
        assert!(message.contains("not an X.509 certificate"), "{message}");
        assert!(from_pem("").is_err());
    }
}
