//! What this process knows of the machine's metadata service, whichever credential found it out.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::cache::Flights;
use crate::limiter::Limiter;
use crate::runtime;

/// What the metadata service allows, for all programs of the machine together. What is more it refuses with 429.
/// <https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service#rate-limiting>
const AT_ONCE: usize = 5;
const PER_SECOND: usize = 20;

/// The metadata service of the machine, as one process sees it.
pub(super) struct MetadataService {
    limiter: Limiter,
    /// Endpoints at which it has been seen.
    seen: Mutex<HashSet<String>>,
    /// Looks for it that are under way, by endpoint: one is enough for all who want to know.
    looks: Arc<Flights<String, ()>>,
}

impl Default for MetadataService {
    fn default() -> Self {
        Self { limiter: Limiter::new(AT_ONCE, PER_SECOND), seen: Mutex::default(), looks: Flights::new() }
    }
}

impl MetadataService {
    /// What keeps this process within the service's limits.
    pub(super) fn limiter(&self) -> &Limiter {
        &self.limiter
    }

    /// Whether it has been seen at an endpoint.
    pub(super) fn is_seen(&self, endpoint: &str) -> bool {
        let _gate = runtime::fork_gate();
        self.lock().contains(endpoint)
    }

    /// Remembers that it is there.
    pub(super) fn see(&self, endpoint: &str) {
        let _gate = runtime::fork_gate();
        let mut seen = self.lock();
        if !seen.contains(endpoint) {
            seen.insert(endpoint.to_owned());
        }
    }

    /// The looks for it that are under way.
    pub(super) fn looks(&self) -> &Arc<Flights<String, ()>> {
        &self.looks
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<String>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
