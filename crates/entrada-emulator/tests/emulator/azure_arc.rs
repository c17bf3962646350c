//! Azure Arc: a challenge that the right to read a file meets.

use crate::support::{Answer, Run, claims, send, start_with, variable};
use entrada_emulator::{Config, Host, world};
use reqwest::RequestBuilder;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const GOOD: &str = "api-version=2020-06-01&resource=https://vault.azure.net";

async fn started() -> (Run, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let config = Config { arc_key_folder: Some(folder.path().join("tokens")), ..Config::default() };
    (start_with(config).await, folder)
}

fn ask(run: &Run, query: &str) -> RequestBuilder {
    let endpoint = variable(&run.emulator, Host::AzureArc, "IDENTITY_ENDPOINT");
    run.direct.get(format!("{endpoint}?{query}")).header("Metadata", "true")
}

/// The path that a challenge names.
fn realm(answer: &Answer) -> PathBuf {
    assert_eq!(answer.status, 401, "{answer:?}");
    answer.header("www-authenticate").strip_prefix("Basic realm=").expect("a challenge").into()
}

/// The content of the file that a challenge names.
fn key(folder: &Path, answer: &Answer) -> String {
    let file = folder.join("tokens").join(realm(answer).file_name().expect("a name"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(file.metadata().expect("metadata").permissions().mode() & 0o777, 0o600);
    }
    std::fs::read_to_string(file).expect("the key")
}

async fn token(run: &Run, folder: &Path, query: &str) -> Answer {
    let challenge = send(ask(run, query)).await;
    let key = key(folder, &challenge);
    send(ask(run, query).header("Authorization", format!("Basic {key}"))).await
}

#[tokio::test]
async fn a_key_gets_one_token() {
    let (run, folder) = started().await;
    let challenge = send(ask(&run, GOOD)).await;
    assert!(realm(&challenge).starts_with("/var/opt/azcmagent/tokens") || cfg!(windows));
    assert!(!run.emulator.journal().entries()[0].refused(), "a challenge is ordinary");
    let key = key(folder.path(), &challenge);
    let with_key = || send(ask(&run, GOOD).header("Authorization", format!("Basic {key}")));
    let body = with_key().await.json();
    assert_eq!(claims(body["access_token"].as_str().expect("token"))["oid"], world::ARC_MACHINE_OBJECT_ID);
    assert!(body["expires_in"].is_string() && body["expires_on"].is_string() && body.get("client_id").is_none());
    assert_eq!(with_key().await.status, 401, "it was used");
    let older = GOOD.replace("2020-06-01", "2019-11-01");
    assert_eq!(token(&run, folder.path(), &older).await.status, 200);
}

#[tokio::test]
async fn a_user_assigned_identity_is_echoed() {
    let (run, folder) = started().await;
    for (name, value) in [
        ("client_id", world::USER_ASSIGNED_CLIENT_ID),
        ("object_id", world::USER_ASSIGNED_OBJECT_ID),
        ("msi_res_id", world::USER_ASSIGNED_RESOURCE_ID),
    ] {
        let body = token(&run, folder.path(), &format!("{GOOD}&{name}={value}")).await.json();
        assert_eq!(body[name], value);
        assert_eq!(claims(body["access_token"].as_str().expect("token"))["oid"], world::USER_ASSIGNED_OBJECT_ID);
    }
}

#[tokio::test]
async fn wrong_requests_are_refused_before_they_are_challenged() {
    let (run, folder) = started().await;
    let endpoint = variable(&run.emulator, Host::AzureArc, "IDENTITY_ENDPOINT");
    let base = variable(&run.emulator, Host::AzureArc, "IMDS_ENDPOINT");
    assert_eq!(endpoint, format!("{base}/metadata/identity/oauth2/token"));
    let bare = send(run.direct.get(format!("{endpoint}?{GOOD}"))).await;
    assert!(bare.status == 400 && bare.text.contains("metadata header"));
    for (query, words) in [
        ("api-version=2018-02-01&resource=https://vault.azure.net".to_owned(), "api-version"),
        ("api-version=2020-06-01".to_owned(), "resource"),
        (format!("{GOOD}&resource=x"), "Duplicate"),
        (format!("{GOOD}&client_id=a&object_id=b"), "Only one"),
    ] {
        let answer = send(ask(&run, &query)).await;
        assert!(answer.status == 400 && answer.text.contains(words), "{query}: {answer:?}");
    }
    assert!(!folder.path().join("tokens").exists(), "nothing was written");
    let unattached = format!("{GOOD}&client_id={}", world::SECOND_USER_ASSIGNED_CLIENT_ID);
    let answer = token(&run, folder.path(), &unattached).await;
    assert!(answer.status == 400 && answer.text.contains("Identity not found"), "{answer:?}");
}

#[tokio::test]
async fn a_fault_names_another_file() {
    let (run, folder) = started().await;
    let rule = serde_json::json!({"match": {"service": "azure-arc"}, "times": 1, "challenge": "/etc/passwd"});
    run.emulator.faults().add(serde_json::from_value(rule).expect("a rule")).expect("valid");
    assert_eq!(realm(&send(ask(&run, GOOD)).await), Path::new("/etc/passwd"));
    assert!(!folder.path().join("tokens").exists(), "nothing was written");
    assert_eq!(token(&run, folder.path(), GOOD).await.status, 200);
}

#[tokio::test]
async fn the_folder_is_needed_by_who_asks_and_nothing_is_left() {
    let (run, folder) = started().await;
    run.emulator.prepare(Host::AzureArc).await.expect("writable");
    send(ask(&run, GOOD)).await;
    assert!(folder.path().join("tokens").exists());
    run.emulator.shutdown().await;
    assert!(!folder.path().join("tokens").exists());

    let file = tempfile::NamedTempFile::new().expect("a file");
    let config = Config { arc_key_folder: Some(file.path().join("tokens")), ..Config::default() };
    let run = start_with(config).await;
    let problem = run.emulator.prepare(Host::AzureArc).await.expect_err("not writable");
    assert!(problem.to_string().contains("arc_key_folder"), "{problem}");
    let answer = send(ask(&run, GOOD)).await;
    assert!(answer.status == 500 && answer.text.contains("arc_key_folder"), "{answer:?}");
}
