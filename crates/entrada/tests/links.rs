//! What lies between a program and its host: an address that nobody answers at, a proxy of the cluster.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use entrada::platform::{Http, HttpClient, HttpError, HttpRequest, HttpResponse, Platform};
use entrada::{
    Cache, CacheLimits, Condition, Credential, DefaultAzureCredential, DefaultAzureCredentialOptions, Error,
    ManagedIdentityCredential, ManagedIdentityCredentialOptions, TokenRequest,
};
use entrada_emulator::{Config, Emulator, FaultRule, Host, Service};

const SCOPE: &str = "https://vault.azure.net/.default";

/// Leads requests for the metadata service's own address to the emulated one.
struct Redirected {
    client: HttpClient,
    to: url::Url,
}

#[async_trait]
impl Http for Redirected {
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        assert_eq!(request.url.host_str(), Some("169.254.169.254"));
        let mut url = request.url.clone();
        url.set_host(self.to.host_str()).expect("a host");
        url.set_port(self.to.port()).expect("a port");
        let mut redirected = HttpRequest::get(url, request.route, request.timeout);
        redirected.headers = request.headers.clone();
        self.client.send(&redirected).await
    }
}

/// The default chain on a machine without variables, whose metadata service is the emulated one.
async fn in_a_chain(emulator: &Emulator) -> Result<String, Error> {
    let nothing = || Arc::new(HashMap::from([("PATH".to_owned(), "/nonexistent".to_owned())]));
    let to = emulator.imds_url().parse().expect("a URL");
    let http = Redirected { client: HttpClient::new(nothing()), to };
    let credential = DefaultAzureCredential::new(Some(DefaultAzureCredentialOptions {
        platform: Some(Platform::with_environment(nothing()).with_http(Arc::new(http))),
        cache: Some(Cache::new(CacheLimits::default())),
        ..Default::default()
    }))
    .expect("valid");
    credential.token(&TokenRequest::new([SCOPE])).await.map(|token| token.secret().to_owned())
}

fn rule(text: &str) -> FaultRule {
    toml::from_str(text).expect("a rule")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_looks_for_the_metadata_service_and_then_asks_it() {
    let emulator = Emulator::start(Config::default()).await.expect("the emulator");
    in_a_chain(&emulator).await.expect("a token");
    let entries = emulator.journal().entries();
    let grants: Vec<_> = entries.iter().map(|entry| entry.grant.is_some()).collect();
    assert_eq!(grants, [false, true], "the look gets no token that would be thrown away");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_gives_up_on_a_socket_that_accepts_and_stays_silent() {
    let emulator = Emulator::start(Config::default()).await.expect("the emulator");
    emulator.faults().add(rule("match.service = \"imds\"\nhang = true")).expect("a rule");
    let error = tokio::time::timeout(Duration::from_secs(60), in_a_chain(&emulator)).await.expect("it ends");
    let error = error.expect_err("nobody answers");
    let step = &error.chain_attempts()[1];
    assert_eq!(step.credential, "ManagedIdentityCredential");
    assert_eq!(step.error.condition(), Some(Condition::NotThisHost));
    assert!(step.error.to_string().contains("no answer within 1 s"), "{}", step.error);
    assert_eq!(emulator.journal().entries().len(), 1, "one look");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_answers_in_the_place_of_the_metadata_service_is_not_it() {
    for stranger in [
        "status = 403\nbody = \"connecting to 169.254.169.254:80: der Netzwerkstandort kann nicht erreicht werden\"",
        "status = 200\nbody = \"<html>Welcome to the hotel</html>\"",
        "status = 200\njson = { login = \"https://hotel.example\" }",
        "status = 407\nbody = \"proxy\"",
        "status = 503\nbody = \"<html>gateway</html>\"",
    ] {
        let emulator = Emulator::start(Config::default()).await.expect("the emulator");
        emulator.faults().add(rule(&format!("match.service = \"imds\"\n[respond]\n{stranger}"))).expect("a rule");
        let error = in_a_chain(&emulator).await.expect_err("nobody is signed in");
        let step = &error.chain_attempts()[1];
        assert_eq!(step.error.condition(), Some(Condition::NotThisHost), "{}", step.error);
        assert_eq!(error.chain_attempts().len(), 3, "the chain went on");
        assert_eq!(emulator.journal().entries().len(), 1, "one look");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_authority_of_a_clusters_proxy_may_be_in_a_variable() {
    let emulator = Emulator::start(Config::default()).await.expect("the emulator");
    let mut variables: HashMap<_, _> = emulator.environment(Host::KubernetesIdentityBinding).into_iter().collect();
    let file = variables.remove("AZURE_KUBERNETES_CA_FILE").expect("a file");
    variables.insert("AZURE_KUBERNETES_CA_DATA".into(), std::fs::read_to_string(file).expect("readable"));
    let get = async |variables: &HashMap<String, String>| {
        ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
            platform: Some(Platform::with_environment(Arc::new(variables.clone()))),
            cache: Some(Cache::new(CacheLimits::default())),
            timeout: Some(Duration::from_secs(5)),
            ..Default::default()
        }))
        .expect("valid")
        .token(&TokenRequest::new([SCOPE]))
        .await
    };
    get(&variables).await.expect("a token");
    assert!(emulator.journal().entries().iter().all(|entry| entry.service == Service::Entra));
    // Without one it is the system's authorities that count, which know nothing of the cluster's.
    variables.remove("AZURE_KUBERNETES_CA_DATA");
    let error = get(&variables).await.expect_err("not trusted").to_string();
    assert!(error.contains("not trusted") || error.contains("no trusted authorities"), "{error}");
}
