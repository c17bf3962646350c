//! Time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::future::BoxFuture;

/// Where time is read and spent.
pub trait Clock: Send + Sync {
    /// Time since some fixed moment, never running backwards, and counting the time the machine sleeps: a token must
    /// not look valid because the laptop was closed while it expired.
    fn elapsed(&self) -> Duration;

    /// The wall clock, in seconds since 1970-01-01T00:00:00Z.
    fn unix_time(&self) -> i64;

    /// Waits.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// The clock of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[cfg(unix)]
    fn elapsed(&self) -> Duration {
        use rustix::time::{ClockId, clock_gettime};

        // On Linux `Monotonic` stands still while the machine is suspended; on Apple's systems it does not.
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let id = ClockId::Boottime;
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let id = ClockId::Monotonic;
        let now = clock_gettime(id);
        Duration::new(u64::try_from(now.tv_sec).unwrap_or_default(), u32::try_from(now.tv_nsec).unwrap_or_default())
    }

    #[cfg(not(unix))]
    fn elapsed(&self) -> Duration {
        use std::sync::OnceLock;
        use std::time::Instant;

        // Windows's performance counter goes on while the machine is suspended.
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed()
    }

    fn unix_time(&self) -> i64 {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX),
        }
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}
