//! Service Fabric: https with a certificate that only its thumbprint vouches for.

use crate::support::{Answer, Run, peer_certificate, send, start, variable};
use entrada_emulator::Host;
use reqwest::RequestBuilder;

const GOOD: &str = "api-version=2019-07-01-preview&resource=https://vault.azure.net";

fn ask(run: &Run, query: &str) -> RequestBuilder {
    let endpoint = variable(&run.emulator, Host::ServiceFabric, "IDENTITY_ENDPOINT");
    run.careless.get(format!("{endpoint}?{query}"))
}

async fn with_secret(run: &Run, query: &str) -> Answer {
    send(ask(run, query).header("Secret", variable(&run.emulator, Host::ServiceFabric, "IDENTITY_HEADER"))).await
}

fn thumbprint(certificate: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, certificate);
    digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect()
}

#[tokio::test]
async fn the_certificate_is_the_one_with_the_thumbprint_unless_a_fault_shows_another() {
    let run = start().await;
    let shown = || async { peer_certificate(&run, Host::ServiceFabric, "localhost").await.expect("a certificate") };
    let known = variable(&run.emulator, Host::ServiceFabric, "IDENTITY_SERVER_THUMBPRINT");
    assert_eq!(known.len(), 40);
    assert_eq!(thumbprint(&shown().await), known);
    let rule = serde_json::json!({"match": {"service": "service-fabric"}, "other_certificate": true, "times": 1});
    run.emulator.faults().add(serde_json::from_value(rule).expect("a rule")).expect("valid");
    assert_ne!(thumbprint(&shown().await), known);
    assert_eq!(thumbprint(&shown().await), known, "once");
}

#[tokio::test]
async fn who_checks_the_authority_is_not_served_and_written_down() {
    let run = start().await;
    let endpoint = variable(&run.emulator, Host::ServiceFabric, "IDENTITY_ENDPOINT");
    let mut journal = run.emulator.journal().follow();
    assert!(run.direct.get(endpoint).send().await.is_err());
    let entry = journal.recv().await.expect("written down");
    assert!(entry.note.expect("note").starts_with("TLS failed"));
    assert_eq!(entry.service.name(), "service-fabric");
}

#[tokio::test]
async fn answers_have_an_integer_and_ignore_what_they_do_not_know() {
    let run = start().await;
    let plain = with_secret(&run, GOOD).await.json();
    assert!(plain["expires_on"].is_i64() && plain.get("expires_in").is_none());
    let more = format!("{GOOD}&client_id=a&object_id=b&token_sha256_to_refresh={}&xms_cc=cp1", "0".repeat(64));
    assert_eq!(with_secret(&run, &more).await.status, 200);
}

#[tokio::test]
async fn refusals_have_their_codes() {
    let run = start().await;
    let code = |answer: &Answer| {
        let error = answer.json()["error"].clone();
        assert!(error["correlationId"].is_string() && error["message"].is_string());
        error["code"].as_str().expect("a code").to_owned()
    };
    let bare = send(ask(&run, GOOD)).await;
    assert_eq!((bare.status, code(&bare).as_str()), (400, "SecretHeaderNotFound"));
    let wrong = send(ask(&run, GOOD).header("Secret", "guess")).await;
    assert_eq!((wrong.status, code(&wrong).as_str()), (404, "ManagedIdentityNotFound"));
    for (query, status, expected) in [
        ("api-version=2019-07-01-preview", 400, "ArgumentNullOrEmpty"),
        ("resource=https://vault.azure.net", 400, "InvalidApiVersion"),
        ("api-version=2018-02-01&resource=https://vault.azure.net", 400, "InvalidApiVersion"),
        ("api-version=2019-07-01-preview&resource=https://nothing.example", 500, "InternalServerError"),
    ] {
        let answer = with_secret(&run, query).await;
        assert_eq!((answer.status, code(&answer).as_str()), (status, expected), "{query}");
    }
}
