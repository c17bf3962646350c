//! Signing in where no person is.

use crate::browser::{Browser, authorize};
use crate::support::{Run, send, start, start_with};
use entrada_emulator::{BrowseError, Config, world};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

fn as_user(name: &str) -> Config {
    Config { sign_in_as: Some(name.into()), ..Config::default() }
}

/// A program that listens for one answer, and gives what it was sent.
async fn listener() -> (u16, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let heard = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut text = Vec::new();
        loop {
            let mut part = [0; 4096];
            let read = stream.read(&mut part).await.expect("a request");
            text.extend_from_slice(&part[..read]);
            let so_far = String::from_utf8_lossy(&text).into_owned();
            let length = so_far.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
            let body = so_far.split_once("\r\n\r\n").map(|(_, body)| body.len());
            if read == 0 || body.is_some_and(|body| body >= length.unwrap_or(0)) {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK").await.expect("answered");
                return so_far;
            }
        }
    });
    (port, heard)
}

#[tokio::test]
async fn a_browser_without_a_person_takes_the_answer_to_the_program() {
    let run = start_with(as_user(world::USER_NAME)).await;
    for mode in ["query", "form_post"] {
        let (port, heard) = listener().await;
        let redirect = format!("http://127.0.0.1:{port}");
        let client = ("client_id", world::AZURE_CLI_CLIENT_ID);
        let address = authorize(
            "organizations",
            &[client, ("redirect_uri", &redirect), ("response_mode", mode), ("prompt", "select_account")],
        );
        run.emulator.browse(&address).await.expect("the answer arrived");
        let heard = heard.await.expect("heard");
        let method = if mode == "query" { "GET /?code=1." } else { "POST / HTTP/1.1" };
        assert!(heard.starts_with(method) && heard.contains("state=st%26te"), "{heard}");
        assert!(mode == "query" || heard.contains("\r\n\r\ncode=1."), "{heard}");
    }
}

#[tokio::test]
async fn who_is_refused_is_refused_at_the_program() {
    let run = start().await;
    let sent = async |run: &Run, changes: &[(&str, &str)]| {
        Browser::open(run, &authorize(world::TENANT_ID, changes)).await.sent().1
    };
    for (user, error, code) in [
        (world::BLOCKED_USER_NAME, "access_denied", "AADSTS53003"),
        (world::DISABLED_USER_NAME, "access_denied", "AADSTS50057"),
        (world::EXPIRED_PASSWORD_USER_NAME, "access_denied", "AADSTS50055"),
        (world::FABRIKAM_USER_NAME, "access_denied", "AADSTS50020"),
    ] {
        assert_eq!(send(run.control("PUT", "/sign-in").body(json!({"user": user}).to_string())).await.status, 204);
        let answer = sent(&run, &[]).await;
        assert_eq!(answer["error"], error, "{user}");
        assert!(answer["error_description"].starts_with(code), "{answer:?}");
    }
    run.emulator.sign_in_as(Some(world::REGISTER_MFA_USER_NAME)).expect("a user");
    assert!(
        sent(&run, &[("client_id", world::UNCONSENTED_CLIENT_ID)]).await.contains_key("code"),
        "proves and consents"
    );
    let admin = sent(&run, &[("client_id", world::ADMIN_CONSENT_CLIENT_ID)]).await;
    assert_eq!(admin["error"], "interaction_required");
    let other = Browser::open(&run, &authorize(world::TENANT_ID, &[("login_hint", world::USER_NAME)])).await;
    assert!(other.page.text.contains("Enter password"), "that is somebody else");

    assert_eq!(send(run.control("DELETE", "/sign-in")).await.status, 204);
    let error = run.emulator.browse(&authorize(world::TENANT_ID, &[])).await.expect_err("a page");
    assert!(matches!(error, BrowseError::Page(200)), "{error}");
    let note = run.emulator.journal().entries().pop().and_then(|entry| entry.note).expect("a note");
    assert!(note.contains("--sign-in-as"), "{note}");
    assert!(matches!(run.emulator.browse("ftp://x").await, Err(BrowseError::Address(_))));
    let unknown = send(run.control("PUT", "/sign-in").body(r#"{"user":"nobody@x"}"#)).await;
    assert!(unknown.status == 400 && unknown.text.contains(world::USER_NAME), "{unknown:?}");
}

#[tokio::test]
async fn users_are_changed_from_inside() {
    let run = start().await;
    let put = async |method: &str, path: &str, body: serde_json::Value| {
        send(run.control(method, path).body(body.to_string())).await
    };
    let user = world::USER_NAME;
    assert_eq!(put("PUT", "/users", json!({"user": user, "mfa": "required", "refusal": "blocked"})).await.status, 204);
    let of_ada = async || {
        let users = send(run.control("GET", "/users")).await.json();
        users.as_array().expect("a list").iter().find(|entry| entry["user"] == user).expect("ada").clone()
    };
    let ada = of_ada().await;
    assert_eq!((&ada["mfa"], &ada["refusal"], ada["revoked"].is_null()), (&"required".into(), &"blocked".into(), true));
    assert_eq!(put("PUT", "/users", json!({"user": user, "refusal": null})).await.status, 204);
    assert_eq!(put("DELETE", "/sessions", json!({"user": user})).await.status, 204);
    let ada = of_ada().await;
    assert!(ada["mfa"] == "required" && ada["refusal"].is_null() && ada["revoked"].is_string(), "{ada}");
    let consent = json!({"client_id": world::UNCONSENTED_CLIENT_ID, "user": user});
    assert_eq!(put("PUT", "/consents", consent.clone()).await.status, 204);
    assert_eq!(put("DELETE", "/consents", consent).await.status, 204);
    for (method, path, body, words) in [
        ("PUT", "/users", json!({"user": "nobody@x"}), "[[users]]"),
        ("PUT", "/users", json!({"user": user, "mfa": "perhaps"}), "perhaps"),
        ("PUT", "/users", json!({"user": user, "password": ""}), "empty"),
        ("PUT", "/users", json!({"user": user, "pasword": "x"}), "pasword"),
        ("PUT", "/consents", json!({"client_id": "nobody"}), "[[apps]]"),
        ("PUT", "/device-codes", json!({"user_code": "X"}), "`user`"),
        ("DELETE", "/device-codes", json!({"user_code": "X"}), "`X`"),
        ("DELETE", "/sessions", json!({}), "user"),
    ] {
        let answer = put(method, path, body.clone()).await;
        assert!(answer.status == 400 && answer.text.contains(words), "{body}: {answer:?}");
    }
    let fields = [("client_id", world::AZURE_CLI_CLIENT_ID), ("scope", "User.Read")];
    let device = run.post("organizations/oauth2/v2.0/devicecode", &fields).await.json();
    let listed = send(run.control("GET", "/device-codes")).await.json();
    assert_eq!(listed[0]["user_code"], device["user_code"]);
    assert_eq!(put("PUT", "/device-codes", json!({"user_code": device["user_code"], "user": user})).await.status, 204);
    assert_eq!(send(run.control("GET", "/device-codes")).await.json(), json!([]));
}
