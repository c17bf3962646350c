//! Signs a person in who enters a code in a browser, on this machine or any other.

use entrada::{DeviceCodeCredential, DeviceCodeCredentialOptions};
use entrada_examples::{CLI_CLIENT_ID, Outcome, TENANT_ID, end, read_secret};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    end(run().await)
}

async fn run() -> Outcome {
    let credential = DeviceCodeCredential::new(Some(DeviceCodeCredentialOptions {
        tenant_id: Some(TENANT_ID.into()),
        client_id: Some(CLI_CLIENT_ID.into()),
        ..Default::default()
    }))?;
    read_secret(credential).await
}
