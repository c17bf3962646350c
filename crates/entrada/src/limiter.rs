//! How many requests this process makes to one service, at once and in a second.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::platform::Clock;
use crate::runtime;

/// A little more than the second that is meant: requests that start a second apart may arrive closer together.
const SECOND: Duration = Duration::from_millis(1050);

/// Lets requests through as often as a service allows.
pub(crate) struct Limiter {
    at_once: usize,
    per_second: usize,
    state: Mutex<State>,
}

struct State {
    /// Requests that were under way when the process was forked do not end in the child.
    generation: u64,
    places: Arc<Semaphore>,
    /// When the latest requests started, or will: at most as many as a second allows.
    starts: VecDeque<Duration>,
}

impl State {
    fn new(at_once: usize) -> Self {
        let places = Arc::new(Semaphore::new(at_once));
        Self { generation: runtime::generation(), places, starts: VecDeque::new() }
    }
}

/// The right to have a request under way, until it is dropped.
pub(crate) struct Place(#[allow(dead_code)] Option<OwnedSemaphorePermit>);

impl Limiter {
    pub(crate) fn new(at_once: usize, per_second: usize) -> Self {
        Self { at_once, per_second, state: Mutex::new(State::new(at_once)) }
    }

    /// Waits until a request may start.
    pub(crate) async fn enter(&self, clock: &dyn Clock) -> Place {
        let places = self.with_state(|state| Arc::clone(&state.places));
        // The semaphore is never closed; without a place the pace is still kept.
        let place = places.acquire_owned().await.ok();
        let now = clock.elapsed();
        let wait = self.with_state(|state| reserve(&mut state.starts, self.per_second, now)).saturating_sub(now);
        if !wait.is_zero() {
            clock.sleep(wait).await;
        }
        Place(place)
    }

    fn with_state<R>(&self, look: impl FnOnce(&mut State) -> R) -> R {
        let _gate = runtime::fork_gate();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.generation != runtime::generation() {
            *state = State::new(self.at_once);
        }
        look(&mut state)
    }
}

/// When the next request may start; notes that it will.
fn reserve(starts: &mut VecDeque<Duration>, per_second: usize, now: Duration) -> Duration {
    let mut start = now;
    if starts.len() >= per_second
        && let Some(oldest) = starts.pop_front()
    {
        start = start.max(oldest + SECOND);
    }
    // In the order in which they were let through, also where the clock of a test stands still.
    let start = start.max(starts.back().copied().unwrap_or_default());
    starts.push_back(start);
    start
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::platform::scripted::ScriptedClock;

    #[tokio::test]
    async fn a_place_is_free_again_when_its_request_ends() {
        let (limiter, clock) = (Limiter::new(1, 100), ScriptedClock::at(0));
        let place = limiter.enter(&clock).await;
        let mut second = Box::pin(limiter.enter(&clock));
        assert!(futures::poll!(&mut second).is_pending());
        drop(place);
        assert!(futures::poll!(&mut second).is_ready());
    }

    #[tokio::test]
    async fn a_fork_frees_all_places() {
        let (limiter, clock) = (Limiter::new(1, 100), ScriptedClock::at(0));
        let _abandoned = limiter.enter(&clock).await;
        limiter.state.lock().expect("no panic").generation += 1;
        let mut next = Box::pin(limiter.enter(&clock));
        assert!(futures::poll!(&mut next).is_ready());
    }

    proptest! {
        #[test]
        fn no_second_has_more_than_it_may(
            pauses in proptest::collection::vec(0u64..200, 1..200),
            per_second in 1usize..30,
        ) {
            let (mut starts, mut all, mut now) = (VecDeque::new(), Vec::new(), Duration::ZERO);
            for pause in pauses {
                now += Duration::from_millis(pause);
                let start = reserve(&mut starts, per_second, now);
                prop_assert!(start >= now);
                all.push(start);
            }
            for window in all.windows(per_second + 1) {
                prop_assert!(window[per_second] - window[0] >= Duration::from_secs(1));
            }
        }
    }
}
