//! Trust in one certificate, named by its thumbprint.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, OtherError, SignatureScheme};

/// Accepts the certificate with a SHA-1 thumbprint and no other. Neither its issuer nor its name nor its dates count:
/// Service Fabric signs the certificate of its endpoint itself and tells programs its thumbprint.
///
/// That the server holds the certificate's key is checked as ever, by its signature of the handshake.
#[derive(Debug)]
pub(super) struct Pinned {
    pub(super) thumbprint: [u8; 20],
    pub(super) provider: Arc<CryptoProvider>,
}

/// A certificate that is not the one that was named.
#[derive(Clone, Debug)]
pub(super) struct NotPinned {
    /// Its thumbprint, in hexadecimal.
    pub(super) thumbprint: String,
}

impl fmt::Display for NotPinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "another certificate: {}", self.thumbprint)
    }
}

impl std::error::Error for NotPinned {}

/// The SHA-1 thumbprint of a certificate, as Windows and Service Fabric compute it.
fn thumbprint(certificate: &CertificateDer<'_>) -> Vec<u8> {
    ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, certificate).as_ref().to_vec()
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let shown = thumbprint(end_entity);
        if shown == self.thumbprint {
            return Ok(ServerCertVerified::assertion());
        }
        let thumbprint = shown.iter().map(|byte| format!("{byte:02X}")).collect();
        Err(rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(NotPinned { thumbprint })))))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
