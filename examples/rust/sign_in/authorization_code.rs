//! A web app that sends people to sign in by itself, and gets an authorization code. It is as small as can be, and takes one
//! request.

use azure_core::credentials::Secret;
use entrada::{AuthorizationCodeCredential, AuthorizationCodeCredentialOptions};
use entrada_examples::{CLI_CLIENT_ID, Outcome, TENANT_ID, end, read_secret};
use std::env;
use std::process::ExitCode;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::Command;

#[tokio::main]
async fn main() -> ExitCode {
    end(run().await)
}

async fn run() -> Outcome {
    let server = TcpListener::bind("127.0.0.1:0").await?;
    let redirect_uri = format!("http://localhost:{}", server.local_addr()?.port());
    let page = format!(
        "https://login.microsoftonline.com/{TENANT_ID}/oauth2/v2.0/authorize?client_id={CLI_CLIENT_ID}\
         &response_type=code&redirect_uri={redirect_uri}&scope=offline_access%20https://vault.azure.net/.default"
    );
    // A web app answers with a redirect; this one has the browser opened.
    let mut browser = Command::new(env::var("BROWSER").unwrap_or_else(|_| "xdg-open".into())).arg(page).spawn()?;

    let (mut connection, _) = server.accept().await?;
    let mut line = String::new();
    BufReader::new(&mut connection).read_line(&mut line).await?;
    connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nWelcome.\n").await?;
    browser.wait().await?;
    let code = line.split(['?', '&', ' ']).find_map(|part| part.strip_prefix("code=")).ok_or("no code came")?;

    let credential = AuthorizationCodeCredential::new(
        TENANT_ID,
        CLI_CLIENT_ID.into(),
        Secret::new(code.to_owned()),
        &redirect_uri,
        Some(AuthorizationCodeCredentialOptions::default()),
    )?;
    read_secret(credential).await
}
