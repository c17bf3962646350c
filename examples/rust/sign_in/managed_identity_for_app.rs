//! Signs in as an app for which a managed identity vouches: no secret anywhere, also where the app is in another tenant.

use entrada::{ClientAssertionCredential, ManagedIdentityAssertion, UserAssignedId};
use entrada_examples::{APP_CLIENT_ID, Outcome, TENANT_ID, end, read_secret};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    end(run().await)
}

async fn run() -> Outcome {
    let identity = UserAssignedId::ClientId("c1000000-0000-4000-8000-000000000005".into());
    let assertion = ManagedIdentityAssertion::new(identity)?;
    let credential = ClientAssertionCredential::new(TENANT_ID, APP_CLIENT_ID.into(), assertion, None)?;
    read_secret(credential).await
}
