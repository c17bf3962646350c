//! Uploads a blob and lists its container, with the managed identity of the host.
//!
//! ```text
//! upload-blob [ACCOUNT_URL [CONTAINER]]
//! ```

use azure_core::http::{ClientOptions, RequestContent, Url};
use azure_storage_blob::{BlobServiceClient, BlobServiceClientOptions};
use entrada::ManagedIdentityCredential;
use futures::TryStreamExt;
use std::env;
use std::error::Error;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let Err(error) = upload_and_list().await else { return ExitCode::SUCCESS };
    // The innermost error tells the whole story; those around it say what was on the way.
    let mut cause: &dyn Error = error.as_ref();
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    eprintln!("{cause}");
    ExitCode::FAILURE
}

async fn upload_and_list() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let account_url = arguments.next().unwrap_or_else(|| "https://contosostore.blob.core.windows.net".into());
    let container = arguments.next().unwrap_or_else(|| "orders".into());

    let credential = ManagedIdentityCredential::new(None)?;
    let options = BlobServiceClientOptions {
        client_options: ClientOptions { transport: Some(entrada::transport()), ..Default::default() },
        ..Default::default()
    };
    let service = BlobServiceClient::new(Url::parse(&account_url)?, Some(credential), Some(options))?;
    let container = service.blob_container_client(&container);

    let order = RequestContent::from(br#"{"item": "ring binder", "count": 12}"#.to_vec());
    container.blob_client("2026/order-1.json").upload(order, None).await?;

    let mut blobs = container.list_blobs(None)?;
    while let Some(blob) = blobs.try_next().await? {
        println!("{}", blob.name.unwrap_or_default());
    }
    Ok(())
}
