//! The run's own certificate authority, and the server certificates it signs.

use crate::endpoint_tls::OneName;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::server::WantsServerCert;
use rustls::sign::CertifiedKey;
use rustls::{ConfigBuilder, ServerConfig};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use time::{Duration, OffsetDateTime};

/// Common name of the authority.
pub(crate) const NAME: &str = "entrada emulator authority";

/// How long the certificates of a run are valid.
const LIFETIME: Duration = Duration::days(30);

/// A certificate authority that lives as long as one run.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    certificate: CertificateDer<'static>,
    leaf_key: KeyPair,
    leaves: Mutex<HashMap<String, Arc<ServerConfig>>>,
}

/// Why the authority, or a certificate of it, could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuthorityError {
    #[error("cannot make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    #[error("cannot use a certificate: {0}")]
    Tls(#[from] rustls::Error),
}

impl Authority {
    /// Makes the gateway's authority.
    pub(crate) fn new() -> Result<Self, AuthorityError> {
        Self::named(NAME)
    }

    /// Makes an authority with a name.
    pub(crate) fn named(name: &str) -> Result<Self, AuthorityError> {
        let mut params = named(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        Ok(Self {
            certificate: certificate.der().clone(),
            issuer: Issuer::new(params, key),
            pem: certificate.pem(),
            leaf_key: KeyPair::generate()?,
            leaves: Mutex::default(),
        })
    }

    /// The authority's certificate, PEM.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// A TLS server that answers as `host`. Signing takes a moment, so each name is done once.
    pub(crate) fn server(&self, host: &str) -> Result<Arc<ServerConfig>, AuthorityError> {
        let mut leaves = self.leaves.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = leaves.get(host) {
            return Ok(config.clone());
        }
        let (chain, key) = self.sign(host)?;
        let mut config = server_config()?.with_single_cert(chain, key.into())?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let config = Arc::new(config);
        leaves.insert(host.to_owned(), config.clone());
        Ok(config)
    }

    /// A TLS server that answers as `name`, and refuses whoever asks for another.
    pub(crate) fn server_of_one_name(&self, name: &str) -> Result<Arc<ServerConfig>, AuthorityError> {
        let (chain, key) = self.sign(name)?;
        let key = CertifiedKey::from_der(chain, key.into(), &rustls::crypto::ring::default_provider())?;
        let resolver = OneName { name: name.to_owned(), key: Arc::new(key) };
        let mut config = server_config()?.with_cert_resolver(Arc::new(resolver));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    fn sign(&self, host: &str) -> Result<(Vec<CertificateDer<'static>>, PrivatePkcs8KeyDer<'static>), AuthorityError> {
        let mut params = CertificateParams::new(vec![host.to_owned()])?;
        params.distinguished_name = distinguished(host);
        limit_life(&mut params);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let leaf = params.signed_by(&self.leaf_key, &self.issuer)?;
        let key = PrivatePkcs8KeyDer::from(self.leaf_key.serialize_der());
        Ok((vec![leaf.der().clone(), self.certificate.clone()], key))
    }
}

/// The beginning of every TLS server.
pub(crate) fn server_config() -> Result<ConfigBuilder<ServerConfig, WantsServerCert>, rustls::Error> {
    Ok(ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth())
}

/// Makes a certificate valid from yesterday on, for clocks that are behind, and for as long as a run may last.
pub(crate) fn limit_life(params: &mut CertificateParams) {
    params.not_before = OffsetDateTime::now_utc() - Duration::days(1);
    params.not_after = OffsetDateTime::now_utc() + LIFETIME;
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = distinguished(name);
    limit_life(&mut params);
    params
}

fn distinguished(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

#[cfg(test)]
mod tests {
    use super::Authority;
    use std::sync::Arc;

    #[test]
    fn each_name_is_signed_once() {
        let authority = Authority::new().expect("authority");
        let first = authority.server("login.microsoftonline.com").expect("leaf");
        let again = authority.server("login.microsoftonline.com").expect("leaf");
        assert!(Arc::ptr_eq(&first, &again));
        assert!(authority.pem().starts_with("-----BEGIN CERTIFICATE-----"));
    }
}
