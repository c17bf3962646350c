//! Continuous access evaluation: resource servers that demand more of a good token.

use crate::app_proof::now;
use crate::support::{ARM, Answer, Run, claims, send, start, start_with};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use entrada_emulator::{Challenge, Config, UserTokenWish, world};
use serde_json::{Value, json};

const CP1: &str = r#"{"access_token":{"xms_cc":{"values":["CP1"]}}}"#;

/// A resource to ask, with a request that is answered with 200.
struct Server {
    name: &'static str,
    resource: &'static str,
    url: String,
}

fn servers() -> [Server; 3] {
    [
        Server {
            name: "key-vault",
            resource: "https://vault.azure.net",
            url: format!("{}/secrets/database-password?api-version=7.6", world::VAULT_URL),
        },
        Server { name: "resource-manager", resource: ARM, url: format!("{ARM}/subscriptions?api-version=2022-12-01") },
        Server {
            name: "blob",
            resource: "https://storage.azure.com",
            url: format!("{}/orders?restype=container&comp=list", world::BLOB_URL),
        },
    ]
}

/// A token of the app `orders-ci`, with a parameter `claims`.
async fn app_token(run: &Run, resource: &str, claims: &str) -> Value {
    let scope = format!("{resource}/.default");
    let mut fields = vec![
        ("grant_type", "client_credentials"),
        ("client_id", world::APP_CLIENT_ID),
        ("client_secret", world::APP_SECRET),
        ("scope", scope.as_str()),
    ];
    if !claims.is_empty() {
        fields.push(("claims", claims));
    }
    run.post(&format!("{}/oauth2/v2.0/token", world::TENANT_ID), &fields).await.json()
}

fn text(body: &Value) -> &str {
    body["access_token"].as_str().unwrap_or_else(|| panic!("{body}"))
}

/// The claims that a challenge demands.
fn demanded(answer: &Answer) -> Value {
    let header = answer.header("www-authenticate");
    assert!(header.contains("error=\"insufficient_claims\""), "{answer:?}");
    let (_, rest) = header.split_once(" claims=\"").expect("claims");
    let (encoded, _) = rest.split_once('"').expect("an end");
    serde_json::from_slice(&STANDARD.decode(encoded).expect("base64")).expect("JSON")
}

/// Claims with the capability added, as clients send them.
fn with_capability(demanded: &Value) -> String {
    let mut claims = demanded.clone();
    claims["access_token"]["xms_cc"] = json!({"values": ["CP1"]});
    claims.to_string()
}

#[tokio::test]
async fn a_client_that_takes_challenges_gets_a_long_life() {
    let run = start().await;
    let able = app_token(&run, ARM, CP1).await;
    assert_eq!(able["expires_in"], 86_399);
    assert_eq!(claims(text(&able))["xms_cc"], json!(["CP1"]));
    let other = app_token(&run, ARM, "").await;
    assert_eq!(other["expires_in"], 3_599);
    assert!(claims(text(&other)).get("xms_cc").is_none());
    assert_eq!(app_token(&run, ARM, "[]").await["error_codes"], json!([9_002_313]));
}

#[tokio::test]
async fn each_server_demands_a_new_token_and_takes_it() {
    let run = start().await;
    for server in servers() {
        let old = app_token(&run, server.resource, CP1).await;
        let ask = |token: &str| send(run.call("GET", &server.url, token));
        assert_eq!(ask(text(&old)).await.status, 200, "{}", server.name);
        let challenge = json!({"service": server.name, "principal": world::APP_OBJECT_ID});
        assert_eq!(send(run.control("PUT", "/challenges").body(challenge.to_string())).await.status, 204);
        let answer = ask(text(&old)).await;
        assert_eq!(answer.status, 401, "{}", server.name);
        let demanded = demanded(&answer);
        let since = demanded["access_token"]["nbf"]["value"].as_str().expect("nbf").parse::<i64>().expect("a time");
        assert!((now() - since).abs() < 60);
        let last = run.emulator.journal().entries().pop().expect("an entry");
        assert!(last.refused() && last.note.expect("a note").starts_with("claims challenge"));
        assert_eq!(last.principal.expect("a principal").name, "orders-ci");

        // Without the demanded claims there is only another token of the old kind.
        let same = app_token(&run, server.resource, CP1).await;
        assert_eq!(ask(text(&same)).await.status, 401, "{}", server.name);
        let new = app_token(&run, server.resource, &with_capability(&demanded)).await;
        assert_eq!(ask(text(&new)).await.status, 200, "{}", server.name);
        // Others are not challenged.
        let admin = run.admin_token(server.resource).await;
        assert_ne!(ask(&admin).await.status, 401, "{}", server.name);
        assert_eq!(send(run.control("DELETE", "/challenges")).await.status, 204);
        assert_eq!(ask(text(&old)).await.status, 200, "{}", server.name);
    }
}

#[tokio::test]
async fn a_client_that_takes_none_is_turned_away_plainly() {
    let run = start().await;
    run.emulator.set_challenges(vec![Challenge::default()]).expect("valid");
    for server in servers() {
        let token = app_token(&run, server.resource, "").await;
        let answer = send(run.call("GET", &server.url, text(&token))).await;
        assert_eq!(answer.status, 401, "{}", server.name);
        assert!(!answer.header("www-authenticate").is_empty() && !answer.header("www-authenticate").contains("claims"));
        let last = run.emulator.journal().entries().pop().expect("an entry");
        assert!(last.note.expect("a note").contains("xms_cc"), "{}", server.name);
    }
}

#[tokio::test]
async fn an_authentication_context_is_demanded_and_given() {
    let claims_wanted = json!({"access_token": {"acrs": {"essential": true, "value": "c1"}}});
    let text_of =
        "[[challenges]]\nservice = \"key-vault\"\nclaims.access_token.acrs = { essential = true, value = \"c1\" }\n";
    let run = start_with(Config::from_toml(text_of).expect("valid")).await;
    let [vault, _, _] = servers();
    let ask = |token: &str| send(run.call("GET", &vault.url, token));
    let first = app_token(&run, vault.resource, CP1).await;
    let answer = ask(text(&first)).await;
    assert_eq!(demanded(&answer), claims_wanted);
    let second = app_token(&run, vault.resource, &with_capability(&claims_wanted)).await;
    assert_eq!(claims(text(&second))["acrs"], json!(["c1"]));
    assert_eq!(ask(text(&second)).await.status, 200);
    let address = json!({"access_token": {"xms_rp_ipaddr": {"value": "203.0.113.7"}}});
    let wish = json!({"claims": address});
    assert_eq!(send(run.control("PUT", "/challenges").body(wish.to_string())).await.status, 204);
    let third = app_token(&run, vault.resource, &with_capability(&demanded(&ask(text(&second)).await))).await;
    assert_eq!(ask(text(&third)).await.status, 200);
    for (body, words) in [
        (json!({"service": "imds"}), "key-vault"),
        (json!([{"claims": {"access_token": {"groups": {"value": "x"}}}}]), "groups"),
        (json!({"what": 1}), "what"),
    ] {
        let answer = send(run.control("PUT", "/challenges").body(body.to_string())).await;
        assert!(answer.status == 400 && answer.text.contains(words), "{body}: {answer:?}");
    }
    let listed = send(run.control("GET", "/challenges")).await.json();
    assert_eq!(listed[0]["claims"], address);
}

fn user_token(run: &Run, scope: &str, takes_challenges: bool) -> String {
    let wish = UserTokenWish { scope: scope.into(), takes_challenges, ..UserTokenWish::default() };
    run.emulator.issue_user_token(&wish).expect("a token")
}

#[tokio::test]
async fn a_users_revocation_reaches_the_servers() {
    let run = start().await;
    let api = format!("https://{}/", world::API_HOST);
    let graph = "https://graph.microsoft.com/v1.0/me".to_owned();
    let mut asked: Vec<(String, String)> =
        servers().into_iter().map(|server| (format!("{}/.default", server.resource), server.url)).collect();
    asked.push((format!("{}/.default", world::API_URI), api));
    asked.push(("https://graph.microsoft.com/.default".into(), graph));
    for (scope, url) in asked {
        let (able, unable) = (user_token(&run, &scope, true), user_token(&run, &scope, false));
        let ask = |token: &str| send(run.call("GET", &url, token));
        assert_eq!(ask(&able).await.status, 200, "{url}");
        run.emulator.revoke_sessions(world::USER_NAME).expect("known");
        let answer = ask(&able).await;
        assert_eq!(answer.status, 401, "{url}");
        assert!(demanded(&answer)["access_token"]["nbf"]["essential"].as_bool().expect("essential"), "{url}");
        assert_eq!(ask(&unable).await.status, 200, "it lives short instead: {url}");
        assert_eq!(ask(&user_token(&run, &scope, true)).await.status, 200, "who signs in again: {url}");
    }
}

#[tokio::test]
async fn a_vaults_challenge_names_its_tenant() {
    let run = start().await;
    let url = format!("{}/secrets/database-password?api-version=7.6", world::FABRIKAM_VAULT_URL);
    let names = |answer: &Answer, tenant: &str| answer.header("www-authenticate").contains(tenant);
    let first = send(run.laptop.get(&url)).await;
    assert!(first.status == 401 && names(&first, world::FABRIKAM_TENANT_ID), "{first:?}");
    let of_contoso = run.app_token("https://vault.azure.net").await;
    let second = send(run.call("GET", &url, &of_contoso)).await;
    assert!(second.status == 401 && names(&second, world::FABRIKAM_TENANT_ID), "{second:?}");
}

#[tokio::test]
async fn an_api_and_graph_know_their_callers() {
    let run = start().await;
    let url = format!("https://{}/whoami", world::API_HOST);
    let nobody = send(run.laptop.get(&url)).await;
    assert_eq!(nobody.status, 401);
    assert!(nobody.header("www-authenticate").contains(world::API_CLIENT_ID));
    let token = user_token(&run, &format!("{}/Orders.Read", world::API_URI), false);
    let body = send(run.call("GET", &url, &token)).await.json();
    assert_eq!((&body["name"], &body["client_id"]), (&world::USER_NAME.into(), &world::CLI_CLIENT_ID.into()));
    assert_eq!(body["scopes"], json!(["Orders.Read"]));
    let of_app = run.app_token(world::API_URI).await;
    let body = send(run.call("GET", &url, &of_app)).await.json();
    assert_eq!((&body["name"], &body["roles"]), (&"orders-ci".into(), &json!(["Orders.Read"])));
    let of_vault = run.app_token("https://vault.azure.net").await;
    assert_eq!(send(run.call("GET", &url, &of_vault)).await.status, 401);

    let me = "https://graph.microsoft.com/v1.0/me";
    let token = user_token(&run, "https://graph.microsoft.com/User.Read", false);
    let body = send(run.call("GET", me, &token)).await.json();
    assert_eq!((&body["userPrincipalName"], &body["id"]), (&world::USER_NAME.into(), &world::USER_OBJECT_ID.into()));
    assert_eq!(send(run.laptop.get(me)).await.json()["error"]["code"], "InvalidAuthenticationToken");
    let mail = user_token(&run, "https://graph.microsoft.com/Mail.Read", false);
    assert_eq!(send(run.call("GET", me, &mail)).await.status, 403);
    let of_app = run.app_token("https://graph.microsoft.com").await;
    assert_eq!(send(run.call("GET", me, &of_app)).await.status, 400);
    assert_eq!(send(run.call("GET", "https://graph.microsoft.com/v1.0/users", &token)).await.status, 501);
}
