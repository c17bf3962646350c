//! The time that one call may take, with all its attempts.

use std::time::Duration;

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
}
