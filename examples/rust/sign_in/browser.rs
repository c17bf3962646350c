//! Signs a person in with the browser on this machine.

use entrada::{InteractiveBrowserCredential, InteractiveBrowserCredentialOptions};
use entrada_examples::{CLI_CLIENT_ID, Outcome, TENANT_ID, end, read_secret};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    end(run().await)
}

async fn run() -> Outcome {
    let credential = InteractiveBrowserCredential::new(Some(InteractiveBrowserCredentialOptions {
        tenant_id: Some(TENANT_ID.into()),
        client_id: Some(CLI_CLIENT_ID.into()),
        ..Default::default()
    }))?;
    read_secret(credential).await
}
