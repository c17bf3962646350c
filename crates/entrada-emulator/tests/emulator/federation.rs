//! Tokens of other issuers in place of a secret: GitHub Actions, Azure Pipelines, managed identities, and issuers of
//! one's own.

use crate::app_proof::{Proof, now, refusal, show, unsigned};
use crate::support::{Run, claims, header, send, start, start_with, variable};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entrada_emulator::{AssertionError, AssertionWish, Config, Host, world};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::{Value, json};

/// Asks GitHub for a token as a job does.
fn ask_github(run: &Run, audience: &str, token: &str) -> reqwest::RequestBuilder {
    let url = variable(&run.emulator, Host::GitHubActions, "ACTIONS_ID_TOKEN_REQUEST_URL");
    run.laptop.get(format!("{url}{audience}")).bearer_auth(token)
}

fn github_token(run: &Run) -> String {
    variable(&run.emulator, Host::GitHubActions, "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
}

#[tokio::test]
async fn a_job_of_github_actions_signs_in() {
    let run = start().await;
    let audience = format!("&audience={}", world::EXCHANGE_AUDIENCE);
    let body = send(ask_github(&run, &audience, &github_token(&run))).await.json();
    let token = body["value"].as_str().expect("a token");
    assert_eq!(body["count"], token.len());
    let shown = claims(token);
    for (name, value) in [
        ("iss", world::GITHUB_ISSUER),
        ("sub", world::GITHUB_SUBJECT),
        ("aud", world::EXCHANGE_AUDIENCE),
        ("repository", "contoso/orders"),
        ("repository_owner", "contoso"),
        ("ref", "refs/heads/main"),
    ] {
        assert_eq!(shown[name], value, "{name}");
    }
    assert_eq!(shown["exp"].as_i64().expect("exp") - shown["iat"].as_i64().expect("iat"), 300);
    let client_id = variable(&run.emulator, Host::GitHubActions, "AZURE_CLIENT_ID");
    assert_eq!(variable(&run.emulator, Host::GitHubActions, "AZURE_TENANT_ID"), world::TENANT_ID);
    let answer = show(&run, &client_id, token).await;
    let access = answer.json()["access_token"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned();
    assert_eq!((&claims(&access)["oid"], &claims(&access)["appidacr"]), (&world::APP_OBJECT_ID.into(), &"2".into()));

    // Another token each time, and for whoever its audience is.
    let again = send(ask_github(&run, &audience, &github_token(&run))).await.json();
    assert_ne!(again["value"], body["value"]);
    let other = send(ask_github(&run, "", &github_token(&run))).await.json();
    let other = other["value"].as_str().expect("a token").to_owned();
    assert_eq!(claims(&other)["aud"], "https://github.com/contoso");
    assert_eq!(refusal(&show(&run, &client_id, &other).await).0, 700_212);
}

#[tokio::test]
async fn github_refuses_who_is_not_the_job() {
    let run = start().await;
    let status = |request: reqwest::RequestBuilder| async move { send(request).await.status };
    assert_eq!(status(ask_github(&run, "&audience=a", "guess")).await, 401);
    let last = run.emulator.journal().entries().pop().expect("an entry");
    assert!(last.refused() && last.note.expect("a note").contains("ACTIONS_ID_TOKEN_REQUEST_TOKEN"));
    let url = variable(&run.emulator, Host::GitHubActions, "ACTIONS_ID_TOKEN_REQUEST_URL");
    assert_eq!(status(run.laptop.get(&url)).await, 401, "without a token");
    assert_eq!(status(run.laptop.post(&url).bearer_auth(github_token(&run))).await, 405);
    assert_eq!(status(ask_github(&run, "&audience=", &github_token(&run))).await, 400);
    let elsewhere = url.replace("idtoken", "other");
    assert_eq!(status(run.laptop.get(elsewhere).bearer_auth(github_token(&run))).await, 404);
    let journal = serde_json::to_string(&run.emulator.journal().entries()).expect("JSON");
    assert!(!journal.contains(&github_token(&run)));
}

#[tokio::test]
async fn an_environment_is_another_subject() {
    let text = "[github]\nrepository = \"contoso/shop\"\nenvironment = \"production\"\n";
    let run = start_with(Config::from_toml(text).expect("valid")).await;
    let body = send(ask_github(&run, "&audience=api://AzureADTokenExchange", &github_token(&run))).await.json();
    let token = body["value"].as_str().expect("a token");
    assert_eq!(claims(token)["sub"], "repo:contoso/shop:environment:production");
    let (code, text) = refusal(&show(&run, world::APP_CLIENT_ID, token).await);
    assert_eq!(code, 700_213);
    assert!(text.contains("assertion subject 'repo:contoso/shop:environment:production'"), "{text}");
}

fn ask_pipelines(run: &Run, query: &str, token: &str) -> reqwest::RequestBuilder {
    let url = variable(&run.emulator, Host::AzurePipelines, "SYSTEM_OIDCREQUESTURI");
    run.laptop.post(format!("{url}{query}")).header("content-type", "application/json").bearer_auth(token)
}

#[tokio::test]
async fn a_job_of_azure_pipelines_signs_in() {
    let run = start().await;
    let of_job = |name: &str| variable(&run.emulator, Host::AzurePipelines, name);
    let query = format!("?api-version=7.1&serviceConnectionId={}", of_job("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"));
    let answer = send(ask_pipelines(&run, &query, &of_job("SYSTEM_ACCESSTOKEN"))).await;
    let token = answer.json()["oidcToken"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned();
    let shown = claims(&token);
    assert_eq!((&shown["iss"], &shown["sub"]), (&world::PIPELINES_ISSUER.into(), &world::PIPELINES_SUBJECT.into()));
    assert_eq!(of_job("AZURESUBSCRIPTION_TENANT_ID"), world::TENANT_ID);
    assert_eq!(show(&run, &of_job("AZURESUBSCRIPTION_CLIENT_ID"), &token).await.status, 200);

    for (query, status, words) in [
        ("?serviceConnectionId=x", 400, "No api-version was supplied"),
        ("?api-version=99.0&serviceConnectionId=x", 400, "out of range"),
        ("?api-version=7.1&serviceConnectionId=x", 404, "No service connection found with identifier x."),
        ("?api-version=7.1", 404, "No service connection found"),
    ] {
        let answer = send(ask_pipelines(&run, query, &of_job("SYSTEM_ACCESSTOKEN"))).await;
        assert!(answer.status == status && answer.text.contains(words), "{query}: {answer:?}");
    }
}

#[tokio::test]
async fn azure_devops_sends_strangers_to_its_sign_in_page() {
    let run = start().await;
    let authority = reqwest::Certificate::from_pem(run.emulator.authority_pem().as_bytes()).expect("certificate");
    let client = reqwest::Client::builder()
        .proxy(reqwest::Proxy::all(run.emulator.gateway_url()).expect("proxy"))
        .tls_certs_only([authority])
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("client");
    let url = variable(&run.emulator, Host::AzurePipelines, "SYSTEM_OIDCREQUESTURI");
    let ask = || client.post(format!("{url}?api-version=7.1")).bearer_auth("guess");
    let answer = send(ask()).await;
    assert_eq!((answer.status, answer.header("content-type")), (302, "text/html; charset=utf-8"));
    assert!(answer.header("location").contains("_signin"));
    assert_eq!(send(ask().header("X-TFS-FedAuthRedirect", "Suppress")).await.status, 401);
}

async fn vm_token(run: &Run, resource: &str, client_id: &str) -> Value {
    let url = format!(
        "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource={resource}&client_id={client_id}"
    );
    send(run.machine.get(url).header("metadata", "true")).await.json()
}

#[tokio::test]
async fn an_app_trusts_a_managed_identity() {
    let run = start().await;
    let body = vm_token(&run, world::EXCHANGE_AUDIENCE, world::USER_ASSIGNED_CLIENT_ID).await;
    let assertion = body["access_token"].as_str().unwrap_or_else(|| panic!("{body}"));
    let shown = claims(assertion);
    assert_eq!((&shown["iss"], &shown["sub"]), (&world::TENANT_ISSUER.into(), &world::USER_ASSIGNED_OBJECT_ID.into()));
    assert_eq!((&shown["ver"], &shown["aud"]), (&"2.0".into(), &"fb60f99c-7a34-4190-8149-302f77469936".into()));
    let answer = show(&run, world::APP_CLIENT_ID, assertion).await;
    let token = answer.json()["access_token"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned();
    assert_eq!(claims(&token)["oid"], world::APP_OBJECT_ID);

    // The app is in another tenant, too, and the identity need not be.
    let path = format!("{}/oauth2/v2.0/token", world::FABRIKAM_TENANT_ID);
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", world::APP_CLIENT_ID),
        ("client_assertion_type", crate::app_proof::ASSERTION_TYPE),
        ("client_assertion", assertion),
        ("scope", "https://vault.azure.net/.default"),
    ];
    let body = run.post(&path, &fields).await.json();
    let token = body["access_token"].as_str().unwrap_or_else(|| panic!("{body}"));
    assert_eq!(claims(token)["oid"], world::FABRIKAM_APP_OBJECT_ID);

    let other = vm_token(&run, world::EXCHANGE_AUDIENCE, world::SECOND_USER_ASSIGNED_CLIENT_ID).await;
    let other = other["access_token"].as_str().expect("a token");
    assert_eq!(refusal(&show(&run, world::APP_CLIENT_ID, other).await).0, 700_213);
    let elsewhere = vm_token(&run, "https://vault.azure.net", world::USER_ASSIGNED_CLIENT_ID).await;
    let elsewhere = elsewhere["access_token"].as_str().expect("a token");
    assert_eq!(refusal(&show(&run, world::APP_CLIENT_ID, elsewhere).await).0, 700_211, "of the other issuer");
    // An app's own token is no proof for another app.
    let of_app = run.app_token(world::EXCHANGE_AUDIENCE).await;
    assert_eq!(refusal(&show(&run, world::APP_CLIENT_ID, &of_app).await).0, 700_222);
    let mut forged = assertion.to_owned();
    forged.truncate(forged.len() - 4);
    forged.push_str("AAAA");
    assert_eq!(refusal(&show(&run, world::APP_CLIENT_ID, &forged).await).0, 700_027);
}

#[tokio::test]
async fn sovereign_clouds_have_an_audience_of_their_own() {
    let text = format!(
        r#"
        inside.virtual_machine = "federal-vm"
        [[identities]]
        name = "federal-identity"
        client_id = "c1000000-0000-4000-8000-000000000071"
        object_id = "0b000000-0000-4000-8000-000000000071"
        subscription = "{subscription}"
        resource_group = "federal-rg"
        [[virtual_machines]]
        name = "federal-vm"
        subscription = "{subscription}"
        resource_group = "federal-rg"
        user_assigned = ["federal-identity"]
        [[apps]]
        client_id = "{app}"
        name = "orders-ci"
        service_principals = [{{ tenant = "{tenant}", object_id = "{object}" }}]
        [[apps.federated_credentials]]
        issuer = "https://login.microsoftonline.us/{tenant}/v2.0"
        subject = "0b000000-0000-4000-8000-000000000071"
        audiences = ["api://AzureADTokenExchangeUSGov"]
        "#,
        subscription = world::US_SUBSCRIPTION_ID,
        tenant = world::US_TENANT_ID,
        app = world::APP_CLIENT_ID,
        object = world::US_APP_OBJECT_ID,
    );
    let run = start_with(Config::from_toml(&text).expect("valid")).await;
    let client_id = "c1000000-0000-4000-8000-000000000071";
    let refused = vm_token(&run, world::EXCHANGE_AUDIENCE, client_id).await;
    assert!(refused["access_token"].is_null(), "{refused}");
    let body = vm_token(&run, "api://AzureADTokenExchangeUSGov", client_id).await;
    let assertion = body["access_token"].as_str().unwrap_or_else(|| panic!("{body}"));
    let answer = send(run.post_to(
        "https://login.microsoftonline.us",
        &format!("{}/oauth2/v2.0/token", world::US_TENANT_ID),
        &[
            ("grant_type", "client_credentials"),
            ("client_id", world::APP_CLIENT_ID),
            ("client_assertion_type", crate::app_proof::ASSERTION_TYPE),
            ("client_assertion", assertion),
            ("scope", "https://vault.usgovcloudapi.net/.default"),
        ],
    ))
    .await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn what_an_issuer_publishes_verifies_its_tokens() {
    let run = start().await;
    for issuer in [world::GITHUB_ISSUER, world::PIPELINES_ISSUER, world::CLUSTER_ISSUER] {
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let configuration = send(run.laptop.get(url)).await.json();
        assert_eq!(configuration["issuer"], issuer);
        let keys = send(run.laptop.get(configuration["jwks_uri"].as_str().expect("a URL"))).await.json();
        let wish = AssertionWish { issuer: issuer.into(), subject: "s".into(), ..AssertionWish::default() };
        let token = run.emulator.issue_assertion(&wish).expect("signed");
        assert_eq!(keys["keys"][0]["kid"], header(&token)["kid"]);
        let part = |name: &str| URL_SAFE_NO_PAD.decode(keys["keys"][0][name].as_str().expect(name)).expect(name);
        let (signed, signature) = token.rsplit_once('.').expect("a JWT");
        RsaPublicKeyComponents { n: part("n"), e: part("e") }
            .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).expect("base64"))
            .expect("verified");
    }
    let unknown = send(run.laptop.get(format!("{}/nothing", world::GITHUB_ISSUER))).await;
    assert_eq!(unknown.status, 404);
}

#[tokio::test]
async fn every_part_of_an_assertion_is_checked() {
    let run = start().await;
    let good = AssertionWish {
        issuer: world::GITHUB_ISSUER.into(),
        subject: world::GITHUB_SUBJECT.into(),
        ..AssertionWish::default()
    };
    let sign = |wish: &AssertionWish| run.emulator.issue_assertion(wish).expect("signed");
    assert_eq!(show(&run, world::APP_CLIENT_ID, &sign(&good)).await.status, 200);
    let pipelines = AssertionWish { issuer: world::PIPELINES_ISSUER.into(), ..good.clone() };
    // Signed by one issuer in the name of another.
    let in_its_name = AssertionWish {
        claims: json!({"iss": world::GITHUB_ISSUER}).as_object().expect("an object").clone(),
        ..pipelines.clone()
    };
    let shown = claims(&sign(&good));
    let none = format!("{}.", unsigned(&json!({"alg": "none"}), &shown));
    for (assertion, status, code) in [
        (sign(&pipelines), 401, 700_213),
        (sign(&AssertionWish { subject: world::GITHUB_SUBJECT.to_uppercase(), ..good.clone() }), 401, 700_213),
        (sign(&AssertionWish { audience: Some("api://other".into()), ..good.clone() }), 401, 700_212),
        (sign(&AssertionWish { expires_in: Some(-1), ..good.clone() }), 401, 700_024),
        (sign(&AssertionWish { valid_in: Some(900), ..good.clone() }), 401, 700_024),
        (sign(&in_its_name), 401, 700_027),
        (none, 400, 5_002_738),
        (Proof::of(&run).sign(&json!({"alg": "PS256", "kid": "x"}), &shown), 400, 5_002_738),
        (Proof::of(&run).sign(&json!({"alg": "RS256", "kid": "x"}), &shown), 401, 700_027),
    ] {
        let answer = show(&run, world::APP_CLIENT_ID, &assertion).await;
        let (found, text) = refusal(&answer);
        assert_eq!((answer.status, found), (status, code), "{text}");
    }
    // Clocks may be behind by five minutes.
    let soon = AssertionWish { valid_in: Some(200), ..good.clone() };
    assert_eq!(show(&run, world::APP_CLIENT_ID, &sign(&soon)).await.status, 200);

    let wish = json!({"issuer": world::GITHUB_ISSUER, "subject": world::GITHUB_SUBJECT});
    let answer = send(run.control("POST", "/assertions").body(wish.to_string())).await.json();
    let assertion = answer["assertion"].as_str().expect("a token");
    assert_eq!(show(&run, world::APP_CLIENT_ID, assertion).await.status, 200);
    let unknown = AssertionWish { issuer: "https://elsewhere.example".into(), ..good };
    let error = run.emulator.issue_assertion(&unknown).expect_err("unknown");
    assert!(matches!(&error, AssertionError::UnknownIssuer { known, .. } if known.contains(world::GITHUB_ISSUER)));
}

#[tokio::test]
async fn issuers_of_ones_own_sign_for_themselves_or_are_signed_for() {
    let proof = Proof::of(&start().await);
    let parsed = proof.pair();
    let jwk = public_jwk(&parsed);
    let text = format!(
        r#"
        [[issuers]]
        url = "https://spiffe.contoso.example"
        jwks = '{}'
        [[issuers]]
        url = "https://gitlab.contoso.example/"
        [[apps]]
        client_id = "{}"
        name = "newcomer"
        service_principals = [{{ tenant = "{}", object_id = "{}" }}]
        federated_credentials = [
            {{ issuer = "https://spiffe.contoso.example", subject = "spiffe://contoso/orders" }},
            {{ issuer = "https://gitlab.contoso.example/", subject = "project:1" }},
            {{ issuer = "https://unknown.contoso.example", subject = "x" }},
        ]
        "#,
        json!({"keys": [jwk]}),
        world::NEWCOMER_CLIENT_ID,
        world::TENANT_ID,
        world::NEWCOMER_OBJECT_ID,
    );
    let run = start_with(Config::from_toml(&text).expect("valid")).await;
    let claims = |issuer: &str, subject: &str| json!({"iss": issuer, "sub": subject, "aud": world::EXCHANGE_AUDIENCE, "exp": now() + 60});
    let of_spiffe = claims("https://spiffe.contoso.example", "spiffe://contoso/orders");
    for (header, status) in [
        (json!({"alg": "RS256", "kid": "one"}), 200),
        (json!({"alg": "RS256"}), 200),
        (json!({"alg": "RS256", "kid": "two"}), 401),
    ] {
        let answer = show(&run, world::NEWCOMER_CLIENT_ID, &proof.sign(&header, &of_spiffe)).await;
        assert_eq!(answer.status, status, "{header}: {answer:?}");
    }
    let unknown = proof.sign(&json!({"alg": "RS256"}), &claims("https://unknown.contoso.example", "x"));
    assert_eq!(refusal(&show(&run, world::NEWCOMER_CLIENT_ID, &unknown).await).0, 50_166);
    let wish = AssertionWish {
        issuer: "https://gitlab.contoso.example/".into(),
        subject: "project:1".into(),
        ..AssertionWish::default()
    };
    let assertion = run.emulator.issue_assertion(&wish).expect("signed");
    assert_eq!(show(&run, world::NEWCOMER_CLIENT_ID, &assertion).await.status, 200);
    let keys = send(run.laptop.get("https://spiffe.contoso.example/.well-known/jwks")).await.json();
    assert_eq!(keys["keys"][0]["kid"], "one");

    let message = Config::from_toml("[github]\nrepository = \"orders\"\n").expect_err("not valid").to_string();
    assert!(message.contains("OWNER/NAME"), "{message}");
    for (entry, words) in [
        ("url = \"http://a.example\"", "https://"),
        ("url = \"https://token.actions.githubusercontent.com\"", "twice"),
        ("url = \"https://a.example\"\njwks = \"{}\"", "no list `keys`"),
        ("url = \"https://a.example\"\njwks = '{\"keys\": [{\"kty\": \"EC\"}]}'", "RSA"),
        ("url = \"https://a.example\"\njwks_file = \"/nonexistent.json\"", "cannot read"),
    ] {
        let message = Config::from_toml(&format!("[[issuers]]\n{entry}\n")).expect_err("not valid").to_string();
        assert!(message.contains(words), "{message}");
    }
}

/// The public half of an RSA key as a JWK.
fn public_jwk(pair: &rcgen::KeyPair) -> Value {
    let key = ring::signature::RsaKeyPair::from_pkcs8(pair.serialized_der()).expect("a key");
    let public = RsaPublicKeyComponents::<Vec<u8>>::from(key.public());
    json!({"kty": "RSA", "kid": "one", "n": URL_SAFE_NO_PAD.encode(public.n), "e": URL_SAFE_NO_PAD.encode(public.e)})
}
