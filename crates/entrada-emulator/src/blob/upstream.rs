//! Handing a request that has been authorized to another Blob server, such as Azurite.

use crate::call::{Call, Reply};
use crate::config::BlobUpstream;
use bytes::Bytes;
use http::{HeaderMap, Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Largest answer taken from the upstream, in bytes.
const LARGEST_ANSWER: usize = 512 * 1024 * 1024;

/// How long the upstream may take for a whole answer.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where to hand requests to, and how to trust it.
pub(crate) struct Upstream {
    host: String,
    port: u16,
    tls: Option<TlsConnector>,
}

type Problem = Box<dyn std::error::Error + Send + Sync>;

impl Upstream {
    /// Says what is wrong with the configuration, if anything.
    pub(crate) fn check(config: &BlobUpstream) -> Result<(), String> {
        Self::new(config).map(|_| ())
    }

    pub(crate) fn new(config: &BlobUpstream) -> Result<Self, String> {
        let bad = || format!("the blob upstream `{}` is not a URL like https://127.0.0.1:10000", config.upstream);
        let url = url::Url::parse(&config.upstream).map_err(|_| bad())?;
        let host = url.host_str().ok_or_else(bad)?.trim_matches(['[', ']']).to_owned();
        let port = url.port_or_known_default().ok_or_else(bad)?;
        if !matches!(url.path(), "" | "/") || url.query().is_some() {
            return Err(format!(
                "the blob upstream `{}` has a path; leave it out, the path of each request is kept",
                config.upstream
            ));
        }
        let loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        let tls = match url.scheme() {
            "http" if loopback => None,
            "http" => {
                return Err(format!(
                    "the blob upstream `{}` would get tokens over plain http; use https, or a loopback address",
                    config.upstream
                ));
            }
            "https" => Some(TlsConnector::from(Arc::new(tls_config(config, loopback)?))),
            _ => return Err(bad()),
        };
        Ok(Self { host, port, tls })
    }

    /// Sends a request on and brings its answer back; a failure is an answer too.
    pub(crate) async fn forward(&self, call: &Call) -> Reply {
        let exchanged = tokio::time::timeout(PATIENCE, self.exchange(call)).await;
        match exchanged.unwrap_or_else(|_| Err("it took too long".into())) {
            Ok(reply) => reply,
            Err(error) => {
                let text = format!("The blob upstream {}:{} did not answer: {error}.", self.host, self.port);
                Reply::text(502, text.clone()).note(text)
            }
        }
    }

    async fn exchange(&self, call: &Call) -> Result<Reply, Problem> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        match &self.tls {
            None => send(stream, call).await,
            Some(connector) => {
                let name = ServerName::try_from(self.host.clone())?;
                send(connector.connect(name, stream).await?, call).await
            }
        }
    }
}

async fn send<S>(stream: S, call: &Call) -> Result<Reply, Problem>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let target =
        if call.raw_query.is_empty() { call.path.clone() } else { format!("{}?{}", call.path, call.raw_query) };
    let mut request = Request::new(Full::new(call.body.clone()));
    *request.method_mut() = call.method.clone();
    *request.uri_mut() = target.parse()?;
    *request.headers_mut() = end_to_end(&call.headers);
    // The account is the first label of the host name, so the name must arrive as it was sent.
    request.headers_mut().insert(header::HOST, call.host.parse()?);
    let response = sender.send_request(request).await?;
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, LARGEST_ANSWER).collect().await?.to_bytes();
    driver.abort();
    let mut reply = Reply::new(parts.status.as_u16());
    reply.headers = end_to_end(&parts.headers);
    if call.method == http::Method::HEAD {
        // What a HEAD announces is the length of a body that is not sent.
        if let Some(length) = parts.headers.get(header::CONTENT_LENGTH) {
            reply.headers.insert(header::CONTENT_LENGTH, length.clone());
        }
        return Ok(reply.body(Bytes::new()));
    }
    Ok(reply.body(body))
}

/// Headers without those that belong to one connection (RFC 9110, section 7.6.1); lengths are set anew.
fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let mut kept = headers.clone();
    for name in [
        "connection",
        "proxy-connection",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "content-length",
        "proxy-authorization",
    ] {
        kept.remove(name);
    }
    kept
}

fn tls_config(config: &BlobUpstream, loopback: bool) -> Result<ClientConfig, String> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let Some(file) = &config.ca_file else {
        if !loopback {
            return Err("a blob upstream that is not on loopback needs `ca_file`".into());
        }
        let any = Arc::new(OwnMachine(provider));
        return Ok(builder.dangerous().with_custom_certificate_verifier(any).with_no_client_auth());
    };
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(file)
        .and_then(|found| found.collect::<Result<Vec<_>, _>>())
        .map_err(|error| format!("cannot read the blob upstream's ca_file {}: {error}", file.display()))?;
    if roots.add_parsable_certificates(certificates).0 == 0 {
        return Err(format!("the blob upstream's ca_file {} has no certificate", file.display()));
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Takes any certificate: the connection ends on this machine.
#[derive(Debug)]
struct OwnMachine(Arc<CryptoProvider>);

impl ServerCertVerifier for OwnMachine {
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
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::Upstream;
    use crate::config::BlobUpstream;

    #[test]
    fn an_upstream_elsewhere_is_trusted_by_certificate_only() {
        let check = |upstream: &str| Upstream::check(&BlobUpstream { upstream: upstream.into(), ca_file: None });
        assert!(check("https://127.0.0.1:10000").is_ok());
        assert!(check("http://localhost:10000/").is_ok());
        assert!(check("https://192.0.2.1:10000").expect_err("refused").contains("ca_file"));
        assert!(check("http://192.0.2.1:10000").expect_err("refused").contains("plain http"));
        assert!(check("127.0.0.1:10000").is_err());
        assert!(check("https://127.0.0.1:1/account").expect_err("refused").contains("path"));
    }
}
