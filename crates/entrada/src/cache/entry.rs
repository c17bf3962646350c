//! One cached token and its schedule.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwapOption, Guard};

use super::freshness::{Freshness, Schedule};
use crate::token::{Fetched, Token};

/// The first rest after a refresh that failed; it doubles with each failure in a row.
const REST: Duration = Duration::from_secs(30);
const LONGEST_REST: Duration = Duration::from_secs(10 * 60);

/// The place of one token in the cache. Reading it takes no lock.
#[derive(Default)]
pub(crate) struct Entry {
    stored: ArcSwapOption<Stored>,
    /// Seconds on the clock of `elapsed`, for eviction in order of last use.
    last_used: AtomicU64,
    /// Until when no refresh is tried because the last one failed; same unit.
    resting_until: AtomicU64,
    failures: AtomicU64,
}

/// A token with its schedule.
pub(crate) struct Stored {
    token: Arc<Token>,
    schedule: Schedule,
    fingerprint: u64,
}

impl Stored {
    /// The token, if it may be handed out at `now`.
    pub(crate) fn token(&self, now: Duration) -> Option<&Arc<Token>> {
        (self.schedule.at(now) != Freshness::Expired).then_some(&self.token)
    }
}

/// What an entry holds at one moment. Looking costs no reference count.
pub(crate) struct View {
    stored: Guard<Option<Arc<Stored>>>,
    freshness: Freshness,
    /// Whether the last attempt to replace the token failed too short a time ago to try again.
    pub(crate) rests: bool,
}

impl View {
    /// What the token is worth; expired where there is none.
    pub(crate) fn freshness(&self) -> Freshness {
        self.freshness
    }

    /// The token, if it may still be handed out.
    pub(crate) fn token(&self) -> Option<&Arc<Token>> {
        self.stored().map(|stored| &stored.token)
    }

    /// The same, with its schedule.
    pub(crate) fn stored(&self) -> Option<&Arc<Stored>> {
        self.stored.as_ref().filter(|_| self.freshness != Freshness::Expired)
    }
}

impl Entry {
    /// What there is at `now`. A token fetched under another `fingerprint` of the outside (another account signed in to
    /// a tool) counts as none.
    pub(crate) fn view(&self, now: Duration, fingerprint: u64) -> View {
        let stored = self.stored.load();
        let freshness = match &*stored {
            Some(stored) if stored.fingerprint == fingerprint => stored.schedule.at(now),
            _ => Freshness::Expired,
        };
        if freshness != Freshness::Expired {
            self.use_at(now);
        }
        View { stored, freshness, rests: now.as_secs() < self.resting_until.load(Ordering::Relaxed) }
    }

    /// Takes in a token received at `now`.
    pub(super) fn store(&self, now: Duration, fetched: Fetched, fingerprint: u64, jitter: f64) -> Arc<Stored> {
        let stored = Arc::new(Stored {
            token: Arc::new(fetched.token),
            schedule: Schedule::new(now, fetched.lifetime, fetched.refresh_in, jitter),
            fingerprint,
        });
        self.stored.store(Some(Arc::clone(&stored)));
        self.use_at(now);
        self.resting_until.store(0, Ordering::Relaxed);
        self.failures.store(0, Ordering::Relaxed);
        stored
    }

    /// Notes the use, once a second: cores that read the entry would wait for each write.
    fn use_at(&self, now: Duration) {
        if self.last_used.load(Ordering::Relaxed) != now.as_secs() {
            self.last_used.store(now.as_secs(), Ordering::Relaxed);
        }
    }

    /// Notes that a fetch failed: no refresh is tried for a while, longer after each failure in a row, between half and
    /// all of it by `jitter`.
    pub(crate) fn rest(&self, now: Duration, jitter: f64) {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed).min(16);
        let rest = REST.saturating_mul(1 << failures).min(LONGEST_REST).mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0);
        self.resting_until.store((now + rest).as_secs(), Ordering::Relaxed);
    }

    /// Forgets the token, also for those who still hold the entry.
    pub(super) fn clear(&self) {
        self.stored.store(None);
    }

    /// When the entry was last asked for, in seconds on the clock of `elapsed`.
    pub(super) fn last_used(&self) -> u64 {
        self.last_used.load(Ordering::Relaxed)
    }

    /// Whether it holds a token, valid or not.
    pub(super) fn holds_token(&self) -> bool {
        self.stored.load().is_some()
    }

    /// Whether it holds a token that must not be used any more.
    pub(super) fn has_expired(&self, now: Duration) -> bool {
        let stored = self.stored.load();
        stored.as_ref().is_some_and(|stored| stored.schedule.at(now) == Freshness::Expired)
    }

    /// Roughly how many bytes the token takes.
    pub(super) fn size(&self) -> usize {
        size_of::<Self>()
            + match &*self.stored.load() {
                Some(stored) => size_of::<Stored>() + stored.token.secret().len(),
                None => 0,
            }
    }
}
