//! What others got wrong, shown by running them, and must not go wrong here: the defects of azure_identity 1.0 for Rust.
//!
//! Time is a clock that these tests set, and servers are closures.

#[path = "peer_defects/machine.rs"]
mod machine;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::TokenCredential;
use azure_core::http::{AsyncRawResponse, ClientOptions, HttpClient, Request, RetryOptions, StatusCode, Transport};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use entrada::{
    AzureCliCredential, AzureCliCredentialOptions, Cache, ChainedTokenCredential, ClientCertificateCredential,
    ClientCertificateCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions, Credential,
    EntraOptions, ManagedIdentityCredential, ManagedIdentityCredentialOptions, Token, TokenRequest,
    WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};
use futures::future::join_all;
use machine::{Gate, Machine, answer, token};
use sha2::{Digest, Sha256};

const VAULT: &str = "https://vault.azure.net/.default";
const STORAGE: &str = "https://storage.azure.com/.default";

fn app(machine: &Machine) -> Arc<ClientSecretCredential> {
    let entra = EntraOptions {
        cache: Some(machine.cache.clone()),
        platform: Some(machine.platform.clone()),
        ..Default::default()
    };
    let options = ClientSecretCredentialOptions { entra };
    ClientSecretCredential::new("contoso.com", "c-1".into(), "s~3cret".into(), Some(options)).expect("valid")
}

fn host(machine: &Machine) -> Arc<ManagedIdentityCredential> {
    ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
        cache: Some(Cache::new(Default::default())),
        platform: Some(machine.platform.clone()),
        ..Default::default()
    }))
    .expect("valid")
}

async fn get(credential: &dyn Credential, scope: &str) -> Result<Arc<Token>, entrada::Error> {
    credential.token(&TokenRequest::new([scope])).await
}

async fn refused(machine: &Machine) -> String {
    get(&*app(machine), VAULT).await.expect_err("refused").to_string()
}

#[tokio::test]
async fn defect_01_entras_words_survive_escapes_in_json() {
    let body = r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid \"client\" secret of app \u0027orders\u0027.\r\nTrace ID: t-1\r\nCorrelation ID: c-1\r\nTimestamp: 2026-11-24 01:02:03Z","error_codes":[7000215]}"#;
    let error = refused(&Machine::answering(move |_| answer(401, body))).await;
    assert!(error.contains("HTTP 401") && error.contains(r#"Invalid "client" secret of app 'orders'."#), "{error}");
    assert!(error.contains("AADSTS7000215") && error.contains("trace id t-1"), "{error}");
}

#[tokio::test]
async fn defect_02_an_answer_that_is_not_entras_keeps_its_status() {
    for body in ["<html>Bad gateway</html>", "", "{}"] {
        let error = refused(&Machine::answering(move |_| answer(502, body))).await;
        assert!(error.contains("HTTP 502") && error.contains("not available"), "{error}");
    }
}

#[tokio::test]
async fn defect_03_an_answer_without_a_token_is_an_error() {
    for body in ["{}", r#"{"access_token":"","expires_in":3600}"#, r#"{"expires_in":3600}"#] {
        let error = refused(&Machine::answering(move |_| answer(200, body))).await;
        assert!(error.contains("no access_token"), "{error}");
    }
    let machine = Machine::answering(|_| answer(200, r#"{"access_token":"t-1","expires_in":"3599"}"#));
    assert_eq!(get(&*app(&machine), VAULT).await.expect("a number as text").secret(), "t-1");
}

#[tokio::test]
async fn defect_04_a_slow_scope_holds_up_nobody_else() {
    let gate = Gate::default();
    let machine = Machine::answering(|body| token(if body.contains("vault") { "t-vault" } else { "t-storage" }, 3600))
        .slow(gate.clone(), "storage");
    let credential = app(&machine);
    get(&*credential, VAULT).await.expect("cached now");
    let slow = tokio::spawn({
        let credential = credential.clone();
        async move { get(&*credential, STORAGE).await.map(|token| token.secret().to_owned()) }
    });
    gate.reached().await;
    assert_eq!(get(&*credential, VAULT).await.expect("at once").secret(), "t-vault");
    assert_eq!(machine.requests(), 2);
    gate.open();
    assert_eq!(slow.await.expect("no panic").expect("a token"), "t-storage");
}

#[tokio::test]
async fn defect_05_a_valid_token_outlives_a_refresh_that_fails() {
    let machine = Machine::answering(|_| token("t-1", 3600));
    let credential = app(&machine);
    get(&*credential, VAULT).await.expect("a token");
    machine.answer_from_now_on(|_| answer(503, "{}"));
    machine.clock.advance(Duration::from_secs(3600 - 240));
    assert_eq!(get(&*credential, VAULT).await.expect("four minutes are left").secret(), "t-1");
    machine.clock.advance(Duration::from_secs(210));
    assert_eq!(get(&*credential, VAULT).await.expect("half a minute is left").secret(), "t-1");
    machine.clock.advance(Duration::from_secs(30));
    get(&*credential, VAULT).await.expect_err("it has expired");
}

#[tokio::test]
async fn defect_06_short_lives_and_the_order_of_scopes_cost_no_requests() {
    let machine = Machine::answering(|_| token("t-1", 300));
    let credential = app(&machine);
    for _ in 0..10 {
        get(&*credential, VAULT).await.expect("a token");
    }
    assert_eq!(machine.requests(), 1);
    for scopes in
        [["https://a.test/.default", "https://b.test/.default"], ["https://b.test/.default", "https://a.test/.default"]]
    {
        credential.token(&TokenRequest::new(scopes)).await.expect("a token");
    }
    assert_eq!(machine.requests(), 2);
}

#[tokio::test]
async fn defect_07_a_failure_is_shared_by_all_who_waited_for_it() {
    let gate = Gate::default();
    let refusal = r#"{"error":"invalid_client","error_description":"AADSTS7000215: no","error_codes":[7000215]}"#;
    let machine = Machine::answering(move |_| answer(401, refusal)).slow(gate.clone(), "");
    let credential = app(&machine);
    let mut callers: Vec<_> = (0..20).map(|_| Box::pin(get(&*credential, VAULT))).collect();
    for caller in &mut callers {
        assert!(futures::poll!(caller).is_pending(), "it waits");
    }
    gate.open();
    let outcomes = join_all(callers).await;
    assert!(outcomes.iter().all(Result::is_err));
    assert_eq!(machine.requests(), 1);
}

#[tokio::test]
async fn defect_08_a_server_cannot_keep_a_caller_for_an_hour() {
    let machine = Machine::answering(|_| {
        let mut later = answer(503, "{}");
        later.headers.insert("retry-after", http::HeaderValue::from_static("3600"));
        later
    });
    let began = machine.clock.now();
    refused(&machine).await;
    assert!(machine.clock.now() - began < Duration::from_secs(60), "on the clock of the test");
}

#[tokio::test]
async fn defect_09_a_chain_is_der_and_a_thumbprint_is_for_urls() {
    let key = rcgen::KeyPair::generate().expect("a key");
    let certificate = rcgen::CertificateParams::new(Vec::new()).and_then(|parameters| parameters.self_signed(&key));
    let certificate = certificate.expect("a certificate");
    let machine = Machine::answering(|_| token("t-1", 3600));
    let options = ClientCertificateCredentialOptions {
        entra: EntraOptions {
            cache: Some(machine.cache.clone()),
            platform: Some(machine.platform.clone()),
            ..Default::default()
        },
        send_certificate_chain: true,
        ..Default::default()
    };
    let new = |client_id: &str, options| {
        let pem = format!("{}{}", key.serialize_pem(), certificate.pem());
        ClientCertificateCredential::new("contoso.com", client_id.into(), pem.into_bytes().into(), options)
    };
    new("c\"1", None).expect_err("a quote would break out of the JSON");
    get(&*new("c-1", Some(options)).expect("valid"), VAULT).await.expect("a token");
    let form: HashMap<_, _> = url::form_urlencoded::parse(machine.last_body().as_bytes()).into_owned().collect();
    let header = form["client_assertion"].split('.').next().expect("a header");
    let header = URL_SAFE_NO_PAD.decode(header).expect("base64url without padding");
    let header: serde_json::Value = serde_json::from_slice(&header).expect("JSON");
    let leaf = STANDARD.decode(header["x5c"][0].as_str().expect("a chain")).expect("base64");
    assert_eq!(leaf, certificate.der().as_ref());
    let thumbprint = URL_SAFE_NO_PAD.decode(header["x5t#S256"].as_str().expect("a thumbprint")).expect("base64url");
    assert_eq!(thumbprint, Sha256::digest(certificate.der()).as_slice());
}

#[tokio::test]
async fn defect_10_a_host_may_write_numbers_and_leave_out_what_nobody_needs() {
    let expires = machine::NOW + 3600;
    let machine =
        Machine::answering(move |_| answer(200, &format!(r#"{{"access_token":"t-1","expires_on":{expires}}}"#)));
    assert_eq!(get(&*host(&machine), VAULT).await.expect("a token").secret(), "t-1");
    let body = r#"{"error":"invalid_resource","error_description":"AADSTS500011: the resource is unheard of"}"#;
    let error = get(&*host(&Machine::answering(move |_| answer(400, body))), VAULT).await.expect_err("refused");
    assert!(error.to_string().contains("the resource is unheard of"), "{error}");
}

/// A transport of a user's own, which counts.
#[derive(Debug, Default)]
struct Failing(std::sync::atomic::AtomicUsize);

#[async_trait]
impl HttpClient for Failing {
    async fn execute_request(&self, _request: &Request) -> azure_core::Result<AsyncRawResponse> {
        self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Ok(AsyncRawResponse::from_bytes(StatusCode::InternalServerError, Default::default(), b"{}".to_vec()))
    }
}

#[tokio::test]
async fn defect_11_a_users_retries_are_a_users() {
    let transport = Arc::new(Failing::default());
    let client_options = ClientOptions {
        retry: RetryOptions::none(),
        transport: Some(Transport::new(transport.clone())),
        ..Default::default()
    };
    let credential = ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
        cache: Some(Cache::new(Default::default())),
        client_options: Some(client_options),
        platform: Some(Machine::answering(|_| answer(500, "{}")).platform),
        ..Default::default()
    }))
    .expect("valid");
    get(&*credential, VAULT).await.expect_err("refused");
    assert_eq!(transport.0.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test]
async fn defect_12_a_credential_for_each_request_costs_one_token() {
    let machine = Machine::answering(|_| token("t-1", 3600));
    for _ in 0..100 {
        let credential: Arc<dyn TokenCredential> = app(&machine);
        assert_eq!(credential.get_token(&[VAULT], None).await.expect("a token").token.secret(), "t-1");
    }
    assert_eq!(machine.requests(), 1);
}

#[tokio::test]
async fn defect_13_a_tool_has_a_deadline_and_no_scope_is_dropped() {
    let machine = Machine::answering(|_| answer(500, "{}")).with_program("/usr/bin/az");
    let credential = AzureCliCredential::new(Some(AzureCliCredentialOptions {
        cache: Some(Cache::new(Default::default())),
        platform: Some(machine.platform.clone()),
        ..Default::default()
    }))
    .expect("valid");
    let error = get(&*credential, VAULT).await.expect_err("it hangs").to_string();
    assert!(error.contains("did not answer within 10 s"), "{error}");
    let both = credential.token(&TokenRequest::new([VAULT, STORAGE])).await.expect_err("two resources");
    assert!(both.to_string().contains("exactly one scope"), "{both}");
}

#[tokio::test]
async fn defect_14_a_rotated_token_file_is_read_again_and_trimmed() {
    let machine = Machine::answering(|_| token("t-1", 300));
    let credential = WorkloadIdentityCredential::new(Some(WorkloadIdentityCredentialOptions {
        tenant_id: Some("contoso.com".into()),
        client_id: Some("c-1".into()),
        token_file_path: Some("/token".into()),
        entra: EntraOptions {
            cache: Some(Cache::new(Default::default())),
            platform: Some(machine.platform.clone()),
            ..Default::default()
        },
        ..Default::default()
    }))
    .expect("valid");
    for assertion in ["eyJh.one.s", "eyJh.two.s"] {
        machine.put_file("/token", &format!("{assertion}\n"));
        get(&*credential, VAULT).await.expect("a token");
        let shown = machine.last_body();
        assert!(shown.contains(&format!("client_assertion={assertion}&")), "{shown}");
        // Long before the ten minutes that the peer keeps the file for.
        machine.clock.advance(Duration::from_secs(300));
    }
}

#[test]
fn defect_15_a_chain_of_nobody_is_an_error() {
    let error = ChainedTokenCredential::new(Vec::new()).expect_err("nobody is in it");
    assert!(error.is_invalid_argument(), "{error}");
}

/// Event Hubs asks again six minutes before the end of a token, and gives the link up where the new one is not newer.
#[tokio::test]
async fn a_token_is_new_six_minutes_before_the_end_of_the_old_one() {
    let machine = Machine::answering(|_| token("t-1", 3600));
    let credential = app(&machine);
    get(&*credential, VAULT).await.expect("a token");
    machine.answer_from_now_on(|_| token("t-2", 3600));
    machine.clock.advance(Duration::from_secs(3600 - 9 * 60));
    // Whoever asks now gets the old one at once, while the new one is fetched.
    get(&*credential, VAULT).await.expect("a token");
    machine.answered(2).await;
    machine.clock.advance(Duration::from_secs(3 * 60 - 5));
    let newer = async {
        loop {
            let token = get(&*credential, VAULT).await.expect("a token");
            if token.secret() == "t-2" {
                return token;
            }
            tokio::task::yield_now().await;
        }
    };
    let token = tokio::time::timeout(Duration::from_secs(30), newer).await.expect("it is there");
    assert!(token.expires_on() > machine::NOW + 3600);
}
