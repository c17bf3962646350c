//! Reads a secret of a partner's vault, which asks for a token of the partner's tenant.
//!
//! The policy takes the tenant from the vault's challenge, and answers demands for claims; the credential must allow the
//! tenant.

use azure_core::http::ClientOptions;
use entrada::{ChallengePolicy, ClientSecretCredential, ClientSecretCredentialOptions, EntraOptions};
use entrada_examples::{Outcome, end, read_secret_of};
use std::env;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    end(run().await)
}

async fn run() -> Outcome {
    let credential = ClientSecretCredential::new(
        &env::var("AZURE_TENANT_ID")?,
        env::var("AZURE_CLIENT_ID")?,
        env::var("AZURE_CLIENT_SECRET")?.into(),
        Some(ClientSecretCredentialOptions {
            entra: EntraOptions {
                additionally_allowed_tenants: vec!["7e000000-0000-4000-8000-000000000004".into()],
                ..Default::default()
            },
        }),
    )?;
    let mut client_options = ClientOptions { transport: Some(entrada::transport()), ..Default::default() };
    ChallengePolicy::new(None).add_to(&mut client_options);
    read_secret_of("https://fabrikam-vault.vault.azure.net", credential, client_options).await
}
