//! One cached token and its schedule.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;

use super::freshness::{Freshness, Schedule};
use crate::token::{Fetched, Token};

/// The first rest after a refresh that failed; it doubles with each failure in a row.
const REST: Duration = Duration::from_secs(30);
const LONGEST_REST: Duration = Duration::from_secs(10 * 60);

/// The place of one token in the cache. Reading it takes no lock.
#[derive(Default)]
pub(crate) struct Entry {
    cached: ArcSwapOption<Cached>,
    /// Milliseconds on the clock of `elapsed`, for eviction in order of last use.
    last_used: AtomicU64,
    /// Until when no refresh is tried because the last one failed; same unit.
    resting_until: AtomicU64,
    failures: AtomicU64,
}

struct Cached {
    token: Arc<Token>,
    schedule: Schedule,
    fingerprint: u64,
}

/// What an entry holds at one moment.
pub(crate) enum View {
    /// A token to use as it is.
    Fresh(Arc<Token>),
    /// A token to use while a new one is fetched; `rests` while the last attempt to do so is too recent.
    Stale { token: Arc<Token>, rests: bool },
    /// A token to use only if no new one can be had; `rests` as above.
    NearlyExpired { token: Arc<Token>, rests: bool },
    /// Nothing.
    Empty,
}

impl Entry {
    /// What there is at `now`. A token fetched under another `fingerprint` of the outside (another account signed in to
    /// a tool) counts as none.
    pub(crate) fn view(&self, now: Duration, fingerprint: u64) -> View {
        let cached = self.cached.load();
        let Some(cached) = cached
            .as_ref()
            .filter(|cached| cached.fingerprint == fingerprint)
        else {
            return View::Empty;
        };
        self.last_used.store(millis(now), Ordering::Relaxed);
        let token = || Arc::clone(&cached.token);
        let rests = || millis(now) < self.resting_until.load(Ordering::Relaxed);
        match cached.schedule.at(now) {
            Freshness::Fresh => View::Fresh(token()),
            Freshness::Stale => View::Stale {
                token: token(),
                rests: rests(),
            },
            Freshness::NearlyExpired => View::NearlyExpired {
                token: token(),
                rests: rests(),
            },
            Freshness::Expired => View::Empty,
        }
    }

    /// The token, if it may still be handed out at `now`.
    pub(crate) fn valid(&self, now: Duration, fingerprint: u64) -> Option<Arc<Token>> {
        match self.view(now, fingerprint) {
            View::Fresh(token) | View::Stale { token, .. } | View::NearlyExpired { token, .. } => {
                Some(token)
            }
            View::Empty => None,
        }
    }

    /// Takes in a token received at `now`.
    pub(super) fn store(
        &self,
        now: Duration,
        fetched: Fetched,
        fingerprint: u64,
        jitter: f64,
    ) -> Arc<Token> {
        let token = Arc::new(fetched.token);
        self.cached.store(Some(Arc::new(Cached {
            token: Arc::clone(&token),
            schedule: Schedule::new(now, fetched.lifetime, fetched.refresh_in, jitter),
            fingerprint,
        })));
        self.last_used.store(millis(now), Ordering::Relaxed);
        self.resting_until.store(0, Ordering::Relaxed);
        self.failures.store(0, Ordering::Relaxed);
        token
    }

    /// Notes that a fetch failed: no refresh is tried for a while, longer after each failure in a row, between half and
    /// all of it by `jitter`.
    pub(crate) fn rest(&self, now: Duration, jitter: f64) {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed).min(16);
        let rest = REST
            .saturating_mul(1 << failures)
            .min(LONGEST_REST)
            .mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0);
        self.resting_until
            .store(millis(now + rest), Ordering::Relaxed);
    }

    /// Forgets the token, also for those who still hold the entry.
    pub(super) fn clear(&self) {
        self.cached.store(None);
    }

    /// When the entry was last asked for, and whether what it holds has expired.
    pub(super) fn age(&self, now: Duration) -> (u64, bool) {
        let expired = match &*self.cached.load() {
            Some(cached) => cached.schedule.at(now) == Freshness::Expired,
            None => true,
        };
        (self.last_used.load(Ordering::Relaxed), expired)
    }

    /// Roughly how many bytes the token takes.
    pub(super) fn size(&self) -> usize {
        size_of::<Self>()
            + match &*self.cached.load() {
                Some(cached) => size_of::<Cached>() + cached.token.secret().len(),
                None => 0,
            }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
