//! Signs in from a Kubernetes pod, with what the workload identity webhook set up.

use entrada::WorkloadIdentityCredential;
use entrada_examples::{Outcome, end, read_secret};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    end(run().await)
}

async fn run() -> Outcome {
    read_secret(WorkloadIdentityCredential::new(None)?).await
}
