//! Waiting on loopback for the browser to come back.

use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use zeroize::Zeroizing;

use super::page::{self, Page};
use super::redirect_request::{Answer, Arrived, Expected, LARGEST_BODY, LARGEST_HEAD, Refusal, read};
use super::web_browser::Opening;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::platform::{Clock, LoopbackListener, LoopbackStream, Platform};

/// How long a connection may take to say what it wants: browsers open some that they never use.
const CONNECTION: Duration = Duration::from_secs(10);
/// How long an answer may take to be taken.
const FAREWELL: Duration = Duration::from_secs(3);
/// More at once wait to be accepted.
const MOST_CONNECTIONS: usize = 32;

/// The browser that brought the answer, and waits for a page.
pub(super) struct Visitor(Box<dyn LoopbackStream>);

impl Visitor {
    /// Shows a page, and waits until the browser has it: this program may end next.
    pub(super) async fn show(self, clock: &dyn Clock, page: &Page) {
        reply(self.0, clock, page).await;
    }
}

/// Waits until somebody brings the answer, or the time is up, or no browser can be opened. Whoever brings anything else is
/// turned away.
pub(super) async fn wait(
    mut listener: Box<dyn LoopbackListener>,
    expected: &Expected,
    platform: &Platform,
    mut opening: Opening,
    deadline: Deadline,
) -> Result<Option<(Answer, Visitor)>, Error> {
    let clock = platform.clock();
    let mut connections: FuturesUnordered<BoxFuture<'_, Option<(Answer, Visitor)>>> = FuturesUnordered::new();
    loop {
        let busy = !connections.is_empty();
        tokio::select! {
            biased;
            Some(ended) = connections.next(), if busy => {
                if let Some(brought) = ended {
                    return Ok(Some(brought));
                }
            }
            error = opening.failed(platform) => return Err(error),
            stream = listener.accept(), if connections.len() < MOST_CONNECTIONS => {
                connections.push(Box::pin(serve(stream, expected, clock)));
            }
            () = async { clock.sleep(deadline.left(clock)).await } => return Ok(None),
        }
    }
}

/// Reads a request; turns it away unless it brings the answer.
async fn serve(
    mut stream: Box<dyn LoopbackStream>,
    expected: &Expected,
    clock: &dyn Clock,
) -> Option<(Answer, Visitor)> {
    let arrived = tokio::select! {
        biased;
        arrived = receive(&mut stream, expected) => arrived?,
        () = async { clock.sleep(CONNECTION).await } => Err(Refusal { status: 408, why: "the request took too long" }),
    };
    match arrived {
        Ok(answer) => Some((answer, Visitor(stream))),
        Err(refusal) => {
            tracing::debug!(status = refusal.status, why = refusal.why, "a request that is not the answer");
            reply(stream, clock, &page::refusal(refusal)).await;
            None
        }
    }
}

/// `None` where the connection ends before a request has come.
async fn receive(stream: &mut Box<dyn LoopbackStream>, expected: &Expected) -> Option<Result<Answer, Refusal>> {
    // As large as it may get, so that nothing of it is left behind when it grows.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LARGEST_HEAD + LARGEST_BODY));
    loop {
        match read(&bytes, expected) {
            Arrived::Answer(answer) => return Some(Ok(answer)),
            Arrived::Other(refusal) => return Some(Err(refusal)),
            Arrived::Part => {}
        }
        let room = (LARGEST_HEAD + LARGEST_BODY).saturating_sub(bytes.len());
        match (&mut *stream).take(room as u64).read_buf(&mut *bytes).await {
            Ok(0) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

async fn reply(mut stream: Box<dyn LoopbackStream>, clock: &dyn Clock, page: &Page) {
    let answer = page.to_http();
    let send = async {
        stream.write_all(&answer).await?;
        stream.shutdown().await?;
        // To close while the browser still sends would take the page from it.
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
    };
    tokio::select! {
        biased;
        _ = send => {}
        () = async { clock.sleep(FAREWELL).await } => {}
    }
}
