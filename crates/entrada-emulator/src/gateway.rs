//! The front door: a proxy that ends TLS for the public names, answers for them, and dials nothing.

use crate::authority::Authority;
use crate::body::AnswerBody;
use crate::call::{Call, Reply, Trail};
use crate::control;
use crate::environment::Host;
use crate::exchange::{self, Closed, Started};
use crate::imds;
use crate::journal::Service;
use crate::services::{Target, why_refused};
use crate::state::State;
use http::{HeaderMap, Method, Request, Response, Uri};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// Largest head of a request, in bytes.
const LARGEST_HEAD: usize = 128 * 1024;

/// How long a client may take for the head of a request, or for a TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(30);

const NO_IMDS: &str = "unreachable: the program does not run on a virtual machine";

/// What a port is for.
#[derive(Clone)]
pub(crate) enum Door {
    /// The proxy that programs on a host are pointed to.
    Gateway(Host),
    /// The metadata service, on a port of its own.
    Imds,
    /// The place of the metadata service on a machine that has none.
    NoImds,
    /// The App Service identity endpoint.
    AppService,
    /// The emulator's own control endpoint.
    Control(Arc<control::Lock>),
}

/// What every connection of a run shares.
pub(crate) struct Shared {
    pub(crate) state: State,
    pub(crate) authority: Authority,
}

/// Accepts connections until the run stops, then ends those that are left.
pub(crate) async fn serve(shared: Arc<Shared>, listener: TcpListener, door: Door, mut stop: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    let for_connections = stop.clone();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let _ = stream.set_nodelay(true);
                    connections.spawn(connection(shared.clone(), stream, door.clone(), for_connections.clone()));
                }
                // Out of file descriptors, most likely: give connections time to end.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
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
    let service = service_fn(|request| {
        let (shared, door, stop) = (shared.clone(), door.clone(), stop.clone());
        async move {
            match door {
                Door::Gateway(host) => proxy(shared, host, request, stop).await,
                Door::Imds => exchange::serve(&shared.state, Target::Imds, &host_of(&request), request).await,
                Door::NoImds => Ok(no_imds(&shared.state, &request)),
                Door::AppService => {
                    exchange::serve(&shared.state, Target::AppService, &host_of(&request), request).await
                }
                Door::Control(lock) => Ok(control::serve(&shared.state, &lock, request).await),
            }
        }
    });
    // A client that goes away, or is cut off by a fault, is no error of ours.
    let _ = http().serve_connection(TokioIo::new(stream), service).with_upgrades().await;
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
    inside: Host,
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
        let Some(target) = Target::of(&state.directory, &host) else {
            let reason = why_refused(&state.directory, &host);
            return Ok(refuse(state, &host, &request, &reason));
        };
        if uri.port_u16() != Some(443) {
            return Ok(refuse(state, &host, &request, "the emulator answers for it on port 443 only"));
        }
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
        if inside == Host::VirtualMachine {
            return exchange::serve(state, Target::Imds, &host, request).await;
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
        let accepted = tokio::time::timeout(HANDSHAKE, TlsAcceptor::from(config).accept(stream)).await;
        let tls = accepted.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
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
        // A client that goes away before the handshake, as a prober of ports does, is not worth a line.
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return;
        }
        let call = Call::new(Method::CONNECT, &host, &Uri::from_static("/"), HeaderMap::new(), bytes::Bytes::new());
        let note = format!(
            "TLS failed: {error}; does the client trust the emulator's authority (SSL_CERT_FILE, REQUESTS_CA_BUNDLE, …)?"
        );
        let trail = Trail { note: Some(note), ..Trail::default() };
        exchange::write(&shared.state, &started, Service::Gateway, &call, 0, trail);
    }
}
