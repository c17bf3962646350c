//! The front door: a proxy that ends TLS for the public names, answers for them, and dials nothing.

use crate::authorities;
use crate::authority::Authority;
use crate::body::AnswerBody;
use crate::call::{Call, Reply, Trail};
use crate::control;
use crate::endpoint_tls::EndpointCertificates;
use crate::exchange::{self, Closed, Started};
use crate::host::Host;
use crate::journal::Service;
use crate::managed_identity::imds;
use crate::port::Port;
use crate::services::{Target, why_refused};
use crate::state::State;
use http::{HeaderMap, Method, Request, Response, Uri};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Largest head of a request, in bytes.
const LARGEST_HEAD: usize = 128 * 1024;

/// How long a client may take for the head of a request, or for a TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(30);

const NO_IMDS: &str = "unreachable: the program does not run on a virtual machine";

/// What a port is for.
#[derive(Clone)]
pub(crate) enum Door {
    /// The proxy that programs are pointed to, with the host whose metadata service is behind it.
    Gateway(Option<Host>),
    /// The place of the metadata service on a machine that has none.
    NoImds,
    /// The endpoint that a host has of its own.
    Endpoint(Host),
    /// The emulator's own control endpoint.
    Control(Arc<control::Lock>),
}

/// What every connection of a run shares.
pub(crate) struct Shared {
    pub(crate) state: State,
    pub(crate) authority: Authority,
    pub(crate) certificates: EndpointCertificates,
}

/// Accepts connections until the run stops, then ends those that are left.
pub(crate) async fn serve(shared: Arc<Shared>, port: Arc<Port>, door: Door, mut stop: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    let mut changes = port.changes();
    let for_connections = stop.clone();
    loop {
        let opens = port.open_if_due();
        tokio::select! {
            accepted = port.accept() => match accepted {
                Ok(stream) => {
                    let _ = stream.set_nodelay(true);
                    connections.spawn(connection(shared.clone(), stream, door.clone(), for_connections.clone()));
                }
                // Out of file descriptors, most likely: give connections time to end.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
            () = tokio::time::sleep_until(opens.unwrap_or_else(tokio::time::Instant::now)), if opens.is_some() => {}
            // Who does not listen has no connections either.
            _ = changes.changed() => if port.is_shut() {
                connections.shutdown().await;
            },
            Some(_) = connections.join_next() => {}
            () = stopped(&mut stop) => break,
        }
    }
    connections.shutdown().await;
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the run is gone altogether.
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn connection(shared: Arc<Shared>, stream: TcpStream, door: Door, stop: watch::Receiver<bool>) {
    if let Door::Endpoint(host) = door
        && EndpointCertificates::has(host)
    {
        return endpoint_over_tls(shared, host, stream).await;
    }
    let service = service_fn(|request| {
        let (shared, door, stop) = (shared.clone(), door.clone(), stop.clone());
        async move {
            match door {
                Door::Gateway(inside) => proxy(shared, inside, request, stop).await,
                Door::NoImds => Ok(no_imds(&shared.state, &request)),
                Door::Endpoint(host) => endpoint(&shared.state, host, request).await,
                Door::Control(lock) => Ok(control::serve(&shared.state, &lock, request).await),
            }
        }
    });
    // A client that goes away, or is cut off by a fault, is no error of ours.
    let _ = http().serve_connection(TokioIo::new(stream), service).with_upgrades().await;
}

async fn endpoint(state: &State, host: Host, request: Request<Incoming>) -> Result<Response<AnswerBody>, Closed> {
    match Target::at(host) {
        // A connection from before a fault shut the port ends with it.
        Some(target) if !state.is_shut(host) => exchange::serve(state, target, &host_of(&request), request).await,
        _ => Err(Closed),
    }
}

/// Serves the endpoint of a host that has it behind TLS.
async fn endpoint_over_tls(shared: Arc<Shared>, host: Host, stream: TcpStream) {
    let started = Started::now();
    let other = host.service().is_some_and(|service| shared.state.faults.shows_other_certificate(service));
    let Some(config) = shared.certificates.server(host, other) else { return };
    match handshake(config, stream).await {
        Ok(tls) => {
            let service = service_fn(|request| {
                let shared = shared.clone();
                async move { endpoint(&shared.state, host, request).await }
            });
            let _ = http().serve_connection(TokioIo::new(tls), service).await;
        }
        Err(error) => {
            let service = host.service().unwrap_or(Service::Gateway);
            let note = match other {
                true => "fault: another certificate was shown",
                false => "does the client know the certificate, and ask for the name that it is for?",
            };
            tls_failed(&shared.state, &started, service, "localhost", &error, note);
        }
    }
}

async fn handshake<S>(config: Arc<ServerConfig>, stream: S) -> io::Result<TlsStream<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let accepted = tokio::time::timeout(HANDSHAKE, TlsAcceptor::from(config).accept(stream)).await;
    accepted.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

/// Writes a failed handshake down.
fn tls_failed(state: &State, started: &Started, service: Service, host: &str, error: &io::Error, hint: &str) {
    // A client that goes away before the handshake, as a prober of ports does, is not worth a line.
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return;
    }
    let call = Call::new(Method::CONNECT, host, &Uri::from_static("/"), HeaderMap::new(), bytes::Bytes::new());
    let trail = Trail { note: Some(format!("TLS failed: {error}; {hint}")), ..Trail::default() };
    exchange::write(state, started, service, &call, 0, trail);
}

fn http() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HANDSHAKE).max_buf_size(LARGEST_HEAD).max_headers(128);
    builder
}

fn host_of(request: &Request<Incoming>) -> String {
    let header = request.headers().get(http::header::HOST).and_then(|value| value.to_str().ok());
    header.unwrap_or_default().rsplit_once(':').map_or(header.unwrap_or_default(), |(host, _)| host).to_owned()
}

async fn proxy(
    shared: Arc<Shared>,
    inside: Option<Host>,
    mut request: Request<Incoming>,
    stop: watch::Receiver<bool>,
) -> Result<Response<AnswerBody>, Closed> {
    let state = &shared.state;
    let uri = request.uri().clone();
    let host = uri.host().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
    if request.method() == Method::CONNECT {
        if host == imds::ADDRESS {
            return Ok(refuse(
                state,
                &host,
                &request,
                "the metadata service has no https; it is asked with http on port 80",
            ));
        }
        let Some(target) = Target::at_port(&state.directory, &host, uri.port_u16().unwrap_or_default()) else {
            let port = Target::of(&state.directory, &host).map(|_| 443);
            let reason = match port.or_else(|| authorities::port_of(&state.directory.config, &host)) {
                Some(port) => format!("the emulator answers for it on port {port} only"),
                None => why_refused(&state.directory, &host),
            };
            return Ok(refuse(state, &host, &request, &reason));
        };
        let upgrade = hyper::upgrade::on(&mut request);
        let task = shared.clone();
        tokio::spawn(async move {
            if let Ok(upgraded) = upgrade.await {
                tunnel(task, target, host, TokioIo::new(upgraded), stop).await;
            }
        });
        return Ok(Response::new(AnswerBody::whole(bytes::Bytes::new())));
    }
    if host.is_empty() {
        return Ok(refuse(state, "", &request, "this is a proxy; name it in HTTPS_PROXY and HTTP_PROXY"));
    }
    if host == imds::ADDRESS && uri.port_u16().is_none_or(|port| port == 80) {
        match inside {
            Some(inside) if !state.is_shut(inside) => {
                return exchange::serve(state, Target::ManagedIdentity(inside), &host, request).await;
            }
            // The metadata service of a container that has just started refuses connections, and so does this one.
            Some(_) => return Err(Closed),
            None => {}
        }
        // A laptop has no such address, and a connection to it fails: so does this one.
        let call = Call::new(request.method().clone(), &host, &uri, request.headers().clone(), bytes::Bytes::new());
        let trail = Trail { note: Some(NO_IMDS.to_owned()), ..Trail::default() };
        exchange::write(state, &Started::now(), Service::Gateway, &call, 0, trail);
        return Err(Closed);
    }
    let reason = match Target::of(&state.directory, &host) {
        Some(_) => "it is asked with https".to_owned(),
        None => why_refused(&state.directory, &host),
    };
    Ok(refuse(state, &host, &request, &reason))
}

/// What a laptop with Docker Desktop says in place of the metadata service. Every Azure SDK knows it, and goes on at once.
fn no_imds(state: &State, request: &Request<Incoming>) -> Response<AnswerBody> {
    const TEXT: &str = "connecting to 169.254.169.254:80: dial tcp 169.254.169.254:80: connectex: A socket operation was \
        attempted to an unreachable network.";
    let call = Call::new(
        request.method().clone(),
        imds::ADDRESS,
        request.uri(),
        request.headers().clone(),
        bytes::Bytes::new(),
    );
    let reply = Reply::text(403, TEXT.to_owned()).note(NO_IMDS);
    exchange::finish(state, &Started::now(), Service::Gateway, &call, reply)
}

/// Refuses a name, in words that show up in most clients' errors.
fn refuse(state: &State, host: &str, request: &Request<Incoming>, reason: &str) -> Response<AnswerBody> {
    let uri = if request.method() == Method::CONNECT { Uri::from_static("/") } else { request.uri().clone() };
    let call = Call::new(request.method().clone(), host, &uri, request.headers().clone(), bytes::Bytes::new());
    let text = format!("entrada emulator: refused '{host}': {reason}.\n");
    let reply = Reply::text(403, text).header("connection", "close").note(reason);
    exchange::finish(state, &Started::now(), Service::Gateway, &call, reply)
}

/// Ends TLS as `host` and serves what is inside.
async fn tunnel<S>(shared: Arc<Shared>, target: Target, host: String, stream: S, mut stop: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let started = Started::now();
    let serve = async {
        let config = shared.authority.server(&host).map_err(|error| io::Error::other(error.to_string()))?;
        let tls = handshake(config, stream).await?;
        let service = service_fn(|request: Request<Incoming>| {
            let (shared, host) = (shared.clone(), host.clone());
            async move { exchange::serve(&shared.state, target, &host, request).await }
        });
        let _ = http().serve_connection(TokioIo::new(tls), service).await;
        Ok::<(), io::Error>(())
    };
    let result = tokio::select! {
        result = serve => result,
        () = stopped(&mut stop) => Ok(()),
    };
    if let Err(error) = result {
        let hint = "does the client trust the emulator's authority (SSL_CERT_FILE, REQUESTS_CA_BUNDLE, …)?";
        tls_failed(&shared.state, &started, Service::Gateway, &host, &error, hint);
    }
}
