//! Faults: every action, as a client sees it.

use crate::support::{Run, claims, send, start};
use entrada_emulator::{FaultRule, world};
use serde_json::{Value, json};

const URL: &str = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://vault.azure.net";

fn add(run: &Run, rule: Value) {
    let rule: FaultRule = serde_json::from_value(rule).expect("a rule");
    run.emulator.faults().add(rule).expect("valid");
}

fn ask(run: &Run) -> reqwest::RequestBuilder {
    run.direct.get(format!("{}{URL}", run.emulator.imds_url())).header("Metadata", "true")
}

#[tokio::test]
async fn an_answer_of_ones_own_for_a_while() {
    let run = start().await;
    add(
        &run,
        json!({
            "match": {"service": "imds", "method": "get", "path": "/metadata/identity", "headers": {"metadata": "true"}},
            "times": 2,
            "respond": {"status": 429, "headers": {"retry-after": "1"}, "body": "<html>busy</html>"},
        }),
    );
    for _ in 0..2 {
        let answer = send(ask(&run)).await;
        assert_eq!(
            (answer.status, answer.header("retry-after"), answer.text.as_str()),
            (429, "1", "<html>busy</html>")
        );
    }
    assert_eq!(send(ask(&run)).await.status, 200);
    assert!(run.emulator.journal().entries()[0].note.as_deref().expect("note").starts_with("fault"));
}

#[tokio::test]
async fn bodies_of_any_size() {
    let run = start().await;
    add(&run, json!({"times": 1, "respond": {"status": 200, "body_size": 3_000_000}}));
    assert_eq!(send(ask(&run)).await.text.len(), 3_000_000);
    add(&run, json!({"times": 1, "respond": {"status": 200}}));
    assert_eq!(send(ask(&run)).await.text, "");
}

#[tokio::test]
async fn a_connection_that_closes_and_one_that_breaks_off() {
    let run = start().await;
    add(&run, json!({"times": 1, "reset": true}));
    assert!(ask(&run).send().await.is_err());
    add(&run, json!({"times": 1, "truncate": true}));
    let response = ask(&run).send().await.expect("a head");
    assert!(response.bytes().await.is_err());
    assert_eq!(send(ask(&run)).await.status, 200);
}

#[tokio::test]
async fn a_hanging_answer_ends_with_the_run() {
    let run = start().await;
    add(&run, json!({"hang": true}));
    let mut journal = run.emulator.journal().follow();
    let waiting = tokio::spawn(ask(&run).send());
    assert_eq!(journal.recv().await.expect("written down").note.as_deref(), Some("fault: hang"));
    run.emulator.shutdown().await;
    assert!(waiting.await.expect("joined").is_err());
}

#[tokio::test]
async fn clocks_that_differ() {
    let run = start().await;
    add(&run, json!({"times": 1, "date_skew_seconds": 31_536_000}));
    let (skewed, honest) = (send(ask(&run)).await, send(ask(&run)).await);
    let year = |answer: &crate::support::Answer| answer.header("date")[12..16].parse::<i32>().expect("a year");
    assert_eq!(year(&skewed) - year(&honest), 1);
}

#[tokio::test]
async fn token_answers_take_another_shape() {
    let run = start().await;
    add(
        &run,
        json!({"times": 1, "token": {"expires_in": 60, "types": "number", "omit": ["client_id"], "refresh_in": 30}}),
    );
    let body = send(ask(&run)).await.json();
    assert_eq!((&body["expires_in"], &body["refresh_in"]), (&60.into(), &30.into()));
    assert!(body["expires_on"].is_i64() && body.get("client_id").is_none());
    let token = claims(body["access_token"].as_str().expect("token"));
    assert_eq!(token["exp"], body["expires_on"], "the token itself says the same");
    add(&run, json!({"times": 1, "token": {"types": "date"}}));
    let body = send(ask(&run)).await.json();
    assert!(body["expires_on"].as_str().expect("a date").contains('T'), "{body}");
}

#[tokio::test]
async fn a_rule_lasts_for_a_while() {
    let run = start().await;
    add(&run, json!({"for_ms": 300, "respond": {"status": 410}}));
    assert_eq!(send(ask(&run)).await.status, 410);
    while send(ask(&run)).await.status == 410 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert!(run.emulator.faults().rules().is_empty());
}

#[tokio::test]
async fn the_token_of_somebody_else_and_fields_of_ones_own() {
    let run = start().await;
    add(
        &run,
        json!({
            "match": {"service": "imds"},
            "token": {"issue_for": world::ADMIN_OBJECT_ID, "set": {"token_type": "Other"}, "types": "us_date"},
        }),
    );
    let body = send(ask(&run)).await.json();
    assert_eq!(claims(body["access_token"].as_str().expect("token"))["oid"], world::ADMIN_OBJECT_ID);
    assert_eq!((&body["client_id"], &body["token_type"]), (&world::ADMIN_CLIENT_ID.into(), &"Other".into()));
    assert!(body["expires_on"].as_str().expect("a date").ends_with(" +00:00"), "{body}");
    run.emulator.faults().clear();
    add(&run, json!({"token": {"issue_for": "0b000000-0000-4000-8000-000000000099"}}));
    let nobody = send(ask(&run)).await;
    assert!(nobody.status == 500 && nobody.text.contains("fault rule"), "{nobody:?}");
}

#[tokio::test]
async fn faults_reach_every_service() {
    let run = start().await;
    add(&run, json!({"match": {"host": "contoso-vault.vault.azure.net"}, "respond": {"status": 503}}));
    let vault = send(run.laptop.get(format!("{}/secrets?api-version=7.6", world::VAULT_URL))).await;
    assert_eq!(vault.status, 503);
    assert_eq!(send(ask(&run)).await.status, 200, "another host");
}
