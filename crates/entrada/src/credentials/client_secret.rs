//! An app that signs in with a secret.

use std::sync::Arc;

use azure_core::credentials::Secret;
use zeroize::Zeroizing;

use super::app_only::AppOnly;
use super::entra_options::EntraOptions;
use crate::credential::{Cached, credential_from_cached};
use crate::entra::{Client, Proof, check_secret};
use crate::error::Error;

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
    /// What it has in common with other credentials of Entra.
    pub entra: EntraOptions,
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
        const NAME: &str = "ClientSecretCredential";
        let cached = cached(NAME, tenant_id, &client_id, &secret, options.unwrap_or_default().entra);
        Ok(Arc::new(Self { cached: cached.map_err(|error| error.credential(NAME))? }))
    }
}

credential_from_cached!(ClientSecretCredential);

/// What a credential consists of whose app shows a secret.
pub(super) fn cached(
    name: &'static str,
    tenant_id: &str,
    client_id: &str,
    secret: &Secret,
    options: EntraOptions,
) -> Result<Cached, Error> {
    check_secret(secret.secret())?;
    let proof = Proof::Secret(Zeroizing::new(secret.secret().to_owned()));
    let client = Client::new(tenant_id, client_id, proof, &options)?;
    let (principal, platform) = (client.principal("client secret", &[]), client.platform.clone());
    Ok(Cached::new(name, principal, AppOnly { client }, platform, options.cache))
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use azure_core::cloud::CloudConfiguration;
    use azure_core::http::ClientOptions;

    use super::*;
    use crate::cache::Cache;
    use crate::credential::Credential;
    use crate::platform::scripted::{Scripted, response};
    use crate::token::TokenRequest;

    fn credential(machine: &Scripted) -> Arc<ClientSecretCredential> {
        let entra = EntraOptions {
            platform: Some(machine.platform.clone()),
            cache: Some(Cache::new(Default::default())),
            ..Default::default()
        };
        let options = ClientSecretCredentialOptions { entra };
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
        let entra = EntraOptions {
            client_options: Some(client_options),
            cache: Some(Cache::new(Default::default())),
            ..Default::default()
        };
        let options = ClientSecretCredentialOptions { entra };
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
