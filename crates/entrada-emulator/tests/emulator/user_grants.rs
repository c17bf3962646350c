//! The grants of users: passwords, refresh tokens, device codes, and what refuses them.

use crate::support::{Answer, Run, claims, send, start, start_with};
use entrada_emulator::config::{Lifetimes, Mfa};
use entrada_emulator::{Config, world};

pub(crate) const VAULT: (&str, &str) = ("scope", "https://vault.azure.net/.default offline_access openid profile");
const CLI: (&str, &str) = ("client_id", world::CLI_CLIENT_ID);
const PASSWORD: (&str, &str) = ("grant_type", "password");
const DEVICE: (&str, &str) = ("grant_type", "urn:ietf:params:oauth:grant-type:device_code");

fn v2() -> String {
    format!("{}/oauth2/v2.0/token", world::TENANT_ID)
}

/// Code and `error` of a refusal.
pub(crate) fn refusal(answer: &Answer) -> (u64, String) {
    let body = answer.json();
    let code = body["error_codes"][0].as_u64().unwrap_or_else(|| panic!("{answer:?}"));
    assert!(body["error_description"].as_str().expect("text").starts_with(&format!("AADSTS{code}: ")), "{body}");
    (code, body["error"].as_str().expect("error").to_owned())
}

/// Signs a user in with a password.
async fn password(run: &Run, user: &str, password: &str) -> Answer {
    run.post(&v2(), &[PASSWORD, CLI, VAULT, ("username", user), ("password", password), ("client_info", "1")]).await
}

async fn refresh(run: &Run, token: &str, more: &[(&str, &str)]) -> Answer {
    let mut fields = vec![("grant_type", "refresh_token"), CLI, ("refresh_token", token)];
    for field in more {
        fields.retain(|(name, _)| name != &field.0);
        fields.push(*field);
    }
    run.post(&v2(), &fields).await
}

fn text<'a>(body: &'a serde_json::Value, name: &str) -> &'a str {
    body[name].as_str().unwrap_or_else(|| panic!("{name} in {body}"))
}

#[tokio::test]
async fn a_password_gets_tokens_that_speak_of_the_user() {
    let run = start().await;
    let body = password(&run, "Ada@Contoso.onmicrosoft.com", world::USER_PASSWORD).await.json();
    let token = claims(text(&body, "access_token"));
    for (name, value) in [
        ("aud", "https://vault.azure.net"),
        ("oid", world::USER_OBJECT_ID),
        ("tid", world::TENANT_ID),
        ("upn", world::USER_NAME),
        ("scp", "user_impersonation"),
        ("appid", world::CLI_CLIENT_ID),
        ("appidacr", "0"),
    ] {
        assert_eq!(token[name], value, "{name}");
    }
    assert_eq!(token["amr"][0], "pwd");
    assert!(token.get("idtyp").is_none() && token.get("xms_cc").is_none());
    assert_eq!(body["scope"], "https://vault.azure.net/user_impersonation https://vault.azure.net/.default");
    let id = claims(text(&body, "id_token"));
    assert_eq!((&id["aud"], &id["preferred_username"]), (&world::CLI_CLIENT_ID.into(), &world::USER_NAME.into()));
    let info = claims(&format!(".{}.", text(&body, "client_info")));
    assert_eq!((&info["uid"], &info["utid"]), (&world::USER_OBJECT_ID.into(), &world::TENANT_ID.into()));
    assert!(body.get("foci").is_none());

    // The token is good for what the user may do.
    let url = format!("{}/secrets/{}?api-version=7.6", world::VAULT_URL, world::SECRET_NAME);
    let secret = send(run.call("GET", &url, text(&body, "access_token"))).await;
    assert_eq!(secret.json()["value"], world::SECRET_VALUE);
    let entry = &run.emulator.journal().entries()[0];
    assert_eq!(entry.grant.as_deref(), Some("password"));
    assert_eq!(entry.principal.as_ref().map(|who| who.name.as_str()), Some(world::USER_NAME));
}

#[tokio::test]
async fn every_user_who_cannot_sign_in_is_told_why() {
    let run = start().await;
    for (user, secret, code) in [
        (world::USER_NAME, "wrong", 50_126),
        ("nobody@contoso.onmicrosoft.com", "x", 50_034),
        (world::FABRIKAM_USER_NAME, world::USERS_PASSWORD, 50_034),
        (world::MFA_USER_NAME, world::USERS_PASSWORD, 50_076),
        (world::REGISTER_MFA_USER_NAME, world::USERS_PASSWORD, 50_079),
        (world::BLOCKED_USER_NAME, world::USERS_PASSWORD, 53_003),
        (world::EXPIRED_PASSWORD_USER_NAME, world::USERS_PASSWORD, 50_055),
        (world::DISABLED_USER_NAME, world::USERS_PASSWORD, 50_057),
        (world::LOCKED_USER_NAME, world::USERS_PASSWORD, 50_053),
    ] {
        let answer = password(&run, user, secret).await;
        assert_eq!((refusal(&answer), answer.status), ((code, "invalid_grant".into()), 400), "{user}");
        let suberror = answer.json()["suberror"].clone();
        assert_eq!(suberror == "basic_action", matches!(code, 50_076 | 50_079), "{user}: {suberror}");
        let entry = run.emulator.journal().entries().pop().expect("an entry");
        assert!(entry.note.expect("a note").starts_with(&format!("AADSTS{code}")), "{user}");
        assert_eq!(entry.grant.as_deref(), Some("password"));
        let who = entry.principal.expect("who");
        let name = if user.starts_with("nobody") { "orders-cli" } else { user };
        assert_eq!((who.name.as_str(), who.client_id.as_deref()), (name, Some(world::CLI_CLIENT_ID)));
    }
    let tokens = send(run.control("GET", "/journal")).await.text;
    assert!(!tokens.contains(world::USERS_PASSWORD) && !tokens.contains("wrong"));
}

#[tokio::test]
async fn wrong_requests_with_passwords_have_their_codes() {
    let run = start().await;
    let ada = [("username", world::USER_NAME), ("password", world::USER_PASSWORD)];
    let ask = async |path: &str, fields: &[(&str, &str)]| {
        let fields: Vec<_> = fields.iter().chain(&ada).copied().collect();
        refusal(&run.post(path, &fields).await)
    };
    let portal = ("client_id", world::PORTAL_CLIENT_ID);
    assert_eq!(ask(&v2(), &[PASSWORD, portal, VAULT]).await, (7_000_218, "invalid_client".into()));
    let secret = ("client_secret", "wrong");
    assert_eq!(ask(&v2(), &[PASSWORD, portal, VAULT, secret]).await, (7_000_215, "invalid_client".into()));
    assert_eq!(ask(&v2(), &[PASSWORD, CLI, VAULT, secret]).await, (700_025, "invalid_client".into()));
    assert_eq!(ask(&v2(), &[PASSWORD, CLI]).await, (900_144, "invalid_request".into()));
    for scope in
        ["https://vault.azure.net/.default https://storage.azure.com/.default", "https://nothing.example/.default"]
    {
        let code = if scope.contains(' ') { 28_000 } else { 500_011 };
        assert_eq!(ask(&v2(), &[PASSWORD, CLI, ("scope", scope)]).await.0, code, "{scope}");
    }
    assert_eq!(ask(&v2(), &[PASSWORD, CLI, ("scope", "https://vault.azure.net/Secrets.Read")]).await.0, 650_053);
    assert_eq!(ask(&v2(), &[PASSWORD, CLI, VAULT, ("claims", "CP1")]).await.0, 9_002_313);
    assert_eq!(ask("common/oauth2/v2.0/token", &[PASSWORD, CLI, VAULT]).await.0, 9_001_023);
    let asks = ("client_id", world::UNCONSENTED_CLIENT_ID);
    assert_eq!(ask(&v2(), &[PASSWORD, asks, VAULT]).await, (65_001, "invalid_grant".into()));
    let admin = ("client_id", world::ADMIN_CONSENT_CLIENT_ID);
    assert_eq!(ask(&v2(), &[PASSWORD, admin, VAULT]).await.0, 90_094);
    let single = ask("organizations/oauth2/v2.0/token", &[PASSWORD, asks, VAULT]).await;
    assert_eq!(single.0, 50_194, "a single-tenant app");
    let good = [PASSWORD, portal, ("client_secret", world::PORTAL_SECRET), VAULT, ada[0], ada[1]];
    assert_eq!(run.post(&v2(), &good).await.status, 200);
    let everywhere = run.post("organizations/oauth2/v2.0/token", &[PASSWORD, CLI, VAULT, ada[0], ada[1]]).await;
    assert_eq!(claims(text(&everywhere.json(), "access_token"))["tid"], world::TENANT_ID, "at home");
}

#[tokio::test]
async fn the_endpoint_of_version_one_answers_in_texts_and_with_everything() {
    let run = start().await;
    let fields = [
        PASSWORD,
        CLI,
        ("resource", "https://management.azure.com/"),
        ("username", world::USER_NAME),
        ("password", world::USER_PASSWORD),
    ];
    let body = run.post(&format!("{}/oauth2/token", world::TENANT_ID), &fields).await.json();
    assert_eq!(
        (&body["resource"], &body["scope"]),
        (&"https://management.azure.com/".into(), &"user_impersonation".into())
    );
    assert!(body["expires_in"].is_string() && body["refresh_token"].is_string());
    assert_eq!(claims(text(&body, "id_token"))["ver"], "1.0");
    let fields = [
        ("grant_type", "refresh_token"),
        CLI,
        ("refresh_token", text(&body, "refresh_token")),
        ("resource", "https://vault.azure.net"),
    ];
    let other = run.post(&format!("{}/oauth2/token", world::TENANT_ID), &fields).await.json();
    assert_eq!(claims(text(&other, "access_token"))["aud"], "https://vault.azure.net");
}

#[tokio::test]
async fn a_refresh_token_is_for_its_client_and_user_and_for_every_resource_and_tenant() {
    let run = start().await;
    let first = password(&run, world::USER_NAME, world::USER_PASSWORD).await.json();
    let token = text(&first, "refresh_token");
    let other = refresh(&run, token, &[("scope", "https://storage.azure.com/.default")]).await.json();
    assert_eq!(claims(text(&other, "access_token"))["aud"], "https://storage.azure.com");
    assert_ne!(text(&other, "refresh_token"), token, "rotated");
    let again = refresh(&run, token, &[]).await.json();
    assert_eq!(claims(text(&again, "access_token"))["aud"], "https://vault.azure.net", "as before");

    let fields = [("grant_type", "refresh_token"), CLI, ("refresh_token", token)];
    let guest = run.post(&format!("{}/oauth2/v2.0/token", world::FABRIKAM_TENANT_ID), &fields).await.json();
    let guest = claims(text(&guest, "access_token"));
    assert_eq!((&guest["tid"], &guest["oid"]), (&world::FABRIKAM_TENANT_ID.into(), &world::GUEST_OBJECT_ID.into()));

    let portal = [("client_id", world::PORTAL_CLIENT_ID), ("client_secret", world::PORTAL_SECRET)];
    assert_eq!(refusal(&refresh(&run, token, &portal).await), (700_007, "invalid_grant".into()));
    assert_eq!(refusal(&refresh(&run, "1.AAAA", &[]).await), (9_002_313, "invalid_grant".into()));
    let cae = r#"{"access_token":{"xms_cc":{"values":["CP1"]}}}"#;
    let cae = refresh(&run, token, &[("claims", cae)]).await.json();
    assert_eq!(claims(text(&cae, "access_token"))["xms_cc"][0], "CP1");
    assert_eq!(cae["expires_in"], 86_399);
}

#[tokio::test]
async fn microsofts_own_clients_are_a_family() {
    let run = start().await;
    let cli = ("client_id", world::AZURE_CLI_CLIENT_ID);
    let user = [("username", world::FABRIKAM_USER_NAME), ("password", world::USERS_PASSWORD)];
    let answer = run.post("organizations/oauth2/v2.0/token", &[PASSWORD, cli, VAULT, user[0], user[1]]).await.json();
    assert_eq!(answer["foci"], "1", "{answer}");
    let token = text(&answer, "refresh_token");
    let ask = async |client: &str| {
        let fields = [("grant_type", "refresh_token"), ("client_id", client), ("refresh_token", token)];
        run.post("organizations/oauth2/v2.0/token", &fields).await
    };
    let sibling = ask(world::VSCODE_CLIENT_ID).await.json();
    assert_eq!(claims(text(&sibling, "access_token"))["appid"], world::VSCODE_CLIENT_ID);
    assert_eq!(refusal(&ask(world::CLI_CLIENT_ID).await).0, 700_007, "not of the family");
}

#[tokio::test]
async fn a_refresh_token_ends_with_a_revocation_a_new_password_and_its_time() {
    let run = start().await;
    let sign_in = async |secret: &str| {
        let body = password(&run, world::USER_NAME, secret).await.json();
        text(&body, "refresh_token").to_owned()
    };
    let token = sign_in(world::USER_PASSWORD).await;
    run.emulator.revoke_sessions(world::USER_NAME).expect("a user");
    let answer = refresh(&run, &token, &[]).await;
    assert_eq!(refusal(&answer), (50_173, "invalid_grant".into()));
    assert_eq!(answer.json()["suberror"], "bad_token");

    let token = sign_in(world::USER_PASSWORD).await;
    assert_eq!(refresh(&run, &token, &[]).await.status, 200, "signed in after it");
    run.emulator.set_password(world::USER_NAME, "ada~another.password").expect("a user");
    assert_eq!(refusal(&refresh(&run, &token, &[]).await).0, 50_173);
    assert_eq!(refusal(&password(&run, world::USER_NAME, world::USER_PASSWORD).await).0, 50_126);

    let token = sign_in("ada~another.password").await;
    run.emulator.set_mfa(world::USER_NAME, Mfa::Required).expect("a user");
    let answer = refresh(&run, &token, &[]).await;
    assert_eq!(refusal(&answer), (50_076, "interaction_required".into()));

    let lifetimes = Lifetimes { refresh_token: 0, ..Lifetimes::default() };
    let run = start_with(Config { lifetimes, ..Config::default() }).await;
    let body = password(&run, world::USER_NAME, world::USER_PASSWORD).await.json();
    assert_eq!(refusal(&refresh(&run, text(&body, "refresh_token"), &[]).await).0, 700_082);
}

/// Asks for a device code.
async fn device(run: &Run, tenant: &str, client: &str) -> serde_json::Value {
    run.post(&format!("{tenant}/oauth2/v2.0/devicecode"), &[("client_id", client), VAULT]).await.json()
}

async fn poll(run: &Run, tenant: &str, client: &str, code: &str) -> Answer {
    let fields = [DEVICE, ("client_id", client), ("device_code", code), ("code", code), ("client_info", "1")];
    run.post(&format!("{tenant}/oauth2/v2.0/token"), &fields).await
}

#[tokio::test]
async fn a_device_waits_is_told_to_slow_down_and_gets_its_tokens_once() {
    let run = start().await;
    let cli = world::AZURE_CLI_CLIENT_ID;
    let body = device(&run, "organizations", cli).await;
    assert_eq!((&body["expires_in"], &body["interval"]), (&900.into(), &5.into()));
    assert_eq!(body["verification_uri"], "https://microsoft.com/devicelogin");
    let user_code = text(&body, "user_code");
    assert!(user_code.len() == 9 && text(&body, "message").contains(user_code), "{body}");
    let code = text(&body, "device_code");
    assert_eq!(refusal(&poll(&run, "organizations", cli, code).await), (70_016, "authorization_pending".into()));
    assert_eq!(refusal(&poll(&run, "organizations", cli, code).await).1, "slow_down");
    assert_eq!(run.emulator.device_codes(), [(user_code.to_owned(), cli.to_owned())]);
    run.emulator.approve_device(user_code, world::USER_NAME).expect("approved");
    let other = poll(&run, "organizations", world::VSCODE_CLIENT_ID, code).await;
    assert_eq!(refusal(&other).0, 700_007, "another client");
    let tokens = poll(&run, "organizations", cli, code).await.json();
    assert_eq!(claims(text(&tokens, "access_token"))["oid"], world::USER_OBJECT_ID);
    assert_eq!(claims(text(&tokens, "id_token"))["tid"], world::TENANT_ID);
    assert!(tokens["refresh_token"].is_string());
    assert_eq!(refusal(&poll(&run, "organizations", cli, code).await).0, 54_005, "once");
}

#[tokio::test]
async fn a_device_is_told_of_every_other_end() {
    let run = start().await;
    let body = device(&run, world::TENANT_ID, world::CLI_CLIENT_ID).await;
    run.emulator.decline_device(text(&body, "user_code")).expect("declined");
    let answer = poll(&run, world::TENANT_ID, world::CLI_CLIENT_ID, text(&body, "device_code")).await;
    assert_eq!(refusal(&answer).1, "authorization_declined");
    let unknown = poll(&run, world::TENANT_ID, world::CLI_CLIENT_ID, "made-up").await;
    assert_eq!(refusal(&unknown).1, "bad_verification_code");
    assert!(run.emulator.approve_device("MADEUP123", world::USER_NAME).is_err());
    // A client that has to prove itself, and does not.
    let body = device(&run, world::TENANT_ID, world::PORTAL_CLIENT_ID).await;
    let answer = poll(&run, world::TENANT_ID, world::PORTAL_CLIENT_ID, text(&body, "device_code")).await;
    assert_eq!(refusal(&answer), (7_000_218, "invalid_client".into()));
    for (fields, code) in [
        (vec![("client_id", "nobody"), VAULT], 700_016),
        (vec![CLI], 900_144),
        (vec![CLI, ("scope", "https://nothing.example/.default")], 500_011),
    ] {
        let answer = run.post(&format!("{}/oauth2/v2.0/devicecode", world::TENANT_ID), &fields).await;
        assert_eq!(refusal(&answer).0, code, "{fields:?}");
    }

    let lifetimes = Lifetimes { device_code: 0, ..Lifetimes::default() };
    let run = start_with(Config { lifetimes, ..Config::default() }).await;
    let body = device(&run, world::TENANT_ID, world::CLI_CLIENT_ID).await;
    let answer = poll(&run, world::TENANT_ID, world::CLI_CLIENT_ID, text(&body, "device_code")).await;
    assert_eq!(refusal(&answer), (70_020, "expired_token".into()));
}

#[tokio::test]
async fn the_robot_approves_a_device_at_the_second_poll() {
    let run = start_with(Config { sign_in_as: Some(world::MFA_USER_NAME.into()), ..Config::default() }).await;
    let body = device(&run, "organizations", world::AZURE_CLI_CLIENT_ID).await;
    assert_eq!(body["interval"], 1);
    let code = text(&body, "device_code");
    let again = async || poll(&run, "organizations", world::AZURE_CLI_CLIENT_ID, code).await;
    assert_eq!(refusal(&again().await).1, "authorization_pending");
    let tokens = again().await.json();
    assert_eq!(claims(text(&tokens, "access_token"))["amr"][1], "mfa", "{tokens}");
    // Who is refused is refused at once: nobody would read a page.
    run.emulator.sign_in_as(Some(world::BLOCKED_USER_NAME)).expect("a user");
    let body = device(&run, "organizations", world::AZURE_CLI_CLIENT_ID).await;
    let code = text(&body, "device_code");
    let again = async || poll(&run, "organizations", world::AZURE_CLI_CLIENT_ID, code).await;
    assert_eq!(refusal(&again().await).1, "authorization_pending");
    assert_eq!(refusal(&again().await).0, 53_003);
}

#[tokio::test]
async fn the_realm_of_a_user_is_managed_or_unknown() {
    let run = start().await;
    let ask = async |user: &str, query: &str| {
        send(run.laptop.get(format!("https://login.microsoftonline.com/common/userrealm/{user}{query}"))).await
    };
    let ours = ask("ada%40contoso.onmicrosoft.com", "?api-version=1.0").await.json();
    assert_eq!((&ours["account_type"], &ours["domain_name"]), (&"Managed".into(), &world::TENANT_DOMAIN.into()));
    assert_eq!(ours["cloud_audience_urn"], "urn:federation:MicrosoftOnline");
    assert_eq!(ask("x@elsewhere.example", "?api-version=1.0").await.json()["account_type"], "Unknown");
    assert_eq!(refusal(&ask("x@elsewhere.example", "").await).0, 900_144);
}
