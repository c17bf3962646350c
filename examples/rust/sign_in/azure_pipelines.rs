//! Signs in from a job of Azure Pipelines, with the service connection that the variables of the job describe.

use entrada::AzurePipelinesCredential;
use entrada_examples::{Outcome, end, read_secret};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    end(run().await)
}

async fn run() -> Outcome {
    read_secret(AzurePipelinesCredential::from_environment(None)?).await
}
