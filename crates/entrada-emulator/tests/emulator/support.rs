//! A run of the emulator, and clients inside and outside of it.

use entrada_emulator::{Config, Emulator, Host, world};
use reqwest::{Certificate, Client, Method, Proxy, RequestBuilder};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};
use serde_json::Value;
use std::sync::{Arc, Once};

pub(crate) const LOGIN: &str = "https://login.microsoftonline.com";
pub(crate) const ARM: &str = "https://management.azure.com";

/// A run with a client on each host that goes through the gateway, and one that does not.
pub(crate) struct Run {
    pub(crate) emulator: Emulator,
    pub(crate) laptop: Client,
    pub(crate) machine: Client,
    pub(crate) direct: Client,
    /// As `direct`, but takes any certificate.
    pub(crate) careless: Client,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }
}

pub(crate) fn client(emulator: &Emulator, host: Host) -> Client {
    let authority = Certificate::from_pem(emulator.authority_pem().as_bytes()).expect("certificate");
    Client::builder()
        .proxy(Proxy::all(emulator.gateway_url_of(host)).expect("proxy"))
        .tls_certs_only([authority])
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("client")
}

pub(crate) fn install_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        rustls::crypto::ring::default_provider().install_default().expect("the first one");
    });
}

pub(crate) async fn start() -> Run {
    start_with(Config::default()).await
}

pub(crate) async fn start_with(config: Config) -> Run {
    install_provider();
    let emulator = Emulator::start(config).await.expect("started");
    Run {
        laptop: client(&emulator, Host::Laptop),
        machine: client(&emulator, Host::VirtualMachine),
        direct: Client::builder().no_proxy().tls_certs_only([]).build().expect("client"),
        careless: Client::builder().no_proxy().tls_danger_accept_invalid_certs(true).build().expect("client"),
        emulator,
    }
}

pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await.expect("a body"),
    }
}

/// A variable of a program on a host.
pub(crate) fn variable(emulator: &Emulator, host: Host, name: &str) -> String {
    let found = emulator.environment(host).into_iter().rev().find(|(other, _)| other == name);
    found.unwrap_or_else(|| panic!("{name} is not set on {host:?}")).1
}

/// The certificate that a host's endpoint shows to a client that asks for a name and checks nothing.
pub(crate) async fn peer_certificate(run: &Run, host: Host, name: &str) -> std::io::Result<Vec<u8>> {
    let url = url::Url::parse(&run.emulator.endpoint_of(host).expect("an endpoint")).expect("a URL");
    let stream = tokio::net::TcpStream::connect(("127.0.0.1", url.port().expect("a port"))).await?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Careless(provider)))
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    let tls = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    Ok(tls.get_ref().1.peer_certificates().expect("a certificate")[0].to_vec())
}

/// Takes any certificate.
#[derive(Debug)]
struct Careless(Arc<rustls::crypto::CryptoProvider>);

impl ServerCertVerifier for Careless {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Encodes a form.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields);
    form.finish()
}

impl Run {
    /// Posts a form to a token endpoint of the public cloud.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        send(self.post_to(LOGIN, path, fields)).await
    }

    pub(crate) fn post_to(&self, host: &str, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        self.laptop
            .post(format!("{host}/{path}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form(fields))
    }

    /// A token of the app `orders-ci`.
    pub(crate) async fn app_token(&self, resource: &str) -> String {
        self.token(world::APP_CLIENT_ID, world::APP_SECRET, resource).await
    }

    pub(crate) async fn newcomer_token(&self, resource: &str) -> String {
        self.token(world::NEWCOMER_CLIENT_ID, world::NEWCOMER_SECRET, resource).await
    }

    pub(crate) async fn admin_token(&self, resource: &str) -> String {
        self.token(world::ADMIN_CLIENT_ID, world::ADMIN_SECRET, resource).await
    }

    async fn token(&self, client_id: &str, secret: &str, resource: &str) -> String {
        let scope = format!("{resource}/.default");
        let answer = self
            .post(
                &format!("{}/oauth2/v2.0/token", world::TENANT_ID),
                &[
                    ("grant_type", "client_credentials"),
                    ("client_id", client_id),
                    ("client_secret", secret),
                    ("scope", &scope),
                ],
            )
            .await;
        answer.json()["access_token"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
    }

    /// A request to a service with a token.
    pub(crate) fn call(&self, method: &str, url: &str, token: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).expect("method");
        self.laptop.request(method, url).bearer_auth(token).header("x-ms-version", "2025-01-05")
    }

    /// A request to the control endpoint with its key.
    pub(crate) fn control(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).expect("method");
        self.direct
            .request(method, format!("{}{path}", self.emulator.control_url()))
            .header(entrada_emulator::KEY_HEADER, self.emulator.control_key())
    }
}

/// The claims of a token, unverified.
pub(crate) fn claims(token: &str) -> Value {
    part(token, 1)
}

/// The header of a token.
pub(crate) fn header(token: &str) -> Value {
    part(token, 0)
}

fn part(token: &str, index: usize) -> Value {
    use base64::Engine;
    let text = token.split('.').nth(index).expect("a JWT");
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).expect("base64");
    serde_json::from_slice(&bytes).expect("JSON")
}
