//! Signs in as an app with a certificate, of the file that `AZURE_CLIENT_CERTIFICATE_PATH` names. A renewed file is taken up
//! without a restart.

use entrada::ClientCertificateCredential;
use entrada_examples::{APP_CLIENT_ID, Outcome, TENANT_ID, end, read_secret};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    end(run().await)
}

async fn run() -> Outcome {
    let path = std::env::var("AZURE_CLIENT_CERTIFICATE_PATH")?;
    let credential = ClientCertificateCredential::from_path(TENANT_ID, APP_CLIENT_ID.into(), path, None)?;
    read_secret(credential).await
}
