//! Listening on loopback, for the answer that a browser brings back.

use std::fmt;
use std::future::poll_fn;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

/// The ports that are tried first where any will do: those of `azure-identity`, which people have opened in firewalls and
/// forward from containers.
const USUAL_PORTS: std::ops::Range<u16> = 8400..9000;
/// How often a port of the system's choice is tried for that must be free for both families.
const ATTEMPTS: usize = 20;

/// Which name of this machine a browser is sent back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoopbackHost {
    /// `localhost`: browsers take it for `127.0.0.1` or for `::1`, as they like.
    Localhost,
    /// `127.0.0.1`
    Ipv4,
    /// `[::1]`
    Ipv6,
}

impl LoopbackHost {
    fn addresses(self) -> &'static [IpAddr] {
        const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
        const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
        match self {
            Self::Localhost => &[V4, V6],
            Self::Ipv4 => &[V4],
            Self::Ipv6 => &[V6],
        }
    }
}

/// Why nobody can listen.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoopbackError {
    /// Another program listens at this port already.
    InUse(u16),
    /// This user may not listen at this port: below 1024, or set aside by the system.
    Denied(u16),
    /// Something else; the text is the system's.
    Other(String),
}

impl fmt::Display for LoopbackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse(port) => write!(f, "port {port} is in use by another program"),
            Self::Denied(port) => write!(f, "this user may not listen at port {port}"),
            Self::Other(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for LoopbackError {}

/// Listens on this machine for this machine.
#[async_trait]
pub trait Loopback: Send + Sync {
    /// Listens at a port, or at a free one.
    ///
    /// # Errors
    /// [`LoopbackError`] where the port is taken, or there is none.
    async fn listen(&self, host: LoopbackHost, port: Option<u16>) -> Result<Box<dyn LoopbackListener>, LoopbackError>;
}

/// Somebody who listens. Dropping it ends that.
#[async_trait]
pub trait LoopbackListener: Send + Sync {
    /// The port.
    fn port(&self) -> u16;

    /// Waits for the next connection from this machine. Dropping the future loses none.
    async fn accept(&mut self) -> Box<dyn LoopbackStream>;
}

/// A connection from this machine.
pub trait LoopbackStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> LoopbackStream for T {}

/// The loopback interface of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemLoopback;

struct Listening {
    port: u16,
    /// One for each family.
    sockets: Vec<TcpListener>,
}

#[async_trait]
impl Loopback for SystemLoopback {
    async fn listen(&self, host: LoopbackHost, port: Option<u16>) -> Result<Box<dyn LoopbackListener>, LoopbackError> {
        if let Some(port) = port {
            return Ok(Box::new(bind(host, port).await?));
        }
        let mut last = LoopbackError::Other("there is no free port".into());
        for port in USUAL_PORTS.chain(std::iter::repeat_n(0, ATTEMPTS)) {
            match bind(host, port).await {
                Ok(listening) => return Ok(Box::new(listening)),
                Err(error @ LoopbackError::Other(_)) => return Err(error),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// Listens at all addresses of a host. The second family may be missing on this machine, but not taken by another program,
/// which would get what is meant for us.
async fn bind(host: LoopbackHost, port: u16) -> Result<Listening, LoopbackError> {
    let mut listening = Listening { port, sockets: Vec::new() };
    for address in host.addresses() {
        match TcpListener::bind(SocketAddr::new(*address, listening.port)).await {
            Ok(socket) => {
                let own = socket.local_addr().map_err(|error| LoopbackError::Other(error.to_string()))?;
                listening.port = own.port();
                listening.sockets.push(socket);
            }
            Err(error) if error.kind() == ErrorKind::AddrInUse => return Err(LoopbackError::InUse(listening.port)),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                return Err(LoopbackError::Denied(listening.port));
            }
            Err(_) if !listening.sockets.is_empty() => {}
            Err(error) => return Err(LoopbackError::Other(format!("{address} cannot be listened at: {error}"))),
        }
    }
    Ok(listening)
}

#[async_trait]
impl LoopbackListener for Listening {
    fn port(&self) -> u16 {
        self.port
    }

    async fn accept(&mut self) -> Box<dyn LoopbackStream> {
        loop {
            let accepted = poll_fn(|context| {
                let mut polled = self.sockets.iter().map(|socket| socket.poll_accept(context));
                polled.find(Poll::is_ready).unwrap_or(Poll::Pending)
            });
            match accepted.await {
                Ok((stream, peer)) if peer.ip().to_canonical().is_loopback() => return Box::new(stream),
                Ok(_) => {}
                // Out of descriptors, mostly: that passes, and whoever waits has a deadline.
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn both_families_are_served_where_there_are_both() {
        let mut listening = SystemLoopback.listen(LoopbackHost::Localhost, None).await.expect("a port");
        let port = listening.port();
        for address in LoopbackHost::Localhost.addresses() {
            let Ok(mut client) = TcpStream::connect((*address, port)).await else {
                assert!(address.is_ipv6(), "IPv4 is everywhere");
                continue;
            };
            let mut server = listening.accept().await;
            client.write_all(b"x").await.expect("written");
            assert_eq!(server.read_u8().await.expect("read"), b'x');
        }
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_named() {
        let listening = SystemLoopback.listen(LoopbackHost::Localhost, None).await.expect("a port");
        let port = listening.port();
        let error = SystemLoopback.listen(LoopbackHost::Localhost, Some(port)).await.err().expect("taken");
        assert_eq!(error, LoopbackError::InUse(port));
        let other = SystemLoopback.listen(LoopbackHost::Localhost, None).await.expect("another port");
        assert_ne!(other.port(), port);
        drop(listening);
        SystemLoopback.listen(LoopbackHost::Localhost, Some(port)).await.expect("free again");
    }
}
