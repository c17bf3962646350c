//! A service principal that environment variables describe.

use std::sync::Arc;

use async_trait::async_trait;

use super::client_secret::{ClientSecretCredential, ClientSecretCredentialOptions};
use super::entra_options::EntraOptions;
use crate::credential::{Credential, token_credential};
use crate::error::Error;
use crate::platform::{Environment, Platform};
use crate::scope;
use crate::token::{Token, TokenRequest};

const NAME: &str = "EnvironmentCredential";

/// Authenticates the service principal that environment variables describe.
///
/// | variable | |
/// |---|---|
/// | `AZURE_TENANT_ID` | the tenant's id or domain |
/// | `AZURE_CLIENT_ID` | the app's client id |
/// | `AZURE_CLIENT_SECRET` | the app's secret |
/// | `AZURE_AUTHORITY_HOST` | the authority; `https://login.microsoftonline.com` by default |
///
/// Where `AZURE_CLIENT_CERTIFICATE_PATH` or `AZURE_USERNAME` is set beside a complete set of these, the secret is used,
/// as `azure-identity` does, and a warning is logged.
///
/// The variables are read when the credential is created. An empty variable counts as not set. Where they describe no
/// service principal, requests fail with an error that says which are missing, and a chain goes on.
pub struct EnvironmentCredential {
    found: Result<Arc<ClientSecretCredential>, Error>,
}

/// Options for [`EnvironmentCredential`].
#[derive(Clone, Debug, Default)]
pub struct EnvironmentCredentialOptions {
    /// What it has in common with other credentials of Entra.
    pub entra: EntraOptions,
}

impl EnvironmentCredential {
    /// Creates the credential. Nothing is sent.
    ///
    /// # Errors
    /// None today: what is wrong with the variables shows when a token is requested, so that a chain that contains this
    /// credential can still be made.
    pub fn new(options: Option<EnvironmentCredentialOptions>) -> Result<Arc<Self>, Error> {
        let found = find(options.unwrap_or_default()).map_err(|error| error.credential(NAME));
        Ok(Arc::new(Self { found }))
    }
}

fn find(options: EnvironmentCredentialOptions) -> Result<Arc<ClientSecretCredential>, Error> {
    let platform = options.entra.platform.clone().unwrap_or_else(Platform::system);
    let (tenant_id, client_id, secret) = read(platform.environment())?;
    let entra = EntraOptions { platform: Some(platform), ..options.entra };
    let options = ClientSecretCredentialOptions { entra };
    ClientSecretCredential::with_name(NAME, &tenant_id, client_id, secret.into(), Some(options))
}

/// Tenant, client and secret, or which of them is missing.
fn read(environment: &dyn Environment) -> Result<(String, String, String), Error> {
    const NAMES: [&str; 3] = ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"];
    let values = NAMES.map(|name| environment.var(name));
    let unsupported =
        ["AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_USERNAME"].into_iter().find(|name| environment.var(name).is_some());
    if let [Some(tenant_id), Some(client_id), Some(secret)] = values {
        if let Some(name) = unsupported {
            tracing::warn!("{name} and AZURE_CLIENT_SECRET are both set; the secret is used");
        }
        return Ok((tenant_id, client_id, secret));
    }
    let missing: Vec<_> =
        NAMES.iter().zip(&values).filter(|(_, value)| value.is_none()).map(|(name, _)| *name).collect();
    Err(match unsupported {
        Some(name) => Error::unavailable(format!(
            "{name} is set, but signing in with a certificate or a password is not supported yet"
        ))
        .next("set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET"),
        None if missing.len() == NAMES.len() => {
            Error::unavailable("no service principal is described by environment variables")
                .next("to use one, set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET")
        }
        None => Error::unavailable(format!(
            "the environment describes a service principal incompletely: {} is not set or empty",
            missing.join(" and ")
        ))
        .next(format!("set {}", missing.join(" and "))),
    })
}

#[async_trait]
impl Credential for EnvironmentCredential {
    fn name(&self) -> &str {
        NAME
    }

    fn at_hand(&self, scopes: &[&str], tenant_id: Option<&str>, enable_cae: bool) -> Option<Arc<Token>> {
        self.found.as_ref().ok()?.at_hand(scopes, tenant_id, enable_cae)
    }

    async fn token(&self, request: &TokenRequest) -> Result<Arc<Token>, Error> {
        scope::check(request).map_err(|error| error.credential(NAME))?;
        match &self.found {
            Ok(credential) => credential.token(request).await,
            Err(error) => Err(error.clone()),
        }
    }
}

token_credential!(EnvironmentCredential);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Cache;
    use crate::error::Outcome;
    use crate::platform::scripted::{Scripted, response};

    async fn outcome(variables: &[(&str, &str)]) -> Result<Arc<Token>, Error> {
        let machine = Scripted::new(variables).answers([Ok(response(200, r#"{"access_token":"t","expires_in":60}"#))]);
        EnvironmentCredential::new(Some(EnvironmentCredentialOptions {
            entra: EntraOptions {
                platform: Some(machine.platform),
                cache: Some(Cache::new(Default::default())),
                ..Default::default()
            },
        }))?
        .token(&TokenRequest::new(["https://vault.azure.net/.default"]))
        .await
    }

    #[tokio::test]
    async fn three_variables_are_enough() {
        let variables = [("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_ID", "c"), ("AZURE_CLIENT_SECRET", "s")];
        assert!(outcome(&variables).await.is_ok());
    }

    #[tokio::test]
    async fn what_is_missing_is_named() {
        for (variables, words) in [
            (vec![], "no service principal is described"),
            (vec![("AZURE_CLIENT_ID", "c")], "AZURE_TENANT_ID and AZURE_CLIENT_SECRET is not set"),
            (
                vec![("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_ID", "c"), ("AZURE_CLIENT_SECRET", "")],
                "AZURE_CLIENT_SECRET is not set or empty",
            ),
        ] {
            let error = outcome(&variables).await.expect_err("unavailable");
            assert_eq!(error.outcome(), Outcome::Unavailable);
            assert!(error.to_string().contains(words), "{error}");
        }
    }

    #[tokio::test]
    async fn what_is_wrong_is_a_failure_under_this_name() {
        let variables = [("AZURE_TENANT_ID", "t t"), ("AZURE_CLIENT_ID", "c"), ("AZURE_CLIENT_SECRET", "s")];
        let error = outcome(&variables).await.expect_err("malformed");
        assert_eq!(error.outcome(), Outcome::Failed);
        assert!(error.to_string().starts_with("EnvironmentCredential: \"t t\""), "{error}");
    }
}
