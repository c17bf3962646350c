//! Signs a person in before they are needed, and remembers who it was: the record holds no secret, and a credential that
//! is given it takes tokens of nobody else.

use entrada::{AuthenticationRecord, InteractiveBrowserCredential, InteractiveBrowserCredentialOptions};
use entrada_examples::{CLI_CLIENT_ID, Outcome, TENANT_ID, end, read_secret};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    end(run().await)
}

async fn run() -> Outcome {
    let options = InteractiveBrowserCredentialOptions {
        tenant_id: Some(TENANT_ID.into()),
        client_id: Some(CLI_CLIENT_ID.into()),
        ..Default::default()
    };
    let record = InteractiveBrowserCredential::new(Some(options.clone()))?.authenticate(None).await?;
    println!("signed in: {}", record.username());
    let kept = record.serialize();

    // Later.
    let credential = InteractiveBrowserCredential::new(Some(InteractiveBrowserCredentialOptions {
        authentication_record: Some(AuthenticationRecord::deserialize(&kept)?),
        disable_automatic_authentication: true,
        ..options
    }))?;
    read_secret(credential).await
}
