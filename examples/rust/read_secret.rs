//! Reads a secret of a key vault with whatever identity the machine has.
//!
//! ```text
//! read-secret [VAULT_URL [SECRET]]
//! ```

use azure_core::http::ClientOptions;
use azure_security_keyvault_secrets::{ResourceExt, SecretClient, SecretClientOptions};
use entrada::DefaultAzureCredential;
use std::env;
use std::error::Error;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let Err(error) = read_secret().await else { return ExitCode::SUCCESS };
    // The innermost error tells the whole story; those around it say what was on the way.
    let mut cause: &dyn Error = error.as_ref();
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    eprintln!("{cause}");
    ExitCode::FAILURE
}

async fn read_secret() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let vault_url = arguments.next().unwrap_or_else(|| "https://contoso-vault.vault.azure.net".into());
    let name = arguments.next().unwrap_or_else(|| "database-password".into());

    let credential = DefaultAzureCredential::new(None)?;
    let options = SecretClientOptions {
        client_options: ClientOptions { transport: Some(entrada::transport()), ..Default::default() },
        ..Default::default()
    };
    let client = SecretClient::new(&vault_url, credential, Some(options))?;

    let secret = client.get_secret(&name, None).await?.into_model()?;
    let id = secret.resource_id()?;
    let length = secret.value.unwrap_or_default().chars().count();
    println!("{}, version {}: {length} characters", id.name, id.version.unwrap_or_default());
    Ok(())
}
