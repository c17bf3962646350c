//! An app that goes on as the user who called it.

#[cfg(test)]
mod isolation_tests;
mod source;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use azure_core::credentials::{Secret, SecretBytes};
use zeroize::Zeroizing;

use self::source::{App, OfUser, check_form};
use super::client_assertion;
use super::described::Described;
use super::entra_options::EntraOptions;
use super::platform_of;
use crate::assertions::{ClientAssertion, Presented};
use crate::cache::{Cache, Sought};
use crate::certificate::{AssertionOptions, CertificateAssertion, SignatureAlgorithm, Signer};
use crate::context::UserAssertion;
use crate::credential::{Cached, Credential, token_credential};
use crate::entra::{Client, Proof, check_secret};
use crate::error::Error;
use crate::token::{Token, TokenRequest};

const NAME: &str = "OnBehalfOfCredential";

/// Gets tokens in the name of a user who called this app: the
/// [on-behalf-of flow](https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow). The *user
/// assertion* is the access token that the user's client sent to this app.
///
/// One object serves any number of users: [`token_for`](Self::token_for) takes the assertion with each request,
/// [`for_user`](Self::for_user) makes a credential of one user for a service client, and a
/// [`UserAssertion`](crate::context::UserAssertion) in the context of a call says it to `azure_core`'s `get_token`. All share one client and one cache.
/// A user's tokens are kept under a digest of the assertion, the app and its proof, so nobody is ever given another
/// one's; a token at hand is found as fast among a hundred thousand users as among two, without a lock.
///
/// ```no_run
/// use azure_core::credentials::Secret;
/// use entrada::{OnBehalfOfCredential, TokenRequest};
///
/// # async fn example(secret: Secret, authorization: &str) -> Result<(), Box<dyn std::error::Error>> {
/// // Once.
/// let users = OnBehalfOfCredential::with_secret(
///     "contoso.onmicrosoft.com",
///     "11111111-1111-4111-8111-111111111111".into(),
///     secret,
///     None,
/// )?;
/// // For each request, whose token this app has validated.
/// let assertion = authorization.trim_start_matches("Bearer ");
/// let request = TokenRequest::new(["https://graph.microsoft.com/User.Read"]);
/// let token = users.token_for(assertion, &request).await?;
/// // Or for a service client.
/// let of_this_user = users.for_user(assertion)?;
/// # let _ = (token, of_this_user);
/// # Ok(()) }
/// ```
///
/// # Renewal
///
/// The refresh tokens that Entra gives are kept beside the tokens, as many and as long as [`CacheLimits`] allow, and
/// wiped with them. They are used first, so that a long task goes on after the assertion has expired; where Entra refuses
/// one, the assertion is shown again, and an error tells of both.
///
/// # Errors
///
/// An assertion that says it has expired, or is an app's, is refused before anything is sent. Where the user must act
/// first (consent, multi-factor authentication, a policy), the [outcome](Error::outcome) is
/// [`InteractionRequired`](crate::Outcome::InteractionRequired), and [`Error::claims`] has what the user's client needs to
/// sign in again.
///
/// [`CacheLimits`]: crate::CacheLimits
pub struct OnBehalfOfCredential {
    app: Arc<App>,
    user: Option<Described>,
}

/// Options for [`OnBehalfOfCredential`].
#[derive(Clone, Debug, Default)]
pub struct OnBehalfOfCredentialOptions {
    /// The user whom the credential itself acts for; by default none, and users are named with each request.
    pub user_assertion: Option<Secret>,
    /// The password that a certificate's private key, or the PKCS#12 file, is encrypted with. By default there is none.
    pub password: Option<Secret>,
    /// Whether to send a certificate, and those that vouch for it, in the header `x5c` of the assertion that its key signs.
    /// Apps whose certificates are trusted by subject name and issuer need it. By default not.
    pub send_certificate_chain: bool,
    /// What a certificate's key signs with. By default what fits the key and the authority. A signer's own counts instead.
    pub algorithm: Option<SignatureAlgorithm>,
    /// What it has in common with other credentials of Entra.
    pub entra: EntraOptions,
}

impl OnBehalfOfCredentialOptions {
    fn signing(&self) -> AssertionOptions {
        AssertionOptions { send_certificate_chain: self.send_certificate_chain, algorithm: self.algorithm }
    }
}

impl OnBehalfOfCredential {
    /// Creates the credential of an app with a client secret. Nothing is sent.
    ///
    /// # Errors
    /// Where the tenant id, client id, secret, user assertion or authority cannot be right.
    pub fn with_secret(
        tenant_id: &str,
        client_id: String,
        secret: Secret,
        options: Option<OnBehalfOfCredentialOptions>,
    ) -> Result<Arc<Self>, Error> {
        let proof = check_secret(secret.secret()).map(|()| Proof::Secret(Zeroizing::new(secret.secret().to_owned())));
        Self::made(tenant_id, &client_id, proof, &[Some("secret")], options)
    }

    /// Creates the credential of an app that shows assertions in place of a secret. Nothing is sent, and no assertion is
    /// asked for.
    ///
    /// # Errors
    /// Where the tenant id, client id, user assertion or authority cannot be right.
    pub fn with_assertion(
        tenant_id: &str,
        client_id: String,
        assertion: impl ClientAssertion,
        options: Option<OnBehalfOfCredentialOptions>,
    ) -> Result<Arc<Self>, Error> {
        let identity = client_assertion::identity(&assertion);
        let proof = Proof::Assertion(Arc::new(Presented(Arc::new(assertion))));
        Self::made(tenant_id, &client_id, Ok(proof), &[Some("assertion"), Some(&identity)], options)
    }

    /// Creates the credential of an app with a certificate and its private key, as PEM, PKCS#12 or DER; see
    /// [`ClientCertificateCredential`](crate::ClientCertificateCredential). Nothing is sent.
    ///
    /// # Errors
    /// Where the tenant id, client id, user assertion or authority cannot be right, or the certificate cannot be used.
    pub fn with_certificate(
        tenant_id: &str,
        client_id: String,
        certificate: SecretBytes,
        options: Option<OnBehalfOfCredentialOptions>,
    ) -> Result<Arc<Self>, Error> {
        let options = options.unwrap_or_default();
        let proof = CertificateAssertion::from_bytes(&certificate, options.password.as_ref(), options.signing());
        Self::made_with_certificate(tenant_id, &client_id, proof, options)
    }

    /// Creates the credential of an app with a certificate and its private key in a file, as PEM, PKCS#12 or DER. The file is
    /// read now, and again when it has changed. Nothing is sent.
    ///
    /// # Errors
    /// As [`with_certificate`](Self::with_certificate), and where the file cannot be read or is larger than 256 KiB.
    pub fn with_certificate_path(
        tenant_id: &str,
        client_id: String,
        path: impl AsRef<Path>,
        options: Option<OnBehalfOfCredentialOptions>,
    ) -> Result<Arc<Self>, Error> {
        let options = options.unwrap_or_default();
        let platform = platform_of(&options.entra);
        let (password, how) = (options.password.as_ref(), options.signing());
        let proof = CertificateAssertion::from_path(path.as_ref(), password, how, platform.files());
        Self::made_with_certificate(tenant_id, &client_id, proof, options)
    }

    /// Creates the credential of an app with a key that never leaves where it is. Nothing is sent, and the signer is not
    /// asked yet.
    ///
    /// # Errors
    /// Where the tenant id, client id, user assertion or authority cannot be right.
    pub fn with_signer(
        tenant_id: &str,
        client_id: String,
        signer: Arc<dyn Signer>,
        options: Option<OnBehalfOfCredentialOptions>,
    ) -> Result<Arc<Self>, Error> {
        let options = options.unwrap_or_default();
        let proof = CertificateAssertion::from_signer(signer, options.send_certificate_chain);
        Self::made_with_certificate(tenant_id, &client_id, Ok(proof), options)
    }

    fn made_with_certificate(
        tenant_id: &str,
        client_id: &str,
        assertion: Result<CertificateAssertion, Error>,
        options: OnBehalfOfCredentialOptions,
    ) -> Result<Arc<Self>, Error> {
        let assertion = assertion.map(Arc::new);
        let named = assertion.as_ref().map(|assertion| assertion.parts()).unwrap_or_default();
        let parts = [Some("certificate"), named[0].as_deref(), named[1].as_deref(), named[2].as_deref()];
        let proof = assertion.clone().map(|assertion| Proof::Assertion(assertion));
        Self::made(tenant_id, client_id, proof, &parts, Some(options))
    }

    /// The same with any proof; `parts` tell it from others, beside a secret.
    fn made(
        tenant_id: &str,
        client_id: &str,
        proof: Result<Proof, Error>,
        parts: &[Option<&str>],
        options: Option<OnBehalfOfCredentialOptions>,
    ) -> Result<Arc<Self>, Error> {
        let OnBehalfOfCredentialOptions { user_assertion, entra, .. } = options.unwrap_or_default();
        let make = || {
            let client = Client::new(tenant_id, client_id, proof?, &entra)?;
            let principal = client.principal("on behalf of", parts);
            let cache = entra.cache.clone().unwrap_or_else(Cache::process);
            let app = Arc::new(App { client, principal, cache });
            let user = user_assertion.map(|assertion| of_user(&app, assertion.secret())).transpose()?;
            Ok(Arc::new(Self { app, user: user.map(|user| Described::new(NAME, Ok(user))) }))
        };
        make().map_err(|error: Error| error.credential(NAME))
    }

    /// The credential of one user, for a service client. It is cheap to make, and shares all it has with this one: make one
    /// for each request.
    ///
    /// # Errors
    /// Where the assertion cannot be one. What is wrong with it otherwise shows when a token is requested.
    pub fn for_user(&self, user_assertion: &str) -> Result<Arc<Self>, Error> {
        let user = of_user(&self.app, user_assertion).map_err(|error| error.credential(NAME))?;
        Ok(Arc::new(Self { app: Arc::clone(&self.app), user: Some(Described::new(NAME, Ok(user))) }))
    }

    /// The user's token for a request, from the cache where there is a good one.
    ///
    /// # Errors
    /// As for any credential; see the [type](Self).
    pub async fn token_for(&self, user_assertion: &str, request: &TokenRequest) -> Result<Arc<Token>, Error> {
        if request.claims.is_none()
            && let [scope] = request.scopes.as_slice()
            && let Some(token) =
                self.at_hand_for(user_assertion, scope, request.tenant_id.as_deref(), request.enable_cae)
        {
            return Ok(token);
        }
        let user = of_user(&self.app, user_assertion).map_err(|error| error.credential(NAME))?;
        user.token(request).await
    }

    /// The user's token for one scope, if there is one that needs no waiting and need not be replaced yet.
    pub fn at_hand_for(
        &self,
        user_assertion: &str,
        scope: &str,
        tenant_id: Option<&str>,
        enable_cae: bool,
    ) -> Option<Arc<Token>> {
        let App { client, principal, cache } = &*self.app;
        if tenant_id.is_some() {
            let mut request = TokenRequest::new([scope]);
            request.tenant_id = tenant_id.map(str::to_owned);
            client.check_tenant(&request).ok()?;
        }
        let principal = principal.with(user_assertion);
        let sought = Sought { principal, scope, tenant_id, enable_cae };
        let view = cache.settled(&sought, client.platform.clock().elapsed(), 0)?;
        view.token().cloned()
    }
}

/// One user's tokens.
fn of_user(app: &Arc<App>, assertion: &str) -> Result<Cached, Error> {
    check_form(assertion)?;
    let principal = app.principal.with(assertion);
    let (platform, cache) = (app.client.platform.clone(), Arc::clone(&app.cache));
    let source = OfUser { app: Arc::clone(app), principal, assertion: Zeroizing::new(assertion.to_owned()) };
    Ok(Cached::new(NAME, principal, source, platform, Some(cache)))
}

#[async_trait]
impl Credential for OnBehalfOfCredential {
    fn name(&self) -> &str {
        NAME
    }

    fn at_hand(&self, scopes: &[&str], tenant_id: Option<&str>, enable_cae: bool) -> Option<Arc<Token>> {
        self.user.as_ref()?.at_hand(scopes, tenant_id, enable_cae)
    }

    fn on_behalf_of(&self, user_assertion: &UserAssertion) -> Option<Arc<dyn Credential>> {
        // What cannot be an assertion is told when the token is requested.
        let user = Described::new(NAME, of_user(&self.app, user_assertion.secret()));
        Some(Arc::new(Self { app: Arc::clone(&self.app), user: Some(user) }))
    }

    async fn token(&self, request: &TokenRequest) -> Result<Arc<Token>, Error> {
        match &self.user {
            Some(user) => user.token(request).await,
            None => Err(Error::invalid_argument("there is no user to act for")
                .credential(NAME)
                .next("pass user_assertion, or ask for each user's own tokens by for_user or token_for")),
        }
    }
}

token_credential!(OnBehalfOfCredential);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use azure_core::credentials::{TokenCredential, TokenRequestOptions};
    use azure_core::http::{ClientMethodOptions, Context};
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;
    use crate::assertions::AssertionError;
    use crate::error::Outcome;
    use crate::platform::scripted::{Scripted, response};
    use crate::platform::{HttpError, HttpResponse};

    const NOW: i64 = 1_800_000_000;
    const SCOPE: &str = "https://graph.microsoft.com/User.Read";

    fn jwt(claims: &str) -> String {
        format!("e30.{}.hunter2", URL_SAFE_NO_PAD.encode(claims))
    }

    fn options(machine: &Scripted) -> OnBehalfOfCredentialOptions {
        let entra = EntraOptions {
            platform: Some(machine.platform.clone()),
            cache: Some(Cache::new(Default::default())),
            additionally_allowed_tenants: vec!["other".into()],
            ..Default::default()
        };
        OnBehalfOfCredentialOptions { entra, ..Default::default() }
    }

    fn credential(machine: &Scripted) -> Arc<OnBehalfOfCredential> {
        let secret = Secret::new("s-1");
        OnBehalfOfCredential::with_secret("tenant", "client".into(), secret, Some(options(machine))).expect("valid")
    }

    fn granted(token: &str, refresh_token: Option<&str>) -> Result<HttpResponse, HttpError> {
        let mut body = serde_json::json!({"access_token": token, "expires_in": 3600});
        if let Some(refresh_token) = refresh_token {
            body["refresh_token"] = refresh_token.into();
        }
        Ok(response(200, &body.to_string()))
    }

    fn refused(error: &str, code: u32, more: &str) -> Result<HttpResponse, HttpError> {
        Ok(response(
            400,
            &format!(r#"{{"error":"{error}","error_description":"AADSTS{code}: No.","error_codes":[{code}]{more}}}"#),
        ))
    }

    fn request() -> TokenRequest {
        TokenRequest::new([SCOPE])
    }

    #[tokio::test]
    async fn the_users_token_is_shown_with_the_apps_proof() {
        let machine = Scripted::new(&[]).answers([granted("t-1", None), granted("t-2", None)]);
        let user = jwt("{}");
        let by_secret = credential(&machine);
        assert_eq!(by_secret.token_for(&user, &request()).await.expect("a token").secret(), "t-1");
        let assertion = || async { Ok::<_, AssertionError>("e30.e30.a".to_owned()) };
        let options = OnBehalfOfCredentialOptions { user_assertion: Some(user.clone().into()), ..options(&machine) };
        let by_assertion =
            OnBehalfOfCredential::with_assertion("tenant", "client".into(), assertion, Some(options)).expect("valid");
        assert_eq!(by_assertion.token(&request()).await.expect("a token").secret(), "t-2");
        let sent = machine.http.sent();
        assert_eq!(
            sent[0].body,
            format!(
                "client_id=client&client_secret=s-1&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={user}&requested_token_use=on_behalf_of&scope=https%3A%2F%2Fgraph.microsoft.com%2FUser.Read+offline_access+openid+profile&client_info=1"
            )
        );
        assert!(sent[1].body.contains("&client_assertion=e30.e30.a&"), "{}", sent[1].body);
    }

    #[tokio::test]
    async fn all_ways_to_ask_for_a_user_share() {
        let machine = Scripted::new(&[]).answers([granted("t-1", None), granted("t-2", None)]);
        let users = credential(&machine);
        let (ada, bob) = (jwt(r#"{"oid":"ada"}"#), jwt(r#"{"oid":"bob"}"#));
        users.token_for(&ada, &request()).await.expect("a token");
        assert_eq!(users.token_for(&ada, &request()).await.expect("a token").secret(), "t-1");
        let of_ada = users.for_user(&ada).expect("valid");
        assert_eq!(of_ada.at_hand(&[SCOPE], None, false).expect("at hand").secret(), "t-1");
        assert_eq!(users.at_hand_for(&ada, SCOPE, None, false).expect("at hand").secret(), "t-1");
        assert!(users.at_hand_for(&bob, SCOPE, None, false).is_none());
        assert!(users.at_hand_for(&ada, SCOPE, Some("not allowed"), false).is_none());
        assert_eq!(users.for_user(&bob).expect("valid").token(&request()).await.expect("a token").secret(), "t-2");
        assert_eq!(machine.http.sent().len(), 2);
    }

    #[tokio::test]
    async fn renewal_is_by_refresh_token_and_then_by_the_assertion_again() {
        let machine = Scripted::new(&[]).answers([
            granted("t-1", Some("r-1")),
            granted("t-2", Some("r-2")),
            refused("invalid_grant", 700_082, ""),
            granted("t-3", None),
        ]);
        let users = credential(&machine);
        let user = jwt("{}");
        for token in ["t-1", "t-2", "t-3"] {
            assert_eq!(users.token_for(&user, &request()).await.expect("a token").secret(), token);
            machine.clock.advance(Duration::from_secs(3600));
        }
        let bodies: Vec<_> = machine.http.sent().into_iter().map(|sent| sent.body).collect();
        assert!(bodies[1].contains("grant_type=refresh_token&refresh_token=r-1&"), "{}", bodies[1]);
        assert!(bodies[2].contains("refresh_token=r-2&") && bodies[3].contains(&format!("assertion={user}&")));
    }

    #[tokio::test]
    async fn a_refresh_token_serves_its_user_and_tenant_alone() {
        let machine = Scripted::new(&[]).answers([
            granted("t-1", Some("r-1")),
            granted("t-2", Some("r-2")),
            granted("t-3", None),
            granted("t-4", None),
        ]);
        let users = credential(&machine);
        let (ada, bob) = (jwt(r#"{"oid":"ada"}"#), jwt(r#"{"oid":"bob"}"#));
        let elsewhere = TokenRequest { tenant_id: Some("other".into()), ..request() };
        users.token_for(&ada, &request()).await.expect("by assertion");
        users.token_for(&ada, &elsewhere).await.expect("by assertion");
        users.token_for(&bob, &request()).await.expect("by assertion");
        users.token_for(&ada, &TokenRequest::new(["another"])).await.expect("by refresh token");
        let bodies: Vec<_> = machine.http.sent().into_iter().map(|sent| sent.body).collect();
        assert!(bodies[..3].iter().all(|body| body.contains("on_behalf_of")), "{bodies:?}");
        assert!(bodies[3].contains("refresh_token=r-1&"), "{}", bodies[3]);
    }

    #[tokio::test]
    async fn an_outage_is_no_reason_to_show_the_assertion() {
        let machine = Scripted::new(&[]).answers([granted("t-1", Some("r-1")), Ok(response(403, "<html>a portal"))]);
        let users = credential(&machine);
        users.token_for(&jwt("{}"), &request()).await.expect("a token");
        machine.clock.advance(Duration::from_secs(3600));
        users.token_for(&jwt("{}"), &request()).await.expect_err("a portal");
        assert_eq!(machine.http.sent().len(), 2);
    }

    #[tokio::test]
    async fn what_the_user_must_do_comes_with_its_claims() {
        let claims = r#"{\"access_token\":{\"acrs\":{\"essential\":true,\"value\":\"c1\"}}}"#;
        for (error, code, more) in [
            ("interaction_required", 50_076, format!(r#","claims":"{claims}","suberror":"basic_action""#)),
            ("invalid_grant", 65_001, r#","suberror":"consent_required""#.into()),
        ] {
            let machine = Scripted::new(&[]).answers([refused(error, code, &more)]);
            let error = credential(&machine).token_for(&jwt("{}"), &request()).await.expect_err("a person is needed");
            assert_eq!(error.outcome(), Outcome::InteractionRequired, "{error}");
            assert_eq!(error.claims().is_some(), code == 50_076);
            assert!(error.to_string().starts_with("OnBehalfOfCredential: ") && !error.to_string().contains("hunter2"));
        }
    }

    #[tokio::test]
    async fn both_refusals_are_told() {
        let machine = Scripted::new(&[]).answers([
            granted("t-1", Some("r-1")),
            refused("invalid_grant", 50_173, ""),
            refused("invalid_grant", 50_013, ""),
        ]);
        let users = credential(&machine);
        users.token_for(&jwt("{}"), &request()).await.expect("a token");
        machine.clock.advance(Duration::from_secs(3600));
        let error = users.token_for(&jwt("{}"), &request()).await.expect_err("both refused").to_string();
        assert!(error.contains("AADSTS50173") && error.contains("AADSTS50013"), "{error}");
        assert!(error.contains("before that the refresh token was refused"), "{error}");
    }

    #[tokio::test]
    async fn what_cannot_be_shown_is_refused_before_anything_is_sent() {
        let machine = Scripted::new(&[]);
        let users = credential(&machine);
        for (assertion, words) in [
            (String::new(), "the user assertion is empty"),
            (format!("Bearer {}", jwt("{}")), "holds white space"),
            ("x".repeat(70_000), "longer than 65536 bytes"),
        ] {
            let error = users.for_user(&assertion).expect_err(words);
            assert!(error.is_invalid_argument() && error.to_string().contains(words), "{error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        for (claims, words) in [
            (
                format!(r#"{{"exp":{}}}"#, NOW - 301),
                "expired at 2027-01-15T07:54:59Z; by this machine's clock it is 2027-01-15T08:00:00Z",
            ),
            (r#"{"idtyp":"app"}"#.to_owned(), "is an app's own"),
        ] {
            let error = users.token_for(&jwt(&claims), &request()).await.expect_err(words);
            assert_eq!(error.outcome(), Outcome::Failed);
            assert!(error.to_string().contains(words) && !error.to_string().contains("hunter2"), "{error}");
        }
        let error = users.token(&request()).await.expect_err("nobody");
        assert!(error.to_string().contains("no user to act for"), "{error}");
        assert!(machine.http.sent().is_empty());
        let options = Some(OnBehalfOfCredentialOptions { user_assertion: Some("".into()), ..options(&machine) });
        let made = OnBehalfOfCredential::with_secret("t", "c".into(), Secret::new("s"), options);
        assert!(made.expect_err("empty").is_invalid_argument());
        let no_certificate = SecretBytes::new(b"hunter2".to_vec());
        let made = OnBehalfOfCredential::with_certificate("t", "c".into(), no_certificate, None);
        let error = made.expect_err("no certificate").to_string();
        assert!(error.starts_with("OnBehalfOfCredential: ") && !error.contains("hunter2"), "{error}");
    }

    #[tokio::test]
    async fn the_context_of_a_call_names_the_user() {
        let machine = Scripted::new(&[]).answers([granted("t-1", None)]);
        let users = credential(&machine);
        let get = async |assertion: &str| {
            let context = Context::new().with_value(UserAssertion::new(assertion));
            let options = TokenRequestOptions { method_options: ClientMethodOptions { context } };
            users.get_token(&[SCOPE], Some(options)).await
        };
        for _ in 0..2 {
            assert_eq!(get(&jwt("{}")).await.expect("a token").token.secret(), "t-1");
        }
        assert!(get("").await.expect_err("no assertion").to_string().contains("the user assertion is empty"));
        assert_eq!(machine.http.sent().len(), 1);
    }

    #[tokio::test]
    async fn clocks_may_differ_by_minutes_and_a_refresh_token_outlives_the_assertion() {
        let machine = Scripted::new(&[]).answers([granted("t-1", Some("r-1")), granted("t-2", None)]);
        let users = credential(&machine);
        let user = jwt(&format!(r#"{{"exp":{}}}"#, NOW - 299));
        assert_eq!(users.token_for(&user, &request()).await.expect("a token").secret(), "t-1");
        machine.clock.advance(Duration::from_secs(3600));
        assert_eq!(users.token_for(&user, &request()).await.expect("a token").secret(), "t-2");
    }
}
