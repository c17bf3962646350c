//! A port of the run that can be shut for a while, so that connections to it are refused, without being lost.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::task::Poll;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::Instant;

const BACKLOG: u32 = 1024;

/// A port of 127.0.0.1. While it is shut it is bound and does not listen.
pub(crate) struct Port {
    address: SocketAddr,
    runtime: Handle,
    state: Mutex<State>,
    /// Counts the changes of the state.
    changes: watch::Sender<u64>,
}

struct State {
    socket: Socket,
    /// When it opens for the first time.
    first: Option<Instant>,
    /// When it opens again, after a fault.
    again: Option<Instant>,
}

enum Socket {
    Listening(TcpListener),
    Bound(TcpSocket),
    /// The system did not give the port back; it is tried again.
    Lost,
}

impl Port {
    /// Takes a free port, which opens at once or at a later time.
    pub(crate) fn take(opens: Option<Instant>) -> io::Result<Self> {
        let socket = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let address = socket.local_addr()?;
        let socket = if opens.is_some() { Socket::Bound(socket) } else { Socket::Listening(socket.listen(BACKLOG)?) };
        Ok(Self {
            address,
            runtime: Handle::current(),
            state: Mutex::new(State { socket, first: opens, again: None }),
            changes: watch::Sender::new(0),
        })
    }

    pub(crate) fn number(&self) -> u16 {
        self.address.port()
    }

    /// Shuts the port until a time, or opens it. Both are done when this returns.
    pub(crate) fn shut_until(&self, opens: Option<Instant>) {
        self.update(Some(opens));
        self.changes.send_modify(|count| *count += 1);
    }

    /// Opens the port if its time has come, and otherwise says when that is.
    pub(crate) fn open_if_due(&self) -> Option<Instant> {
        self.update(None)
    }

    /// A receiver that is told when the port was shut or opened before its time.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Whether connections are refused.
    pub(crate) fn is_shut(&self) -> bool {
        !matches!(self.lock().socket, Socket::Listening(_))
    }

    /// Waits for a connection; for ever, while the port is shut.
    pub(crate) async fn accept(&self) -> io::Result<TcpStream> {
        std::future::poll_fn(|context| match &self.lock().socket {
            Socket::Listening(listener) => listener.poll_accept(context).map_ok(|(stream, _)| stream),
            Socket::Bound(_) | Socket::Lost => Poll::Pending,
        })
        .await
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self, again: Option<Option<Instant>>) -> Option<Instant> {
        let mut state = self.lock();
        if let Some(again) = again {
            state.again = again;
        }
        let now = Instant::now();
        let opens = state.first.max(state.again).filter(|opens| *opens > now);
        // A socket that is to listen registers with the runtime, wherever this is called from.
        let _inside = self.runtime.enter();
        let next = match (std::mem::replace(&mut state.socket, Socket::Lost), opens.is_some()) {
            (Socket::Listening(listener), true) => {
                drop(listener);
                bind(self.address).map_or(Socket::Lost, Socket::Bound)
            }
            (Socket::Bound(socket), false) => socket.listen(BACKLOG).map_or(Socket::Lost, Socket::Listening),
            (Socket::Lost, false) => {
                bind(self.address).and_then(|socket| socket.listen(BACKLOG)).map_or(Socket::Lost, Socket::Listening)
            }
            (socket, _) => socket,
        };
        let lost = matches!(next, Socket::Lost) && opens.is_none();
        state.socket = next;
        if lost { Some(now + std::time::Duration::from_millis(20)) } else { opens }
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    // Connections that have just ended must not keep the port from being taken again. (On Windows they do not, and the
    // option means something else.)
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::Port;
    use std::net::TcpStream;
    use std::time::Duration;
    use tokio::time::Instant;

    #[tokio::test]
    async fn a_port_is_shut_and_opens_again_at_once() {
        let port = Port::take(None).expect("a port");
        let connects = || TcpStream::connect(("127.0.0.1", port.number())).is_ok();
        assert!(connects());
        port.shut_until(Some(Instant::now() + Duration::from_secs(3600)));
        assert!(!connects() && port.is_shut());
        port.shut_until(None);
        assert!(connects());
    }

    #[tokio::test]
    async fn a_port_opens_when_its_time_has_come() {
        let port = Port::take(Some(Instant::now() + Duration::from_millis(500))).expect("a port");
        let connects = || TcpStream::connect(("127.0.0.1", port.number())).is_ok();
        assert!(!connects());
        let opens = port.open_if_due().expect("later");
        tokio::time::sleep_until(opens).await;
        assert!(port.open_if_due().is_none() && connects());
    }
}
