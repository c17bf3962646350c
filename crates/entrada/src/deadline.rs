//! The time that one call may take, with all its attempts.

use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};

use crate::platform::Clock;

/// When a call has to end, on the clock of [`Clock::elapsed`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    ends: Duration,
}

impl Deadline {
    /// The end of a call that begins now and may take `limit`.
    pub(crate) fn after(clock: &dyn Clock, limit: Duration) -> Self {
        Self { ends: clock.elapsed().saturating_add(limit) }
    }

    /// The time that is left.
    pub(crate) fn left(&self, clock: &dyn Clock) -> Duration {
        self.ends.saturating_sub(clock.elapsed())
    }

    /// Waits for somebody else's work, but no longer than the call may take; else says how long that was.
    pub(crate) async fn keep<T>(&self, clock: &dyn Clock, work: impl Future<Output = T> + Send) -> Result<T, Duration> {
        let left = self.left(clock);
        // The clock starts when it is first waited for: what is there at once needs none.
        match select(pin!(work), pin!(async { clock.sleep(left).await })).await {
            Either::Left((done, _)) => Ok(done),
            Either::Right(_) => Err(left),
        }
    }
}
