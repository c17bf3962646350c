//! The flights in the air, at most one for a key.

use std::collections::HashMap;
use std::hash::Hash;
use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::flight::{Flight, Landing};
use crate::error::Error;
use crate::runtime;
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The flights in the air; each brings a `T`.
pub(crate) struct Flights<K, T> {
    in_the_air: Mutex<HashMap<K, Arc<Flight<T>>>>,
}

/// What [`Flights::join`] found.
pub(crate) enum Joined<T> {
    /// A flight to wait for.
    Flight(Arc<Flight<T>>),
    /// What one brought that landed while we were on our way.
    Landed(T),
}

impl<K, T> Flights<K, T>
where
    K: Clone + Eq + Hash + Send + 'static,
    T: Clone + Send + 'static,
{
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { in_the_air: Mutex::new(HashMap::new()) })
    }

    /// Joins the flight for `key`, or starts one with what `departure` returns.
    ///
    /// `landed` is asked once more whether there is a result after all, when it is certain that no flight is in the air:
    /// between a caller's look at what there is and this call one may have landed.
    pub(crate) fn join(
        self: &Arc<Self>,
        key: K,
        landed: impl FnOnce() -> Option<T>,
        departure: impl FnOnce() -> BoxFuture<'static, Landing<T>>,
    ) -> Joined<T> {
        let (flight, _lost) = {
            let _gate = runtime::fork_gate();
            let mut in_the_air = self.lock();
            if let Some(flight) = in_the_air.get(&key).filter(|flight| flight.is_alive()) {
                return Joined::Flight(Arc::clone(flight));
            }
            if let Some(result) = landed() {
                return Joined::Landed(result);
            }
            let flight = Arc::new(Flight::new());
            // What was there is of an earlier generation. It goes after the lock, for the wakers it holds go with it.
            let lost = in_the_air.insert(key.clone(), Arc::clone(&flight));
            (flight, lost)
        };
        let (fetch, flights, departed) = (departure(), Arc::clone(self), Arc::clone(&flight));
        let arrival_key = key.clone();
        let spawned = runtime::spawn(async move {
            let landing = AssertUnwindSafe(fetch).catch_unwind().await;
            let landing = landing.unwrap_or_else(|_| Err(panicked()));
            flights.remove(&arrival_key);
            departed.land(landing);
        });
        if let Err(error) = spawned {
            self.remove(&key);
            flight.land(Err(error));
        }
        Joined::Flight(flight)
    }

    fn remove(&self, key: &K) {
        let _gate = runtime::fork_gate();
        self.lock().remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Arc<Flight<T>>>> {
        self.in_the_air.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn panicked() -> Error {
    Error::failed("the code that fetches the token panicked").next("please report this as a bug")
}
