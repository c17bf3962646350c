//! The default chain: the same code in Azure and on a laptop.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::http::ClientOptions;

use super::selection::{Selection, Step};
use super::walk::{Chain, Member};
use crate::cache::Cache;
use crate::credential::{Credential, token_credential};
use crate::credentials::{
    AzureCliCredential, AzureCliCredentialOptions, EntraOptions, EnvironmentCredential, EnvironmentCredentialOptions,
    ManagedIdentityCredential, ManagedIdentityCredentialOptions,
};
use crate::error::Error;
use crate::managed_identity::UserAssignedId;
use crate::platform::Platform;
use crate::scope;
use crate::token::{Token, TokenRequest};

const NAME: &str = "DefaultAzureCredential";

/// Signs in with whatever is there: in Azure the host's managed identity, on a laptop the developer's own sign-in.
///
/// It asks, in this order:
///
/// 1. [`EnvironmentCredential`]: a service principal in `AZURE_TENANT_ID`, `AZURE_CLIENT_ID`, and `AZURE_CLIENT_SECRET` or
///    `AZURE_CLIENT_CERTIFICATE_PATH`;
/// 2. [`ManagedIdentityCredential`]: the identity of the Azure resource that runs the program;
/// 3. [`AzureCliCredential`]: the account that is signed in with `az login`.
///
/// The first that gives a token is asked alone from then on. One that is set up and is refused stops the chain, except
/// the developer tools. `AZURE_TOKEN_CREDENTIALS` selects: `dev` (3), `prod` (1, 2), or the name of one.
///
/// ```no_run
/// use azure_core::credentials::TokenCredential;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let credential = entrada::DefaultAzureCredential::new(None)?;
/// let token = credential.get_token(&["https://vault.azure.net/.default"], None).await?;
/// # let _ = token;
/// # Ok(()) }
/// ```
pub struct DefaultAzureCredential {
    chain: Arc<Chain>,
}

/// Options for [`DefaultAzureCredential`]. What is given here beats the environment.
#[derive(Clone, Debug, Default)]
pub struct DefaultAzureCredentialOptions {
    /// Leave out the service principal of the environment. By default `AZURE_TOKEN_CREDENTIALS` decides.
    pub exclude_environment: Option<bool>,
    /// Leave out the managed identity. By default `AZURE_TOKEN_CREDENTIALS` decides.
    pub exclude_managed_identity: Option<bool>,
    /// Leave out the Azure CLI. By default `AZURE_TOKEN_CREDENTIALS` decides.
    pub exclude_azure_cli: Option<bool>,
    /// The user-assigned managed identity; by default the one whose client id is in `AZURE_CLIENT_ID`, else the
    /// system-assigned one.
    pub user_assigned_id: Option<UserAssignedId>,
    /// Use the system-assigned managed identity even where `AZURE_CLIENT_ID` is set.
    pub system_assigned: bool,
    /// Whether the processes of this user on this machine share the managed identity's tokens; see
    /// [`ManagedIdentityCredentialOptions::share_between_processes`].
    pub share_between_processes: bool,
    /// The authority for a service principal; by default the one that `AZURE_AUTHORITY_HOST` names, else
    /// `https://login.microsoftonline.com`.
    pub authority: Option<String>,
    /// Trusts the authority without asking whether it is known; see [`EntraOptions::disable_instance_discovery`].
    pub disable_instance_discovery: bool,
    /// Tenants that requests may name beside the service principal's own; `*` for any.
    pub additionally_allowed_tenants: Vec<String>,
    /// How long a developer's tool may take; 10 seconds by default.
    pub process_timeout: Option<Duration>,
    /// The HTTP pipeline of a user's own; by default requests go through the client that all credentials share.
    pub client_options: Option<ClientOptions>,
    /// A cache of its own; by default the one of the process.
    pub cache: Option<Arc<Cache>>,
    /// The machine; by default the real one.
    pub platform: Option<Platform>,
}

impl DefaultAzureCredential {
    /// Creates the chain. Nothing is sent or started; the environment variables are read now.
    ///
    /// # Errors
    /// Where an option cannot be right, `AZURE_TOKEN_CREDENTIALS` selects no credential, or all are left out.
    pub fn new(options: Option<DefaultAzureCredentialOptions>) -> Result<Arc<Self>, Error> {
        let options = options.unwrap_or_default();
        let platform = options.platform.clone().unwrap_or_else(Platform::system);
        let chain = Self::members(&options, &platform)
            .and_then(|members| Chain::new(NAME, members, platform))
            .map_err(|error| error.credential(NAME))?;
        Ok(Arc::new(Self { chain }))
    }

    fn members(options: &DefaultAzureCredentialOptions, platform: &Platform) -> Result<Vec<Member>, Error> {
        let selection = Selection::read(platform.environment())?;
        let is_in = |step: Step| {
            let excluded = match step {
                Step::Environment => options.exclude_environment,
                Step::ManagedIdentity => options.exclude_managed_identity,
                Step::AzureCli => options.exclude_azure_cli,
            };
            excluded.map_or(selection.contains(step), |excluded| !excluded)
        };
        Step::ALL.into_iter().filter(|step| is_in(*step)).map(|step| Self::member(step, options, platform)).collect()
    }

    fn member(step: Step, options: &DefaultAzureCredentialOptions, platform: &Platform) -> Result<Member, Error> {
        let (cache, platform) = (options.cache.clone(), Some(platform.clone()));
        Ok(match step {
            Step::Environment => Member {
                credential: EnvironmentCredential::new(Some(EnvironmentCredentialOptions {
                    entra: EntraOptions {
                        disable_instance_discovery: options.disable_instance_discovery,
                        authority: options.authority.clone(),
                        additionally_allowed_tenants: options.additionally_allowed_tenants.clone(),
                        client_options: options.client_options.clone(),
                        cache,
                        platform,
                    },
                }))?,
                may_fail: false,
            },
            Step::ManagedIdentity => {
                let from_environment = || {
                    let client_id = platform.as_ref()?.environment().var("AZURE_CLIENT_ID")?;
                    Some(UserAssignedId::ClientId(client_id))
                };
                let user_assigned_id = match (&options.user_assigned_id, options.system_assigned) {
                    (Some(id), _) => Some(id.clone()),
                    (None, true) => None,
                    (None, false) => from_environment(),
                };
                Member {
                    credential: ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
                        user_assigned_id,
                        share_between_processes: options.share_between_processes,
                        client_options: options.client_options.clone(),
                        cache,
                        platform,
                        ..ManagedIdentityCredentialOptions::default()
                    }))?,
                    may_fail: false,
                }
            }
            Step::AzureCli => Member {
                credential: AzureCliCredential::new(Some(AzureCliCredentialOptions {
                    process_timeout: options.process_timeout,
                    cache,
                    platform,
                    ..AzureCliCredentialOptions::default()
                }))?,
                may_fail: true,
            },
        })
    }
}

#[async_trait]
impl Credential for DefaultAzureCredential {
    fn name(&self) -> &str {
        NAME
    }

    fn at_hand(&self, scopes: &[&str], tenant_id: Option<&str>, enable_cae: bool) -> Option<Arc<Token>> {
        self.chain.at_hand(scopes, tenant_id, enable_cae)
    }

    async fn token(&self, request: &TokenRequest) -> Result<Arc<Token>, Error> {
        scope::check(request).map_err(|error| error.credential(NAME))?;
        self.chain.token(request).await
    }
}

token_credential!(DefaultAzureCredential);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Outcome;
    use crate::platform::HttpError;
    use crate::platform::scripted::{Scripted, response};

    fn chain(
        machine: &Scripted,
        change: impl FnOnce(&mut DefaultAzureCredentialOptions),
    ) -> Result<Arc<DefaultAzureCredential>, Error> {
        let mut options = DefaultAzureCredentialOptions {
            platform: Some(machine.platform.clone()),
            cache: Some(Cache::new(Default::default())),
            ..Default::default()
        };
        change(&mut options);
        DefaultAzureCredential::new(Some(options))
    }

    fn request() -> TokenRequest {
        TokenRequest::new(["https://vault.azure.net/.default"])
    }

    fn names(error: &Error) -> Vec<&str> {
        error.chain_attempts().iter().map(|attempt| &*attempt.credential).collect()
    }

    #[tokio::test]
    async fn with_nothing_there_every_step_gives_its_reason() {
        let machine = Scripted::new(&[]).answers([Err(HttpError::Connect("network unreachable".into()))]);
        let chain = chain(&machine, |_| {}).expect("valid");
        let error = chain.token(&request()).await.expect_err("nothing there");
        assert_eq!(error.outcome(), Outcome::Unavailable);
        assert_eq!(names(&error), ["EnvironmentCredential", "ManagedIdentityCredential", "AzureCliCredential"]);
        let text = error.to_string();
        for words in ["AZURE_CLIENT_SECRET", "network unreachable", "not on PATH", "az login"] {
            assert!(text.contains(words), "{words}: {text}");
        }
        assert_eq!(machine.http.sent().len(), 1, "one quick look at IMDS");
    }

    #[tokio::test]
    async fn a_wrong_secret_does_not_become_another_identity() {
        let machine = Scripted::new(&[
            ("AZURE_TENANT_ID", "t"),
            ("AZURE_CLIENT_ID", "c"),
            ("AZURE_CLIENT_SECRET", "hunter2"),
        ])
        .answers([Ok(response(
            401,
            r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided."}"#,
        ))]);
        let chain = chain(&machine, |_| {}).expect("valid");
        let error = chain.token(&request()).await.expect_err("refused");
        assert_eq!(error.outcome(), Outcome::Failed);
        assert_eq!(names(&error), ["EnvironmentCredential"]);
        let text = error.to_string();
        assert!(text.contains("AADSTS7000215") && !text.contains("hunter2"), "{text}");
    }

    #[tokio::test]
    async fn the_client_id_of_the_environment_names_the_managed_identity() {
        let variables =
            [("AZURE_CLIENT_ID", "c-1"), ("IDENTITY_ENDPOINT", "http://127.0.0.1:1/msi"), ("IDENTITY_HEADER", "h")];
        let token = r#"{"access_token":"t","expires_in":60}"#;
        let machine = Scripted::new(&variables).answers([Ok(response(200, token))]);
        chain(&machine, |_| {}).expect("valid").token(&request()).await.expect("a token");
        assert!(machine.http.sent()[0].line.ends_with("&client_id=c-1"));
        let machine = Scripted::new(&variables).answers([Ok(response(200, token))]);
        let system = chain(&machine, |options| options.system_assigned = true).expect("valid");
        system.token(&request()).await.expect("a token");
        assert!(!machine.http.sent()[0].line.contains("client_id"));
    }

    #[tokio::test]
    async fn a_managed_identity_that_is_selected_alone_is_asked_at_once() {
        let machine = Scripted::new(&[("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")])
            .answers([Ok(response(200, r#"{"access_token":"t","expires_in":"60"}"#))]);
        chain(&machine, |_| {}).expect("valid").token(&request()).await.expect("a token");
        let sent = machine.http.sent();
        assert_eq!(sent.len(), 1);
        assert!(sent[0].headers.contains_key("metadata"), "not a probe");
    }

    #[tokio::test]
    async fn steps_are_selected_by_variable_and_by_option() {
        let steps = async |variables: &[(&str, &str)], change: fn(&mut DefaultAzureCredentialOptions)| {
            let machine = Scripted::new(variables);
            let chain = chain(&machine, change)?;
            let error = chain.token(&request()).await.expect_err("nothing there");
            Ok::<_, Error>(names(&error).join(" "))
        };
        let dev = [("AZURE_TOKEN_CREDENTIALS", "dev")];
        let prod = [("AZURE_TOKEN_CREDENTIALS", "prod")];
        assert_eq!(steps(&dev, |_| {}).await.expect("valid"), "AzureCliCredential");
        assert_eq!(steps(&prod, |_| {}).await.expect("valid"), "EnvironmentCredential ManagedIdentityCredential");
        assert_eq!(
            steps(&prod, |options| {
                options.exclude_environment = Some(true);
                options.exclude_azure_cli = Some(false);
            })
            .await
            .expect("valid"),
            "ManagedIdentityCredential AzureCliCredential"
        );
        let none = steps(&dev, |options| options.exclude_azure_cli = Some(true)).await;
        assert!(none.expect_err("all left out").is_invalid_argument());
    }
}
