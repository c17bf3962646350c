//! The HTTP client: one for the whole process, made when it is first needed.

use std::error::Error as StdError;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::BytesMut;
use http::{HeaderMap, HeaderValue};
use reqwest::{Client, ClientBuilder, NoProxy, Proxy};
use rustls::CertificateError;
use url::Url;

use super::environment::{Environment, SystemEnvironment};
use super::http::{Http, HttpError, HttpRequest, HttpResponse, Method, Route, Trust};
use super::tls;
use crate::runtime;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// An endpoint on this machine or its link answers at once or is not there.
const DIRECT_CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const USER_AGENT: &str = concat!("entrada/", env!("CARGO_PKG_VERSION"));

/// Sends requests with rustls, through the proxy that the environment names.
///
/// Reads `HTTPS_PROXY`, `HTTP_PROXY` (lower case only where `REQUEST_METHOD` is set, as CGI demands), `ALL_PROXY`,
/// `NO_PROXY` and their lower-case twins; `SSL_CERT_FILE`, `SSL_CERT_DIR`, `REQUESTS_CA_BUNDLE`, `CURL_CA_BUNDLE`, and
/// where none of these is set the system's trusted authorities. All are read at the first request.
pub struct HttpClient {
    environment: Arc<dyn Environment>,
    clients: Mutex<Option<Clients>>,
}

#[derive(Clone)]
struct Clients {
    /// Sockets do not survive a fork.
    generation: u64,
    direct: Client,
    proxied: Client,
}

impl HttpClient {
    /// A client that takes its configuration from `environment` when it sends its first request.
    pub fn new(environment: Arc<dyn Environment>) -> Self {
        Self { environment, clients: Mutex::new(None) }
    }

    /// The client of this process, which everything shares that is not given another one.
    pub(super) fn system() -> Arc<Self> {
        static SYSTEM: LazyLock<Arc<HttpClient>> =
            LazyLock::new(|| Arc::new(HttpClient::new(Arc::new(SystemEnvironment))));
        Arc::clone(&SYSTEM)
    }

    pub(super) fn client(&self, route: Route) -> Result<Client, HttpError> {
        let _gate = runtime::fork_gate();
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let current = runtime::generation();
        let clients = match &*clients {
            Some(made) if made.generation == current => made,
            _ => {
                // The parent's connections must be neither used nor closed by the child.
                std::mem::forget(clients.take());
                clients.insert(self.build(current)?)
            }
        };
        Ok(match route {
            Route::Direct => clients.direct.clone(),
            Route::Proxied => clients.proxied.clone(),
        })
    }

    fn build(&self, generation: u64) -> Result<Clients, HttpError> {
        let tls = tls::client_config(Arc::clone(&self.environment), &Trust::System)?;
        let mut proxied = builder(tls.clone(), CONNECT_TIMEOUT);
        for proxy in self.proxies()? {
            proxied = proxied.proxy(proxy);
        }
        Ok(Clients {
            generation,
            direct: builder(tls, DIRECT_CONNECT_TIMEOUT).build().map_err(invalid)?,
            proxied: proxied.build().map_err(invalid)?,
        })
    }

    /// A client for one request to an endpoint beside us whose certificate nobody else's authorities vouch for, and
    /// where that request goes. Such requests are too rare to keep connections for.
    pub(super) async fn special(&self, trust: &Trust, url: &Url) -> Result<(Client, Url, HeaderMap), HttpError> {
        let tls = tls::client_config(Arc::clone(&self.environment), trust)?;
        let mut client = builder(tls, DIRECT_CONNECT_TIMEOUT);
        let (mut url, mut headers) = (url.clone(), HeaderMap::new());
        if let Trust::Authorities { server_name: Some(name), .. } = trust {
            let unnamed = || HttpError::Invalid(format!("{name} cannot be the name of a server"));
            let host = url.host_str().unwrap_or_default().to_owned();
            let port = url.port_or_known_default().unwrap_or(443);
            let addresses = tokio::net::lookup_host((host.trim_matches(['[', ']']), port)).await;
            let addresses: Vec<_> = addresses.map_err(|error| HttpError::Connect(error.to_string()))?.collect();
            // To the TLS layer the server has the name; to HTTP, the host of the URL.
            client = client.resolve_to_addrs(name, &addresses);
            let authority = url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
            headers.insert(http::header::HOST, HeaderValue::try_from(authority).map_err(|_| unnamed())?);
            url.set_host(Some(name)).map_err(|_| unnamed())?;
        }
        Ok((client.build().map_err(invalid)?, url, headers))
    }

    fn proxies(&self) -> Result<Vec<Proxy>, HttpError> {
        let either =
            |upper: &str| self.environment.var(&upper.to_ascii_lowercase()).or_else(|| self.environment.var(upper));
        // A CGI server passes the request header `Proxy:` on as HTTP_PROXY; only the lower-case name is safe there.
        let http = match self.environment.var("REQUEST_METHOD") {
            Some(_) => self.environment.var("http_proxy"),
            None => either("HTTP_PROXY"),
        };
        let none = either("NO_PROXY").as_deref().and_then(NoProxy::from_string);
        let mut proxies = Vec::new();
        for (name, value, make) in [
            ("HTTPS_PROXY", either("HTTPS_PROXY"), Proxy::https as fn(String) -> _),
            ("HTTP_PROXY", http, Proxy::http as fn(String) -> _),
            ("ALL_PROXY", either("ALL_PROXY"), Proxy::all as fn(String) -> _),
        ] {
            if let Some(value) = value {
                let proxy: Result<Proxy, reqwest::Error> = make(value);
                // Not the value: it may hold a password.
                let proxy = proxy.map_err(|_| HttpError::Proxy(format!("{name} is not a proxy's URL")))?;
                proxies.push(proxy.no_proxy(none.clone()));
            }
        }
        Ok(proxies)
    }
}

#[async_trait]
impl Http for HttpClient {
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        let (client, url, headers) = match &request.trust {
            Trust::System => (self.client(request.route)?, request.url.clone(), HeaderMap::new()),
            trust => self.special(trust, &request.url).await?,
        };
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
        };
        let failed = |error| classify(&error, Some(request.timeout));
        let mut response = client
            .request(method, url)
            .headers(request.headers.clone())
            .headers(headers)
            .timeout(request.timeout)
            .body(request.body.to_vec())
            .send()
            .await
            .map_err(failed)?;
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > HttpResponse::MAX_BODY {
                return Err(HttpError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(HttpResponse { status, headers, body: body.freeze() })
    }
}

/// What went wrong, in this crate's terms. `timeout` is the one of the whole exchange, where there was one.
pub(super) fn classify(error: &reqwest::Error, timeout: Option<Duration>) -> HttpError {
    if let Some(refused) = find::<rustls::Error>(error).and_then(tls::refused_certificate) {
        return refused;
    }
    if let Some(error) = find::<rustls::Error>(error) {
        return match error {
            rustls::Error::InvalidCertificate(
                dates @ (CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. }),
            ) => HttpError::CertificateDates(dates.to_string()),
            rustls::Error::General(words) => HttpError::Tls(words.clone()),
            other => HttpError::Tls(other.to_string()),
        };
    }
    let text = reason(error);
    if error.is_timeout() {
        let limit = if error.is_connect() {
            timeout.map_or(CONNECT_TIMEOUT, |timeout| timeout.min(CONNECT_TIMEOUT))
        } else {
            timeout.unwrap_or(CONNECT_TIMEOUT)
        };
        HttpError::Timeout(limit)
    } else if text.contains("tunnel") || text.contains("proxy") {
        HttpError::Proxy(text)
    } else if error.is_connect() && is_refused(error) {
        HttpError::Refused(text)
    } else if error.is_connect() {
        HttpError::Connect(text)
    } else if error.is_builder() {
        HttpError::Invalid(text)
    } else {
        HttpError::Broken(text)
    }
}

fn invalid(error: reqwest::Error) -> HttpError {
    HttpError::Invalid(reason(&error))
}

/// What all clients have in common.
fn builder(tls: rustls::ClientConfig, connect_timeout: Duration) -> ClientBuilder {
    Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(USER_AGENT)
        .connect_timeout(connect_timeout)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
}

fn is_refused(error: &reqwest::Error) -> bool {
    find::<std::io::Error>(error).is_some_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused)
}

/// The innermost reason: the outer ones only say that a request failed, and repeat its URL.
fn reason(error: &reqwest::Error) -> String {
    let mut innermost: &dyn StdError = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// Looks for an error of one type among the causes. `io::Error` hides what it wraps from `source`, so it is asked.
fn find<'e, E: StdError + 'static>(error: &'e (dyn StdError + 'static)) -> Option<&'e E> {
    let mut current = Some(error);
    while let Some(error) = current {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        current = match error.downcast_ref::<std::io::Error>() {
            Some(io) => io.get_ref().map(|inner| inner as &(dyn StdError + 'static)),
            None => error.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn client(variables: &[(&str, &str)]) -> HttpClient {
        let variables: HashMap<_, _> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        HttpClient::new(Arc::new(variables))
    }

    #[test]
    fn proxies_come_from_the_environment() {
        let count = |variables: &[(&str, &str)]| client(variables).proxies().map(|p| p.len());
        assert_eq!(count(&[]), Ok(0));
        assert_eq!(count(&[("https_proxy", "http://127.0.0.1:1")]), Ok(1));
        assert_eq!(count(&[("HTTPS_PROXY", "http://127.0.0.1:1"), ("HTTP_PROXY", "http://127.0.0.1:1")]), Ok(2));
        assert_eq!(count(&[("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "http://127.0.0.1:1")]), Ok(0));
    }

    #[test]
    fn wrong_dates_point_at_the_clock() {
        let dates = HttpError::CertificateDates(CertificateError::Expired.to_string());
        assert!(dates.remedy().is_some_and(|next| next.contains("clock")));
    }

    #[test]
    fn a_proxy_that_is_none_is_named_without_its_password() {
        let error = client(&[("HTTPS_PROXY", "http://user:pa ss@[")]).proxies().expect_err("not a URL");
        assert_eq!(error, HttpError::Proxy("HTTPS_PROXY is not a proxy's URL".into()));
    }
}
