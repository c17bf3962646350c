//! A person whom a web app has sent to sign in, and who came back with a code.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use azure_core::credentials::{Secret, SecretBytes};
use url::Url;
use zeroize::Zeroizing;

use super::client_assertion;
use super::entra_options::EntraOptions;
use crate::assertions::{ClientAssertion, Presented};
use crate::cache::{Cache, Flights, Joined, Principal};
use crate::certificate::{AssertionOptions, CertificateAssertion};
use crate::credential::{Cached, Source, credential_from_cached};
use crate::deadline::Deadline;
use crate::entra::{self, Client, Grant, Proof, check_secret};
use crate::error::{Error, Outcome};
use crate::scope;
use crate::sign_in::{account, renew};
use crate::token::{Fetched, TokenRequest};

const NAME: &str = "AuthorizationCodeCredential";

/// Authenticates a person by the authorization code that Entra sent to the app's redirect URI: the authorization code
/// grant of RFC 6749, section 4.1. For web apps that send people to sign in by themselves.
///
/// A code is good for one exchange, within ten minutes. With the first token comes a refresh token, which is kept in memory
/// and gets all others, for the same scopes or others. When it is dead as well, an error says that the person has to be
/// sent to sign in again.
///
/// Tokens are shared by objects that are created for the same code, and by no others: two codes are two sign-ins, and
/// what one person has proven in the one is not proven in the other.
///
/// ```no_run
/// use azure_core::credentials::{Secret, TokenCredential};
/// use entrada::{AuthorizationCodeCredential, AuthorizationCodeCredentialOptions};
///
/// # async fn example(code_of_the_request: String) -> Result<(), Box<dyn std::error::Error>> {
/// let credential = AuthorizationCodeCredential::new(
///     "contoso.onmicrosoft.com",
///     "11111111-1111-4111-8111-111111111111".into(),
///     Secret::new(code_of_the_request),
///     "https://portal.contoso.example/signin",
///     Some(AuthorizationCodeCredentialOptions {
///         client_secret: Some(Secret::new(std::fs::read_to_string("/run/secrets/client-secret")?)),
///         ..Default::default()
///     }),
/// )?;
/// let token = credential.get_token(&["https://graph.microsoft.com/User.Read"], None).await?;
/// # let _ = token;
/// # Ok(()) }
/// ```
pub struct AuthorizationCodeCredential {
    cached: Cached,
}

/// Options for [`AuthorizationCodeCredential`].
#[derive(Clone, Debug, Default)]
pub struct AuthorizationCodeCredentialOptions {
    /// The app's secret; none for a public client, or where it proves itself with something else.
    pub client_secret: Option<Secret>,
    /// The password that a certificate's private key, or the PKCS#12 file, is encrypted with. By default there is none.
    pub certificate_password: Option<Secret>,
    /// Whether to send a certificate, and those that vouch for it, in the header `x5c` of the assertion that its key signs.
    /// By default not.
    pub send_certificate_chain: bool,
    /// The verifier whose challenge was sent with the person (RFC 7636), where one was.
    pub code_verifier: Option<Secret>,
    /// What it has in common with other credentials of Entra.
    pub entra: EntraOptions,
}

impl AuthorizationCodeCredential {
    /// Creates the credential of a public client, or of an app with a secret. Nothing is sent. `redirect_uri` is the one that
    /// the code was sent to.
    ///
    /// # Errors
    /// Where the tenant id, client id, code, redirect URI, secret, verifier or authority cannot be right.
    pub fn new(
        tenant_id: &str,
        client_id: String,
        authorization_code: Secret,
        redirect_uri: &str,
        options: Option<AuthorizationCodeCredentialOptions>,
    ) -> Result<Arc<Self>, Error> {
        let mut options = options.unwrap_or_default();
        let proof = match options.client_secret.take() {
            Some(secret) => {
                check_secret(secret.secret()).map(|()| Proof::Secret(Zeroizing::new(secret.secret().to_owned())))
            }
            None => Ok(Proof::None),
        };
        Self::made(tenant_id, &client_id, &authorization_code, redirect_uri, proof, &[], options)
    }

    /// The same for an app with a certificate and its private key, as PEM, PKCS#12 or DER; see
    /// [`ClientCertificateCredential`](crate::ClientCertificateCredential).
    ///
    /// # Errors
    /// As [`new`](Self::new), and where the certificate cannot be used, or there is a secret as well.
    pub fn with_certificate(
        tenant_id: &str,
        client_id: String,
        authorization_code: Secret,
        redirect_uri: &str,
        certificate: SecretBytes,
        options: Option<AuthorizationCodeCredentialOptions>,
    ) -> Result<Arc<Self>, Error> {
        let options = options.unwrap_or_default();
        let how = AssertionOptions { send_certificate_chain: options.send_certificate_chain, ..Default::default() };
        let assertion = CertificateAssertion::from_bytes(&certificate, options.certificate_password.as_ref(), how);
        let assertion = assertion.map(Arc::new);
        let named = assertion.as_ref().map(|assertion| assertion.parts()).unwrap_or_default();
        let parts = named.each_ref().map(Option::as_deref);
        let proof = assertion.clone().map(|assertion| Proof::Assertion(assertion));
        Self::made(tenant_id, &client_id, &authorization_code, redirect_uri, proof, &parts, options)
    }

    /// The same for an app that shows assertions in place of a secret. None is asked for yet.
    ///
    /// # Errors
    /// As [`new`](Self::new), and where there is a secret as well.
    pub fn with_assertion(
        tenant_id: &str,
        client_id: String,
        authorization_code: Secret,
        redirect_uri: &str,
        assertion: impl ClientAssertion,
        options: Option<AuthorizationCodeCredentialOptions>,
    ) -> Result<Arc<Self>, Error> {
        let identity = client_assertion::identity(&assertion);
        let proof = Ok(Proof::Assertion(Arc::new(Presented(Arc::new(assertion)))));
        let options = options.unwrap_or_default();
        Self::made(tenant_id, &client_id, &authorization_code, redirect_uri, proof, &[Some(&identity)], options)
    }

    /// `parts` set apart what the proof alone does not.
    fn made(
        tenant_id: &str,
        client_id: &str,
        code: &Secret,
        redirect_uri: &str,
        proof: Result<Proof, Error>,
        parts: &[Option<&str>],
        options: AuthorizationCodeCredentialOptions,
    ) -> Result<Arc<Self>, Error> {
        let make = || {
            let proof = proof?;
            if options.client_secret.is_some() {
                return Err(Error::invalid_argument(
                    "there are two proofs: a client secret, and a certificate or an assertion",
                )
                .next("leave out the client_secret"));
            }
            let code = check_code(code.secret())?;
            check_redirect_uri(redirect_uri)?;
            let verifier =
                options.code_verifier.as_ref().map(|verifier| check_verifier(verifier.secret())).transpose()?;
            let client = Client::new(tenant_id, client_id, proof, &options.entra)?;
            let parts = [&[Some(code.as_str()), Some(redirect_uri)], parts].concat();
            let principal = client.principal("authorization code", &parts);
            let platform = client.platform.clone();
            let cache = options.entra.cache.clone().unwrap_or_else(Cache::process);
            let redemption = Arc::new(Redemption {
                client,
                cache: Arc::clone(&cache),
                principal,
                code,
                verifier,
                redirect_uri: redirect_uri.to_owned(),
                used: AtomicBool::new(false),
            });
            let source = ByCode { redemption, flights: Flights::new() };
            Ok(Cached::new(NAME, principal, source, platform, Some(cache)))
        };
        let cached = make().map_err(|error: Error| error.credential(NAME))?;
        Ok(Arc::new(Self { cached }))
    }
}

credential_from_cached!(AuthorizationCodeCredential);

/// The source: by the refresh token, and by the code where there is none yet.
struct ByCode {
    redemption: Arc<Redemption>,
    /// A code can be shown once only. Who needs a token for something else at the same time waits, and goes on with the
    /// refresh token that comes with the first.
    flights: Arc<Flights<(), Arc<First>>>,
}

/// What the code was redeemed for.
struct First {
    request: TokenRequest,
    fetched: Mutex<Option<Fetched>>,
}

struct Redemption {
    client: Client,
    cache: Arc<Cache>,
    principal: Principal,
    code: Zeroizing<String>,
    verifier: Option<Zeroizing<String>>,
    redirect_uri: String,
    used: AtomicBool,
}

#[async_trait]
impl Source for ByCode {
    fn check(&self, request: &TokenRequest) -> Result<(), Error> {
        scope::check(request)?;
        self.redemption.client.check_tenant(request)
    }

    async fn fetch(&self, request: &TokenRequest) -> Result<Fetched, Error> {
        let redemption = &self.redemption;
        loop {
            let deadline = Deadline::after(redemption.client.platform.clock(), entra::LIMIT);
            let Redemption { client, cache, principal, .. } = &**redemption;
            match renew(client, cache, *principal, request, deadline).await {
                Some(Err(error)) if error.outcome() == Outcome::InteractionRequired => {
                    return Err(error.next(SEND_AGAIN));
                }
                Some(outcome) => return Ok(outcome?.fetched),
                None => {}
            }
            let departure = || {
                let (redemption, request) = (Arc::clone(redemption), request.clone());
                Box::pin(async move { redemption.redeem(request, deadline).await.map(Arc::new) }) as _
            };
            let first = match self.flights.join((), || None, departure) {
                Joined::Landed(first) => first,
                Joined::Flight(flight) => flight.wait().await?,
            };
            if first.request == *request
                && let Some(fetched) = first.fetched.lock().unwrap_or_else(PoisonError::into_inner).take()
            {
                return Ok(fetched);
            }
        }
    }
}

const SEND_AGAIN: &str = "send the person to sign in again, and create a new credential with the code that comes back";

impl Redemption {
    /// Shows the code, and keeps the refresh token that it brings.
    async fn redeem(&self, request: TokenRequest, deadline: Deadline) -> Result<First, Error> {
        if self.used.load(Ordering::Acquire) {
            return Err(Error::interaction_required(
                "No authorization code, cached access token, or refresh token available: the code has been used, and a \
                 code is good for one exchange",
            )
            .next(SEND_AGAIN));
        }
        let verifier = self.verifier.as_ref().map(|verifier| verifier.as_str());
        let grant = Grant::AuthorizationCode { code: &self.code, redirect_uri: &self.redirect_uri, verifier };
        match self.client.redeem(&request, &grant, deadline).await {
            Ok(granted) => {
                self.used.store(true, Ordering::Release);
                if granted.id_token.is_some() {
                    account(&granted, &self.client, None)?;
                }
                if let Some(refresh_token) = granted.refresh_token {
                    self.cache.renewals().keep(self.principal, refresh_token);
                }
                Ok(First { request, fetched: Mutex::new(Some(granted.fetched)) })
            }
            Err(error) => {
                // It was looked at, and will be refused again.
                let answer = error.server_answer();
                if answer.and_then(|answer| answer.error.as_deref()) == Some("invalid_grant") {
                    self.used.store(true, Ordering::Release);
                }
                match answer.and_then(|answer| answer.code.as_deref()) {
                    // It was used before, or is too old.
                    Some("AADSTS54005" | "AADSTS70000" | "AADSTS70008") => {
                        Err(error.needing_a_person().next(SEND_AGAIN))
                    }
                    _ => Err(error),
                }
            }
        }
    }
}

fn check_code(code: &str) -> Result<Zeroizing<String>, Error> {
    let next = "pass the value of the parameter `code` of the request that came to the redirect URI, decoded";
    if code.is_empty() {
        return Err(Error::invalid_argument("the authorization code is empty").next(next));
    }
    if code.contains(|c: char| c.is_whitespace() || c.is_control()) || code.contains("code=") {
        return Err(Error::invalid_argument("the authorization code is more than a code").next(next));
    }
    Ok(Zeroizing::new(code.to_owned()))
}

fn check_redirect_uri(redirect_uri: &str) -> Result<(), Error> {
    let next = "pass the redirect URI that the code was sent to, as it stands in the app registration";
    match Url::parse(redirect_uri) {
        Ok(url) if url.fragment().is_none() => Ok(()),
        _ => Err(Error::invalid_argument(format!("{redirect_uri:?} is not a redirect URI")).next(next)),
    }
}

/// RFC 7636, section 4.1.
fn check_verifier(verifier: &str) -> Result<Zeroizing<String>, Error> {
    let fits = (43..=128).contains(&verifier.len())
        && verifier.chars().all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c));
    if !fits {
        return Err(Error::invalid_argument("the code verifier is not one: it has 43 to 128 letters, digits, - . _ ~")
            .next("pass the verifier, not the challenge that was made of it"));
    }
    Ok(Zeroizing::new(verifier.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::Credential;
    use crate::platform::HttpResponse;
    use crate::platform::scripted::{Scripted, response};

    const URI: &str = "https://portal.contoso.example/signin";

    fn options(machine: &Scripted, cache: &Arc<Cache>) -> AuthorizationCodeCredentialOptions {
        AuthorizationCodeCredentialOptions {
            client_secret: Some("s&cret".into()),
            entra: EntraOptions {
                platform: Some(machine.platform.clone()),
                cache: Some(Arc::clone(cache)),
                ..Default::default()
            },
            ..Default::default()
        }
    }

    fn credential(machine: &Scripted, cache: &Arc<Cache>, code: &str) -> Arc<AuthorizationCodeCredential> {
        let options = Some(options(machine, cache));
        AuthorizationCodeCredential::new("t", "client".into(), code.to_owned().into(), URI, options).expect("valid")
    }

    fn granted(token: &str, refresh_token: &str) -> HttpResponse {
        let body = serde_json::json!({"access_token": token, "expires_in": 3600, "refresh_token": refresh_token});
        response(200, &body.to_string())
    }

    fn request(scope: &str) -> TokenRequest {
        TokenRequest::new([scope])
    }

    #[tokio::test]
    async fn the_code_is_shown_once_and_the_refresh_token_after_that() {
        let machine = Scripted::new(&[]).answers([Ok(granted("t-1", "r-1")), Ok(granted("t-2", "r-2"))]);
        let cache = Cache::new(Default::default());
        let one = credential(&machine, &cache, "c0de");
        // Who asks for something else at the same time goes on with what the code brings.
        let (for_user, for_mail) = (request("User.Read"), request("Mail.Read"));
        let (user, mail) = tokio::join!(one.token(&for_user), one.token(&for_mail));
        let (user, mail) = (user.expect("a token"), mail.expect("a token"));
        let mut tokens = [user.secret(), mail.secret()];
        tokens.sort_unstable();
        assert_eq!(tokens, ["t-1", "t-2"]);
        let sent = machine.http.sent();
        assert_eq!(sent.len(), 2);
        assert!(
            sent[0].body.starts_with("client_id=client&client_secret=s%26cret&grant_type=authorization_code&code=c0de&redirect_uri=https%3A%2F%2Fportal.contoso.example%2Fsignin&scope="),
            "{}", sent[0].body
        );
        assert!(sent[1].body.contains("grant_type=refresh_token&refresh_token=r-1"), "{}", sent[1].body);
        // Another object for the same code has its tokens; one for another code has not.
        assert_eq!(
            credential(&machine, &cache, "c0de").token(&for_user).await.expect("cached").secret(),
            user.secret()
        );
        credential(&machine, &cache, "other").token(&for_user).await.expect_err("nothing is shared");
        assert!(machine.http.sent()[2].body.contains("code=other"));
    }

    #[tokio::test]
    async fn a_code_that_was_used_is_not_shown_again() {
        let refusal = r#"{"error":"invalid_grant","error_description":"AADSTS54005: OAuth2 Authorization code was already redeemed."}"#;
        let machine = Scripted::new(&[]).answers([Ok(response(400, refusal))]);
        let credential = credential(&machine, &Cache::new(Default::default()), "c0de");
        for _ in 0..2 {
            let error = credential.token(&request("s")).await.expect_err("used");
            assert_eq!(error.outcome(), Outcome::InteractionRequired, "{error}");
            assert!(error.to_string().contains("send the person to sign in again"), "{error}");
            assert!(!error.to_string().contains("c0de"), "{error}");
        }
        assert_eq!(machine.http.sent().len(), 1);
    }

    #[tokio::test]
    async fn a_dead_refresh_token_needs_the_person() {
        let refusal = r#"{"error":"invalid_grant","error_description":"AADSTS50173: The provided grant has expired due to it being revoked."}"#;
        let machine = Scripted::new(&[]).answers([Ok(granted("t-1", "r-1")), Ok(response(400, refusal))]);
        let credential = credential(&machine, &Cache::new(Default::default()), "c0de");
        credential.token(&request("a")).await.expect("a token");
        for _ in 0..2 {
            let error = credential.token(&request("b")).await.expect_err("revoked");
            assert_eq!(error.outcome(), Outcome::InteractionRequired, "{error}");
            assert!(error.remedy().is_some_and(|next| next.contains("sign in again")), "{error}");
        }
        assert_eq!(machine.http.sent().len(), 2);
    }

    #[tokio::test]
    async fn an_assertion_is_shown_in_place_of_a_secret() {
        let machine = Scripted::new(&[]).answers([Ok(granted("t-1", "r-1"))]);
        let cache = Cache::new(Default::default());
        let new = |options| {
            let assertion = || async { Ok::<_, Error>("e30.e30.s".to_owned()) };
            AuthorizationCodeCredential::with_assertion("t", "c".into(), "c0de".into(), URI, assertion, Some(options))
        };
        let own = AuthorizationCodeCredentialOptions { client_secret: None, ..options(&machine, &cache) };
        new(own).expect("valid").token(&request("s")).await.expect("a token");
        assert!(machine.http.sent()[0].body.contains("client_assertion=e30.e30.s"), "{}", machine.http.sent()[0].body);
        let error = new(options(&machine, &cache)).expect_err("a secret as well");
        assert!(error.is_invalid_argument() && error.to_string().contains("two proofs"), "{error}");
    }

    #[test]
    fn bad_arguments_are_refused_at_construction() {
        let machine = Scripted::new(&[]);
        let cache = Cache::new(Default::default());
        let new = |code: &str, uri: &str, verifier: Option<&str>| {
            let options = AuthorizationCodeCredentialOptions {
                code_verifier: verifier.map(|verifier| verifier.to_owned().into()),
                ..options(&machine, &cache)
            };
            AuthorizationCodeCredential::new("t", "c".into(), code.to_owned().into(), uri, Some(options))
                .expect_err("refused")
                .to_string()
        };
        assert!(new("", URI, None).contains("code is empty"));
        assert!(!new("?code=s3cret", URI, None).contains("s3cret"));
        assert!(new("c", "portal", None).contains("\"portal\" is not a redirect URI"));
        let error = new("c", URI, Some("sh0rt"));
        assert!(error.contains("code verifier") && !error.contains("sh0rt"), "{error}");
    }
}
