//! A little Azure: a resource that challenges, and an Entra whose tokens say what they were asked for.

use std::collections::HashMap;
use std::error::Error as _;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use azure_core::http::headers::{AUTHORIZATION, Headers, WWW_AUTHENTICATE};
use azure_core::http::{AsyncRawResponse, Body, ClientOptions, HttpClient, Request, StatusCode, Transport, Url};
use azure_security_keyvault_secrets::{SecretClient, SecretClientOptions};
use azure_storage_blob::{BlobClient, BlobClientOptions};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use entrada::platform::{Http, HttpError, HttpRequest, HttpResponse, Platform};
use entrada::{
    Cache, ChallengePolicy, ChallengePolicyOptions, ClientSecretCredential, ClientSecretCredentialOptions, EntraOptions,
};
use serde_json::{Value, json};

/// The tenant of the app, and another one.
pub(crate) const HOME: &str = "home";
pub(crate) const OTHER: &str = "other";
pub(crate) const CLAIMS: &str = r#"{"access_token":{"nbf":{"essential":true,"value":"1800000000"}}}"#;

/// What happened, and what shall happen.
#[derive(Debug)]
struct State {
    /// The tenant whose tokens the resource takes.
    tenant: &'static str,
    authority: &'static str,
    demands_claims: bool,
    refuses_claims: bool,
    wants_a_person: bool,
    /// The tokens that came to the resource; `None` where none came.
    seen: Vec<Option<String>>,
    bodies: Vec<String>,
    tenants_asked: Vec<String>,
    claims_asked: Vec<Value>,
}

#[derive(Clone, Debug)]
pub(crate) struct Azure(Arc<Mutex<State>>);

impl Azure {
    pub(crate) fn new(tenant: &'static str) -> Self {
        Self(Arc::new(Mutex::new(State {
            tenant,
            authority: "https://login.microsoftonline.com",
            demands_claims: false,
            refuses_claims: false,
            wants_a_person: false,
            seen: Vec::new(),
            bodies: Vec::new(),
            tenants_asked: Vec::new(),
            claims_asked: Vec::new(),
        })))
    }

    fn with<R>(&self, look: impl FnOnce(&mut State) -> R) -> R {
        look(&mut self.0.lock().expect("no panic"))
    }

    pub(crate) fn whose_challenge_names(self, authority: &'static str) -> Self {
        self.with(|state| state.authority = authority);
        self
    }

    pub(crate) fn demand_claims(&self, demands: bool) {
        self.with(|state| state.demands_claims = demands);
    }

    /// Claims help nobody.
    pub(crate) fn refuse_claims(&self) {
        self.with(|state| state.refuses_claims = true);
    }

    /// Entra gives no token with claims.
    pub(crate) fn want_a_person(&self) {
        self.with(|state| state.wants_a_person = true);
    }

    pub(crate) fn resource_saw(&self) -> Vec<Option<&'static str>> {
        self.with(|state| state.seen.iter().map(|token| token.clone().map(|token| &*token.leak())).collect())
    }

    pub(crate) fn bodies(&self) -> Vec<String> {
        self.with(|state| state.bodies.clone())
    }

    pub(crate) fn tenants_asked(&self) -> Vec<String> {
        self.with(|state| state.tenants_asked.clone())
    }

    pub(crate) fn claims_asked(&self) -> Vec<Value> {
        self.with(|state| state.claims_asked.clone())
    }

    fn credential(&self, allowed: &[&str]) -> Arc<ClientSecretCredential> {
        let entra = EntraOptions {
            additionally_allowed_tenants: allowed.iter().map(|tenant| (*tenant).to_owned()).collect(),
            cache: Some(Cache::new(Default::default())),
            platform: Some(Platform::with_environment(Arc::new(HashMap::new())).with_http(Arc::new(self.clone()))),
            ..Default::default()
        };
        let options = ClientSecretCredentialOptions { entra };
        ClientSecretCredential::new(HOME, "app".into(), "s~3cret".into(), Some(options)).expect("valid")
    }

    fn client_options(&self, policy: Option<ChallengePolicyOptions>) -> ClientOptions {
        let transport = Some(Transport::new(Arc::new(self.clone())));
        let mut options = ClientOptions { transport, ..Default::default() };
        if let Some(policy) = policy {
            ChallengePolicy::new(Some(policy)).add_to(&mut options);
        }
        options
    }

    pub(crate) fn secrets(&self, allowed: &[&str], policy: Option<ChallengePolicyOptions>) -> SecretClient {
        let options = SecretClientOptions { client_options: self.client_options(policy), ..Default::default() };
        SecretClient::new("https://contoso.vault.azure.net", self.credential(allowed), Some(options)).expect("a client")
    }

    pub(crate) fn blob(&self, allowed: &[&str], policy: Option<ChallengePolicyOptions>) -> BlobClient {
        let options = BlobClientOptions { client_options: self.client_options(policy), ..Default::default() };
        let url = Url::parse("https://contoso.blob.core.windows.net/orders/1.json").expect("a URL");
        BlobClient::new(url, Some(self.credential(allowed)), Some(options)).expect("a client")
    }
}

/// Entra's token endpoint.
#[async_trait]
impl Http for Azure {
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        assert_eq!(request.url.host_str(), Some("login.microsoftonline.com"));
        let tenant = request.url.path_segments().and_then(|mut path| path.next()).expect("a tenant").to_owned();
        let form = url::form_urlencoded::parse(&request.body);
        let claims = form.into_owned().find(|(name, _)| name == "claims").map(|(_, claims)| claims);
        let claims: Value = claims.map_or(Value::Null, |claims| serde_json::from_str(&claims).expect("JSON"));
        let access = claims.get("access_token");
        let has = |name| access.is_some_and(|access| access.get(name).is_some());
        let (status, body) = self.with(|state| {
            state.tenants_asked.push(tenant.clone());
            state.claims_asked.push(claims.clone());
            if has("nbf") && state.wants_a_person {
                let error = json!({"error": "interaction_required", "suberror": "basic_action", "claims": CLAIMS});
                return (400, error);
            }
            let kind = if has("xms_cc") { "cae" } else { "plain" };
            let more = if has("nbf") { "-claims" } else { "" };
            let token = format!("t-{tenant}-{kind}{more}-{}", state.tenants_asked.len());
            (200, json!({"access_token": token, "token_type": "Bearer", "expires_in": 86_400}))
        });
        Ok(HttpResponse { status, headers: http::HeaderMap::new(), body: body.to_string().into() })
    }
}

/// The resource.
#[async_trait]
impl HttpClient for Azure {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        assert_eq!(request.url().scheme(), "https");
        let token = request
            .headers()
            .get_optional_str(&AUTHORIZATION)
            .map(|header| header.strip_prefix("Bearer ").expect("a bearer token").to_owned());
        let body = match request.body() {
            Body::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Body::SeekableStream(_) => "a stream".to_owned(),
        };
        let is_vault = request.url().host_str().is_some_and(|host| host.ends_with(".vault.azure.net"));
        let challenge = self.with(|state| {
            let tenant_fits = token.as_deref().is_some_and(|token| token.starts_with(&format!("t-{}-", state.tenant)));
            let has_claims = token.as_deref().is_some_and(|token| token.contains("-claims-"));
            state.seen.push(token);
            state.bodies.push(body);
            let (authority, tenant) = (state.authority, state.tenant);
            let claims = STANDARD.encode(CLAIMS);
            Some(match () {
                () if tenant_fits && state.demands_claims && (!has_claims || state.refuses_claims) => {
                    format!(r#"Bearer realm="", error="insufficient_claims", claims="{claims}""#)
                }
                () if tenant_fits => return None,
                () if is_vault => {
                    format!(r#"Bearer authorization="{authority}/{tenant}", resource="https://vault.azure.net""#)
                }
                () => format!(
                    "Bearer authorization_uri={authority}/{tenant}/oauth2/authorize resource_id=https://storage.azure.com"
                ),
            })
        });
        let mut headers = Headers::new();
        headers.insert("content-type", "application/json");
        let (status, body) = match challenge {
            Some(challenge) => {
                headers.insert(WWW_AUTHENTICATE, challenge);
                (StatusCode::Unauthorized, r#"{"error":{"code":"Unauthorized","message":"no"}}"#)
            }
            None if is_vault => {
                (StatusCode::Ok, r#"{"value":"hunter2","id":"https://contoso.vault.azure.net/secrets/s/1"}"#)
            }
            None => (StatusCode::Created, ""),
        };
        let status =
            if status == StatusCode::Created && request.method().as_str() == "HEAD" { StatusCode::Ok } else { status };
        Ok(AsyncRawResponse::from_bytes(status, headers, body.as_bytes().to_vec()))
    }
}

/// Our error in the chain of those around it.
pub(crate) fn entradas(error: &azure_core::Error) -> Option<&entrada::Error> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// The error that caused the others.
pub(crate) fn innermost(error: &azure_core::Error) -> String {
    entradas(error).map_or_else(|| format!("{error}: {:?}", error.source()), ToString::to_string)
}
