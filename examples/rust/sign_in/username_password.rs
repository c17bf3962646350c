//! Signs a user in with a name and a password. For tests of old systems only: it cannot work where more than a password is
//! asked for, and Microsoft is about to require that everywhere.

use entrada::{UsernamePasswordCredential, UsernamePasswordCredentialOptions};
use entrada_examples::{CLI_CLIENT_ID, Outcome, TENANT_ID, end, read_secret};
use std::env;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    end(run().await)
}

async fn run() -> Outcome {
    let (username, password) = (env::var("AZURE_USERNAME")?, env::var("AZURE_PASSWORD")?);
    let options = UsernamePasswordCredentialOptions { tenant_id: Some(TENANT_ID.into()), ..Default::default() };
    let credential = UsernamePasswordCredential::new(CLI_CLIENT_ID.into(), &username, password.into(), Some(options))?;
    read_secret(credential).await
}
