//! How many requests this process makes to one service, at once and in a second.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::{Either, select};
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
pub(crate) struct Place(#[allow(dead_code)] OwnedSemaphorePermit);

impl Limiter {
    pub(crate) fn new(at_once: usize, per_second: usize) -> Self {
        Self { at_once, per_second, state: Mutex::new(State::new(at_once)) }
    }

    /// Waits until a request may start, but no longer than `patience`; `None` where that is not enough.
    pub(crate) async fn enter(&self, clock: &dyn Clock, patience: Duration) -> Option<Place> {
        let came = clock.elapsed();
        let places = self.with_state(|state| Arc::clone(&state.places));
        let place = match places.clone().try_acquire_owned() {
            Ok(place) => place,
            Err(_) => match select(pin!(places.acquire_owned()), clock.sleep(patience)).await {
                Either::Left((place, _)) => place.ok()?,
                Either::Right(_) => return None,
            },
        };
        let now = clock.elapsed();
        let left = patience.saturating_sub(now.saturating_sub(came));
        let wait = self.with_state(|state| {
            let start = next_start(&state.starts, self.per_second, now);
            let wait = start.saturating_sub(now);
            (wait <= left).then(|| note(&mut state.starts, self.per_second, start)).map(|()| wait)
        })?;
        if !wait.is_zero() {
            clock.sleep(wait).await;
        }
        Some(Place(place))
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

/// When the next request may start.
fn next_start(starts: &VecDeque<Duration>, per_second: usize, now: Duration) -> Duration {
    let pace = starts.front().filter(|_| starts.len() >= per_second).map_or(now, |oldest| *oldest + SECOND);
    // Never before one that was let through earlier.
    now.max(pace).max(starts.back().copied().unwrap_or_default())
}

/// Notes that a request will start then.
fn note(starts: &mut VecDeque<Duration>, per_second: usize, start: Duration) {
    if starts.len() >= per_second {
        starts.pop_front();
    }
    starts.push_back(start);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::platform::SystemClock;
    use crate::platform::scripted::ScriptedClock;

    const MINUTE: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn a_place_is_free_again_when_its_request_ends() {
        // One clock for both: how long this machine has been up must not matter.
        let (limiter, clock) = (Limiter::new(1, 100), SystemClock);
        let place = limiter.enter(&clock, MINUTE).await.expect("a place");
        let mut second = Box::pin(limiter.enter(&clock, MINUTE));
        tokio::select! {
            biased;
            _ = &mut second => panic!("the place was taken"),
            () = tokio::task::yield_now() => {}
        }
        drop(place);
        assert!(second.await.is_some());
    }

    #[tokio::test]
    async fn nobody_waits_longer_than_they_may() {
        let (limiter, clock) = (Limiter::new(1, 2), ScriptedClock::at(0));
        let place = limiter.enter(&clock, MINUTE).await.expect("a place");
        assert!(limiter.enter(&clock, MINUTE).await.is_none(), "the only place is taken");
        drop(place);
        assert!(limiter.enter(&clock, Duration::ZERO).await.is_some());
        assert!(limiter.enter(&clock, Duration::ZERO).await.is_some());
        assert!(limiter.enter(&clock, Duration::ZERO).await.is_none(), "two were in this second");
        assert!(limiter.enter(&clock, MINUTE).await.is_some());
    }

    #[tokio::test]
    async fn a_fork_frees_all_places() {
        let (limiter, clock) = (Limiter::new(1, 100), ScriptedClock::at(0));
        let _abandoned = limiter.enter(&clock, MINUTE).await;
        limiter.state.lock().expect("no panic").generation += 1;
        assert!(limiter.enter(&clock, Duration::ZERO).await.is_some());
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
                let start = next_start(&starts, per_second, now);
                note(&mut starts, per_second, start);
                prop_assert!(start >= now);
                all.push(start);
            }
            for window in all.windows(per_second + 1) {
                prop_assert!(window[per_second] - window[0] >= Duration::from_secs(1));
            }
        }
    }
}
