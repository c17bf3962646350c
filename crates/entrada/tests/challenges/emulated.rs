//! The same clients against resource servers that nobody here scripted: those of the emulator.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use azure_core::http::{AsyncRawResponse, Body, ClientOptions, HttpClient, Request, RequestContent, Transport, Url};
use azure_security_keyvault_secrets::{SecretClient, SecretClientOptions};
use azure_storage_blob::{BlobClient, BlobClientOptions};
use entrada::platform::Platform;
use entrada::{Cache, ChallengePolicy, ClientSecretCredential, ClientSecretCredentialOptions, EntraOptions};
use entrada_emulator::{Challenge, Config, Emulator, Host, world};

/// The laptop's way to the emulator.
#[derive(Debug)]
struct Gateway(reqwest::Client);

#[async_trait]
impl HttpClient for Gateway {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let method = reqwest::Method::from_bytes(request.method().as_str().as_bytes()).expect("a method");
        let mut sending = self.0.request(method, request.url().clone());
        for (name, value) in request.headers().iter() {
            sending = sending.header(name.as_str(), value.as_str());
        }
        let Body::Bytes(body) = request.body() else { panic!("nothing here is so large that it is streamed") };
        let response = sending.body(body.clone()).send().await.expect("an answer");
        let status = response.status().as_u16().into();
        let headers = response.headers().iter().map(|(name, value)| {
            let value = value.to_str().expect("text").to_owned();
            (HeaderName::from(name.as_str().to_owned()), HeaderValue::from(value))
        });
        let headers = Headers::from(headers.collect::<HashMap<_, _>>());
        Ok(AsyncRawResponse::from_bytes(status, headers, response.bytes().await.expect("a body")))
    }
}

struct Run {
    emulator: Emulator,
    credential: Arc<ClientSecretCredential>,
    transport: Transport,
}

impl Run {
    async fn start() -> Self {
        Self::allowed_in(&[]).await
    }

    /// A run whose app may sign in to these tenants, besides its own.
    async fn allowed_in(tenants: &[&str]) -> Self {
        let emulator = Emulator::start(Config::default()).await.expect("the emulator");
        let variables: HashMap<_, _> = emulator.environment(Host::Laptop).into_iter().collect();
        let entra = EntraOptions {
            additionally_allowed_tenants: tenants.iter().map(|tenant| (*tenant).to_owned()).collect(),
            cache: Some(Cache::new(Default::default())),
            platform: Some(Platform::with_environment(Arc::new(variables))),
            ..Default::default()
        };
        // By its domain, while the vault names its tenant by id.
        let credential = ClientSecretCredential::new(
            world::TENANT_DOMAIN,
            world::APP_CLIENT_ID.into(),
            world::APP_SECRET.into(),
            Some(ClientSecretCredentialOptions { entra }),
        );
        let authority = reqwest::Certificate::from_pem(emulator.authority_pem().as_bytes()).expect("a certificate");
        // The first one in the process stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .proxy(reqwest::Proxy::all(emulator.gateway_url_of(Host::Laptop)).expect("a proxy"))
            .tls_certs_only([authority])
            .build()
            .expect("a client");
        let transport = Transport::new(Arc::new(Gateway(client)));
        Self { emulator, credential: credential.expect("valid"), transport }
    }

    fn client_options(&self) -> ClientOptions {
        let mut options = ClientOptions { transport: Some(self.transport.clone()), ..Default::default() };
        ChallengePolicy::new(None).add_to(&mut options);
        options
    }

    fn secrets(&self) -> SecretClient {
        self.secrets_of(world::VAULT_URL)
    }

    fn secrets_of(&self, vault: &str) -> SecretClient {
        let options = SecretClientOptions { client_options: self.client_options(), ..Default::default() };
        SecretClient::new(vault, self.credential.clone(), Some(options)).expect("a client")
    }

    fn blob(&self, client_options: ClientOptions) -> BlobClient {
        let url = Url::parse(world::BLOB_URL).and_then(|url| url.join("/orders/1.json")).expect("a URL");
        let options = BlobClientOptions { client_options, ..Default::default() };
        BlobClient::new(url, Some(self.credential.clone()), Some(options)).expect("a client")
    }

    /// From now on this app needs new tokens.
    fn revoke(&self) {
        let challenge = Challenge { principal: Some(world::APP_OBJECT_ID.into()), ..Default::default() };
        self.emulator.set_challenges(vec![challenge]).expect("a challenge");
    }

    /// The tenants whose authority was asked for a token.
    fn tenants_asked(&self) -> Vec<String> {
        let entries = self.emulator.journal().entries();
        let asked = entries.iter().filter(|entry| entry.path.ends_with("/oauth2/v2.0/token"));
        asked.filter_map(|entry| entry.path.split('/').nth(1).map(str::to_owned)).collect()
    }

    /// How often a resource demanded claims.
    fn challenges(&self) -> usize {
        let entries = self.emulator.journal().entries();
        let notes = entries.iter().filter_map(|entry| entry.note.as_deref());
        notes.filter(|note| note.starts_with("claims challenge")).count()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vaults_client_goes_on_after_a_revocation() {
    let run = Run::start().await;
    let secrets = run.secrets();
    for challenges in [0, 1, 1] {
        let secret = secrets.get_secret(world::SECRET_NAME, None).await.expect("a secret").into_model().expect("JSON");
        assert_eq!(secret.value.as_deref(), Some(world::SECRET_VALUE));
        assert_eq!(run.challenges(), challenges);
        if challenges == 0 {
            run.revoke();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blobs_client_goes_on_after_a_revocation() {
    let run = Run::start().await;
    let blob = run.blob(run.client_options());
    for (challenges, order) in [(0, "one"), (1, "two"), (1, "three")] {
        blob.upload(RequestContent::from(order.as_bytes().to_vec()), None).await.expect("uploaded");
        blob.get_properties(None).await.expect("it is there");
        assert_eq!(run.challenges(), challenges);
        if challenges == 0 {
            run.revoke();
        }
    }
    let alone = ClientOptions { transport: Some(run.transport.clone()), ..Default::default() };
    run.blob(alone).get_properties(None).await.expect_err("without the policy nobody brings the claims");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partners_vault_is_read_where_its_tenant_is_allowed() {
    for allowed in ["*", world::FABRIKAM_TENANT_ID] {
        let run = Run::allowed_in(&[allowed]).await;
        let secrets = run.secrets_of(world::FABRIKAM_VAULT_URL);
        for _ in 0..2 {
            let secret = secrets.get_secret(world::SECRET_NAME, None).await.expect("a secret");
            let secret = secret.into_model().expect("JSON");
            assert_eq!(secret.value.as_deref(), Some(world::SECRET_VALUE));
        }
        assert_eq!(run.tenants_asked(), [world::FABRIKAM_TENANT_ID]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partners_vault_is_not_read_where_its_tenant_is_not_allowed() {
    let run = Run::start().await;
    let secrets = run.secrets_of(world::FABRIKAM_VAULT_URL);
    let error = secrets.get_secret(world::SECRET_NAME, None).await.expect_err("not allowed");
    let text = super::azure::innermost(&error);
    for part in [world::FABRIKAM_TENANT_ID, world::TENANT_DOMAIN, "additionally_allowed_tenants"] {
        assert!(text.contains(part), "{text}");
    }
    // The credential has its tenant by the domain, and that might have been the vault's.
    assert_eq!(run.tenants_asked(), [world::TENANT_DOMAIN]);
}
