//! Kubernetes: a service-account token in place of a secret, at Entra's own endpoint and behind a cluster's proxy.

use crate::support::{Answer, Run, claims, form, header, peer_certificate, send, start, start_with, variable};
use entrada_emulator::{Config, Emulator, Host, Service, world};
use reqwest::{Certificate, Client};
use serde_json::json;

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn assertion(run: &Run) -> String {
    assertion_on(run, Host::Kubernetes)
}

fn assertion_on(run: &Run, host: Host) -> String {
    let file = variable(&run.emulator, host, "AZURE_FEDERATED_TOKEN_FILE");
    std::fs::read_to_string(file).expect("the token")
}

async fn exchange(run: &Run, client_id: &str, assertion: &str) -> Answer {
    run.post(
        &format!("{}/oauth2/v2.0/token", world::TENANT_ID),
        &[
            ("grant_type", "client_credentials"),
            ("client_id", client_id),
            ("client_assertion_type", TYPE),
            ("client_assertion", assertion),
            ("scope", "https://vault.azure.net/.default"),
        ],
    )
    .await
}

#[tokio::test]
async fn a_service_account_signs_in_as_the_identity_that_trusts_it() {
    let run = start().await;
    assert_eq!(variable(&run.emulator, Host::Kubernetes, "AZURE_CLIENT_ID"), world::USER_ASSIGNED_CLIENT_ID);
    assert_eq!(variable(&run.emulator, Host::Kubernetes, "AZURE_TENANT_ID"), world::TENANT_ID);
    let authority = variable(&run.emulator, Host::Kubernetes, "AZURE_AUTHORITY_HOST");
    assert_eq!(authority, "https://login.microsoftonline.com/");
    let assertion = assertion(&run);
    let shown = claims(&assertion);
    assert_eq!((&shown["iss"], &shown["sub"]), (&world::CLUSTER_ISSUER.into(), &world::SERVICE_ACCOUNT.into()));
    assert_eq!(shown["aud"], json!([world::EXCHANGE_AUDIENCE]));
    assert_eq!(shown["exp"].as_i64().expect("exp") - shown["iat"].as_i64().expect("iat"), 3_600);

    let body = exchange(&run, world::USER_ASSIGNED_CLIENT_ID, &assertion).await.json();
    let token = body["access_token"].as_str().expect("token");
    let claims = claims(token);
    assert_eq!((&claims["oid"], &claims["appidacr"]), (&world::USER_ASSIGNED_OBJECT_ID.into(), &"2".into()));
    assert_eq!(claims["xms_mirid"], world::USER_ASSIGNED_RESOURCE_ID);
    assert_ne!(header(token)["kid"], header(&assertion)["kid"]);
    let url = format!("{}/secrets/database-password?api-version=7.6", world::VAULT_URL);
    assert_eq!(send(run.call("GET", &url, token)).await.status, 200);
}

#[tokio::test]
async fn entra_says_what_does_not_match() {
    let run = start().await;
    let put = |wish: serde_json::Value| send(run.control("PUT", "/federated-token").body(wish.to_string()));
    for (wish, code, words) in [
        (json!({"issuer": "https://elsewhere.example/"}), 700_211, "assertion issuer 'https://elsewhere.example/'"),
        (json!({"subject": "system:serviceaccount:orders:other"}), 700_213, "assertion subject 'system:"),
        (json!({"subject": "system:serviceaccount:Orders:orders-sa"}), 700_213, "assertion subject 'system:"),
        (json!({"audience": "api://other"}), 700_212, "assertion audience 'api://other'"),
        (json!({"expires_in": -5}), 700_024, "Client assertion is not within its valid time range. Current time: "),
    ] {
        assert_eq!(put(wish.clone()).await.status, 204);
        let answer = exchange(&run, world::USER_ASSIGNED_CLIENT_ID, &assertion(&run)).await;
        let body = answer.json();
        assert_eq!((answer.status, &body["error"]), (401, &"invalid_client".into()), "{wish}: {body}");
        assert_eq!(body["error_codes"], json!([code]), "{wish}");
        assert!(body["error_description"].as_str().expect("text").contains(words), "{wish}: {body}");
    }
    let bad = put(json!({"expires": 5})).await;
    assert!(bad.status == 400 && bad.text.contains("expires_in"), "{bad:?}");
    run.emulator.rotate_federated_token(3_600).expect("written");
    let good = assertion(&run);
    assert_eq!(exchange(&run, world::USER_ASSIGNED_CLIENT_ID, &good).await.status, 200);

    for (client_id, assertion, status, code) in [
        (world::SECOND_USER_ASSIGNED_CLIENT_ID, good.as_str(), 400, 70_021),
        (world::APP_CLIENT_ID, &good, 401, 700_211),
        (world::ADMIN_CLIENT_ID, &good, 400, 70_021),
        (world::USER_ASSIGNED_CLIENT_ID, &format!("{}AAAA", &good[..good.len() - 4]), 401, 700_027),
        (world::USER_ASSIGNED_CLIENT_ID, "nonsense", 400, 50_027),
        ("c1000000-0000-4000-8000-000000000099", &good, 400, 700_016),
    ] {
        let answer = exchange(&run, client_id, assertion).await;
        assert_eq!((answer.status, &answer.json()["error_codes"][0]), (status, &code.into()), "{answer:?}");
    }
}

#[tokio::test]
async fn tokens_of_entra_are_no_assertions_and_assertions_no_tokens() {
    let run = start().await;
    let assertion = assertion(&run);
    let url = format!("{}/secrets/database-password?api-version=7.6", world::VAULT_URL);
    assert_eq!(send(run.call("GET", &url, &assertion)).await.status, 401);
    let token = run.app_token("https://vault.azure.net").await;
    let answer = exchange(&run, world::USER_ASSIGNED_CLIENT_ID, &token).await;
    assert_eq!(answer.json()["error_codes"], json!([700_222]));
}

#[tokio::test]
async fn an_app_can_trust_a_cluster_too() {
    let credential = format!("{{ issuer = \"{}\", subject = \"{}\" }}", world::CLUSTER_ISSUER, world::SERVICE_ACCOUNT);
    let text = format!(
        "[[apps]]\nclient_id = \"{}\"\nname = \"newcomer\"\nservice_principals = [{{ tenant = \"{}\", object_id = \"{}\" }}]\nfederated_credentials = [{credential}]\n",
        world::NEWCOMER_CLIENT_ID,
        world::TENANT_ID,
        world::NEWCOMER_OBJECT_ID,
    );
    let run = start_with(Config::from_toml(&text).expect("valid")).await;
    let body = exchange(&run, world::NEWCOMER_CLIENT_ID, &assertion(&run)).await.json();
    let claims = claims(body["access_token"].as_str().expect("token"));
    assert_eq!((&claims["oid"], &claims["appidacr"]), (&world::NEWCOMER_OBJECT_ID.into(), &"2".into()));
}

#[tokio::test]
async fn the_file_is_there_from_the_start_and_goes_when_told() {
    let run = start().await;
    let file = run.emulator.federated_token_file(Host::Kubernetes);
    assert!(!file.exists(), "nobody has asked for it");
    run.emulator.prepare(Host::Kubernetes).await.expect("written");
    let first = std::fs::read_to_string(&file).expect("the token");
    assert_eq!(assertion(&run), first, "asking for the variables does not change it");
    run.emulator.rotate_federated_token(60).expect("written");
    assert_ne!(assertion(&run), first);
    assert_eq!(send(run.control("DELETE", "/federated-token")).await.status, 204);
    let _ = run.emulator.environment(Host::Kubernetes);
    assert!(!file.exists());
    assert_eq!(send(run.control("PUT", "/federated-token").body("{}")).await.status, 204);
    assert!(file.exists());
}

fn through_binding(emulator: &Emulator) -> (Client, String) {
    let variable = |name: &str| variable(emulator, Host::KubernetesIdentityBinding, name);
    let proxy = url::Url::parse(&variable("AZURE_KUBERNETES_TOKEN_PROXY")).expect("a URL");
    let name = variable("AZURE_KUBERNETES_SNI_NAME");
    let authority = std::fs::read(variable("AZURE_KUBERNETES_CA_FILE")).expect("the authority");
    let port = proxy.port().expect("a port");
    let client = Client::builder()
        .no_proxy()
        .tls_certs_only([Certificate::from_pem(&authority).expect("PEM")])
        .resolve(&name, ([127, 0, 0, 1], port).into())
        .build()
        .expect("client");
    (client, format!("https://{name}:{port}{}", proxy.path()))
}

#[tokio::test]
async fn a_binding_is_asked_through_the_clusters_proxy() {
    let run = start().await;
    let (client, proxy) = through_binding(&run.emulator);
    let post = |path: &str, assertion: &str| {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", world::USER_ASSIGNED_CLIENT_ID),
            ("client_assertion_type", TYPE),
            ("client_assertion", assertion),
            ("scope", "https://vault.azure.net/.default"),
        ];
        let request = client.post(format!("{proxy}{path}"));
        send(request.header("content-type", "application/x-www-form-urlencoded").body(form(&fields)))
    };
    let path = format!("/{}/oauth2/v2.0/token", world::TENANT_ID);
    let for_proxy = assertion_on(&run, Host::KubernetesIdentityBinding);
    assert_eq!(claims(&for_proxy)["aud"], json!([world::BINDING_AUDIENCE]));
    let body = post(&path, &for_proxy).await.json();
    assert_eq!(claims(body["access_token"].as_str().expect("token"))["oid"], world::USER_ASSIGNED_OBJECT_ID);
    let entry = run.emulator.journal().entries().pop().expect("written down");
    assert_eq!((entry.service, entry.path), (Service::Entra, format!("/token-proxy{path}")));
    assert_eq!(post("/common/discovery/instance", &for_proxy).await.status, 404, "the token endpoint only");
    // What is for the proxy is not for Entra, nor the other way round.
    let at_entra = exchange(&run, world::USER_ASSIGNED_CLIENT_ID, &for_proxy).await;
    assert_eq!(at_entra.json()["error_codes"], json!([700_212]));
    assert_eq!(post(&path, &assertion(&run)).await.json()["error_codes"], json!([700_212]));
}

#[tokio::test]
async fn the_proxy_is_known_by_one_name_to_one_authority() {
    let run = start().await;
    let host = Host::KubernetesIdentityBinding;
    let name = variable(&run.emulator, host, "AZURE_KUBERNETES_SNI_NAME");
    let shown = peer_certificate(&run, host, &name).await.expect("its name");
    assert!(peer_certificate(&run, host, "localhost").await.is_err(), "another name");
    let authority = std::fs::read_to_string(variable(&run.emulator, host, "AZURE_KUBERNETES_CA_FILE")).expect("PEM");
    assert_ne!(authority, run.emulator.authority_pem());

    let rule = json!({"match": {"service": "entra"}, "other_certificate": true, "times": 2});
    run.emulator.faults().add(serde_json::from_value(rule).expect("a rule")).expect("valid");
    assert_ne!(peer_certificate(&run, host, &name).await.expect("another"), shown);
    let (client, proxy) = through_binding(&run.emulator);
    assert!(client.get(&proxy).send().await.is_err(), "not signed by the authority");
    assert_eq!(send(client.get(&proxy)).await.status, 404, "the rule is used up");
}
