//! Which servers are trusted, and who signed the ones that are not.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme};

use super::environment::Environment;
use super::http::{HttpError, Trust};
use super::pinned::{NotPinned, Pinned};

/// The TLS configuration of an HTTP client. Certificates are loaded at the first handshake: a program that only
/// speaks to a managed-identity endpoint over http never needs them.
pub(super) fn client_config(environment: Arc<dyn Environment>, trust: &Trust) -> Result<ClientConfig, HttpError> {
    // ring rather than aws-lc-rs: no C build, 2 MB less, and no 36 ms of seeding at the first handshake.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let by_authorities = |roots| {
        Arc::new(Verifier { roots, provider: Arc::clone(&provider), loaded: OnceLock::new() })
            as Arc<dyn ServerCertVerifier>
    };
    let verifier: Arc<dyn ServerCertVerifier> = match trust {
        Trust::System | Trust::Authorities { pem: None, .. } => by_authorities(Roots::System(environment)),
        Trust::Authorities { pem: Some(pem), .. } => by_authorities(Roots::Given(Arc::clone(pem))),
        Trust::Thumbprint(thumbprint) => Arc::new(Pinned { thumbprint: *thumbprint, provider: Arc::clone(&provider) }),
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| HttpError::Tls(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(config)
}

/// A certificate that no trusted authority signed.
#[derive(Clone, Debug)]
pub(super) struct Untrusted {
    issuer: String,
    roots: String,
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        HttpError::from(self).fmt(f)
    }
}

impl std::error::Error for Untrusted {}

impl From<&Untrusted> for HttpError {
    fn from(untrusted: &Untrusted) -> Self {
        Self::UntrustedIssuer { issuer: untrusted.issuer.clone(), roots: untrusted.roots.clone() }
    }
}

/// What the verifier said, where it is what stopped the handshake.
pub(super) fn refused_certificate(error: &rustls::Error) -> Option<HttpError> {
    let rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(inner))) = error else {
        return None;
    };
    let untrusted = inner.downcast_ref::<Untrusted>().map(HttpError::from);
    untrusted.or_else(|| {
        let other = inner.downcast_ref::<NotPinned>()?;
        Some(HttpError::OtherCertificate(other.thumbprint.clone()))
    })
}

/// The usual verification, which names the issuer where it fails for want of a trusted one.
struct Verifier {
    roots: Roots,
    provider: Arc<CryptoProvider>,
    loaded: OnceLock<Result<Loaded, String>>,
}

/// Where the trusted authorities are written.
enum Roots {
    /// Where the environment says, else in the system.
    System(Arc<dyn Environment>),
    /// In this text, PEM.
    Given(Arc<[u8]>),
}

struct Loaded {
    webpki: Arc<WebPkiServerVerifier>,
    roots: String,
}

impl Verifier {
    fn loaded(&self) -> Result<&Loaded, rustls::Error> {
        self.loaded.get_or_init(|| self.load()).as_ref().map_err(|reason| rustls::Error::General(reason.clone()))
    }

    fn load(&self) -> Result<Loaded, String> {
        let (certificates, roots) = match &self.roots {
            Roots::System(environment) => trusted(&**environment)?,
            Roots::Given(pem) => {
                let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
                let certificates =
                    certificates.map_err(|error| format!("the authorities that were given cannot be read: {error}"))?;
                (certificates, "the authorities that were given".to_owned())
            }
        };
        let mut store = RootCertStore::empty();
        // Bundles hold a few certificates that are malformed by today's rules; the others are still good.
        let (added, _) = store.add_parsable_certificates(certificates);
        if added == 0 {
            return Err(format!("no trusted authorities were found ({roots})"));
        }
        let webpki = WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(&self.provider))
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Loaded { webpki, roots })
    }
}

fn trusted(environment: &dyn Environment) -> Result<(Vec<CertificateDer<'static>>, String), String> {
    for name in ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"] {
        let Some(file) = environment.var(name) else {
            continue;
        };
        // requests also takes a folder here.
        if Path::new(&file).is_dir() {
            return from_folder(name, &file);
        }
        let certificates = CertificateDer::pem_file_iter(&file)
            .and_then(Iterator::collect)
            .map_err(|error| format!("{name} names {file}, which cannot be read: {error}"))?;
        return Ok((certificates, format!("{name} = {file}")));
    }
    if let Some(folder) = environment.var("SSL_CERT_DIR") {
        return from_folder("SSL_CERT_DIR", &folder);
    }
    let loaded = rustls_native_certs::load_native_certs();
    if loaded.certs.is_empty()
        && let Some(error) = loaded.errors.first()
    {
        return Err(format!("the system's trusted authorities cannot be read: {error}"));
    }
    Ok((loaded.certs, "the system's trusted authorities".into()))
}

fn from_folder(name: &str, folder: &str) -> Result<(Vec<CertificateDer<'static>>, String), String> {
    let loaded = rustls_native_certs::load_certs_from_paths(None, Some(Path::new(folder)));
    match (loaded.certs.is_empty(), loaded.errors.first()) {
        (true, Some(error)) => Err(format!("{name} names {folder}, which cannot be read: {error}")),
        _ => Ok((loaded.certs, format!("{name} = {folder}"))),
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let loaded = self.loaded()?;
        loaded.webpki.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now).map_err(|error| {
            match error {
                rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
                    let untrusted = Untrusted {
                        issuer: issuer(intermediates.last().unwrap_or(end_entity)),
                        roots: loaded.roots.clone(),
                    };
                    rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(untrusted))))
                }
                other => other,
            }
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.loaded()?.webpki.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.loaded()?.webpki.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").finish_non_exhaustive()
    }
}

/// The issuer's name as the certificate has it.
fn issuer(certificate: &CertificateDer<'_>) -> String {
    match x509_parser::parse_x509_certificate(certificate) {
        Ok((_, parsed)) => parsed.issuer().to_string(),
        Err(_) => "an unreadable certificate".into(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn a_bundle_that_is_missing_is_named() {
        let variables = HashMap::from([("SSL_CERT_FILE".to_owned(), "/no/such/file".to_owned())]);
        let error = trusted(&variables).expect_err("no such file");
        assert!(error.starts_with("SSL_CERT_FILE names /no/such/file, which cannot be read"), "{error}");
    }
}
