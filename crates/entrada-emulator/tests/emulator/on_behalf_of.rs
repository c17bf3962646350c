//! On behalf of: an API exchanges its caller's token.

use crate::app_proof::{ASSERTION_TYPE, Proof, now, refusal, unsigned};
use crate::support::{Answer, Run, claims, send, start};
use entrada_emulator::config::{Mfa, Refusal};
use entrada_emulator::{UserTokenError, UserTokenWish, world};
use serde_json::{Value, json};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Posts the form of this grant, with some fields changed and some added; an empty one is as good as none.
async fn exchange(run: &Run, assertion: &str, changes: &[(&str, &str)]) -> Answer {
    let mut fields = vec![
        ("grant_type", GRANT),
        ("client_id", world::API_CLIENT_ID),
        ("client_secret", world::API_SECRET),
        ("requested_token_use", "on_behalf_of"),
        ("scope", "https://vault.azure.net/.default"),
        ("assertion", assertion),
    ];
    for (name, value) in changes {
        match fields.iter_mut().find(|(known, _)| known == name) {
            Some(field) => field.1 = value,
            None => fields.push((name, value)),
        }
    }
    run.post(&format!("{}/oauth2/v2.0/token", world::TENANT_ID), &fields).await
}

fn ada(run: &Run) -> String {
    run.emulator.issue_user_token(&UserTokenWish::default()).expect("a token")
}

fn of(run: &Run, wish: UserTokenWish) -> String {
    run.emulator.issue_user_token(&wish).expect("a token")
}

fn token(answer: &Answer) -> String {
    answer.json()["access_token"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

#[tokio::test]
async fn an_api_reads_a_vault_in_its_callers_name() {
    let run = start().await;
    let assertion = ada(&run);
    let shown = claims(&assertion);
    assert_eq!((&shown["aud"], &shown["azp"]), (&world::API_CLIENT_ID.into(), &world::CLI_CLIENT_ID.into()));
    let answer = exchange(&run, &assertion, &[]).await;
    let body = answer.json();
    assert!(body.get("refresh_token").is_none() && body.get("id_token").is_none(), "neither was asked for: {body}");
    let access = token(&answer);
    let claims = claims(&access);
    for (name, value) in [
        ("aud", "https://vault.azure.net"),
        ("oid", world::USER_OBJECT_ID),
        ("upn", world::USER_NAME),
        ("appid", world::API_CLIENT_ID),
        ("appidacr", "1"),
        ("scp", "user_impersonation"),
        ("tid", world::TENANT_ID),
    ] {
        assert_eq!(claims[name], value, "{name}");
    }
    let url = format!("{}/secrets/database-password?api-version=7.6", world::VAULT_URL);
    assert_eq!(send(run.call("GET", &url, &access)).await.json()["value"], world::SECRET_VALUE);
    let entry = run.emulator.journal().entries().into_iter().find(|entry| entry.grant.is_some()).expect("an entry");
    assert_eq!(entry.grant.as_deref(), Some("on_behalf_of"));
    assert_eq!(entry.principal.expect("a principal").name, world::USER_NAME);
}

#[tokio::test]
async fn what_msal_asks_for_comes_with_it_and_can_be_renewed() {
    let run = start().await;
    let scope = ("scope", "https://vault.azure.net/.default offline_access openid profile");
    let answer = exchange(&run, &ada(&run), &[scope, ("client_info", "1")]).await;
    let body = answer.json();
    assert_eq!(claims(body["id_token"].as_str().expect("an id token"))["aud"], world::API_CLIENT_ID);
    assert!(body["client_info"].is_string() && body["scope"].as_str().expect("scopes").contains("vault.azure.net"));
    let refresh = body["refresh_token"].as_str().expect("a refresh token");
    let renewed = run
        .post(
            &format!("{}/oauth2/v2.0/token", world::TENANT_ID),
            &[
                ("grant_type", "refresh_token"),
                ("client_id", world::API_CLIENT_ID),
                ("client_secret", world::API_SECRET),
                ("refresh_token", refresh),
                ("scope", "https://storage.azure.com/.default"),
            ],
        )
        .await;
    assert_eq!(claims(&token(&renewed))["aud"], "https://storage.azure.com");
}

#[tokio::test]
async fn a_certificate_or_an_assertion_proves_the_api_too() {
    let run = start().await;
    let proof = Proof::of(&run);
    let mut own = Proof::claims();
    own["iss"] = world::API_CLIENT_ID.into();
    own["sub"] = world::API_CLIENT_ID.into();
    let proven = proof.sign(&proof.header(), &own);
    let by_certificate =
        [("client_secret", ""), ("client_assertion_type", ASSERTION_TYPE), ("client_assertion", proven.as_str())];
    let answer = exchange(&run, &ada(&run), &by_certificate).await;
    assert_eq!(claims(&token(&answer))["appidacr"], "2");
    let mut forged = proven.clone();
    forged.truncate(forged.len() - 4);
    forged.push_str("AAAA");
    let changes = [by_certificate[0], by_certificate[1], ("client_assertion", forged.as_str())];
    assert_eq!(refusal(&exchange(&run, &ada(&run), &changes).await).0, 700_027);
}

#[tokio::test]
async fn every_part_of_the_users_token_is_checked() {
    let run = start().await;
    let good = ada(&run);
    let mut forged = good.clone();
    forged.truncate(forged.len() - 4);
    forged.push_str("AAAA");
    let for_vault = UserTokenWish { scope: "https://vault.azure.net/.default".into(), ..UserTokenWish::default() };
    let expired = UserTokenWish { expires_in: Some(-1), ..UserTokenWish::default() };
    let of_app = run.app_token(world::API_URI).await;
    let in_fabrikam = UserTokenWish {
        user: world::FABRIKAM_USER_NAME.into(),
        scope: "https://vault.azure.net/.default".into(),
        ..UserTokenWish::default()
    };
    let id_token = exchange(&run, &good, &[("scope", "https://vault.azure.net/.default openid")]).await.json();
    let id_token = id_token["id_token"].as_str().expect("an id token").to_owned();
    let none = format!("{}.", unsigned(&json!({"alg": "none"}), &claims(&good)));
    let stranger = Proof::of(&run).sign(&json!({"alg": "RS256", "kid": "x"}), &claims(&good));
    for (assertion, code, words) in [
        (forged, 50_013, "signature"),
        (none, 50_013, "signature"),
        (stranger, 50_013, "'x'"),
        ("nonsense".to_owned(), 50_027, "malformed"),
        (of(&run, for_vault), 500_131, "'https://vault.azure.net'"),
        (of(&run, expired), 500_133, "valid time range"),
        (of_app, 7_000_114, world::API_CLIENT_ID),
        (of(&run, in_fabrikam), 50_013, world::FABRIKAM_TENANT_ID),
        (id_token, 50_013, "not an access token"),
    ] {
        let answer = exchange(&run, &assertion, &[]).await;
        let (found, text) = refusal(&answer);
        assert_eq!((answer.status, found), (400, code), "{text}");
        assert!(text.contains(words), "{words} in {text}");
        let last = run.emulator.journal().entries().pop().expect("an entry");
        assert!(last.note.expect("a note").starts_with(&format!("AADSTS{code}")));
    }
    assert_eq!(exchange(&run, &good, &[]).await.json()["token_type"], "Bearer");
}

#[tokio::test]
async fn the_request_is_checked() {
    let run = start().await;
    let good = ada(&run);
    for (changes, status, code) in [
        (vec![("client_secret", "guess")], 401, 7_000_215),
        (vec![("client_secret", "")], 401, 7_000_218),
        (vec![("client_id", world::CLI_CLIENT_ID), ("client_secret", "")], 401, 7_000_218),
        (vec![("client_id", world::NEWCOMER_CLIENT_ID), ("client_secret", world::NEWCOMER_SECRET)], 400, 500_131),
        (vec![("requested_token_use", "")], 400, 900_144),
        (vec![("requested_token_use", "other")], 400, 9_002_313),
        (vec![("assertion", "")], 400, 900_144),
        (vec![("scope", "")], 400, 900_144),
        (vec![("scope", "https://nothing.example/.default")], 400, 500_011),
    ] {
        let answer = exchange(&run, &good, &changes).await;
        let (found, text) = refusal(&answer);
        assert_eq!((answer.status, found), (status, code), "{changes:?}: {text}");
    }
}

#[tokio::test]
async fn consent_and_policies_stand_in_the_way() {
    let run = start().await;
    run.emulator.remove_consent(world::API_CLIENT_ID, None).expect("known");
    let body = exchange(&run, &ada(&run), &[]).await.json();
    assert_eq!(body["error_codes"], json!([65_001]));
    assert_eq!((&body["error"], &body["suberror"]), (&"invalid_grant".into(), &"consent_required".into()));
    run.emulator.give_consent(world::API_CLIENT_ID, Some(world::USER_NAME)).expect("known");
    assert_eq!(exchange(&run, &ada(&run), &[]).await.status, 200);
    run.emulator.give_consent(world::API_CLIENT_ID, None).expect("known");

    let refused = |body: &Value, code: u64| {
        assert_eq!(body["error_codes"], json!([code]));
        assert_eq!(body["error"], "interaction_required");
        let claims: Value = serde_json::from_str(body["claims"].as_str().expect("claims")).expect("JSON");
        assert!(claims["access_token"]["polids"]["values"][0].is_string(), "{body}");
    };
    run.emulator.set_mfa(world::USER_NAME, Mfa::Required).expect("known");
    refused(&exchange(&run, &ada(&run), &[]).await.json(), 50_076);
    let with_mfa = UserTokenWish { mfa: true, ..UserTokenWish::default() };
    assert_eq!(exchange(&run, &of(&run, with_mfa), &[]).await.status, 200, "the caller had shown it");
    run.emulator.set_mfa(world::USER_NAME, Mfa::Register).expect("known");
    refused(&exchange(&run, &ada(&run), &[]).await.json(), 50_079);
    run.emulator.set_mfa(world::USER_NAME, Mfa::NotRequired).expect("known");
    run.emulator.set_refusal(world::USER_NAME, Some(Refusal::Blocked)).expect("known");
    refused(&exchange(&run, &ada(&run), &[]).await.json(), 53_003);
    run.emulator.set_refusal(world::USER_NAME, None).expect("known");

    let before = ada(&run);
    run.emulator.revoke_sessions(world::USER_NAME).expect("known");
    assert_eq!(refusal(&exchange(&run, &before, &[]).await).0, 50_173);
    assert_eq!(exchange(&run, &ada(&run), &[]).await.status, 200, "who signs in again");
}

#[tokio::test]
async fn a_crowd_of_users_is_kept_apart() {
    let run = start().await;
    let scope = ("scope", "https://vault.azure.net/.default offline_access");
    for number in [0, 1, 99_999] {
        let assertion = of(&run, UserTokenWish { user: world::crowd_user(number), ..UserTokenWish::default() });
        let answer = exchange(&run, &assertion, &[scope]).await;
        let shown = claims(&token(&answer));
        assert_eq!(shown["oid"], world::crowd_object_id(number));
        assert_eq!(shown["upn"], format!("user-{number}@contoso.onmicrosoft.com"));
        let refresh = answer.json()["refresh_token"].as_str().expect("a refresh token").to_owned();
        let fields = [
            ("grant_type", "refresh_token"),
            ("client_id", world::API_CLIENT_ID),
            ("client_secret", world::API_SECRET),
            ("refresh_token", &refresh),
        ];
        let renewed = run.post(&format!("{}/oauth2/v2.0/token", world::TENANT_ID), &fields).await;
        assert_eq!(claims(&token(&renewed))["oid"], world::crowd_object_id(number));
    }
    let wish = json!({"first": 10, "count": 3}).to_string();
    let body = send(run.control("POST", "/user-tokens").body(wish)).await.json();
    let tokens: Vec<&str> = body["tokens"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    let names: Vec<Value> = tokens.iter().map(|token| claims(token)["preferred_username"].clone()).collect();
    assert_eq!(names, [world::crowd_user(10), world::crowd_user(11), world::crowd_user(12)]);
}

#[tokio::test]
async fn tokens_are_made_to_order() {
    let run = start().await;
    let ask = |wish: Value| send(run.control("POST", "/user-tokens").body(wish.to_string()));
    let body = ask(json!({"mfa": true, "takes_challenges": true, "expires_in": 60})).await.json();
    let shown = claims(body["tokens"][0].as_str().expect("a token"));
    assert!(shown["exp"].as_i64().expect("exp") <= now() + 60);
    assert_eq!(shown["xms_cc"], json!(["CP1"]));
    for (wish, words) in [
        (json!({"user": "nobody@contoso.onmicrosoft.com"}), "nobody@"),
        (json!({"client_id": "x"}), "client id"),
        (json!({"scope": "https://nothing.example/.default"}), "nothing.example"),
        (json!({"users": "x"}), "users"),
        (json!({"count": 10_001}), "10000"),
        (json!({"count": "many"}), "number"),
    ] {
        let answer = ask(wish.clone()).await;
        assert!(answer.status == 400 && answer.text.contains(words), "{wish}: {answer:?}");
    }
    let unknown = UserTokenWish { user: "nobody".into(), ..UserTokenWish::default() };
    let error = run.emulator.issue_user_token(&unknown).expect_err("unknown");
    assert_eq!(error, UserTokenError::UnknownUser("nobody".into()));
}
