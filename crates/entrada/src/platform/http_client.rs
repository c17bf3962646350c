//! The HTTP client: one for the whole process, made when it is first needed.

use std::error::Error as StdError;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::BytesMut;
use reqwest::{Client, NoProxy, Proxy};
use rustls::CertificateError;

use super::environment::{Environment, SystemEnvironment};
use super::http::{Http, HttpError, HttpRequest, HttpResponse, Method, Route};
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
        let tls = tls::client_config(Arc::clone(&self.environment))?;
        let builder = |connect_timeout| {
            Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .user_agent(USER_AGENT)
                .connect_timeout(connect_timeout)
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
        };
        let mut proxied = builder(CONNECT_TIMEOUT);
        for proxy in self.proxies()? {
            proxied = proxied.proxy(proxy);
        }
        let invalid = |error: reqwest::Error| HttpError::Invalid(reason(&error));
        Ok(Clients {
            generation,
            direct: builder(DIRECT_CONNECT_TIMEOUT).build().map_err(invalid)?,
            proxied: proxied.build().map_err(invalid)?,
        })
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
        let client = self.client(request.route)?;
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
        };
        let failed = |error| classify(&error, Some(request.timeout));
        let mut response = client
            .request(method, request.url.clone())
            .headers(request.headers.clone())
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
    if let Some(untrusted) = find::<rustls::Error>(error).and_then(tls::untrusted) {
        return untrusted.into();
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
    } else if error.is_connect() {
        HttpError::Connect(text)
    } else if error.is_builder() {
        HttpError::Invalid(text)
    } else {
        HttpError::Broken(text)
    }
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
