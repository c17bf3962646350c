//! Signs in as an app with an assertion that this program gets from somewhere: here the token of a service account.

use entrada::{AssertionError, ClientAssertionCredential};
use entrada_examples::{Outcome, TENANT_ID, end, read_secret};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    end(run().await)
}

async fn run() -> Outcome {
    let client_id = std::env::var("AZURE_CLIENT_ID")?;
    // Called for each exchange with Entra, so that it is never an old one.
    let assertion = || async {
        let path = std::env::var("AZURE_FEDERATED_TOKEN_FILE")?;
        Ok::<_, AssertionError>(std::fs::read_to_string(path)?)
    };
    let credential = ClientAssertionCredential::new(TENANT_ID, client_id, assertion, None)?;
    read_secret(credential).await
}
