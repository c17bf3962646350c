//! Gives a token to a client that wants nothing but its text, such as one of OpenAI's API or of a database.

use entrada::{DefaultAzureCredential, get_bearer_token_provider};
use entrada_examples::{Outcome, end};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    end(run().await)
}

async fn run() -> Outcome {
    let credential = DefaultAzureCredential::new(None)?;
    let provider = get_bearer_token_provider(credential, ["https://vault.azure.net/.default"]);
    // Before each request: the credential has it at hand but for once in a day or an hour.
    let header = format!("Bearer {}", provider.token().await?.secret());
    println!("a header of {} parts", header.split(['.', ' ']).count());
    Ok(())
}
