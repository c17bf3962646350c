//! Key Vault: the challenge, the checks, the operations.

use crate::support::{ARM, send, start};
use entrada_emulator::world;
use serde_json::json;

const RESOURCE: &str = "https://vault.azure.net";

fn url(path: &str) -> String {
    format!("{}/{path}?api-version=7.6", world::VAULT_URL)
}

#[tokio::test]
async fn a_request_without_a_token_is_told_where_to_get_one() {
    let run = start().await;
    let answer = send(run.laptop.get(url("secrets/database-password/"))).await;
    assert_eq!(answer.status, 401);
    assert_eq!(
        answer.header("www-authenticate"),
        format!(
            "Bearer authorization=\"https://login.microsoftonline.com/{}\", resource=\"{RESOURCE}\"",
            world::TENANT_ID
        )
    );
    assert_eq!(answer.json()["error"]["code"], "Unauthorized");
}

#[tokio::test]
async fn a_secret_is_read_with_and_without_version() {
    let run = start().await;
    let token = run.app_token(RESOURCE).await;
    let newest = send(run.call("GET", &url("secrets/database-password/"), &token)).await.json();
    assert_eq!(newest["value"], world::SECRET_VALUE);
    let id = newest["id"].as_str().expect("id");
    let versioned = send(run.call("GET", &format!("{id}?api-version=7.6"), &token)).await.json();
    assert_eq!(versioned, newest);
    let missing = send(run.call("GET", &url("secrets/nothing"), &token)).await;
    assert_eq!((missing.status, missing.json()["error"]["code"].clone()), (404, "SecretNotFound".into()));
    let unversioned = format!("{}/secrets/database-password", world::VAULT_URL);
    assert_eq!(send(run.call("GET", &unversioned, &token)).await.status, 400);
    assert_eq!(send(run.call("GET", &url("keys/a"), &token)).await.status, 501);
}

#[tokio::test]
async fn tokens_of_others_and_old_tokens_are_refused() {
    let run = start().await;
    let read = |token: String| {
        let request = run.call("GET", &url("secrets/database-password"), &token);
        async { send(request).await }
    };
    let wrong = read(run.app_token(ARM).await).await;
    assert!(wrong.status == 401 && wrong.text.contains("AKV10022"), "{wrong:?}");
    assert!(wrong.header("www-authenticate").contains("invalid_token"));

    let mut forged = run.app_token(RESOURCE).await;
    forged.truncate(forged.len() - 4);
    forged.push_str("AAAA");
    assert_eq!(read(forged).await.status, 401);

    let rule = serde_json::from_value(json!({"match": {"service": "entra"}, "times": 1, "token": {"expires_in": -5}}));
    run.emulator.faults().add(rule.expect("a rule")).expect("valid");
    let old = read(run.app_token(RESOURCE).await).await;
    assert!(old.status == 401 && old.text.contains("TokenExpired"), "{old:?}");
}

#[tokio::test]
async fn a_role_opens_the_vault_and_its_loss_closes_it() {
    let run = start().await;
    let token = run.newcomer_token(RESOURCE).await;
    let read = || send(run.call("GET", &url("secrets/database-password"), &token));
    let before = read().await;
    let body = before.json();
    assert_eq!((before.status, &body["error"]["innererror"]["code"]), (403, &"ForbiddenByRbac".into()));
    let message = body["error"]["message"].as_str().expect("message");
    for part in [
        world::NEWCOMER_CLIENT_ID,
        world::NEWCOMER_OBJECT_ID,
        "Action: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'",
        "'Key Vault Secrets User'",
        world::VAULT_RESOURCE_ID,
    ] {
        assert!(message.contains(part), "{part} in {message}");
    }
    let role = "Key Vault Secrets User";
    run.emulator.assign_role(world::NEWCOMER_OBJECT_ID, role, world::VAULT_RESOURCE_ID).expect("assigned");
    assert_eq!(read().await.json()["value"], world::SECRET_VALUE);
    assert!(run.emulator.unassign_role(world::NEWCOMER_OBJECT_ID, role, world::VAULT_RESOURCE_ID).expect("known"));
    assert_eq!(read().await.status, 403);
}

#[tokio::test]
async fn a_user_of_secrets_may_not_write_them() {
    let run = start().await;
    let token = run.app_token(RESOURCE).await;
    let answer = send(run.call("PUT", &url("secrets/new"), &token).body(r#"{"value":"x"}"#)).await;
    assert!(answer.status == 403 && answer.text.contains("Key Vault Secrets Officer"), "{answer:?}");
}

#[tokio::test]
async fn a_secret_lives_and_is_deleted_recovered_and_purged() {
    let run = start().await;
    let token = run.admin_token(RESOURCE).await;
    let ask = |method: &str, path: &str, body: &str| send(run.call(method, &url(path), &token).body(body.to_owned()));
    let set =
        ask("PUT", "secrets/api-key", r#"{"value":"one","tags":{"a":"b"},"contentType":"text/plain"}"#).await.json();
    assert_eq!(
        (&set["value"], &set["tags"]["a"], &set["attributes"]["enabled"]),
        (&"one".into(), &"b".into(), &true.into())
    );
    ask("PUT", "secrets/api-key", r#"{"value":"two"}"#).await;
    assert_eq!(ask("GET", "secrets/api-key", "").await.json()["value"], "two");
    let versions = ask("GET", "secrets/api-key/versions", "").await.json();
    assert_eq!(versions["value"].as_array().expect("list").len(), 2);
    assert!(versions["value"][0].get("value").is_none(), "lists hold no values");
    let listed = ask("GET", "secrets", "").await.json();
    assert_eq!(listed["value"].as_array().expect("list").len(), 2);

    let deleted = ask("DELETE", "secrets/api-key", "").await.json();
    assert!(deleted["recoveryId"].as_str().expect("id").ends_with("/deletedsecrets/api-key"));
    assert_eq!(ask("GET", "secrets/api-key", "").await.status, 404);
    assert_eq!(ask("PUT", "secrets/api-key", r#"{"value":"three"}"#).await.status, 409);
    assert_eq!(ask("POST", "deletedsecrets/api-key/recover", "").await.status, 200);
    assert_eq!(ask("GET", "secrets/api-key", "").await.json()["value"], "two");
    ask("DELETE", "secrets/api-key", "").await;
    assert_eq!(ask("DELETE", "deletedsecrets/api-key", "").await.status, 204);
    assert_eq!(ask("GET", "deletedsecrets/api-key", "").await.status, 404);
    for (body, path) in [("[]", "secrets/a"), (r#"{"value":5}"#, "secrets/a"), (r#"{"value":"x"}"#, "secrets/a_b")] {
        assert_eq!(ask("PUT", path, body).await.status, 400, "{path} {body}");
    }
}

#[tokio::test]
async fn long_lists_come_in_pages() {
    let run = start().await;
    let token = run.admin_token(RESOURCE).await;
    for number in 0..30 {
        let request = run.call("PUT", &url(&format!("secrets/s{number}")), &token);
        send(request.body(r#"{"value":"x"}"#)).await;
    }
    let (mut next, mut seen) = (Some(url("secrets")), 0);
    while let Some(page) = next {
        let body = send(run.call("GET", &page, &token)).await.json();
        seen += body["value"].as_array().expect("list").len();
        next = body["nextLink"].as_str().map(str::to_owned);
    }
    assert_eq!(seen, 31);
}
