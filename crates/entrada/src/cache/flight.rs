//! Work that many wait for: it is done once, and everybody shares its outcome.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::signal::Signal;
use crate::error::Error;
use crate::runtime;
use crate::sync::{Arc, Instant, Mutex, MutexGuard, PoisonError};

/// How a flight ended.
pub(crate) type Landing<T> = Result<T, Error>;

/// Work that is under way, or has landed: a fetch of a token, mostly.
pub(crate) struct Flight<T> {
    /// A flight that was in the air when the process was forked never lands in the child.
    generation: u64,
    state: Mutex<State<T>>,
}

enum State<T> {
    InTheAir(Passengers),
    Landed(Landing<T>),
}

/// Those who wait, in the order in which they came.
#[derive(Default)]
struct Passengers {
    wakers: BTreeMap<u64, Waker>,
    tickets: u64,
}

impl<T: Clone> Flight<T> {
    pub(crate) fn new() -> Self {
        Self { generation: runtime::generation(), state: Mutex::new(State::InTheAir(Passengers::default())) }
    }

    /// Whether it can still be waited for.
    pub(super) fn is_alive(&self) -> bool {
        self.generation == runtime::generation()
    }

    /// Ends it, and wakes all who wait. Only the first landing counts.
    pub(crate) fn land(&self, landing: Landing<T>) {
        let passengers = {
            let _gate = runtime::fork_gate();
            let mut state = self.lock();
            let State::InTheAir(passengers) = &mut *state else { return };
            let passengers = std::mem::take(passengers);
            *state = State::Landed(landing);
            passengers
        };
        // Without the lock: a waker may do anything, wait for this flight included.
        for waker in passengers.wakers.into_values() {
            waker.wake();
        }
    }

    /// Waits for the end, on any async runtime. Dropping the future leaves the flight and its other passengers alone.
    pub(crate) fn wait(&self) -> Wait<'_, T> {
        Wait { flight: self, ticket: None }
    }

    /// Blocks this thread until the end, but no longer than `limit`.
    pub(crate) fn wait_blocking(&self, limit: Duration) -> Option<Landing<T>> {
        // A limit too far away to be a time is none.
        let deadline = Instant::now().checked_add(limit);
        let signal = Arc::new(Signal::default());
        let waker = Waker::from(Arc::clone(&signal));
        let mut wait = pin!(self.wait());
        loop {
            if let Poll::Ready(landing) = wait.as_mut().poll(&mut Context::from_waker(&waker)) {
                return Some(landing);
            }
            if !signal.wait_until(deadline) {
                return None;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A passenger of a flight; see [`Flight::wait`].
pub(crate) struct Wait<'a, T: Clone> {
    flight: &'a Flight<T>,
    /// Under which number the waker waits, once there is one.
    ticket: Option<u64>,
}

impl<T: Clone> Future for Wait<'_, T> {
    type Output = Landing<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Landing<T>> {
        // Before the lock, and dropped after it: whose task a waker is, and what goes with it, is not ours to know.
        let waker = context.waker().clone();
        let _replaced;
        let _gate = runtime::fork_gate();
        let mut state = self.flight.lock();
        match &mut *state {
            State::Landed(landing) => {
                self.ticket = None;
                Poll::Ready(landing.clone())
            }
            State::InTheAir(_) if !self.flight.is_alive() => Poll::Ready(Err(forked())),
            State::InTheAir(passengers) => {
                let ticket = *self.ticket.get_or_insert_with(|| {
                    passengers.tickets += 1;
                    passengers.tickets
                });
                _replaced = passengers.wakers.insert(ticket, waker);
                Poll::Pending
            }
        }
    }
}

impl<T: Clone> Drop for Wait<'_, T> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let _removed;
        let _gate = runtime::fork_gate();
        let mut state = self.flight.lock();
        if let State::InTheAir(passengers) = &mut *state {
            _removed = passengers.wakers.remove(&ticket);
        }
    }
}

fn forked() -> Error {
    Error::failed("the process was forked while this was under way, which went on in the parent only").next("ask again")
}
