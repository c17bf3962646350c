//! Work that many wait for: it is done once, and everybody shares its outcome.

use std::sync::OnceLock;
use std::time::Duration;

use event_listener::{Event, Listener, listener};

use crate::error::Error;
use crate::runtime;

/// How a flight ended.
pub(crate) type Landing<T> = Result<T, Error>;

/// Work that is under way, or has landed: a fetch of a token, mostly.
pub(crate) struct Flight<T> {
    /// A flight that was in the air when the process was forked never lands in the child.
    generation: u64,
    landing: OnceLock<Landing<T>>,
    landed: Event,
}

impl<T: Clone> Flight<T> {
    pub(crate) fn new() -> Self {
        Self { generation: runtime::generation(), landing: OnceLock::new(), landed: Event::new() }
    }

    /// Whether it can still be waited for.
    pub(super) fn is_alive(&self) -> bool {
        self.generation == runtime::generation()
    }

    pub(crate) fn land(&self, landing: Landing<T>) {
        if self.landing.set(landing).is_ok() {
            self.landed.notify(usize::MAX);
        }
    }

    /// How it ended, if it has.
    pub(crate) fn landing(&self) -> Option<Landing<T>> {
        self.landing.get().cloned()
    }

    /// Waits for the end, on any async runtime. Dropping this future leaves the flight and its other passengers alone.
    pub(crate) async fn wait(&self) -> Landing<T> {
        loop {
            if let Some(landing) = self.landing() {
                return landing;
            }
            listener!(self.landed => listener);
            // It may have landed between the look and the listening.
            if let Some(landing) = self.landing() {
                return landing;
            }
            listener.await;
        }
    }

    /// Blocks this thread until the end, but no longer than `limit`.
    pub(crate) fn wait_blocking(&self, limit: Duration) -> Option<Landing<T>> {
        listener!(self.landed => listener);
        if let Some(landing) = self.landing() {
            return Some(landing);
        }
        listener.wait_timeout(limit);
        self.landing()
    }
}
