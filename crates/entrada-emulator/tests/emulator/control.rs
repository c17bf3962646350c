//! The control endpoint and the journal.

use crate::support::{send, start};
use entrada_emulator::{KEY_HEADER, world};
use serde_json::json;

#[tokio::test]
async fn only_who_knows_the_key_and_the_name_gets_in() {
    let run = start().await;
    let url = format!("{}/journal", run.emulator.control_url());
    assert_eq!(send(run.direct.get(&url)).await.status, 401);
    assert_eq!(send(run.direct.get(&url).header(KEY_HEADER, "guess")).await.status, 401);
    let renamed = run.control("GET", "/journal").header("host", "evil.example");
    assert_eq!(send(renamed).await.status, 421);
    assert_eq!(send(run.control("GET", "/journal")).await.status, 200);
    let environment = run.emulator.environment(entrada_emulator::Host::Laptop);
    let value = |name: &str| environment.iter().find(|(other, _)| other == name).expect("set").1.clone();
    assert_eq!(value("ENTRADA_EMULATOR_URL"), run.emulator.control_url());
    assert_eq!(value("ENTRADA_EMULATOR_KEY"), run.emulator.control_key());
}

#[tokio::test]
async fn the_journal_tells_who_did_what_and_holds_no_secret() {
    let run = start().await;
    let token = run.app_token("https://vault.azure.net").await;
    let url = format!("{}/secrets/database-password?api-version=7.6&client_secret={token}", world::VAULT_URL);
    send(run.call("GET", &url, &token)).await;
    run.post(
        &format!("{}/oauth2/v2.0/token", world::TENANT_ID),
        &[
            ("grant_type", "client_credentials"),
            ("client_id", world::APP_CLIENT_ID),
            ("client_secret", "a-wrong-secret-value"),
            ("scope", "https://vault.azure.net/.default"),
        ],
    )
    .await;

    let journal = send(run.control("GET", "/journal")).await;
    for secret in [&token, world::APP_SECRET, world::SECRET_VALUE, "a-wrong-secret-value", run.emulator.control_key()] {
        assert!(!journal.text.contains(secret));
    }
    let entries = journal.json();
    let issued = &entries[0];
    assert_eq!((&issued["service"], &issued["grant"]), (&"entra".into(), &"client_credentials".into()));
    assert_eq!(
        issued["principal"],
        json!({"name": "orders-ci", "object_id": world::APP_OBJECT_ID, "client_id": world::APP_CLIENT_ID})
    );
    assert_eq!(issued["audience"], "https://vault.azure.net");
    let read = &entries[1];
    assert_eq!((&read["service"], &read["status"], &read["sequence"]), (&"key-vault".into(), &200.into(), &2.into()));
    assert_eq!(read["query"], "api-version=7.6&client_secret=***");
    let refused = &entries[2];
    assert!(refused["note"].as_str().expect("note").starts_with("AADSTS7000215"), "{refused}");
    let entries = run.emulator.journal().entries();
    assert_eq!(entries.iter().map(|entry| entry.refused()).collect::<Vec<_>>(), [false, false, true]);

    let later = send(run.control("GET", "/journal?after=2")).await.json();
    assert_eq!(later.as_array().expect("list").len(), 1);
    assert_eq!(send(run.control("DELETE", "/journal")).await.status, 204);
    assert_eq!(send(run.control("GET", "/journal")).await.json(), json!([]));
}

#[tokio::test]
async fn faults_and_roles_are_changed_from_inside() {
    let run = start().await;
    let rule = json!({"match": {"service": "key-vault"}, "respond": {"status": 503}});
    assert_eq!(send(run.control("PUT", "/faults").body(json!([rule]).to_string())).await.status, 204);
    let vault = || send(run.laptop.get(format!("{}/secrets?api-version=7.6", world::VAULT_URL)));
    assert_eq!(vault().await.status, 503);
    assert_eq!(send(run.control("GET", "/faults")).await.json()[0]["match"]["service"], "key-vault");
    assert_eq!(send(run.control("DELETE", "/faults")).await.status, 204);
    assert_eq!(vault().await.status, 401);
    let bad = send(run.control("PUT", "/faults").body(r#"{"respond":{"status":9}}"#)).await;
    assert!(bad.status == 400 && bad.text.contains("status = 9"), "{bad:?}");

    let entry = json!({"principal": world::NEWCOMER_OBJECT_ID, "role": "Key Vault Secrets User", "scope": world::VAULT_RESOURCE_ID});
    let token = run.newcomer_token("https://vault.azure.net").await;
    let read =
        || send(run.call("GET", &format!("{}/secrets/database-password?api-version=7.6", world::VAULT_URL), &token));
    assert_eq!(read().await.status, 403);
    assert_eq!(send(run.control("PUT", "/role-assignments").body(entry.to_string())).await.status, 204);
    assert_eq!(read().await.status, 200);
    assert_eq!(send(run.control("DELETE", "/role-assignments").body(entry.to_string())).await.status, 204);
    assert_eq!(read().await.status, 403);
    for (body, words) in
        [("{}", "principal"), ("no", "not JSON"), (r#"{"principal":"x","role":"Reader","scope":"/"}"#, "object id")]
    {
        let answer = send(run.control("PUT", "/role-assignments").body(body)).await;
        assert!(answer.status == 400 && answer.text.contains(words), "{body}: {answer:?}");
    }
}

#[tokio::test]
async fn status_and_unknown_paths_help() {
    let run = start().await;
    let status = send(run.control("GET", "/status")).await.json();
    assert!(status["vaults"].as_array().expect("list").contains(&"contoso-vault.vault.azure.net".into()));
    let unknown = send(run.control("GET", "/nothing")).await;
    assert!(unknown.status == 404 && unknown.text.contains("GET /status"));
    let rotated = send(run.control("PUT", "/identity-header")).await.json();
    let environment = run.emulator.environment(entrada_emulator::Host::AppService);
    assert!(environment.iter().any(|(name, value)| name == "IDENTITY_HEADER" && rotated["identity_header"] == *value));
}
