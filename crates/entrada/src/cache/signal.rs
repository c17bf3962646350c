//! Waking a thread that has no async runtime.

use std::task::Wake;

use crate::sync::{Arc, Condvar, Instant, Mutex, MutexGuard, PoisonError};

/// The waker of one blocked thread.
///
/// Its lock is taken without the fork gate, which nobody may hold while waiting. A child has no use for it: the thread
/// that blocks on it, and those that ring it, stayed in the parent.
#[derive(Default)]
pub(super) struct Signal {
    rung: Mutex<bool>,
    condvar: Condvar,
}

impl Signal {
    /// Blocks until it rings, which is forgotten then, or until `deadline`. Returns whether it rang.
    pub(super) fn wait_until(&self, deadline: Option<Instant>) -> bool {
        let mut rung = self.lock();
        // Threads also wake up for no reason.
        while !*rung {
            rung = match deadline {
                None => self.condvar.wait(rung).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return false;
                    }
                    self.condvar.wait_timeout(rung, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        *rung = false;
        true
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        *self.lock() = true;
        self.condvar.notify_one();
    }
}
