//! When a token is fresh, stale, nearly expired, expired.

use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// How old a token is, in what it means for a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// Use it.
    Fresh,
    /// Use it, and fetch a new one meanwhile.
    Stale,
    /// Fetch a new one first; if that fails, use it.
    NearlyExpired,
    /// Never use it.
    Expired,
}

/// The turning points in the life of one token, on the clock of [`Clock::elapsed`](crate::platform::Clock::elapsed).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    stale: Duration,
    nearly_expired: Duration,
    expired: Duration,
}

impl Schedule {
    /// The schedule of a token received at `now` that lives for `lifetime`.
    ///
    /// It is stale from `refresh_in` on where its issuer said so; else after half its life where it lives for two hours
    /// or longer; else ten minutes before its end, early enough for Event Hubs and Service Bus, which give up on a
    /// credential whose token is not new six minutes before the old one ends. `jitter`, from 0 to 1, moves that up to a
    /// tenth earlier, so that a fleet does not refresh in step.
    ///
    /// A token too short for that is used to its last minute, or its last fifth where it lives for less than five.
    pub(crate) fn new(now: Duration, lifetime: Duration, refresh_in: Option<Duration>, jitter: f64) -> Self {
        let last = MINUTE.min(lifetime / 5);
        let until_nearly_expired = lifetime - last;
        let until_stale = refresh_in.filter(|refresh_in| !refresh_in.is_zero()).unwrap_or(if lifetime >= 2 * HOUR {
            lifetime / 2
        } else if lifetime > 11 * MINUTE {
            lifetime - 10 * MINUTE
        } else {
            until_nearly_expired
        });
        // Never so early that a fresh token is fetched anew at once.
        let early = until_stale.mul_f64(jitter.clamp(0.0, 1.0) / 10.0);
        let until_stale = (until_stale - early).min(until_nearly_expired);
        Self { stale: now + until_stale, nearly_expired: now + until_nearly_expired, expired: now + lifetime }
    }

    /// From when on the token should be replaced.
    pub(crate) fn stale_from(&self) -> Duration {
        self.stale
    }

    /// What the token is worth at `now`.
    pub(crate) fn at(&self, now: Duration) -> Freshness {
        if now < self.stale {
            Freshness::Fresh
        } else if now < self.nearly_expired {
            Freshness::Stale
        } else if now < self.expired {
            Freshness::NearlyExpired
        } else {
            Freshness::Expired
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn minutes(count: u64) -> Duration {
        Duration::from_secs(60 * count)
    }

    fn freshness(lifetime: Duration, refresh_in: Option<Duration>, age: Duration) -> Freshness {
        let now = Duration::from_secs(1_000_000);
        Schedule::new(now, lifetime, refresh_in, 0.0).at(now + age)
    }

    #[test]
    fn an_hour_is_stale_ten_minutes_before_its_end() {
        assert_eq!(freshness(HOUR, None, minutes(49)), Freshness::Fresh);
        assert_eq!(freshness(HOUR, None, minutes(50)), Freshness::Stale);
        assert_eq!(freshness(HOUR, None, minutes(59)), Freshness::NearlyExpired);
        assert_eq!(freshness(HOUR, None, minutes(60)), Freshness::Expired);
    }

    #[test]
    fn a_day_is_stale_after_half() {
        let day = 24 * HOUR;
        assert_eq!(freshness(day, None, 12 * HOUR - MINUTE), Freshness::Fresh);
        assert_eq!(freshness(day, None, 12 * HOUR), Freshness::Stale);
    }

    #[test]
    fn the_issuer_knows_better() {
        assert_eq!(freshness(HOUR, Some(minutes(5)), minutes(5)), Freshness::Stale);
        assert_eq!(freshness(HOUR, Some(minutes(90)), minutes(58)), Freshness::Fresh);
    }

    #[test]
    fn a_short_token_is_used_to_its_last_minute() {
        assert_eq!(freshness(minutes(10), None, minutes(8)), Freshness::Fresh);
        assert_eq!(freshness(minutes(10), None, minutes(9)), Freshness::NearlyExpired);
        assert_eq!(freshness(Duration::from_secs(20), None, Duration::from_secs(15)), Freshness::Fresh);
    }

    #[test]
    fn event_hubs_finds_a_new_token_in_time() {
        // It asks six minutes and five seconds before the end, and gives up if the token is the old one.
        let schedule = Schedule::new(Duration::ZERO, HOUR, None, 1.0);
        assert_eq!(schedule.at(HOUR - Duration::from_secs(365)), Freshness::Stale);
    }

    proptest! {
        #[test]
        fn the_turning_points_are_in_order(
            lifetime in 1u64..200_000,
            refresh_in in proptest::option::of(0u64..300_000),
            jitter in 0.0f64..=1.0,
        ) {
            let lifetime = Duration::from_secs(lifetime);
            let schedule = Schedule::new(Duration::ZERO, lifetime, refresh_in.map(Duration::from_secs), jitter);
            prop_assert!(schedule.stale > Duration::ZERO);
            prop_assert!(schedule.stale <= schedule.nearly_expired);
            prop_assert!(schedule.nearly_expired < schedule.expired);
            prop_assert_eq!(schedule.expired, lifetime);
        }
    }
}
