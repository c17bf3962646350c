//! An API that goes on as the user who called it: one object for all users. Here the user is signed in with a password, in
//! the place of the client that would call the API.

use azure_core::credentials::Secret;
use entrada::{
    Credential, OnBehalfOfCredential, TokenRequest, UsernamePasswordCredential, UsernamePasswordCredentialOptions,
};
use entrada_examples::{CLI_CLIENT_ID, Outcome, TENANT_ID, end, read_secret};
use std::env;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    end(run().await)
}

async fn run() -> Outcome {
    // The client of the user, and the token that it sends with its request.
    let (username, password) = (env::var("AZURE_USERNAME")?, env::var("AZURE_PASSWORD")?);
    let options = UsernamePasswordCredentialOptions { tenant_id: Some(TENANT_ID.into()), ..Default::default() };
    let client = UsernamePasswordCredential::new(CLI_CLIENT_ID.into(), &username, password.into(), Some(options))?;
    let sent = client.token(&TokenRequest::new(["api://orders-api/.default"])).await?;

    // The API.
    let users = OnBehalfOfCredential::with_secret(
        TENANT_ID,
        "c1000000-0000-4000-8000-000000000009".into(),
        Secret::new(env::var("API_CLIENT_SECRET")?),
        None,
    )?;
    read_secret(users.for_user(sent.secret())?).await
}
