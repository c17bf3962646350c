//! HTTP as credentials see it: small requests, bounded answers, failures told apart.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;
use zeroize::Zeroizing;

/// The methods that identity protocols use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Get => "GET",
            Self::Post => "POST",
        })
    }
}

/// How a request leaves the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Through the proxy that `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` name.
    Proxied,
    /// Never through a proxy: identity endpoints on loopback and link-local addresses, which would hand this machine's
    /// identity to the proxy, or the proxy's to this program.
    Direct,
}

/// Which certificate of a server is trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trust {
    /// One that leads to the authorities that this machine trusts.
    #[default]
    System,
    /// Only the one with this SHA-1 thumbprint, whoever signed it and whatever name it has: that is how Service Fabric
    /// names the certificate of its local endpoint.
    Thumbprint([u8; 20]),
    /// One that leads to these authorities, PEM; the system's where there are none. `server_name` is sent in the
    /// handshake (SNI, RFC 6066) and looked for in the certificate, in place of the URL's host.
    Authorities {
        /// The authorities' certificates, PEM.
        pem: Option<Arc<[u8]>>,
        /// The name to ask for and to check.
        server_name: Option<String>,
    },
}

/// A request to an identity endpoint.
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; empty for `GET`. Wiped when dropped: it often holds a secret.
    pub body: Zeroizing<Vec<u8>>,
    /// Through a proxy or not.
    pub route: Route,
    /// Whose certificate is trusted, for https.
    pub trust: Trust,
    /// How long the whole exchange may take.
    pub timeout: Duration,
}

impl HttpRequest {
    /// A `GET`.
    pub fn get(url: Url, route: Route, timeout: Duration) -> Self {
        Self {
            method: Method::Get,
            url,
            headers: HeaderMap::new(),
            body: Zeroizing::default(),
            route,
            trust: Trust::System,
            timeout,
        }
    }

    /// A `POST` of a form (`application/x-www-form-urlencoded`).
    pub fn post_form(url: Url, route: Route, timeout: Duration, form: &[(&str, &str)]) -> Self {
        let mut encoder = url::form_urlencoded::Serializer::new(String::new());
        encoder.extend_pairs(form);
        let mut request = Self::get(url, route, timeout);
        request.method = Method::Post;
        request.body = Zeroizing::new(encoder.finish().into_bytes());
        request
            .headers
            .insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        request
    }

    /// Adds a header that is not secret.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither headers nor body: both can hold secrets.
        write!(f, "{} {}", self.method, self.url)
    }
}

/// An answer, read whole.
#[derive(Clone)]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, at most [`HttpResponse::MAX_BODY`] bytes.
    pub body: Bytes,
}

impl HttpResponse {
    /// The largest body that is accepted, in bytes. Real answers have a few kilobytes.
    pub const MAX_BODY: usize = 1 << 20;

    /// A header as text; `None` where it is missing or not ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the body: it is a token as often as not.
        f.debug_struct("HttpResponse").field("status", &self.status).field("bytes", &self.body.len()).finish()
    }
}

/// Why there was no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpError {
    /// Nobody could be reached: no such name, no route. The text is the reason.
    Connect(String),
    /// The machine is there, but nobody listens at the port. The text is the reason.
    Refused(String),
    /// The time was up, after this long.
    Timeout(Duration),
    /// The server's certificate is not trusted: signed by `issuer`, which is in none of `roots`.
    UntrustedIssuer {
        /// The issuer that the certificate names.
        issuer: String,
        /// Where trusted authorities were looked for.
        roots: String,
    },
    /// The server's certificate has expired or is not valid yet, by this machine's clock. The text has the dates.
    CertificateDates(String),
    /// The server's certificate is not the one that was named; this is its thumbprint.
    OtherCertificate(String),
    /// TLS failed for another reason, or the trusted authorities could not be read.
    Tls(String),
    /// The proxy refused or could not be used.
    Proxy(String),
    /// The answer was larger than [`HttpResponse::MAX_BODY`].
    TooLarge,
    /// The connection broke before the answer was complete.
    Broken(String),
    /// Nothing was sent: all the time was spent waiting behind other requests of this process, which may not make more
    /// of them at once.
    Queued(Duration),
    /// The request could not be built.
    Invalid(String),
}

impl HttpError {
    /// Whether the same request may well succeed a little later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Connect(_) | Self::Refused(_) | Self::Timeout(_) | Self::Broken(_))
    }

    /// What to do about it, where that does not depend on the server.
    pub fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::UntrustedIssuer { .. } => Some(
                "if a proxy inspects TLS here, put its authority's certificate (PEM) in a file and name it in SSL_CERT_FILE",
            ),
            Self::CertificateDates(_) => Some("check this machine's clock first"),
            Self::Proxy(_) => Some("check HTTPS_PROXY, ALL_PROXY and NO_PROXY"),
            _ => None,
        }
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(reason) | Self::Refused(reason) => write!(f, "could not connect: {reason}"),
            Self::Timeout(after) => write!(f, "no answer within {} s", after.as_secs_f32()),
            Self::UntrustedIssuer { issuer, roots } => {
                write!(f, "the server's certificate was issued by \"{issuer}\", which is not trusted ({roots})")
            }
            Self::CertificateDates(dates) => write!(f, "the server's certificate is not valid now: {dates}"),
            Self::OtherCertificate(thumbprint) => {
                write!(f, "the server's certificate has the thumbprint {thumbprint}, which is not the one expected")
            }
            Self::Tls(reason) => write!(f, "TLS failed: {reason}"),
            Self::Proxy(reason) => write!(f, "the proxy failed: {reason}"),
            Self::TooLarge => write!(f, "the answer is larger than {} KiB", HttpResponse::MAX_BODY / 1024),
            Self::Broken(reason) => write!(f, "the connection broke during the answer: {reason}"),
            Self::Queued(after) => {
                write!(f, "waited {} s behind other requests of this process", after.as_secs_f32())
            }
            Self::Invalid(reason) => write!(f, "the request could not be made: {reason}"),
        }
    }
}

impl std::error::Error for HttpError {}

/// Sends requests.
#[async_trait]
pub trait Http: Send + Sync {
    /// Sends a request once and reads the whole answer, whatever its status. Redirects are not followed.
    ///
    /// # Errors
    /// [`HttpError`] where there was no complete answer.
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError>;

    /// Whether failures are sent again by this client itself, so that the protocol above must not.
    fn retries(&self) -> bool {
        false
    }
}
