//! The certificates of hosts whose endpoints are https and have nothing to do with the gateway's authority.

use crate::authority::{Authority, AuthorityError};
use crate::host::Host;
use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::sync::Arc;

/// What the endpoints of Service Fabric and of an identity binding show.
pub(crate) struct EndpointCertificates {
    fabric: Arc<ServerConfig>,
    thumbprint: String,
    binding: Arc<ServerConfig>,
    binding_authority: String,
    /// What both show when a fault says so.
    other: Arc<ServerConfig>,
}

impl EndpointCertificates {
    /// Makes the certificates of a run. `server_name` is the only name that the binding's is for.
    pub(crate) fn new(server_name: &str) -> Result<Self, AuthorityError> {
        let (fabric, certificate) = self_signed(&["localhost".into(), "127.0.0.1".into()])?;
        let (other, _) = self_signed(&["localhost".into(), "127.0.0.1".into(), server_name.to_owned()])?;
        let authority = Authority::named("entrada emulator cluster authority")?;
        Ok(Self {
            fabric,
            thumbprint: thumbprint(&certificate),
            binding: authority.server_of_one_name(server_name)?,
            binding_authority: authority.pem().to_owned(),
            other,
        })
    }

    /// SHA-1 of Service Fabric's certificate, hexadecimal, as `IDENTITY_SERVER_THUMBPRINT` has it.
    pub(crate) fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// The authority of the binding's certificate, PEM.
    pub(crate) fn binding_authority(&self) -> &str {
        &self.binding_authority
    }

    /// Whether the endpoint of a host is https.
    pub(crate) fn has(host: Host) -> bool {
        matches!(host, Host::ServiceFabric | Host::KubernetesIdentityBinding)
    }

    /// The TLS server of a host's endpoint; none when the endpoint is plain http.
    pub(crate) fn server(&self, host: Host, other: bool) -> Option<Arc<ServerConfig>> {
        match host {
            _ if other && Self::has(host) => Some(self.other.clone()),
            Host::ServiceFabric => Some(self.fabric.clone()),
            Host::KubernetesIdentityBinding => Some(self.binding.clone()),
            _ => None,
        }
    }
}

fn self_signed(names: &[String]) -> Result<(Arc<ServerConfig>, CertificateDer<'static>), AuthorityError> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(names.to_vec())?;
    crate::authority::limit_life(&mut params);
    let certificate = params.self_signed(&key)?.der().clone();
    let mut config = crate::authority::server_config()?
        .with_single_cert(vec![certificate.clone()], PrivatePkcs8KeyDer::from(key.serialize_der()).into())?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((Arc::new(config), certificate))
}

fn thumbprint(certificate: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, certificate);
    digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect()
}

/// A certificate for one name; a client that asks for another, or for none, gets none.
#[derive(Debug)]
pub(crate) struct OneName {
    pub(crate) name: String,
    pub(crate) key: Arc<CertifiedKey>,
}

impl ResolvesServerCert for OneName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        hello.server_name().is_some_and(|name| name.eq_ignore_ascii_case(&self.name)).then(|| self.key.clone())
    }
}
