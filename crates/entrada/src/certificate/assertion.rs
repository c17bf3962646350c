//! The assertion that an app signs in place of a secret (RFC 7523, section 3).
//!
//! <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use azure_core::credentials::{Secret, SecretBytes};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use zeroize::Zeroizing;

use super::SignatureAlgorithm;
use super::chain::Chain;
use super::read::ClientCertificate;
use super::signer::{self, Signer};
use super::watched::Watched;
use crate::entra::{AssertionSource, AuthorityKind, Exchange};
use crate::error::Error;
use crate::platform::Files;
use crate::runtime;

/// For how long an assertion is good, in seconds.
const LIFETIME: i64 = 600;
const NAMED: &str = "the certificate";

/// How an assertion is made.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AssertionOptions {
    /// Whether the certificate goes along, with those that vouch for it.
    pub(crate) send_certificate_chain: bool,
    /// What to sign with; by default what fits the key and the authority.
    pub(crate) algorithm: Option<SignatureAlgorithm>,
}

/// Signs assertions with a certificate.
pub(crate) struct CertificateAssertion {
    key: Key,
    options: AssertionOptions,
}

enum Key {
    Given(Arc<ClientCertificate>),
    File(Arc<Watched>),
    Elsewhere { signer: Arc<dyn Signer>, number: u64 },
}

impl CertificateAssertion {
    /// With a certificate and key as PEM, PKCS#12 or DER.
    pub(crate) fn from_bytes(
        content: &SecretBytes,
        password: Option<&Secret>,
        options: AssertionOptions,
    ) -> Result<Self, Error> {
        let certificate = ClientCertificate::read(content.bytes(), password.map(Secret::secret));
        let checked = certificate.and_then(|certificate| {
            options.algorithm.map_or(Ok(()), |algorithm| certificate.chain().key().check(algorithm))?;
            Ok(certificate)
        });
        let certificate = checked.map_err(|problem| problem.argument(NAMED))?;
        Ok(Self { key: Key::Given(Arc::new(certificate)), options })
    }

    /// With those in a file, which may be renewed. It is read now, to tell at once what is wrong with it.
    pub(crate) fn from_path(
        path: &Path,
        password: Option<&Secret>,
        options: AssertionOptions,
        files: &dyn Files,
    ) -> Result<Self, Error> {
        let (assertion, watched) = Self::watching(path, password, options, files);
        watched.open(files).map_err(|problem| problem.argument(&watched.named()))?;
        Ok(assertion)
    }

    /// With those in a file that is read when they are needed.
    pub(crate) fn from_path_later(
        path: &Path,
        password: Option<&Secret>,
        options: AssertionOptions,
        files: &dyn Files,
    ) -> Self {
        Self::watching(path, password, options, files).0
    }

    fn watching(
        path: &Path,
        password: Option<&Secret>,
        options: AssertionOptions,
        files: &dyn Files,
    ) -> (Self, Arc<Watched>) {
        let password = password.map(|password| Zeroizing::new(password.secret().to_owned()));
        let watched = Arc::new(Watched::new(path, password, options.algorithm, files));
        (Self { key: Key::File(Arc::clone(&watched)), options }, watched)
    }

    /// With a key that is elsewhere.
    pub(crate) fn from_signer(signer: Arc<dyn Signer>, send_certificate_chain: bool) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let options = AssertionOptions { send_certificate_chain, algorithm: Some(signer.algorithm()) };
        Self { key: Key::Elsewhere { signer, number }, options }
    }

    /// What sets it apart from another, for the key of a cache: two that differ in it never share tokens.
    ///
    /// A certificate that was passed is its thumbprint: that the private key is there too has been shown. One in a file is
    /// its path and password: whoever may name them may use what is in it, and a renewed certificate does not change who
    /// the app is. Of a signer nothing has been shown when cached tokens are looked for, and a certificate is public, so
    /// each has its own number and shares with nobody.
    pub(crate) fn parts(&self) -> [Option<Cow<'_, str>>; 3] {
        match &self.key {
            Key::Given(certificate) => {
                [Some("given".into()), Some(URL_SAFE_NO_PAD.encode(certificate.chain().sha256()).into()), None]
            }
            Key::File(watched) => {
                [Some("file".into()), Some(watched.path().to_string_lossy()), watched.password().map(Cow::from)]
            }
            Key::Elsewhere { number, .. } => [Some("signer".into()), Some(number.to_string().into()), None],
        }
    }

    /// The algorithm to sign with for an authority.
    fn algorithm(&self, chain: &Chain, exchange: &Exchange<'_>) -> SignatureAlgorithm {
        let is_ad_fs = exchange.authority.kind() == AuthorityKind::AdFs;
        self.options.algorithm.unwrap_or_else(|| chain.key().usual(is_ad_fs))
    }
}

#[async_trait]
impl AssertionSource for CertificateAssertion {
    async fn assertion(&self, exchange: &Exchange<'_>) -> Result<Zeroizing<String>, Error> {
        let now = exchange.platform.clock().unix_time();
        let (certificate, named) = match &self.key {
            Key::Given(certificate) => {
                certificate.chain().check_dates(now).map_err(|problem| problem.failure(NAMED))?;
                (Arc::clone(certificate), NAMED.to_owned())
            }
            Key::File(watched) => {
                // To open a file that is encrypted takes a while, on purpose.
                let (file, platform) = (Arc::clone(watched), exchange.platform.clone());
                (runtime::run_blocking(move || file.look(platform.files(), now)).await??, watched.named())
            }
            Key::Elsewhere { signer, .. } => {
                let chain = signer::chain(&**signer, exchange).await?;
                let input = self.input(&chain, exchange, now);
                let signature = signer::sign(&**signer, &chain, input.as_bytes(), exchange).await?;
                return Ok(signed(&input, &signature));
            }
        };
        let chain = certificate.chain();
        let input = self.input(chain, exchange, now);
        let algorithm = self.algorithm(chain, exchange);
        let signature = certificate.sign(algorithm, input.as_bytes()).map_err(|problem| problem.failure(&named))?;
        Ok(signed(&input, &signature))
    }
}

impl CertificateAssertion {
    /// What is signed (RFC 7515, section 5.1).
    fn input(&self, chain: &Chain, exchange: &Exchange<'_>, now: i64) -> String {
        let algorithm = self.algorithm(chain, exchange);
        let mut header = json!({"alg": algorithm.as_str(), "typ": "JWT"});
        if algorithm == SignatureAlgorithm::Rs256 {
            header["x5t"] = URL_SAFE_NO_PAD.encode(chain.sha1()).into();
        } else {
            header["x5t#S256"] = URL_SAFE_NO_PAD.encode(chain.sha256()).into();
        }
        if self.options.send_certificate_chain {
            // Padded and of the usual alphabet, unlike all else in a JWT (RFC 7515, section 4.1.6).
            header["x5c"] = chain.certificates().iter().map(|der| STANDARD.encode(der)).collect();
        }
        let payload = json!({
            "aud": exchange.audience,
            "iss": exchange.client_id,
            "sub": exchange.client_id,
            "jti": uuid::Uuid::new_v4().to_string(),
            "nbf": now,
            "iat": now,
            "exp": now + LIFETIME,
        });
        format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(payload.to_string()))
    }
}

fn signed(input: &str, signature: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)))
}
