//! A person's name and password, where there is still nothing better.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use azure_core::credentials::Secret;
use zeroize::Zeroizing;

use super::entra_options::EntraOptions;
use super::user_client::ORGANIZATIONS;
use crate::cache::{Cache, Principal};
use crate::credential::{Cached, Source, credential_from_cached};
use crate::deadline::Deadline;
use crate::entra::{self, Client, Grant, Granted, Proof, is_federated};
use crate::error::{Error, Outcome};
use crate::scope;
use crate::sign_in::{AuthenticationRecord, account, management_scope, renew};
use crate::token::{Fetched, TokenRequest};

const NAME: &str = "UsernamePasswordCredential";

/// Authenticates a person with a user name and a password: the resource owner password credentials grant of RFC 6749,
/// section 4.3.
///
/// **Deprecated**, as in `azure-identity`: the program sees the password, and there is no way to ask the person for
/// anything else, so that an account which needs multifactor authentication cannot sign in this way; Microsoft requires
/// that of more and more of them. Use [`InteractiveBrowserCredential`](crate::InteractiveBrowserCredential) or
/// [`DeviceCodeCredential`](crate::DeviceCodeCredential) for people, and a managed identity or a service principal for
/// programs. Creating this credential logs a warning.
///
/// Accounts whose passwords are kept by somebody else (federated ones, and personal Microsoft accounts) cannot sign in
/// this way either. The app must allow public client flows.
pub struct UsernamePasswordCredential {
    cached: Cached,
    password: Arc<ByPassword>,
}

/// Options for [`UsernamePasswordCredential`].
#[derive(Clone, Debug, Default)]
pub struct UsernamePasswordCredentialOptions {
    /// The tenant to sign in to; by default `organizations`: that of any work or school account.
    pub tenant_id: Option<String>,
    /// What it has in common with other credentials of Entra.
    pub entra: EntraOptions,
}

impl UsernamePasswordCredential {
    /// Creates the credential. Nothing is sent.
    ///
    /// # Errors
    /// Where the client id, user name, password, tenant id or authority cannot be right.
    pub fn new(
        client_id: String,
        username: &str,
        password: Secret,
        options: Option<UsernamePasswordCredentialOptions>,
    ) -> Result<Arc<Self>, Error> {
        Ok(Arc::new(Self::with_name(NAME, client_id, username, password, options)?))
    }

    /// The same for a credential that contains this one and reports under its own name.
    fn with_name(
        name: &'static str,
        client_id: String,
        username: &str,
        password: Secret,
        options: Option<UsernamePasswordCredentialOptions>,
    ) -> Result<Self, Error> {
        let options = options.unwrap_or_default();
        let make = || {
            check_username(username)?;
            if password.secret().is_empty() {
                return Err(Error::invalid_argument("the password is empty").next("pass the account's password"));
            }
            let tenant_id = options.tenant_id.as_deref().unwrap_or(ORGANIZATIONS);
            let client = Client::new(tenant_id, &client_id, Proof::None, &options.entra)?;
            let principal = client.principal("password", &[Some(username), Some(password.secret())]);
            let platform = client.platform.clone();
            let cache = options.entra.cache.clone().unwrap_or_else(Cache::process);
            let by_password = Arc::new(ByPassword {
                client,
                cache: Arc::clone(&cache),
                principal,
                username: username.to_owned(),
                password: Zeroizing::new(password.secret().to_owned()),
                federated: OnceLock::new(),
            });
            let source = RenewedFirst(Arc::clone(&by_password));
            Ok(Self { cached: Cached::new(name, principal, source, platform, Some(cache)), password: by_password })
        };
        let credential = make().map_err(|error: Error| error.credential(name))?;
        tracing::warn!(
            credential = name,
            "signing in with a user name and a password is deprecated and fails for accounts that need multifactor \
             authentication; see https://aka.ms/azsdk/identity/mfa"
        );
        Ok(credential)
    }

    /// Signs in with the password, whatever there is already, and says who it was. Without scopes it is for the one of
    /// Azure Resource Manager in the authority's cloud.
    ///
    /// # Errors
    /// Where the password does not do; where an authority of no known cloud needs to be told the scopes.
    pub async fn authenticate(&self, request: Option<TokenRequest>) -> Result<AuthenticationRecord, Error> {
        let by_password = &self.password;
        let name = crate::credential::Credential::name(self);
        let work = async {
            let mut request = request.unwrap_or_default();
            if request.scopes.is_empty() {
                request.scopes = vec![management_scope(by_password.client.authority.cloud())?.to_owned()];
            }
            by_password.check(&request)?;
            let (by_password, sent) = (Arc::clone(by_password), request.clone());
            let granted = crate::runtime::run(async move { by_password.sign_in(&sent).await }).await??;
            let record = account(&granted, &self.password.client, None)?;
            self.cached.insert(&request, granted.fetched)?;
            Ok(record)
        };
        work.await.map_err(|error: Error| error.credential(name))
    }
}

credential_from_cached!(UsernamePasswordCredential);

/// What a credential consists of that signs in with a password.
pub(super) fn cached(
    name: &'static str,
    client_id: String,
    username: &str,
    password: Secret,
    options: UsernamePasswordCredentialOptions,
) -> Result<Cached, Error> {
    UsernamePasswordCredential::with_name(name, client_id, username, password, Some(options))
        .map(|credential| credential.cached)
}

struct ByPassword {
    client: Client,
    cache: Arc<Cache>,
    principal: Principal,
    username: String,
    password: Zeroizing<String>,
    /// Whether somebody else keeps the password, once that is known.
    federated: OnceLock<bool>,
}

/// The source: by the refresh token, else by the password.
struct RenewedFirst(Arc<ByPassword>);

#[async_trait]
impl Source for RenewedFirst {
    fn check(&self, request: &TokenRequest) -> Result<(), Error> {
        self.0.check(request)
    }

    async fn fetch(&self, request: &TokenRequest) -> Result<Fetched, Error> {
        let ByPassword { client, cache, principal, .. } = &*self.0;
        let deadline = Deadline::after(client.platform.clock(), entra::LIMIT);
        match renew(client, cache, *principal, request, deadline).await {
            None => {}
            Some(Err(error)) if error.outcome() == Outcome::InteractionRequired => {}
            Some(outcome) => return Ok(outcome?.fetched),
        }
        Ok(self.0.sign_in(request).await?.fetched)
    }
}

impl ByPassword {
    fn check(&self, request: &TokenRequest) -> Result<(), Error> {
        scope::check(request)?;
        self.client.check_tenant(request)
    }

    async fn sign_in(&self, request: &TokenRequest) -> Result<Granted, Error> {
        let deadline = Deadline::after(self.client.platform.clock(), entra::LIMIT);
        self.client.confirm_authority(self.client.tenants.own(), deadline).await?;
        let federated = match self.federated.get() {
            Some(federated) => *federated,
            None => match is_federated(&self.client, &self.username, deadline).await {
                Some(federated) => *self.federated.get_or_init(|| federated),
                None => false,
            },
        };
        if federated {
            return Err(Error::failed(format!(
                "federated accounts cannot sign in with a password this way, and {} is one: another server keeps its \
                 password",
                self.username
            ))
            .next(INSTEAD));
        }
        let grant = Grant::Password { username: &self.username, password: &self.password };
        let mut granted = self.client.redeem(request, &grant, deadline).await.map_err(explained)?;
        if let Some(refresh_token) = granted.refresh_token.take() {
            self.cache.renewals().keep(self.principal, refresh_token);
        }
        Ok(granted)
    }
}

const INSTEAD: &str =
    "use InteractiveBrowserCredential or DeviceCodeCredential, in which the person can do what is asked";

/// Says what the refusals mean that a password can do nothing about.
fn explained(error: Error) -> Error {
    let code = error.server_answer().and_then(|answer| answer.code.as_deref());
    match code {
        // More than the password is needed, or a policy looks at the device.
        Some(
            "AADSTS50072" | "AADSTS50074" | "AADSTS50076" | "AADSTS50078" | "AADSTS50079" | "AADSTS50158"
            | "AADSTS53000" | "AADSTS53001" | "AADSTS53003" | "AADSTS53004" | "AADSTS530004",
        ) => error.next(format!(
            "this account needs multifactor authentication (MFA) or is subject to conditional access, which a password \
             alone cannot satisfy; {INSTEAD}"
        )),
        Some("AADSTS65001") => error.next(format!(
            "the person, or an administrator, has to consent to the app once; {INSTEAD}, or have it consented to"
        )),
        _ => error,
    }
}

fn check_username(username: &str) -> Result<(), Error> {
    let next = "pass the address that the person signs in with, such as ada@contoso.com";
    if username.trim().is_empty() {
        return Err(Error::invalid_argument("the user name is empty").next(next));
    }
    if username.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(Error::invalid_argument(format!("{username:?} is not a user name")).next(next));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::Credential;
    use crate::platform::HttpResponse;
    use crate::platform::scripted::{Scripted, response};

    fn credential(machine: &Scripted) -> Arc<UsernamePasswordCredential> {
        let options = UsernamePasswordCredentialOptions {
            tenant_id: Some("t".into()),
            entra: EntraOptions {
                platform: Some(machine.platform.clone()),
                cache: Some(Cache::new(Default::default())),
                ..Default::default()
            },
        };
        let (client, password) = ("client".into(), "p&ssword".into());
        UsernamePasswordCredential::new(client, "ada@contoso.com", password, Some(options)).expect("valid")
    }

    fn realm(kind: &str) -> HttpResponse {
        response(200, &format!(r#"{{"ver":"1.0","account_type":"{kind}","domain_name":"contoso.com"}}"#))
    }

    fn granted(token: &str) -> HttpResponse {
        // {"uid":"u-1","utid":"t-1"}
        let body = serde_json::json!({"access_token": token, "expires_in": 3600, "refresh_token": "r-1",
            "client_info": "eyJ1aWQiOiJ1LTEiLCJ1dGlkIjoidC0xIn0"});
        response(200, &body.to_string())
    }

    fn refused(code: u32) -> HttpResponse {
        response(400, &format!(r#"{{"error":"invalid_grant","error_description":"AADSTS{code}: no p&ssword."}}"#))
    }

    fn request(scope: &str) -> TokenRequest {
        TokenRequest::new([scope])
    }

    #[tokio::test]
    async fn the_password_first_and_the_refresh_token_after_that() {
        let machine = Scripted::new(&[]).answers([
            Ok(realm("Managed")),
            Ok(granted("t-1")),
            Ok(granted("t-2")),
            Ok(refused(50173)),
            Ok(granted("t-4")),
        ]);
        let credential = credential(&machine);
        for (scope, token) in [("a", "t-1"), ("b", "t-2"), ("c", "t-4")] {
            assert_eq!(credential.token(&request(scope)).await.expect("a token").secret(), token);
        }
        let sent = machine.http.sent();
        assert_eq!(
            sent[0].line,
            "GET https://login.microsoftonline.com/common/userrealm/ada@contoso.com?api-version=1.0"
        );
        assert_eq!(
            sent[1].body,
            "client_id=client&grant_type=password&username=ada%40contoso.com&password=p%26ssword&scope=a+offline_access+openid+profile&client_info=1"
        );
        assert!(sent[2].body.contains("grant_type=refresh_token&refresh_token=r-1"), "{}", sent[2].body);
        // The refresh token was revoked, which the password mends.
        assert!(sent[4].body.contains("grant_type=password"), "{}", sent[4].body);
    }

    #[tokio::test]
    async fn authenticate_uses_the_password_and_says_who_it_is() {
        let machine = Scripted::new(&[]).answers([Ok(realm("Managed")), Ok(granted("t-1")), Ok(granted("t-2"))]);
        let credential = credential(&machine);
        for _ in 0..2 {
            let record = credential.authenticate(None).await.expect("a record");
            assert_eq!(record.home_account_id(), "u-1.t-1");
        }
        let sent = machine.http.sent();
        assert!(sent[2].body.contains("grant_type=password") && sent[2].body.contains("management.core.windows.net"));
        // What it brought is at hand.
        let scope = "https://management.core.windows.net//.default";
        assert_eq!(credential.at_hand(&[scope], None, false).expect("at hand").secret(), "t-2");
    }

    #[tokio::test]
    async fn what_a_password_cannot_do_is_said_with_what_can() {
        for (code, words) in [(50076, "MFA"), (50079, "MFA"), (53003, "conditional access"), (65001, "consent")] {
            let machine = Scripted::new(&[]).answers([Ok(realm("Managed")), Ok(refused(code))]);
            let error = credential(&machine).token(&request("a")).await.expect_err(words).to_string();
            assert!(error.contains(words) && error.contains("InteractiveBrowserCredential"), "{code}: {error}");
            assert!(!error.contains("p&ssword"), "{error}");
        }
        let machine = Scripted::new(&[]).answers([Ok(realm("Federated"))]);
        let credential = credential(&machine);
        for _ in 0..2 {
            let error = credential.token(&request("a")).await.expect_err("federated").to_string();
            assert!(error.contains("federated accounts cannot sign in with a password"), "{error}");
        }
        assert_eq!(machine.http.sent().len(), 1, "the password went nowhere");
    }

    #[tokio::test]
    async fn where_the_realm_is_not_told_the_password_decides() {
        for realm in [response(404, ""), response(200, "<html>"), realm("Unknown")] {
            let machine = Scripted::new(&[]).answers([Ok(realm), Ok(granted("t-1"))]);
            assert_eq!(credential(&machine).token(&request("a")).await.expect("a token").secret(), "t-1");
        }
    }

    #[test]
    fn bad_arguments_are_refused_at_construction() {
        for (username, password, words) in [
            ("", "p", "the user name is empty"),
            ("ada lovelace", "p", "is not a user name"),
            ("ada@contoso.com", "", "the password is empty"),
        ] {
            let error = UsernamePasswordCredential::new("c".into(), username, password.to_owned().into(), None)
                .expect_err(words);
            assert!(error.is_invalid_argument() && error.to_string().contains(words), "{error}");
        }
    }
}
