//! An app that signs in with a secret.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::cloud::CloudConfiguration;
use azure_core::credentials::Secret;
use azure_core::http::ClientOptions;
use zeroize::Zeroizing;

use super::platform_for;
use crate::cache::{Cache, Principal};
use crate::credential::{Cached, Source, credential_from_cached};
use crate::deadline::Deadline;
use crate::entra::{
    self, Authority, ClientProof, Tenants, TokenEndpoint, check_client_id, check_secret, client_credentials,
};
use crate::error::Error;
use crate::platform::{Platform, Route};
use crate::scope;
use crate::token::{Fetched, TokenRequest};

/// Authenticates an app registration (service principal) with a client secret: the client-credentials grant of
/// RFC 6749, section 4.4.
///
/// ```no_run
/// use azure_core::credentials::{Secret, TokenCredential};
/// use entrada::ClientSecretCredential;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let credential = ClientSecretCredential::new(
///     "contoso.onmicrosoft.com",
///     "11111111-1111-4111-8111-111111111111".into(),
///     Secret::new(std::fs::read_to_string("/run/secrets/client-secret")?),
///     None,
/// )?;
/// let token = credential.get_token(&["https://vault.azure.net/.default"], None).await?;
/// # let _ = token;
/// # Ok(()) }
/// ```
pub struct ClientSecretCredential {
    cached: Cached,
}

/// Options for [`ClientSecretCredential`].
#[derive(Clone, Debug, Default)]
pub struct ClientSecretCredentialOptions {
    /// The authority: an https URL or a host name. By default the one of `client_options.cloud`, else the one that
    /// `AZURE_AUTHORITY_HOST` names, else `https://login.microsoftonline.com`.
    pub authority: Option<String>,
    /// Tenants that requests may name beside the credential's own; `*` for any.
    pub additionally_allowed_tenants: Vec<String>,
    /// The HTTP pipeline of a user's own. Its retries then count instead of the credential's. By default requests go
    /// through the client that all credentials share.
    pub client_options: Option<ClientOptions>,
    /// A cache of its own; by default the one of the process.
    pub cache: Option<Arc<Cache>>,
    /// The machine; by default the real one.
    pub platform: Option<Platform>,
}

impl ClientSecretCredential {
    /// Creates the credential. Nothing is sent.
    ///
    /// # Errors
    /// Where the tenant id, client id, secret or authority cannot be right.
    pub fn new(
        tenant_id: &str,
        client_id: String,
        secret: Secret,
        options: Option<ClientSecretCredentialOptions>,
    ) -> Result<Arc<Self>, Error> {
        Self::with_name("ClientSecretCredential", tenant_id, client_id, secret, options)
    }

    /// The same for a credential that contains this one and reports under its own name.
    pub(super) fn with_name(
        name: &'static str,
        tenant_id: &str,
        client_id: String,
        secret: Secret,
        options: Option<ClientSecretCredentialOptions>,
    ) -> Result<Arc<Self>, Error> {
        let options = options.unwrap_or_default();
        let cloud = options.client_options.as_ref().and_then(|options| options.cloud.as_deref()).and_then(authority_of);
        let platform = platform_for(options.platform, options.client_options, Route::Proxied);
        let source = || {
            check_client_id(&client_id)?;
            check_secret(secret.secret())?;
            Ok(ClientSecret {
                authority: Authority::new(options.authority.as_deref().or(cloud.as_deref()), platform.environment())?,
                tenants: Tenants::new(tenant_id.to_owned(), options.additionally_allowed_tenants)?,
                client_id,
                secret: Zeroizing::new(secret.secret().to_owned()),
                platform: platform.clone(),
            })
        };
        let source = source().map_err(|error: Error| error.credential(name))?;
        let principal = Principal::new(
            "client secret",
            &[Some(source.authority.as_str()), Some(tenant_id), Some(&source.client_id), Some(&source.secret)],
        );
        Ok(Arc::new(Self { cached: Cached::new(name, principal, source, platform, options.cache) }))
    }
}

/// The authority of a cloud as `azure_core` configures it; `None` for the public one, which is the default anyway and
/// must not hide `AZURE_AUTHORITY_HOST`.
fn authority_of(cloud: &CloudConfiguration) -> Option<String> {
    match cloud {
        CloudConfiguration::AzureGovernment => Some("https://login.microsoftonline.us".into()),
        CloudConfiguration::AzureChina => Some("https://login.chinacloudapi.cn".into()),
        CloudConfiguration::Custom(custom) => Some(custom.authority_host.clone()),
        _ => None,
    }
}

credential_from_cached!(ClientSecretCredential);

struct ClientSecret {
    authority: Authority,
    tenants: Tenants,
    client_id: String,
    secret: Zeroizing<String>,
    platform: Platform,
}

#[async_trait]
impl Source for ClientSecret {
    fn check(&self, request: &TokenRequest) -> Result<(), Error> {
        scope::check_app_only(request)?;
        self.tenants.resolve(request.tenant_id.as_deref(), self.platform.environment())?;
        Ok(())
    }

    async fn fetch(&self, request: &TokenRequest) -> Result<Fetched, Error> {
        let target = self.tenants.resolve(request.tenant_id.as_deref(), self.platform.environment())?;
        let endpoint = TokenEndpoint::new(&self.authority, target.tenant_id, &self.client_id, &request.scopes);
        let deadline = Deadline::after(self.platform.clock(), entra::LIMIT);
        let proof = ClientProof::Secret(&self.secret);
        let fetched = client_credentials(&endpoint, &self.platform, deadline, &self.client_id, proof, request).await?;
        target.confirm(&fetched.token)?;
        Ok(fetched)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::Credential;
    use crate::platform::scripted::{Scripted, response};

    fn credential(machine: &Scripted) -> Arc<ClientSecretCredential> {
        let options = ClientSecretCredentialOptions {
            platform: Some(machine.platform.clone()),
            cache: Some(Cache::new(Default::default())),
            ..Default::default()
        };
        ClientSecretCredential::new("tenant", "client".into(), "s&cret".into(), Some(options)).expect("valid")
    }

    #[tokio::test]
    async fn the_grant_is_sent_as_a_form() {
        let machine = Scripted::new(&[])
            .answers([Ok(response(200, r#"{"token_type":"Bearer","expires_in":3599,"access_token":"t-1"}"#))]);
        let request = TokenRequest::new(["https://vault.azure.net/.default"]);
        let token = credential(&machine).token(&request).await.expect("a token");
        assert_eq!(token.secret(), "t-1");
        assert_eq!(token.expires_on(), 1_800_003_599);
        let sent = machine.http.sent();
        assert_eq!(sent[0].line, "POST https://login.microsoftonline.com/tenant/oauth2/v2.0/token");
        assert_eq!(
            sent[0].body,
            "client_id=client&client_secret=s%26cret&grant_type=client_credentials&scope=https%3A%2F%2Fvault.azure.net%2F.default"
        );
    }

    #[tokio::test]
    async fn bad_requests_send_nothing() {
        let machine = Scripted::new(&[]);
        let credential = credential(&machine);
        let mut elsewhere = TokenRequest::new(["https://vault.azure.net/.default"]);
        elsewhere.tenant_id = Some("other".into());
        for request in [TokenRequest::default(), TokenRequest::new(["User.Read"]), elsewhere] {
            let error = credential.token(&request).await.expect_err("refused");
            assert!(error.to_string().starts_with("ClientSecretCredential: "), "{error}");
            assert!(error.remedy().is_some(), "{error}");
        }
        assert!(machine.http.sent().is_empty());
    }

    /// What a Rust user of Azure puts into `ClientOptions` to see or change requests.
    #[derive(Debug)]
    struct Transport;

    #[async_trait]
    impl azure_core::http::HttpClient for Transport {
        async fn execute_request(
            &self,
            request: &azure_core::http::Request,
        ) -> azure_core::Result<azure_core::http::AsyncRawResponse> {
            assert_eq!(request.url().host_str(), Some("login.microsoftonline.us"));
            Ok(azure_core::http::AsyncRawResponse::from_bytes(
                azure_core::http::StatusCode::Ok,
                azure_core::http::headers::Headers::new(),
                r#"{"access_token":"from the transport","expires_in":60}"#.as_bytes().to_vec(),
            ))
        }
    }

    #[tokio::test]
    async fn a_users_transport_and_cloud_are_used() {
        let client_options = ClientOptions {
            transport: Some(azure_core::http::Transport::new(Arc::new(Transport))),
            cloud: Some(Arc::new(CloudConfiguration::AzureGovernment)),
            ..Default::default()
        };
        let options = ClientSecretCredentialOptions {
            client_options: Some(client_options),
            cache: Some(Cache::new(Default::default())),
            ..Default::default()
        };
        let credential =
            ClientSecretCredential::new("tenant", "client".into(), "secret".into(), Some(options)).expect("valid");
        let credential: Arc<dyn azure_core::credentials::TokenCredential> = credential;
        let token = credential.get_token(&["https://vault.azure.net/.default"], None).await.expect("a token");
        assert_eq!(token.token.secret(), "from the transport");
    }

    #[test]
    fn bad_arguments_are_refused_at_construction() {
        let new = |tenant: &str, client: &str, secret: &str| {
            ClientSecretCredential::new(tenant, client.into(), secret.to_owned().into(), None)
                .expect_err("refused")
                .to_string()
        };
        assert!(new("", "c", "s").contains("the tenant id is empty"));
        assert!(new("a tenant", "c", "s").contains("is not a tenant id"));
        assert!(new("t", "", "s").contains("the client id is empty"));
        assert!(new("t", "c", "").contains("the client secret is empty"));
        assert!(!new("t", "c", "hunter2 ").contains("hunter2"));
    }
}
