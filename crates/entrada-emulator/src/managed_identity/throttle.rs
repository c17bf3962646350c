//! How many token requests the metadata service takes: five at a time and twenty in any second, per machine.

use crate::config::Limits;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

/// The limits, and what counts towards them. A limit of 0 is none.
pub(crate) struct Throttle {
    concurrent: usize,
    per_second: usize,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    in_flight: usize,
    /// When the requests of the last second were let in.
    recent: VecDeque<Instant>,
}

/// A request that was let in; its place is free again when this is dropped, whatever becomes of the client.
pub(crate) struct Place<'a>(&'a Throttle);

impl Throttle {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { concurrent: limits.imds_concurrent, per_second: limits.imds_per_second, counts: Mutex::default() }
    }

    /// Lets a request in, or says which limit it would exceed.
    pub(crate) fn enter(&self, now: Instant) -> Result<Place<'_>, String> {
        let mut counts = self.counts();
        while counts.recent.front().is_some_and(|then| now.saturating_duration_since(*then) >= SECOND) {
            counts.recent.pop_front();
        }
        if self.concurrent > 0 && counts.in_flight >= self.concurrent {
            return Err(format!("throttled: more than {} requests at a time", self.concurrent));
        }
        if self.per_second > 0 {
            if counts.recent.len() >= self.per_second {
                return Err(format!("throttled: more than {} requests in a second", self.per_second));
            }
            counts.recent.push_back(now);
        }
        counts.in_flight += 1;
        Ok(Place(self))
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.counts().in_flight -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::{SECOND, Throttle};
    use crate::config::Limits;
    use tokio::time::Instant;

    fn throttle(imds_concurrent: usize, imds_per_second: usize) -> Throttle {
        Throttle::new(&Limits { imds_concurrent, imds_per_second, ..Limits::default() })
    }

    #[test]
    fn a_place_is_free_again_when_its_request_is_gone() {
        let (throttle, now) = (throttle(2, 0), Instant::now());
        let (_first, second) = (throttle.enter(now).expect("in"), throttle.enter(now).expect("in"));
        assert!(throttle.enter(now).err().expect("full").contains("2 requests at a time"));
        drop(second);
        assert!(throttle.enter(now).is_ok());
    }

    #[test]
    fn a_second_is_a_window_that_moves() {
        let (throttle, start) = (throttle(0, 2), Instant::now());
        let enter = |at| throttle.enter(at).map(drop);
        assert!(enter(start).is_ok() && enter(start + SECOND / 2).is_ok());
        assert!(enter(start + SECOND * 3 / 4).expect_err("full").contains("2 requests in a second"));
        assert!(enter(start + SECOND).is_ok(), "the first no longer counts");
        assert!(enter(start + SECOND * 5 / 4).is_err(), "the second still does");
    }

    #[test]
    fn nought_is_no_limit() {
        let (throttle, now) = (throttle(0, 0), Instant::now());
        let places: Vec<_> = (0..100).map(|_| throttle.enter(now)).collect();
        assert!(places.iter().all(Result::is_ok));
    }
}
