//! The two ways between this crate's HTTP and `azure_core`'s: credentials that send through a user's
//! [`ClientOptions`], and service clients that send through this crate's client.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use azure_core::error::{ErrorKind, ResultExt};
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use azure_core::http::{
    AsyncRawResponse, Body, ClientOptions, Context, HttpClient as AzureHttpClient, Method as AzureMethod, Pipeline,
    PipelineSendOptions, Request, Transport,
};
use bytes::Bytes;
use futures::TryStreamExt;
use http::HeaderMap;

use super::http::{Http, HttpError, HttpRequest, HttpResponse, Method, Route, Trust};
use super::http_client::HttpClient;
use crate::runtime;

/// The HTTP client that credentials use, for the official service clients: rustls with ring, the environment's proxy and
/// certificates, and no async runtime of the caller's needed.
///
/// With it a program can take `azure_core` and the service clients with `default-features = false`, and so without
/// aws-lc-rs and its C build.
///
/// ```
/// use azure_core::http::ClientOptions;
///
/// let options = ClientOptions { transport: Some(entrada::transport()), ..Default::default() };
/// # let _ = options;
/// ```
pub fn transport() -> Transport {
    transport_by(Route::Proxied)
}

fn transport_by(route: Route) -> Transport {
    Transport::new(Arc::new(Routed { client: HttpClient::system(), route, trust: Trust::System }))
}

/// The HTTP client with its route and its trust fixed: `azure_core`'s requests do not carry them.
struct Routed {
    client: Arc<HttpClient>,
    route: Route,
    trust: Trust,
}

impl fmt::Debug for Routed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").field("route", &self.route).finish_non_exhaustive()
    }
}

#[async_trait]
impl AzureHttpClient for Routed {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let (client, url, headers) = match &self.trust {
            Trust::System => {
                let client = self.client.client(self.route).map_err(into_azure)?;
                (client, request.url().clone(), HeaderMap::new())
            }
            trust => {
                let (client, trust, url) = (Arc::clone(&self.client), trust.clone(), request.url().clone());
                let made = runtime::run(async move { client.special(&trust, &url).await }).await;
                made.map_err(azure_core::Error::from)?.map_err(into_azure)?
            }
        };
        let method = reqwest::Method::from_bytes(request.method().as_str().as_bytes())
            .with_context(ErrorKind::DataConversion, "not an HTTP method")?;
        let mut sending = client.request(method, url).headers(headers);
        for (name, value) in request.headers().iter() {
            sending = sending.header(name.as_str(), value.as_str());
        }
        sending = match request.body().clone() {
            Body::Bytes(bytes) => sending.body(bytes),
            Body::SeekableStream(stream) => sending.body(reqwest::Body::wrap_stream(stream)),
        };
        // On the threads that own the connections: the caller's runtime may be none, or end before the next request.
        let response = runtime::run(sending.send())
            .await
            .map_err(azure_core::Error::from)?
            .map_err(|error| into_azure(super::http_client::classify(&error, None)))?;
        let status = response.status().as_u16().into();
        let headers = to_azure_headers(response.headers());
        let body = response.bytes_stream().map_err(|error| into_azure(super::http_client::classify(&error, None)));
        Ok(AsyncRawResponse::new(status, headers, Box::pin(body)))
    }
}

/// Sends a credential's requests through the pipeline that a user's [`ClientOptions`] describe: their policies, their
/// retries, their transport.
struct PipelineHttp {
    options: ClientOptions,
    /// Whether the transport is the user's own: what it trusts is theirs to say.
    own_transport: bool,
    pipeline: Pipeline,
}

impl PipelineHttp {
    /// A pipeline that differs in what it trusts.
    fn trusting(&self, trust: &Trust) -> Pipeline {
        let transport = Routed { client: HttpClient::system(), route: Route::Direct, trust: trust.clone() };
        pipeline(ClientOptions { transport: Some(Transport::new(Arc::new(transport))), ..self.options.clone() })
    }
}

fn pipeline(options: ClientOptions) -> Pipeline {
    let (name, version) = (option_env!("CARGO_PKG_NAME"), option_env!("CARGO_PKG_VERSION"));
    Pipeline::new(name, version, options, Vec::new(), Vec::new(), None)
}

/// The HTTP of a credential whose user configured a pipeline. Where the options name no transport, requests go through
/// this crate's client, by the given route.
pub(crate) fn configured(mut options: ClientOptions, route: Route) -> Arc<dyn Http> {
    let own_transport = options.transport.is_some();
    options.transport.get_or_insert_with(|| transport_by(route));
    Arc::new(PipelineHttp { pipeline: pipeline(options.clone()), own_transport, options })
}

#[async_trait]
impl Http for PipelineHttp {
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        let method = match request.method {
            Method::Get => AzureMethod::Get,
            Method::Post => AzureMethod::Post,
        };
        let mut outgoing = Request::new(request.url.clone(), method);
        for (name, value) in &request.headers {
            let value = value.to_str().map_err(|_| HttpError::Invalid(format!("the header {name} is not ASCII")))?;
            outgoing.insert_header(name.as_str().to_owned(), value.to_owned());
        }
        outgoing.set_body(Bytes::copy_from_slice(&request.body));
        let options = PipelineSendOptions { skip_checks: true, ..PipelineSendOptions::default() };
        let special = (request.trust != Trust::System && !self.own_transport).then(|| self.trusting(&request.trust));
        let pipeline = special.as_ref().unwrap_or(&self.pipeline);
        let context = Context::new();
        // The pipeline tries again by itself, and does not know how long it may.
        let sent = tokio::time::timeout(request.timeout, pipeline.send(&context, &mut outgoing, Some(options))).await;
        let response = sent.map_err(|_| HttpError::Timeout(request.timeout))?.map_err(|error| from_azure(&error))?;
        let (status, headers, body) = response.deconstruct();
        let body = Bytes::from(body);
        if body.len() > HttpResponse::MAX_BODY {
            return Err(HttpError::TooLarge);
        }
        Ok(HttpResponse { status: status.into(), headers: from_azure_headers(&headers), body })
    }

    fn retries(&self) -> bool {
        true
    }
}

fn into_azure(error: HttpError) -> azure_core::Error {
    let kind = match error {
        HttpError::Connect(_) | HttpError::Refused(_) | HttpError::Timeout(_) | HttpError::Proxy(_) => {
            ErrorKind::Connection
        }
        HttpError::Broken(_) => ErrorKind::Io,
        _ => ErrorKind::Other,
    };
    let text = error.to_string();
    azure_core::Error::with_error(kind, error, text)
}

fn from_azure(error: &azure_core::Error) -> HttpError {
    // Our own error, where the request went through our own client.
    if let Some(ours) = error.downcast_ref::<HttpError>() {
        return ours.clone();
    }
    match error.kind() {
        ErrorKind::Connection => HttpError::Connect(error.to_string()),
        ErrorKind::Io => HttpError::Broken(error.to_string()),
        _ => HttpError::Invalid(error.to_string()),
    }
}

/// `azure_core` keeps one value of each name. Where there are several they are a list (RFC 9110, section 5.3), such as the
/// challenges of a 401.
fn to_azure_headers(headers: &HeaderMap) -> Headers {
    let headers: HashMap<_, _> = headers
        .keys()
        .filter_map(|name| {
            let values: Vec<_> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
            let value = (!values.is_empty()).then(|| HeaderValue::from(values.join(", ")))?;
            Some((HeaderName::from(name.as_str().to_owned()), value))
        })
        .collect();
    Headers::from(headers)
}

fn from_azure_headers(headers: &Headers) -> HeaderMap {
    headers
        .iter()
        .filter_map(|(name, value)| {
            Some((http::HeaderName::try_from(name.as_str()).ok()?, http::HeaderValue::try_from(value.as_str()).ok()?))
        })
        .collect()
}
