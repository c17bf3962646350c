//! One file for each credential that a user can construct.

mod app_only;
mod authorization_code;
mod azure_cli;
mod azure_pipelines;
mod client_assertion;
mod client_certificate;
mod client_secret;
mod command;
mod described;
mod device_code;
mod entra_options;
mod environment;
mod github_actions;
mod given_token;
mod interactive_browser;
mod managed_identity;
mod on_behalf_of;
mod static_token;
mod token_file;
mod user_client;
mod username_password;
mod workload_identity;

pub use authorization_code::{AuthorizationCodeCredential, AuthorizationCodeCredentialOptions};
pub use azure_cli::{AzureCliCredential, AzureCliCredentialOptions};
pub use azure_pipelines::{AzurePipelinesCredential, AzurePipelinesCredentialOptions};
pub use client_assertion::{ClientAssertionCredential, ClientAssertionCredentialOptions};
pub use client_certificate::{ClientCertificateCredential, ClientCertificateCredentialOptions};
pub use client_secret::{ClientSecretCredential, ClientSecretCredentialOptions};
pub use command::{CommandCredential, CommandCredentialOptions};
pub use device_code::{DeviceCodeCredential, DeviceCodeCredentialOptions};
pub use entra_options::EntraOptions;
pub use environment::{EnvironmentCredential, EnvironmentCredentialOptions};
pub use github_actions::{GitHubActionsCredential, GitHubActionsCredentialOptions};
#[cfg(any(test, fuzzing))]
pub(crate) use given_token::read as read_given_token;
pub use interactive_browser::{InteractiveBrowserCredential, InteractiveBrowserCredentialOptions};
pub use managed_identity::{ManagedIdentityCredential, ManagedIdentityCredentialOptions};
pub use on_behalf_of::{OnBehalfOfCredential, OnBehalfOfCredentialOptions};
pub use static_token::{StaticTokenCredential, StaticTokenCredentialOptions};
pub use token_file::{TokenFileCredential, TokenFileCredentialOptions};
pub use username_password::{UsernamePasswordCredential, UsernamePasswordCredentialOptions};
pub use workload_identity::{WorkloadIdentityCredential, WorkloadIdentityCredentialOptions};

use azure_core::http::ClientOptions;

use crate::platform::{self, Platform, Route};

/// The machine of a credential of Entra.
fn platform_of(options: &EntraOptions) -> Platform {
    options.platform.clone().unwrap_or_else(Platform::system)
}

/// The platform of a credential: with the user's HTTP pipeline where they configured one.
pub(crate) fn platform_for(
    platform: Option<Platform>,
    client_options: Option<ClientOptions>,
    route: Route,
) -> Platform {
    let platform = platform.unwrap_or_else(Platform::system);
    match client_options {
        Some(options) => platform.with_http(platform::http_from(options, route)),
        None => platform,
    }
}
