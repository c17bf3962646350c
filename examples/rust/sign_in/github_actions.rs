//! Signs in from a job of GitHub Actions that may get tokens (`permissions: id-token: write`), as the app of
//! `AZURE_TENANT_ID` and `AZURE_CLIENT_ID`.

use entrada::GitHubActionsCredential;
use entrada_examples::{Outcome, end, read_secret};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    end(run().await)
}

async fn run() -> Outcome {
    read_secret(GitHubActionsCredential::new(None)?).await
}
