//! Keys that never leave where they are: a vault, an HSM, a TPM, an agent.

use async_trait::async_trait;

use super::SignatureAlgorithm;
use super::chain::Chain;
use super::problem::Problem;
use crate::entra::Exchange;
use crate::error::Error;
use crate::token_answer::excerpt;

/// Why a [`Signer`] did not sign: an error of any type. Its text is shown to the user and must hold no secret.
pub type SignerError = Box<dyn std::error::Error + Send + Sync>;

/// Signs for a key that never leaves where it is: a vault, an HSM, a TPM.
///
/// An app that [`ClientCertificateCredential::with_signer`](crate::ClientCertificateCredential::with_signer) makes asks
/// it for each exchange with the token endpoint, which is seldom: tokens are cached. All of it together may take as long
/// as the request for the token, at most a minute. It runs on the crate's own threads and must not block them.
///
/// What is signed is checked against the certificate before anything is sent to Entra.
///
/// A key in Azure Key Vault, by its [`sign`](https://learn.microsoft.com/rest/api/keyvault/keys/sign/sign) operation,
/// with a managed identity that may use it:
///
/// ```
/// use async_trait::async_trait;
/// use azure_core::credentials::TokenCredential;
/// use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
/// use entrada::{ClientCertificateCredential, ManagedIdentityCredential, SignatureAlgorithm, Signer, SignerError};
/// use sha2::{Digest, Sha256};
/// use std::sync::Arc;
///
/// struct KeyInVault {
///     /// `https://contoso.vault.azure.net/keys/orders/0123456789abcdef`, with its version.
///     key: String,
///     /// The certificate as DER.
///     certificate: Vec<u8>,
///     credential: Arc<dyn TokenCredential>,
///     http: reqwest::Client,
/// }
///
/// #[async_trait]
/// impl Signer for KeyInVault {
///     fn algorithm(&self) -> SignatureAlgorithm {
///         SignatureAlgorithm::Ps256
///     }
///
///     async fn certificate(&self) -> Result<Vec<Vec<u8>>, SignerError> {
///         Ok(vec![self.certificate.clone()])
///     }
///
///     async fn sign(&self, signing_input: &[u8]) -> Result<Vec<u8>, SignerError> {
///         let token = self.credential.get_token(&["https://vault.azure.net/.default"], None).await?;
///         // The vault signs a digest.
///         let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(signing_input));
///         let answer = self
///             .http
///             .post(format!("{}/sign?api-version=7.4", self.key))
///             .bearer_auth(token.token.secret())
///             .header("content-type", "application/json")
///             .body(serde_json::json!({"alg": "PS256", "value": digest}).to_string())
///             .send()
///             .await?
///             .error_for_status()?;
///         let answer: serde_json::Value = serde_json::from_str(&answer.text().await?)?;
///         Ok(URL_SAFE_NO_PAD.decode(answer["value"].as_str().ok_or("the vault gave no signature")?)?)
///     }
/// }
///
/// # fn example(certificate: Vec<u8>, http: reqwest::Client) -> Result<(), entrada::Error> {
/// let signer = KeyInVault {
///     key: "https://contoso.vault.azure.net/keys/orders/0123456789abcdef".into(),
///     certificate,
///     credential: ManagedIdentityCredential::new(None)?,
///     http,
/// };
/// let credential = ClientCertificateCredential::with_signer(
///     "contoso.onmicrosoft.com",
///     "11111111-1111-4111-8111-111111111111".into(),
///     Arc::new(signer),
///     None,
/// )?;
/// # let _ = credential;
/// # Ok(()) }
/// ```
#[async_trait]
pub trait Signer: Send + Sync {
    /// What it signs with.
    fn algorithm(&self) -> SignatureAlgorithm;

    /// The certificate of the key as DER, and after it those that vouch for it, if they are to be sent. Asked for at each
    /// exchange, so that a renewed one is taken up.
    ///
    /// # Errors
    /// Whatever keeps it from the certificate. It is told to the caller as the reason.
    async fn certificate(&self) -> Result<Vec<Vec<u8>>, SignerError>;

    /// Signs. What is passed is the text to sign, not its digest: hash it with the hash of the algorithm where the key
    /// takes a digest. A signature of ECDSA is the two numbers of RFC 7518, section 3.4, one after the other (64 bytes for
    /// ES256, 96 for ES384), not DER.
    ///
    /// # Errors
    /// Whatever keeps it from signing. It is told to the caller as the reason.
    async fn sign(&self, signing_input: &[u8]) -> Result<Vec<u8>, SignerError>;
}

/// The certificate of a signer, in words.
pub(super) const NAMED: &str = "the signer's certificate";

/// Asks for the certificate.
pub(super) async fn chain(signer: &dyn Signer, exchange: &Exchange<'_>) -> Result<Chain, Error> {
    let certificates = in_time("give its certificate", signer.certificate(), exchange).await?;
    let chain = Chain::of_first(&certificates).map_err(|problem| problem.failure(NAMED))?;
    chain.check_dates(exchange.platform.clock().unix_time()).map_err(|problem| problem.failure(NAMED))?;
    chain.key().check(signer.algorithm()).map_err(|problem| problem.failure(NAMED))?;
    Ok(chain)
}

/// Asks for a signature, and compares it with the certificate.
pub(super) async fn sign(
    signer: &dyn Signer,
    chain: &Chain,
    message: &[u8],
    exchange: &Exchange<'_>,
) -> Result<Vec<u8>, Error> {
    let signature = in_time("sign", signer.sign(message), exchange).await?;
    let algorithm = signer.algorithm();
    if chain.key().verifies(algorithm, message, &signature) {
        return Ok(signature);
    }
    let what = format!("its signature of {} bytes is no {algorithm} of the certificate's key", signature.len());
    let next = match algorithm {
        SignatureAlgorithm::Es256 | SignatureAlgorithm::Es384 => {
            "sign the text with the key of the certificate, and return the two numbers one after the other, not DER"
        }
        _ => "sign the text, or its SHA-256 digest where the key takes one, with the key of the certificate",
    };
    Err(Problem::new(what, next).failure("the signer"))
}

/// Waits for a signer, but no longer than the request may take.
async fn in_time<T>(
    what: &str,
    answer: impl Future<Output = Result<T, SignerError>> + Send,
    exchange: &Exchange<'_>,
) -> Result<T, Error> {
    const NEXT: &str = "see that the vault or device with the key can be reached, and that this program may use it";
    match exchange.deadline.keep(exchange.platform.clock(), answer).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(reason)) => {
            let what = format!("the signer could not {what}");
            Err(match reason.downcast::<Error>() {
                Ok(error) => error.because(&what),
                Err(reason) => Error::failed(format!("{what}: {}", excerpt(&reason.to_string())))
                    .next(NEXT)
                    .caused_by_any(reason.into()),
            })
        }
        Err(limit) => {
            let late = format!("the signer did not {what} within {} s", limit.as_secs_f32());
            Err(Error::failed(late).next(NEXT))
        }
    }
}
