//! An app that signs in with an assertion that somebody else makes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::app_only::AppOnly;
use super::entra_options::EntraOptions;
use crate::assertions::{ClientAssertion, Presented};
use crate::credential::{Cached, credential_from_cached};
use crate::entra::{Client, Proof};
use crate::error::Error;

/// Authenticates an app registration (service principal) with an assertion in place of a secret: RFC 7523, section 2.2.
///
/// The assertion comes from a [`ClientAssertion`]: an async closure, a [`FileAssertion`](crate::FileAssertion), an
/// [`EnvironmentAssertion`](crate::EnvironmentAssertion), a
/// [`ManagedIdentityAssertion`](crate::ManagedIdentityAssertion), or one of your own. It is asked for each exchange, and
/// once more where Entra calls the assertion out of date (`AADSTS700024`) or does not know the trust in it yet
/// (`AADSTS70021`, `AADSTS700021`). What is empty or no JWT is refused before anything is sent.
///
/// Objects that are constructed alike share their tokens where the source says whose assertions it has, as those of this
/// crate do; a closure's are its own.
///
/// ```no_run
/// use azure_core::credentials::TokenCredential;
/// use entrada::{ClientAssertionCredential, FileAssertion};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let credential = ClientAssertionCredential::new(
///     "contoso.onmicrosoft.com",
///     "11111111-1111-4111-8111-111111111111".into(),
///     FileAssertion::new("/var/run/secrets/tokens/entra"),
///     None,
/// )?;
/// let token = credential.get_token(&["https://vault.azure.net/.default"], None).await?;
/// # let _ = token;
/// # Ok(()) }
/// ```
pub struct ClientAssertionCredential {
    cached: Cached,
}

/// Options for [`ClientAssertionCredential`].
#[derive(Clone, Debug, Default)]
pub struct ClientAssertionCredentialOptions {
    /// What it has in common with other credentials of Entra.
    pub entra: EntraOptions,
}

impl ClientAssertionCredential {
    /// Creates the credential. Nothing is sent, and no assertion is asked for.
    ///
    /// # Errors
    /// Where the tenant id, client id or authority cannot be right.
    pub fn new(
        tenant_id: &str,
        client_id: String,
        assertion: impl ClientAssertion,
        options: Option<ClientAssertionCredentialOptions>,
    ) -> Result<Arc<Self>, Error> {
        const NAME: &str = "ClientAssertionCredential";
        let options = options.unwrap_or_default().entra;
        let cached = cached(NAME, tenant_id, &client_id, Arc::new(assertion), options);
        Ok(Arc::new(Self { cached: cached.map_err(|error| error.credential(NAME))? }))
    }
}

credential_from_cached!(ClientAssertionCredential);

/// What a credential consists of whose app shows assertions.
pub(super) fn cached(
    name: &'static str,
    tenant_id: &str,
    client_id: &str,
    assertion: Arc<dyn ClientAssertion>,
    options: EntraOptions,
) -> Result<Cached, Error> {
    let identity = identity(&*assertion);
    let client = Client::new(tenant_id, client_id, Proof::Assertion(Arc::new(Presented(assertion))), &options)?;
    let principal = client.principal("client assertion", &[Some(&identity)]);
    let platform = client.platform.clone();
    Ok(Cached::new(name, principal, AppOnly { client }, platform, options.cache))
}

/// What sets the tokens apart that are got with these assertions.
pub(super) fn identity(assertion: &dyn ClientAssertion) -> String {
    static OBJECTS: AtomicU64 = AtomicU64::new(0);
    assertion.identity().map_or_else(
        || format!("object {}", OBJECTS.fetch_add(1, Ordering::Relaxed)),
        |identity| format!("source {identity}"),
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use super::*;
    use crate::assertions::{
        AssertionError, EnvironmentAssertion, FileAssertion, ManagedIdentityAssertion, ManagedIdentityAssertionOptions,
    };
    use crate::cache::Cache;
    use crate::credential::Credential;
    use crate::credentials::ManagedIdentityCredentialOptions;
    use crate::error::Outcome;
    use crate::platform::scripted::{Scripted, response};
    use crate::platform::{Clock, HttpResponse, SystemClock};
    use crate::token::{Token, TokenRequest};

    const TOKEN: &str = r#"{"access_token":"t-1","expires_in":3600}"#;

    fn options(machine: &Scripted) -> Option<ClientAssertionCredentialOptions> {
        let entra = EntraOptions {
            platform: Some(machine.platform.clone()),
            cache: Some(Cache::new(Default::default())),
            ..Default::default()
        };
        Some(ClientAssertionCredentialOptions { entra })
    }

    /// A managed identity of a scripted machine, shown by a client on the same machine. The client's clock goes on by
    /// itself: it waits for what another task does.
    async fn token_by_managed_identity(machine: &Scripted, audience: Option<&str>) -> Result<Arc<Token>, Error> {
        let managed_identity = ManagedIdentityCredentialOptions {
            platform: Some(machine.platform.clone()),
            cache: Some(Cache::new(Default::default())),
            ..Default::default()
        };
        let options = ManagedIdentityAssertionOptions { audience: audience.map(str::to_owned), managed_identity };
        let client =
            Scripted { platform: machine.platform.clone().with_clock(Arc::new(SystemClock)), ..Scripted::new(&[]) };
        token(&client, ManagedIdentityAssertion::with_options(options)?).await
    }

    async fn token(machine: &Scripted, assertion: impl ClientAssertion) -> Result<Arc<Token>, Error> {
        let credential = ClientAssertionCredential::new("tenant", "client".into(), assertion, options(machine))?;
        credential.token(&TokenRequest::new(["https://vault.azure.net/.default"])).await
    }

    fn refused(code: u32) -> HttpResponse {
        let body =
            format!(r#"{{"error":"invalid_client","error_description":"AADSTS{code}: No.","error_codes":[{code}]}}"#);
        response(401, &body)
    }

    #[tokio::test]
    async fn the_assertion_is_shown_in_place_of_a_secret() {
        let machine = Scripted::new(&[]).answers([Ok(response(200, TOKEN))]);
        let token = token(&machine, || async { Ok::<_, AssertionError>("e30.e30.a-1".to_owned()) }).await.expect("one");
        assert_eq!(token.secret(), "t-1");
        assert_eq!(
            machine.http.sent()[0].body,
            "client_id=client&client_assertion=e30.e30.a-1&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&grant_type=client_credentials&scope=https%3A%2F%2Fvault.azure.net%2F.default"
        );
    }

    #[tokio::test]
    async fn each_exchange_has_an_assertion_of_its_own() {
        for code in [700_024, 700_021, 70_021] {
            let machine =
                Scripted::new(&[]).answers([Ok(refused(code)), Ok(response(200, TOKEN)), Ok(response(200, TOKEN))]);
            let count = Mutex::new(0);
            let next = move || {
                let mut count = count.lock().expect("no panic");
                *count += 1;
                let assertion = format!("e30.e30.a-{count}");
                async move { Ok::<_, AssertionError>(assertion) }
            };
            token(&machine, next).await.expect("the second one does");
            let sent = machine.http.sent();
            assert_eq!(sent.len(), 2);
            assert!(sent[0].body.contains("e30.e30.a-1&") && sent[1].body.contains("e30.e30.a-2&"));
        }
    }

    #[tokio::test]
    async fn what_went_wrong_is_told_and_nothing_is_sent() {
        let machine = Scripted::new(&[]);
        let error = token(&machine, || async { Err::<String, _>("the vault is sealed") }).await.expect_err("none");
        assert_eq!(error.outcome(), Outcome::Failed);
        assert!(
            error
                .to_string()
                .starts_with("ClientAssertionCredential: there is no client assertion: the vault is sealed\n  next: "),
            "{error}"
        );
        let error = token(&machine, || async { Ok::<_, AssertionError>(String::new()) }).await.expect_err("empty");
        assert!(error.to_string().contains("ClientAssertionCredential: the client assertion is empty"), "{error}");
        let error = token(&machine, EnvironmentAssertion::new("ID_TOKEN")).await.expect_err("not set");
        assert_eq!(error.outcome(), Outcome::Unavailable, "a chain goes on");
        assert!(error.to_string().contains("ID_TOKEN, which should hold it, is not set"), "{error}");
        for (content, words) in [(None, "there is no such file"), (Some("\n"), "it is empty"), (Some("x"), "no JWT")] {
            if let Some(content) = content {
                machine.files.put("/assertion", content);
            }
            let error = token(&machine, FileAssertion::new("/assertion")).await.expect_err(words).to_string();
            assert!(error.contains(words), "{error}");
        }
        assert!(machine.http.sent().is_empty());
    }

    #[tokio::test]
    async fn one_that_never_comes_is_not_waited_for_forever() {
        let machine = Scripted::new(&[]);
        let before = machine.clock.elapsed();
        let error = token(&machine, std::future::pending::<Result<String, AssertionError>>).await.expect_err("none");
        assert!(error.to_string().contains("no client assertion came within 60 s"), "{error}");
        assert_eq!(machine.clock.elapsed() - before, Duration::from_secs(60));
    }

    #[tokio::test]
    async fn a_variable_and_a_file_are_read_for_each_exchange() {
        let machine = Scripted::new(&[("ID_TOKEN", " e30.e30.v\n")]).answers([
            Ok(response(200, TOKEN)),
            Ok(refused(700_024)),
            Ok(response(200, TOKEN)),
        ]);
        machine.files.put("/assertion", "e30.e30.f\n");
        token(&machine, EnvironmentAssertion::new("ID_TOKEN")).await.expect("by the variable");
        token(&machine, FileAssertion::new("/assertion")).await.expect("by the file");
        let bodies: Vec<_> = machine.http.sent().into_iter().map(|sent| sent.body).collect();
        assert!(bodies[0].contains("client_assertion=e30.e30.v&"));
        assert!(bodies[1].contains("client_assertion=e30.e30.f&") && bodies[2].contains("client_assertion=e30.e30.f&"));
    }

    #[tokio::test]
    async fn a_managed_identity_vouches_in_every_cloud() {
        for (authority, given, audience) in [
            ("login.microsoftonline.com", None, "api%3A%2F%2FAzureADTokenExchange"),
            ("login.microsoftonline.us", None, "api%3A%2F%2FAzureADTokenExchangeUSGov"),
            ("login.chinacloudapi.cn", None, "api%3A%2F%2FAzureADTokenExchangeChina"),
            ("login.chinacloudapi.cn", Some("api://ours"), "api%3A%2F%2Fours"),
        ] {
            let of_the_identity = r#"{"access_token":"e30.e30.m","expires_in":"3600","resource":"r"}"#;
            let machine = Scripted::new(&[("AZURE_AUTHORITY_HOST", authority)])
                .answers([Ok(response(200, of_the_identity)), Ok(response(200, TOKEN))]);
            token_by_managed_identity(&machine, given).await.expect("a token");
            let sent = machine.http.sent();
            assert!(sent[0].line.ends_with(&format!("&resource={audience}")), "{}", sent[0].line);
            assert!(sent[1].line.contains(authority) && sent[1].body.contains("client_assertion=e30.e30.m&"));
        }
    }

    #[tokio::test]
    async fn without_a_managed_identity_the_reason_is_its_own() {
        let machine = Scripted::new(&[]);
        let error = token_by_managed_identity(&machine, None).await.expect_err("no host");
        assert_eq!(error.outcome(), Outcome::Unavailable);
        let start = "ClientAssertionCredential: there is no client assertion: ManagedIdentityCredential: ";
        assert!(error.to_string().starts_with(start), "{error}");
    }

    #[tokio::test]
    async fn only_sources_that_say_the_same_share() {
        let machine = Scripted::new(&[("A", "e30.e30.a"), ("B", "e30.e30.b")])
            .answers((1..9).map(|n| Ok(response(200, &format!(r#"{{"access_token":"t-{n}","expires_in":3600}}"#)))));
        let options = options(&machine);
        let closure = || async { Ok::<_, AssertionError>("e30.e30.c".to_owned()) };
        let new = |assertion: Box<dyn FnOnce() -> Arc<ClientAssertionCredential>>| assertion();
        let of_variable = |name: &'static str| {
            let options = options.clone();
            new(Box::new(move || {
                ClientAssertionCredential::new("t", "c".into(), EnvironmentAssertion::new(name), options)
                    .expect("valid")
            }))
        };
        let of_closure = || ClientAssertionCredential::new("t", "c".into(), closure, options.clone()).expect("valid");
        let request = TokenRequest::new(["https://vault.azure.net/.default"]);
        let mut tokens = Vec::new();
        for credential in [of_variable("A"), of_variable("A"), of_variable("B"), of_closure(), of_closure()] {
            tokens.push(credential.token(&request).await.expect("a token").secret().to_owned());
        }
        assert_eq!(tokens, ["t-1", "t-1", "t-2", "t-3", "t-4"]);
    }
}
