//! An app that signs in with a certificate.

use std::path::Path;
use std::sync::Arc;

use azure_core::credentials::{Secret, SecretBytes};

use super::app_only::AppOnly;
use super::entra_options::EntraOptions;
use super::platform_of;
use crate::certificate::{AssertionOptions, CertificateAssertion, SignatureAlgorithm, Signer};
use crate::credential::{Cached, credential_from_cached};
use crate::entra::{Client, Proof};
use crate::error::Error;

const NAME: &str = "ClientCertificateCredential";

/// Authenticates an app registration (service principal) with a certificate: an assertion that its private key signs
/// (RFC 7523, section 2.2; [certificate credentials]) takes the place of a client secret, and the key is never sent.
///
/// The certificate and the key are PEM, PKCS#12 (`.pfx`, `.p12`) or DER:
///
/// | | read |
/// |---|---|
/// | PEM | keys in PKCS#8, PKCS#1 and SEC1; encrypted with PBES2, or with Triple DES or RC2 as PKCS#12 has them; key and certificates in any order |
/// | PKCS#12 | AES, Triple DES, RC2-40; with a MAC of SHA-1 or SHA-2, or none; with an empty password or none |
/// | DER | a key of any of these forms and its certificates, one after the other |
/// | keys | RSA of 2048 to 4096 bits; EC on P-256 and P-384 |
///
/// Of several certificates, the one that the private key belongs to is the app's; the others vouch for it.
///
/// ```no_run
/// use azure_core::credentials::TokenCredential;
/// use entrada::ClientCertificateCredential;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let credential = ClientCertificateCredential::from_path(
///     "contoso.onmicrosoft.com",
///     "11111111-1111-4111-8111-111111111111".into(),
///     "/run/secrets/orders.pem",
///     None,
/// )?;
/// let token = credential.get_token(&["https://vault.azure.net/.default"], None).await?;
/// # let _ = token;
/// # Ok(()) }
/// ```
///
/// # Renewal
///
/// A file is looked at whenever a token is requested from Entra, and read again when it has changed: a renewed
/// certificate is taken up without a restart. Until the new one can be used (it is there whole, its key belongs to it, it
/// is valid by now) the old one is, and a warning is logged.
///
/// # Which signature
///
/// An RSA key signs with PS256, and names its certificate by its SHA-256 thumbprint (`x5t#S256`). At AD FS (authorities
/// with the path `/adfs`) it signs with RS256, and names it by its SHA-1 thumbprint (`x5t`). Where another authority needs
/// that too, say so with [`algorithm`](ClientCertificateCredentialOptions::algorithm). Entra's documents name RSA keys
/// only; it may refuse an EC key.
///
/// [certificate credentials]: https://learn.microsoft.com/entra/identity-platform/certificate-credentials
pub struct ClientCertificateCredential {
    cached: Cached,
}

/// Options for [`ClientCertificateCredential`].
#[derive(Clone, Debug, Default)]
pub struct ClientCertificateCredentialOptions {
    /// What it has in common with other credentials of Entra.
    pub entra: EntraOptions,
    /// The password that the private key, or the PKCS#12 file, is encrypted with. By default there is none. One that is
    /// not needed does no harm.
    pub password: Option<Secret>,
    /// Whether to send the certificate, and those that vouch for it, in the header `x5c` of the assertion. Apps whose
    /// certificates are trusted by subject name and issuer need it. By default not.
    pub send_certificate_chain: bool,
    /// What to sign with. By default what fits the key and the authority. A signer's own counts instead.
    pub algorithm: Option<SignatureAlgorithm>,
}

impl ClientCertificateCredentialOptions {
    fn assertion(&self) -> AssertionOptions {
        AssertionOptions { send_certificate_chain: self.send_certificate_chain, algorithm: self.algorithm }
    }
}

impl ClientCertificateCredential {
    /// Creates the credential of a certificate and its private key, as PEM, PKCS#12 or DER. Nothing is sent.
    ///
    /// Its dates are looked at when a token is requested.
    ///
    /// # Errors
    /// Where the tenant id, client id or authority cannot be right, or the certificate cannot be used: it is damaged, the
    /// password is wrong, the key is missing, or belongs to another certificate, or cannot be signed with.
    pub fn new(
        tenant_id: &str,
        client_id: String,
        certificate: SecretBytes,
        options: Option<ClientCertificateCredentialOptions>,
    ) -> Result<Arc<Self>, Error> {
        let options = options.unwrap_or_default();
        let assertion = CertificateAssertion::from_bytes(&certificate, options.password.as_ref(), options.assertion());
        Self::made(tenant_id, &client_id, assertion, options.entra)
    }

    /// Creates the credential of a certificate and its private key in a file, as PEM, PKCS#12 or DER. The file is read now, and
    /// again when it has changed. Nothing is sent.
    ///
    /// # Errors
    /// As [`new`](Self::new), and where the file cannot be read or is larger than 256 KiB.
    pub fn from_path(
        tenant_id: &str,
        client_id: String,
        path: impl AsRef<Path>,
        options: Option<ClientCertificateCredentialOptions>,
    ) -> Result<Arc<Self>, Error> {
        let options = options.unwrap_or_default();
        let platform = platform_of(&options.entra);
        let (password, how) = (options.password.as_ref(), options.assertion());
        let assertion = CertificateAssertion::from_path(path.as_ref(), password, how, platform.files());
        Self::made(tenant_id, &client_id, assertion, options.entra)
    }

    /// Creates the credential of a key that never leaves where it is. Nothing is sent, and the signer is not asked yet.
    ///
    /// Its tokens are not shared with other credential objects, for nothing shows before the first signature whose key it
    /// is: keep the credential and clone the `Arc`. The options `password` and `algorithm` have no meaning here.
    ///
    /// # Errors
    /// Where the tenant id, client id or authority cannot be right.
    pub fn with_signer(
        tenant_id: &str,
        client_id: String,
        signer: Arc<dyn Signer>,
        options: Option<ClientCertificateCredentialOptions>,
    ) -> Result<Arc<Self>, Error> {
        let options = options.unwrap_or_default();
        let assertion = CertificateAssertion::from_signer(signer, options.send_certificate_chain);
        Self::made(tenant_id, &client_id, Ok(assertion), options.entra)
    }

    fn made(
        tenant_id: &str,
        client_id: &str,
        assertion: Result<CertificateAssertion, Error>,
        options: EntraOptions,
    ) -> Result<Arc<Self>, Error> {
        let cached = assertion.and_then(|assertion| cached(NAME, tenant_id, client_id, assertion, options));
        Ok(Arc::new(Self { cached: cached.map_err(|error| error.credential(NAME))? }))
    }
}

credential_from_cached!(ClientCertificateCredential);

/// What a credential consists of whose app signs with a certificate.
pub(super) fn cached(
    name: &'static str,
    tenant_id: &str,
    client_id: &str,
    assertion: CertificateAssertion,
    options: EntraOptions,
) -> Result<Cached, Error> {
    let assertion = Arc::new(assertion);
    let client = Client::new(tenant_id, client_id, Proof::Assertion(assertion.clone()), &options)?;
    let principal = client.principal("client certificate", &assertion.parts().each_ref().map(Option::as_deref));
    let platform = client.platform.clone();
    Ok(Cached::new(name, principal, AppOnly { client }, platform, options.cache))
}
