//! Signing in through the pages, and what becomes of the code.

use crate::browser::{Browser, VERIFIER, authorize};
use crate::support::{Answer, Run, claims, send, start, start_with};
use crate::user_grants::refusal;
use entrada_emulator::config::{Lifetimes, Mfa};
use entrada_emulator::{Config, world};

const SIGN_IN: &str = "idSIButton9";
const BACK: &str = "idBtn_Back";

/// Redeems a code. Later fields replace earlier ones; an empty one goes.
async fn redeem(run: &Run, code: &str, changes: &[(&str, &str)]) -> Answer {
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("client_id", world::CLI_CLIENT_ID),
        ("redirect_uri", "http://localhost:8400"),
        ("code_verifier", VERIFIER),
        ("code", code),
        ("client_info", "1"),
    ];
    for change in changes {
        fields.retain(|(name, _)| *name != change.0);
        if !change.1.is_empty() {
            fields.push(*change);
        }
    }
    run.post(&format!("{}/oauth2/v2.0/token", world::TENANT_ID), &fields).await
}

/// A code for a client of the built-in world that ada has signed in to.
async fn code(run: &Run) -> String {
    let mut browser = Browser::open(run, &authorize(world::TENANT_ID, &[])).await;
    browser.sign_in(world::USER_NAME, world::USER_PASSWORD).await;
    browser.sent().1["code"].clone()
}

#[tokio::test]
async fn a_person_signs_in_and_the_client_gets_its_tokens() {
    let run = start().await;
    let mut browser = Browser::open(&run, &authorize("organizations", &[("client_info", "1")])).await;
    assert_eq!(browser.page.status, 200);
    assert_eq!(browser.element("app"), "orders-cli");
    assert!(browser.page.text.contains("No real account"), "it says what it is");
    browser.press(SIGN_IN, &[("loginfmt", world::USER_NAME)]).await;
    assert_eq!(browser.element("displayName"), world::USER_NAME);
    browser.press(SIGN_IN, &[("passwd", world::USER_PASSWORD)]).await;
    let (to, answer) = browser.sent();
    assert_eq!((to.as_str(), answer["state"].as_str()), ("http://localhost:8400/", "st&te"));
    assert!(answer.contains_key("session_state") && answer.contains_key("client_info"));

    let body = redeem(&run, &answer["code"], &[]).await.json();
    let id = claims(body["id_token"].as_str().expect("an id token"));
    for (name, value) in [
        ("nonce", "n0nce"),
        ("aud", world::CLI_CLIENT_ID),
        ("preferred_username", world::USER_NAME),
        ("oid", world::USER_OBJECT_ID),
        ("tid", world::TENANT_ID),
        ("name", "Ada"),
    ] {
        assert_eq!(id[name], value, "{name}");
    }
    assert!(body["refresh_token"].is_string() && body["client_info"].is_string());
    assert_eq!(claims(body["access_token"].as_str().expect("a token"))["scp"], "user_impersonation");

    let entries = run.emulator.journal().entries();
    let last = entries.iter().rev().nth(1).expect("the answer");
    assert_eq!(last.grant.as_deref(), Some("authorize"));
    let who = last.principal.as_ref().expect("who");
    assert_eq!((who.name.as_str(), who.client_id.as_deref()), (world::USER_NAME, Some(world::CLI_CLIENT_ID)));
    let journal = send(run.control("GET", "/journal")).await.text;
    for secret in [world::USER_PASSWORD, &answer["code"], body["refresh_token"].as_str().expect("one")] {
        assert!(!journal.contains(secret));
    }
}

#[tokio::test]
async fn a_code_is_good_once_for_its_client_its_address_its_tenant_and_its_verifier() {
    let run = start().await;
    let good = code(&run).await;
    for (changes, expected) in [
        (&[("code_verifier", "x234567890123456789012345678901234567890123")][..], 501_481),
        (&[("code_verifier", "")], 900_144),
        (&[("redirect_uri", "http://localhost:8401")], 500_112),
        (&[("client_id", world::AZURE_CLI_CLIENT_ID)], 700_007),
        (&[("client_secret", "any")], 700_025),
        (&[("code", "made-up")], 9_002_313),
        (&[("code", "")], 900_144),
    ] {
        assert_eq!(refusal(&redeem(&run, &good, changes).await).0, expected, "{changes:?}");
    }
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", world::CLI_CLIENT_ID),
        ("redirect_uri", "http://localhost:8400"),
        ("code_verifier", VERIFIER),
        ("code", &good),
    ];
    let elsewhere = run.post(&format!("{}/oauth2/v2.0/token", world::FABRIKAM_TENANT_ID), &fields).await;
    assert_eq!(refusal(&elsewhere).0, 700_005);

    // Nothing of that has spent it.
    let tokens = redeem(&run, &good, &[]).await.json();
    let refresh = tokens["refresh_token"].as_str().expect("a refresh token").to_owned();
    let again = async || {
        let fields =
            [("grant_type", "refresh_token"), ("client_id", world::CLI_CLIENT_ID), ("refresh_token", &refresh)];
        run.post(&format!("{}/oauth2/v2.0/token", world::TENANT_ID), &fields).await
    };
    assert_eq!(again().await.status, 200);
    assert_eq!(refusal(&redeem(&run, &good, &[]).await), (54_005, "invalid_grant".into()), "replayed");
    assert_eq!(refusal(&again().await).0, 70_000, "what it led to has ended");

    let lifetimes = Lifetimes { authorization_code: 0, ..Lifetimes::default() };
    let run = start_with(Config { lifetimes, ..Config::default() }).await;
    let late = code(&run).await;
    assert_eq!(refusal(&redeem(&run, &late, &[]).await).0, 70_008);
}

#[tokio::test]
async fn a_request_that_nobody_may_be_sent_back_from_ends_at_a_page() {
    let run = start().await;
    for (tenant, changes, code) in [
        (world::TENANT_ID, &[("client_id", "")][..], 900_144),
        (world::TENANT_ID, &[("client_id", "<script>alert(1)</script>")], 700_016),
        (world::TENANT_ID, &[("redirect_uri", "https://evil.example/<script>")], 50_011),
        (world::TENANT_ID, &[("redirect_uri", "http://localhost:8400/other")], 50_011),
        ("7e000000-0000-4000-8000-0000000000ff", &[], 90_002),
        ("common", &[("client_id", world::UNCONSENTED_CLIENT_ID)], 50_194),
        (world::TENANT_ID, &[("client_id", world::APP_CLIENT_ID), ("redirect_uri", "")], 900_971),
    ] {
        let browser = Browser::open(&run, &authorize(tenant, changes)).await;
        assert_eq!((browser.page.status, browser.element("errorCode")), (400, code.to_string()), "{changes:?}");
        assert!(!browser.page.text.contains("<script>"), "{}", browser.page.text);
        assert!(browser.element("correlationId").len() == 36);
        let note = run.emulator.journal().entries().pop().and_then(|entry| entry.note).expect("a note");
        assert!(note.starts_with(&format!("AADSTS{code}")), "{note}");
    }
}

#[tokio::test]
async fn a_request_that_is_wrong_otherwise_goes_back_to_the_client() {
    let run = start().await;
    for (changes, error, code) in [
        (&[("response_type", "")][..], "invalid_request", 900_144),
        (&[("response_type", "token")], "unsupported_response_type", 700_051),
        (&[("response_type", "code id_token")], "unsupported_response_type", 700_054),
        (&[("response_type", "magic")], "unsupported_response_type", 70_005),
        (&[("response_mode", "carrier_pigeon")], "invalid_request", 70_007),
        (&[("prompt", "maybe")], "invalid_request", 90_023),
        (&[("scope", "")], "invalid_request", 900_144),
        (&[("scope", "https://vault.azure.net/")], "invalid_scope", 70_011),
        (&[("code_challenge", "short")], "invalid_request", 501_491),
        (&[("code_challenge_method", "S1")], "invalid_request", 50_149),
        (&[("claims", "CP1")], "invalid_request", 9_002_313),
        (&[("prompt", "none")], "login_required", 50_058),
    ] {
        let browser = Browser::open(&run, &authorize(world::TENANT_ID, changes)).await;
        let (to, answer) = browser.sent();
        assert_eq!(to, "http://localhost:8400/");
        assert_eq!((answer["error"].as_str(), answer["state"].as_str()), (error, "st&te"), "{changes:?}");
        assert!(answer["error_description"].starts_with(&format!("AADSTS{code}: ")), "{answer:?}");
        assert!(answer["error_uri"].ends_with(&format!("code={code}")));
    }
    let twice = format!("{}&nonce=again", authorize(world::TENANT_ID, &[]));
    let browser = Browser::open(&run, &twice).await;
    assert_eq!(browser.element("errorCode"), "9000411");
}

#[tokio::test]
async fn the_answer_comes_as_it_is_wanted() {
    let run = start().await;
    let mut browser = Browser::open(&run, &authorize(world::TENANT_ID, &[("response_mode", "fragment")])).await;
    browser.sign_in(world::USER_NAME, world::USER_PASSWORD).await;
    let location = browser.page.header("location");
    assert!(location.starts_with("http://localhost:8400/#code="), "{location}");

    // The session of the browser signs in from now on.
    browser.go(&authorize(world::TENANT_ID, &[("response_mode", "form_post")])).await;
    assert_eq!(browser.page.status, 200);
    assert!(browser.page.text.contains("action=\"http://localhost:8400\""), "{}", browser.page.text);
    let policy = browser.page.header("content-security-policy");
    assert!(policy.contains("form-action 'self' http://localhost:8400;") && policy.contains("script-src 'sha256-"));
    let fields = browser.hidden();
    let value = |name: &str| fields.iter().find(|(key, _)| key == name).expect(name).1.clone();
    assert_eq!(value("state"), "st&te");
    assert_eq!(redeem(&run, &value("code"), &[]).await.status, 200);
    let web = [
        ("client_id", world::PORTAL_CLIENT_ID),
        ("redirect_uri", world::PORTAL_REDIRECT_URI),
        ("code_challenge", ""),
        ("code_challenge_method", ""),
    ];
    browser.go(&authorize(world::TENANT_ID, &web)).await;
    let (to, answer) = browser.sent();
    assert_eq!(to, world::PORTAL_REDIRECT_URI);
    let portal = [web[0], web[1], ("code_verifier", "")];
    assert_eq!(refusal(&redeem(&run, &answer["code"], &portal).await).0, 7_000_218);
    let proven = [web[0], web[1], ("code_verifier", ""), ("client_secret", world::PORTAL_SECRET)];
    assert_eq!(redeem(&run, &answer["code"], &proven).await.status, 200);
}

#[tokio::test]
async fn a_session_is_used_unless_the_client_asks_for_more() {
    let run = start().await;
    let mut browser = Browser::open(&run, &authorize(world::TENANT_ID, &[])).await;
    browser.sign_in(world::USER_NAME, world::USER_PASSWORD).await;
    browser.go(&authorize(world::TENANT_ID, &[("prompt", "none")])).await;
    assert!(browser.sent().1.contains_key("code"), "silently");
    browser.go(&authorize(world::TENANT_ID, &[("prompt", "login"), ("login_hint", world::USER_NAME)])).await;
    assert!(browser.page.text.contains("Enter password"), "again");
    browser.press(SIGN_IN, &[("passwd", world::USER_PASSWORD)]).await;
    assert!(browser.sent().1.contains_key("code"));

    browser.go(&authorize(world::TENANT_ID, &[("prompt", "select_account")])).await;
    assert!(browser.page.text.contains("Pick an account"));
    browser.press("otherTile", &[]).await;
    browser.sign_in(world::MFA_USER_NAME, world::USERS_PASSWORD).await;
    let shown = browser.element("authenticatorCode");
    browser.press("idSubmit_SAOTCC_Continue", &[("otc", "000000")]).await;
    assert!(browser.problem().contains("AADSTS500121"));
    browser.press("idSubmit_SAOTCC_Continue", &[("otc", &shown)]).await;
    assert!(browser.sent().1.contains_key("code"));

    // With two accounts the person picks one, unless the client names it.
    browser.go(&authorize(world::TENANT_ID, &[])).await;
    assert!(browser.page.text.contains("Pick an account"));
    let [ctx, csrf] =
        ["ctx", "csrf"].map(|name| browser.hidden().into_iter().find(|(key, _)| key == name).expect("hidden").1);
    let action = format!("/{}/login/account", world::TENANT_ID);
    browser.post(&action, &[("ctx", &ctx), ("csrf", &csrf), ("account", world::MFA_USER_NAME)]).await;
    let tokens = redeem(&run, &browser.sent().1["code"], &[]).await.json();
    let token = claims(tokens["access_token"].as_str().expect("a token"));
    assert_eq!((&token["upn"], &token["amr"][1]), (&world::MFA_USER_NAME.into(), &"mfa".into()));
    browser.go(&authorize(world::TENANT_ID, &[("prompt", "none")])).await;
    assert_eq!(browser.sent().1["error"], "interaction_required", "which of the two?");
    let hint = claims(tokens["id_token"].as_str().expect("one"))["login_hint"].as_str().expect("a hint").to_owned();
    browser.go(&authorize(world::TENANT_ID, &[("prompt", "none"), ("login_hint", &hint)])).await;
    assert!(browser.sent().1.contains_key("code"));

    // A revocation ends the session, and so does signing out.
    run.emulator.revoke_sessions(world::MFA_USER_NAME).expect("a user");
    browser.go(&authorize(world::TENANT_ID, &[("prompt", "none"), ("login_hint", &hint)])).await;
    assert_eq!(browser.sent().1["error"], "login_required");
    browser.go("/common/oauth2/v2.0/logout?post_logout_redirect_uri=https://evil.example").await;
    assert!(browser.page.status == 200 && browser.page.text.contains("You signed out"));
    browser.go(&authorize(world::TENANT_ID, &[("prompt", "none")])).await;
    assert_eq!(browser.sent().1["error"], "login_required");
    browser
        .go(&format!("/common/oauth2/v2.0/logout?state=s&post_logout_redirect_uri={}", world::PORTAL_REDIRECT_URI))
        .await;
    assert_eq!(browser.page.header("location"), format!("{}?state=s", world::PORTAL_REDIRECT_URI));
}

#[tokio::test]
async fn what_is_entered_wrong_is_said_on_the_page() {
    let run = start().await;
    let mut browser = Browser::open(&run, &authorize(world::TENANT_ID, &[])).await;
    browser.press(SIGN_IN, &[("loginfmt", "nobody@contoso.onmicrosoft.com")]).await;
    assert!(browser.problem().contains("AADSTS50034"));
    browser.press(SIGN_IN, &[("loginfmt", world::US_USER_NAME)]).await;
    assert!(browser.problem().contains("AADSTS50034"), "of another cloud");
    browser.sign_in(world::USER_NAME, "wrong").await;
    assert!(browser.problem().contains("AADSTS50126"));
    assert!(run.emulator.journal().entries().pop().and_then(|entry| entry.note).expect("a note").contains("50126"));
    for (user, code) in [(world::LOCKED_USER_NAME, "AADSTS50053"), (world::DISABLED_USER_NAME, "AADSTS50057")] {
        browser.press(BACK, &[]).await;
        browser.sign_in(user, world::USERS_PASSWORD).await;
        assert!(browser.problem().contains(code), "{user}");
    }
    browser.press(BACK, &[]).await;
    browser.press(SIGN_IN, &[("loginfmt", "ada")]).await;
    assert!(browser.problem().contains("AADSTS50034"), "no domain");
    browser.go(&authorize(world::TENANT_ID, &[("domain_hint", world::TENANT_DOMAIN), ("prompt", "login")])).await;
    browser.sign_in("ada", world::USER_PASSWORD).await;
    assert!(browser.sent().1.contains_key("code"), "the domain was named");
}

#[tokio::test]
async fn an_expired_password_is_replaced_and_a_second_proof_registered() {
    let run = start().await;
    let mut browser = Browser::open(&run, &authorize(world::TENANT_ID, &[])).await;
    browser.sign_in(world::EXPIRED_PASSWORD_USER_NAME, world::USERS_PASSWORD).await;
    let new = "a~new.password";
    for (current, wanted, confirmed, words) in [
        ("wrong", new, new, "current password is incorrect"),
        (world::USERS_PASSWORD, "short", "short", "8 characters"),
        (world::USERS_PASSWORD, world::USERS_PASSWORD, world::USERS_PASSWORD, "not used before"),
        (world::USERS_PASSWORD, new, "another~password", "not the same"),
    ] {
        let fields = [("currentpasswd", current), ("newpasswd", wanted), ("confirmnewpasswd", confirmed)];
        browser.press(SIGN_IN, &fields).await;
        assert!(browser.problem().contains(words), "{}", browser.problem());
    }
    let fields = [("currentpasswd", world::USERS_PASSWORD), ("newpasswd", new), ("confirmnewpasswd", new)];
    browser.press(SIGN_IN, &fields).await;
    assert!(browser.sent().1.contains_key("code"));

    let mut browser = Browser::open(&run, &authorize(world::TENANT_ID, &[])).await;
    browser.sign_in(world::REGISTER_MFA_USER_NAME, world::USERS_PASSWORD).await;
    assert!(browser.page.text.contains("More information required"));
    browser.press("idSubmit_ProofUp_Redirect", &[]).await;
    let shown = browser.element("authenticatorCode");
    browser.press("idSubmit_SAOTCC_Continue", &[("otc", &shown)]).await;
    assert!(browser.sent().1.contains_key("code"));
    let users = send(run.control("GET", "/users")).await.json();
    let user = users.as_array().expect("a list").iter().find(|user| user["user"] == world::REGISTER_MFA_USER_NAME);
    assert_eq!(user.expect("the user")["mfa"], "required", "registered");
}

#[tokio::test]
async fn a_refusal_by_policy_is_told_to_the_person_and_then_to_the_client() {
    let run = start().await;
    for (user, tenant, code, error) in [
        (world::BLOCKED_USER_NAME, world::TENANT_ID, "53003", "access_denied"),
        (world::FABRIKAM_USER_NAME, world::TENANT_ID, "50020", "access_denied"),
    ] {
        let mut browser = Browser::open(&run, &authorize(tenant, &[])).await;
        browser.sign_in(user, world::USERS_PASSWORD).await;
        assert_eq!((browser.page.status, browser.element("errorCode")), (400, code.to_owned()));
        browser.press(SIGN_IN, &[]).await;
        let (to, answer) = browser.sent();
        assert_eq!((to.as_str(), answer["error"].as_str()), ("http://localhost:8400/", error));
        assert!(answer["error_description"].starts_with(&format!("AADSTS{code}")));
    }
    let mut browser = Browser::open(&run, &authorize(world::FABRIKAM_TENANT_ID, &[])).await;
    browser.sign_in(world::USER_NAME, world::USER_PASSWORD).await;
    assert!(browser.sent().1.contains_key("code"), "a guest");
    let mut browser = Browser::open(&run, &authorize("consumers", &[("client_id", world::AZURE_CLI_CLIENT_ID)])).await;
    browser.press(SIGN_IN, &[("loginfmt", world::USER_NAME)]).await;
    assert!(browser.problem().contains("personal account"));
    browser.press(BACK, &[]).await;
    assert_eq!(browser.sent().1["error_subcode"], "cancel");
}

#[tokio::test]
async fn consent_is_asked_for_once_and_may_be_declined() {
    let run = start().await;
    let client = ("client_id", world::UNCONSENTED_CLIENT_ID);
    let mut browser = Browser::open(&run, &authorize(world::TENANT_ID, &[client])).await;
    browser.sign_in(world::USER_NAME, world::USER_PASSWORD).await;
    assert!(
        browser.page.text.contains("Permissions requested") && browser.page.text.contains("https://vault.azure.net")
    );
    browser.press(BACK, &[]).await;
    let declined = browser.sent().1;
    assert_eq!((declined["error"].as_str(), declined["error_subcode"].as_str()), ("access_denied", "cancel"));
    assert!(declined["error_description"].starts_with("AADSTS65004"));

    browser.go(&authorize(world::TENANT_ID, &[client, ("login_hint", world::USER_NAME)])).await;
    browser.press(SIGN_IN, &[("passwd", world::USER_PASSWORD)]).await;
    browser.press(SIGN_IN, &[]).await;
    let tokens = redeem(&run, &browser.sent().1["code"], &[client]).await.json();
    assert!(tokens["access_token"].is_string(), "{tokens}");
    browser.go(&authorize(world::TENANT_ID, &[client])).await;
    assert!(browser.sent().1.contains_key("code"), "not asked again");
    browser.go(&authorize(world::TENANT_ID, &[client, ("scope", "https://storage.azure.com/.default")])).await;
    assert!(browser.page.text.contains("https://storage.azure.com"), "asked for more");
    browser.go(&authorize(world::TENANT_ID, &[("prompt", "consent")])).await;
    assert!(browser.page.text.contains("Permissions requested"), "because the client wants it");

    let refresh = [
        ("grant_type", "refresh_token"),
        client,
        ("refresh_token", tokens["refresh_token"].as_str().unwrap_or_default()),
    ];
    run.emulator.remove_consent(world::UNCONSENTED_CLIENT_ID, None).expect("an app");
    assert!(tokens["refresh_token"].is_string(), "{tokens}");
    let answer = run.post(&format!("{}/oauth2/v2.0/token", world::TENANT_ID), &refresh).await;
    assert_eq!((refusal(&answer).0, answer.json()["suberror"].as_str()), (65_001, Some("consent_required")));

    let admin = ("client_id", world::ADMIN_CONSENT_CLIENT_ID);
    browser.go(&authorize(world::TENANT_ID, &[admin])).await;
    assert_eq!(browser.element("errorCode"), "90094");
    run.emulator.give_consent(world::ADMIN_CONSENT_CLIENT_ID, None).expect("an app");
    browser.go(&authorize(world::TENANT_ID, &[admin])).await;
    assert!(browser.sent().1.contains_key("code"));
}

#[tokio::test]
async fn a_form_is_taken_from_its_own_page_only() {
    let run = start().await;
    let mut browser = Browser::open(&run, &authorize(world::TENANT_ID, &[])).await;
    let hidden = browser.hidden();
    let [ctx, csrf] = ["ctx", "csrf"].map(|name| hidden.iter().find(|(key, _)| key == name).expect(name).1.clone());
    let name = format!("/{}/login/name", world::TENANT_ID);
    let user = ("loginfmt", world::USER_NAME);
    let refused = async |browser: &mut Browser<'_>, fields: &[(&str, &str)]| {
        browser.post(&name, fields).await;
        (browser.page.status, browser.element("errorCode"))
    };
    let expected = (400, "165000".to_owned());
    assert_eq!(refused(&mut browser, &[user]).await, expected, "made up");
    assert_eq!(refused(&mut browser, &[user, ("ctx", &ctx), ("csrf", "guess")]).await, expected, "a guess");
    let mut other = Browser::open(&run, &authorize(world::TENANT_ID, &[])).await;
    assert_eq!(refused(&mut other, &[user, ("ctx", &ctx), ("csrf", &csrf)]).await, expected, "another browser");
    // A step that is out of its turn leads nowhere.
    browser.post(&format!("/{}/login/consent", world::TENANT_ID), &[("ctx", &ctx), ("csrf", &csrf)]).await;
    assert!(browser.page.text.contains("Email address"), "{}", browser.page.text);
    browser.post(&name, &[user, ("ctx", &ctx), ("csrf", &csrf)]).await;
    assert!(browser.page.text.contains("Enter password"));
    browser.forget();
    assert_eq!(refused(&mut browser, &[user, ("ctx", &ctx), ("csrf", &csrf)]).await, expected, "without the cookie");
    browser.go(&name).await;
    assert_eq!(browser.element("errorCode"), "900561");
}

#[tokio::test]
async fn pages_hold_nothing_that_was_sent_in_as_markup_and_load_nothing() {
    let run = start().await;
    let evil = "\"><script>alert(1)</script>@x";
    let mut browser = Browser::open(&run, &authorize(world::TENANT_ID, &[("login_hint", evil), ("state", evil)])).await;
    assert!(browser.page.text.contains("&quot;&gt;&lt;script&gt;") && !browser.page.text.contains("<script>alert"));
    browser.press(SIGN_IN, &[("loginfmt", evil)]).await;
    assert!(!browser.page.text.contains("<script"));
    browser.sign_in(world::USER_NAME, world::USER_PASSWORD).await;
    assert_eq!(browser.sent().1["state"], evil, "as it was");
    browser.go(&authorize(world::TENANT_ID, &[("response_mode", "form_post"), ("state", evil)])).await;
    assert!(!browser.page.text.contains("<script>alert"));
    let policy = browser.page.header("content-security-policy").to_owned();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && policy.contains("frame-ancestors 'none'"));
    assert!(!browser.page.text.contains("src=") && !browser.page.text.contains("<link"), "nothing is loaded");
    browser.go(&authorize(world::TENANT_ID, &[("prompt", "login")])).await;
    assert!(browser.page.header("content-security-policy").contains("script-src 'none'"));
    assert_eq!(browser.page.header("x-frame-options"), "DENY");
    browser
        .go(&format!("https://login.microsoftonline.com/common/oauth2/deviceauth?otc={}", "%22%3E%3Cscript%3E"))
        .await;
    assert!(!browser.page.text.contains("\"><script>"));
}

#[tokio::test]
async fn the_code_of_a_device_is_entered_at_its_page() {
    let run = start().await;
    let client = world::AZURE_CLI_CLIENT_ID;
    let ask = async || {
        let fields = [("client_id", client), ("scope", "https://vault.azure.net/.default")];
        run.post("organizations/oauth2/v2.0/devicecode", &fields).await.json()
    };
    let poll = async |body: &serde_json::Value| {
        let code = body["device_code"].as_str().expect("a code");
        let fields = [("grant_type", "device_code"), ("client_id", client), ("device_code", code)];
        run.post("organizations/oauth2/v2.0/token", &fields).await
    };
    let body = ask().await;
    let mut browser = Browser::open(&run, "https://microsoft.com/devicelogin").await;
    let page = browser.sent().0;
    assert_eq!(page, "https://login.microsoftonline.com/common/oauth2/deviceauth");
    browser.go(&page).await;
    browser.press(SIGN_IN, &[("otc", "WRONG1234")]).await;
    assert!(browser.problem().contains("AADSTS70018"));
    let user_code = body["user_code"].as_str().expect("a code");
    browser.press(SIGN_IN, &[("otc", &user_code.to_lowercase())]).await;
    browser.sign_in(world::USER_NAME, world::USER_PASSWORD).await;
    assert!(browser.page.text.contains("Are you trying to sign in to Microsoft Azure CLI?"), "{}", browser.page.text);
    browser.press(SIGN_IN, &[]).await;
    assert_eq!(browser.element("message"), "You're done");
    let tokens = poll(&body).await.json();
    assert_eq!(claims(tokens["access_token"].as_str().expect("a token"))["upn"], world::USER_NAME);

    // The session is there for the next device, which the person declines.
    let body = ask().await;
    browser.go(&page).await;
    browser.press(SIGN_IN, &[("otc", body["user_code"].as_str().expect("a code"))]).await;
    browser.press(BACK, &[]).await;
    assert!(browser.page.text.contains("You have declined"));
    assert_eq!(refusal(&poll(&body).await).1, "authorization_declined");
    browser.go(&page).await;
    browser.press(SIGN_IN, &[("otc", body["user_code"].as_str().expect("a code"))]).await;
    assert!(browser.problem().contains("AADSTS70018"), "not again");
    for (address, status) in [("https://login.microsoft.com/device", 302), ("https://www.microsoft.com/elsewhere", 404)]
    {
        browser.go(address).await;
        assert_eq!(browser.page.status, status, "{address}");
    }
}

#[tokio::test]
async fn the_endpoint_of_version_one_sends_a_code_for_a_resource() {
    let run = start().await;
    let address = authorize(world::TENANT_ID, &[("scope", ""), ("resource", "https://management.azure.com/")]);
    let mut browser = Browser::open(&run, &address.replace("/v2.0/", "/")).await;
    browser.sign_in(world::USER_NAME, world::USER_PASSWORD).await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", world::CLI_CLIENT_ID),
        ("redirect_uri", "http://localhost:8400"),
        ("code_verifier", VERIFIER),
        ("code", &browser.sent().1["code"]),
    ];
    let body = run.post(&format!("{}/oauth2/token", world::TENANT_ID), &fields).await.json();
    assert_eq!(body["resource"], "https://management.azure.com/");
    assert!(body["refresh_token"].is_string() && body["expires_in"].is_string());
}

#[tokio::test]
async fn a_challenge_for_an_authentication_context_asks_for_the_second_proof() {
    let run = start().await;
    let claims_wanted = r#"{"access_token":{"acrs":{"essential":true,"value":"c1"},"xms_cc":{"values":["cp1"]}}}"#;
    let mut browser = Browser::open(&run, &authorize(world::TENANT_ID, &[("claims", claims_wanted)])).await;
    browser.sign_in(world::USER_NAME, world::USER_PASSWORD).await;
    let shown = browser.element("authenticatorCode");
    browser.press("idSubmit_SAOTCC_Continue", &[("otc", &shown)]).await;
    let tokens = redeem(&run, &browser.sent().1["code"], &[]).await.json();
    let token = claims(tokens["access_token"].as_str().expect("a token"));
    assert_eq!((&token["acrs"][0], &token["xms_cc"][0]), (&"c1".into(), &"CP1".into()));
    run.emulator.set_mfa(world::USER_NAME, Mfa::NotRequired).expect("a user");
}
