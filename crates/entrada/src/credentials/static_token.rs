//! One token that the caller has.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::Secret;
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use super::given_token;
use crate::credential::{Credential, token_credential};
use crate::error::Error;
use crate::platform::Platform;
use crate::token::{Token, TokenRequest};
use crate::token_answer::{jwt_claim, jwt_expiry};

const NAME: &str = "StaticTokenCredential";

/// Gives the one access token that it was given, until that expires: for a notebook, a script, a test.
///
/// It gives the token whatever the scopes of a request are, because one resource has several names. Where the token names
/// another host as its audience than a scope does, a warning is logged, once. A request that names another tenant than
/// the token's is refused, and so is one with claims, which only a new sign-in satisfies.
///
/// ```
/// use azure_core::credentials::{Secret, TokenCredential};
/// use entrada::{StaticTokenCredential, StaticTokenCredentialOptions};
///
/// # let (text, expires_on) = ("opaque".to_owned(), 4_000_000_000);
/// let options = StaticTokenCredentialOptions { expires_on: Some(expires_on), ..Default::default() };
/// let credential = StaticTokenCredential::new(Secret::new(text), Some(options))?;
/// # let _ = credential;
/// # Ok::<(), entrada::Error>(())
/// ```
pub struct StaticTokenCredential {
    token: Arc<Token>,
    /// When it ends on the clock that never goes backwards: a wall clock that is set back revives no token.
    ends: Duration,
    compared: AtomicBool,
    platform: Platform,
}

/// Options for [`StaticTokenCredential`].
#[derive(Clone, Debug, Default)]
pub struct StaticTokenCredentialOptions {
    /// When the token expires, in seconds since 1970-01-01T00:00:00Z. By default a JWT says so itself (`exp`); where both
    /// are known, the earlier one counts.
    pub expires_on: Option<i64>,
    /// The machine; by default the real one.
    pub platform: Option<Platform>,
}

impl StaticTokenCredential {
    /// Creates the credential. A token that has expired is told when it is requested.
    ///
    /// # Errors
    /// Where the text cannot be a token, or nothing says when it expires.
    pub fn new(token: Secret, options: Option<StaticTokenCredentialOptions>) -> Result<Arc<Self>, Error> {
        let options = options.unwrap_or_default();
        let platform = options.platform.unwrap_or_else(Platform::system);
        let refuse = |what: &str, next: &str| Err(Error::invalid_argument(what).credential(NAME).next(next));
        let secret = Zeroizing::new(token.secret().to_owned());
        if !given_token::is_token(&secret) {
            return refuse(
                "this is no token: it is empty, or holds white space or quotes",
                "pass the token alone, without \"Bearer\" and line ends",
            );
        }
        let Some(expires_on) = options.expires_on.into_iter().chain(jwt_expiry(&secret)).min() else {
            return refuse("nothing says when the token expires", "pass expires_on: the token is no JWT that tells it");
        };
        let now = platform.clock().unix_time();
        let left = Duration::from_secs(u64::try_from(expires_on.saturating_sub(now)).unwrap_or(0));
        Ok(Arc::new(Self {
            token: Arc::new(Token::new(secret, expires_on, None)),
            ends: platform.clock().elapsed().saturating_add(left),
            compared: AtomicBool::new(false),
            platform,
        }))
    }

    /// The token, while it is valid.
    fn valid(&self) -> Option<&Arc<Token>> {
        let clock = self.platform.clock();
        let is_valid = clock.elapsed() < self.ends && clock.unix_time() < self.token.expires_on();
        is_valid.then_some(&self.token)
    }

    /// Warns, once, of a token that is for somebody else.
    fn compare<'s>(&self, mut scopes: impl Iterator<Item = &'s str>) {
        if self.compared.swap(true, Ordering::Relaxed) {
            return;
        }
        let audience = jwt_claim(self.token.secret(), "aud");
        let Some(audience) = audience.as_ref().and_then(Value::as_str) else { return };
        if let Some(scope) = scopes.find(|scope| name_different_hosts(audience, scope)) {
            tracing::warn!(credential = NAME, audience, scope, "the token names another resource as its audience");
        }
    }
}

/// Whether two names of resources are URLs of different hosts. Other names, GUIDs mostly, cannot be compared.
fn name_different_hosts(audience: &str, scope: &str) -> bool {
    let host = |name: &str| Url::parse(name).ok()?.host_str().map(str::to_ascii_lowercase);
    matches!((host(audience), host(scope)), (Some(audience), Some(scope)) if audience != scope)
}

#[async_trait]
impl Credential for StaticTokenCredential {
    fn name(&self) -> &str {
        NAME
    }

    fn at_hand(&self, scopes: &[&str], tenant_id: Option<&str>, _enable_cae: bool) -> Option<Arc<Token>> {
        if scopes.is_empty() || tenant_id.is_some() || !self.compared.load(Ordering::Relaxed) {
            // There is something to look at first.
            return None;
        }
        self.valid().cloned()
    }

    async fn token(&self, request: &TokenRequest) -> Result<Arc<Token>, Error> {
        let get = || {
            given_token::check(request)?;
            given_token::check_tenant(self.token.secret(), request.tenant_id.as_deref())?;
            self.compare(request.scopes.iter().map(String::as_str));
            self.valid().cloned().ok_or_else(|| {
                let now = self.platform.clock().unix_time();
                given_token::expired("the caller's variable", self.token.expires_on(), now)
            })
        };
        get().map_err(|error: Error| error.credential(NAME))
    }
}

token_credential!(StaticTokenCredential);

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;
    use crate::error::Outcome;
    use crate::platform::scripted::Scripted;

    const NOW: i64 = 1_800_000_000;
    const TENANT: &str = "7e000000-0000-4000-8000-000000000001";

    fn jwt(claims: &str) -> String {
        format!("e30.{}.hunter2", URL_SAFE_NO_PAD.encode(claims))
    }

    fn new(machine: &Scripted, token: &str, expires_on: Option<i64>) -> Result<Arc<StaticTokenCredential>, Error> {
        let options = StaticTokenCredentialOptions { expires_on, platform: Some(machine.platform.clone()) };
        StaticTokenCredential::new(Secret::new(token.to_owned()), Some(options))
    }

    fn request() -> TokenRequest {
        TokenRequest::new(["https://vault.azure.net/.default"])
    }

    #[tokio::test]
    async fn the_token_is_given_until_it_expires() {
        let machine = Scripted::new(&[]);
        let credential = new(&machine, &jwt(&format!(r#"{{"exp":{}}}"#, NOW + 60)), Some(NOW + 3600)).expect("valid");
        let token = credential.token(&request()).await.expect("a token");
        assert_eq!(token.expires_on(), NOW + 60, "the earlier end counts");
        let at_hand = || credential.at_hand(&["https://vault.azure.net/.default"], None, false);
        assert!(at_hand().is_some());
        machine.clock.advance(Duration::from_secs(60));
        // Set back, it does not live again.
        machine.clock.jump(-3600);
        assert!(at_hand().is_none());
        let error = credential.token(&request()).await.expect_err("expired").to_string();
        assert!(
            error.starts_with("StaticTokenCredential: ") && error.contains("expired at 2027-01-15T08:01:00Z"),
            "{error}"
        );
        assert!(!error.contains("hunter2"));
    }

    #[test]
    fn what_cannot_be_a_token_is_refused_at_construction() {
        let machine = Scripted::new(&[]);
        for (token, expires_on, words) in [
            ("", Some(NOW + 1), "this is no token"),
            ("Bearer hunter2", Some(NOW + 1), "without \"Bearer\""),
            ("hunter2\n", Some(NOW + 1), "this is no token"),
            ("hunter2", None, "pass expires_on"),
        ] {
            let error = new(&machine, token, expires_on).expect_err(words);
            assert!(error.is_invalid_argument() && error.to_string().contains(words), "{error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[tokio::test]
    async fn another_tenant_and_claims_are_refused() {
        let machine = Scripted::new(&[]);
        let credential = new(&machine, &jwt(&format!(r#"{{"tid":"{TENANT}"}}"#)), Some(NOW + 60)).expect("valid");
        let of = |tenant: &str| TokenRequest { tenant_id: Some(tenant.to_owned()), ..request() };
        for same in [TENANT, "contoso.onmicrosoft.com"] {
            assert!(credential.token(&of(same)).await.is_ok(), "{same}");
        }
        let error =
            credential.token(&of("7e000000-0000-4000-8000-000000000002")).await.expect_err("another").to_string();
        assert!(error.contains(TENANT), "{error}");
        let claims = TokenRequest { claims: Some("{}".into()), ..request() };
        let error = credential.token(&claims).await.expect_err("claims");
        assert_eq!(error.outcome(), Outcome::InteractionRequired);
        assert!(credential.token(&TokenRequest::default()).await.expect_err("no scope").is_invalid_argument());
    }

    #[test]
    fn only_hosts_are_compared() {
        let scope = "https://vault.azure.net/.default";
        assert!(name_different_hosts("https://graph.microsoft.com", scope));
        for same in ["https://VAULT.azure.net/", "https://vault.azure.net", "00000003-0000-0000-c000-000000000000", ""]
        {
            assert!(!name_different_hosts(same, scope), "{same}");
        }
    }
}
