//! What the programs of this folder have in common: each signs in in a way of its own, and reads the same secret.

use azure_core::credentials::TokenCredential;
use azure_core::http::ClientOptions;
use azure_security_keyvault_secrets::{ResourceExt, SecretClient, SecretClientOptions};
use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

/// The tenant of the emulator's built-in world.
pub const TENANT_ID: &str = "7e000000-0000-4000-8000-000000000001";
/// Its app `orders-ci`.
pub const APP_CLIENT_ID: &str = "c1000000-0000-4000-8000-000000000001";
/// Its public client `orders-cli`, which users sign in to.
pub const CLI_CLIENT_ID: &str = "c1000000-0000-4000-8000-000000000014";

/// What a program comes to.
pub type Outcome = Result<(), Box<dyn Error>>;

/// Reads a secret of Contoso's key vault with a credential, and says so.
pub async fn read_secret(credential: Arc<dyn TokenCredential>) -> Outcome {
    let client_options = ClientOptions { transport: Some(entrada::transport()), ..Default::default() };
    read_secret_of("https://contoso-vault.vault.azure.net", credential, client_options).await
}

/// The same of another vault, with options for the client.
pub async fn read_secret_of(
    vault_url: &str,
    credential: Arc<dyn TokenCredential>,
    client_options: ClientOptions,
) -> Outcome {
    let options = SecretClientOptions { client_options, ..Default::default() };
    let client = SecretClient::new(vault_url, credential, Some(options))?;
    let secret = client.get_secret("database-password", None).await?.into_model()?;
    println!("read {}", secret.resource_id()?.name);
    Ok(())
}

/// Ends a program: what went wrong goes to standard error.
pub fn end(outcome: Outcome) -> ExitCode {
    let Err(error) = outcome else { return ExitCode::SUCCESS };
    // The innermost error tells the whole story; those around it say what was on the way.
    let mut cause: &dyn Error = error.as_ref();
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    eprintln!("{cause}");
    ExitCode::FAILURE
}
