//! Goes on with a token that somebody else got: of a variable, of a file that a sidecar writes, of a program that prints one.
//! Here this program gets it itself first, as the managed identity of its host.

use azure_core::credentials::Secret;
use entrada::{
    CommandCredential, Credential, ManagedIdentityCredential, StaticTokenCredential, TokenFileCredential, TokenRequest,
};
use entrada_examples::{Outcome, end, read_secret};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    end(run().await)
}

async fn run() -> Outcome {
    let request = TokenRequest::new(["https://vault.azure.net/.default"]);
    let token = ManagedIdentityCredential::new(None)?.token(&request).await?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("token");
    std::fs::write(&path, token.secret())?;

    read_secret(StaticTokenCredential::new(Secret::new(token.secret().to_owned()), None)?).await?;
    // The file is read again when it has changed.
    read_secret(TokenFileCredential::new(&path, None)?).await?;
    // The program is run again when its token is about to expire.
    read_secret(CommandCredential::new([std::ffi::OsStr::new("cat"), path.as_os_str()], None)?).await
}
