//! Signs in as an app with a key that this program cannot read, such as one in a vault or a hardware module: the key signs
//! when it is asked to. Here it is a key file of the emulator's, in the place of the vault.

use async_trait::async_trait;
use entrada::{ClientCertificateCredential, SignatureAlgorithm, Signer, SignerError};
use entrada_examples::{APP_CLIENT_ID, Outcome, TENANT_ID, end, read_secret};
use std::process::{ExitCode, Stdio};
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

#[tokio::main]
async fn main() -> ExitCode {
    end(run().await)
}

async fn run() -> Outcome {
    let credential =
        ClientCertificateCredential::with_signer(TENANT_ID, APP_CLIENT_ID.into(), Arc::new(Vault::open()?), None)?;
    read_secret(credential).await
}

/// Asks a program to sign, which alone can read the key.
struct Vault {
    certificate: Vec<u8>,
}

impl Vault {
    fn open() -> Result<Self, Box<dyn std::error::Error>> {
        let arguments = ["x509", "-outform", "DER", "-in", &std::env::var("AZURE_CLIENT_CERTIFICATE_PATH")?];
        let made = std::process::Command::new("openssl").args(arguments).output()?;
        Ok(Self { certificate: made.stdout })
    }
}

#[async_trait]
impl Signer for Vault {
    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::Rs256
    }

    async fn certificate(&self) -> Result<Vec<Vec<u8>>, SignerError> {
        Ok(vec![self.certificate.clone()])
    }

    async fn sign(&self, signing_input: &[u8]) -> Result<Vec<u8>, SignerError> {
        let key = std::env::var("AZURE_CLIENT_CERTIFICATE_PATH")?;
        let mut program = Command::new("openssl")
            .args(["dgst", "-sha256", "-sign", &key])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        // Its end closes the program's input.
        program.stdin.take().ok_or("openssl takes no input")?.write_all(signing_input).await?;
        let done = program.wait_with_output().await?;
        if done.status.success() { Ok(done.stdout) } else { Err("openssl did not sign".into()) }
    }
}
