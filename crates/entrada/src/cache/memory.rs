//! The table of cached tokens.

use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::entry::{Entry, Stored, View};
use super::flights::Flights;
use super::freshness::Freshness;
use super::index::Index;
use super::key::{Key, Sought};
use super::renewals::Renewals;
use crate::runtime;
use crate::token::Fetched;

/// How often expired tokens are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(5 * 60);

/// How much a cache may hold. Beyond it, what was used longest ago goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheLimits {
    /// Tokens. 100,000 by default.
    pub entries: usize,
    /// Bytes of tokens and keys, roughly. 256 MiB by default.
    pub bytes: usize,
}

impl Default for CacheLimits {
    fn default() -> Self {
        Self { entries: 100_000, bytes: 256 << 20 }
    }
}

impl CacheLimits {
    /// The same limits with another number of tokens.
    #[must_use]
    pub fn entries(mut self, entries: usize) -> Self {
        self.entries = entries;
        self
    }

    /// The same limits with another number of bytes.
    #[must_use]
    pub fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }
}

/// Tokens in memory, and the fetches under way for them.
///
/// All credentials of a process share one, [`Cache::process`], unless they are given another: two credential objects
/// that are constructed alike share their tokens, two that differ in anything never do.
pub struct Cache {
    limits: CacheLimits,
    /// Whoever holds an entry holds the one in the index: entries leave it only when nobody else has them. What goes
    /// when there is too much is their tokens.
    entries: Index,
    /// Locked by whoever changes the index.
    sums: Mutex<Sums>,
    pub(crate) flights: Arc<Flights<FlightKey, Arc<Stored>>>,
    renewals: Renewals,
}

/// A claims challenge is answered by a flight of its own, shared by those who bring the same claims.
pub(crate) type FlightKey = (Key, Option<String>);

/// What all entries hold.
#[derive(Default)]
struct Sums {
    tokens: usize,
    bytes: usize,
    swept: Duration,
}

impl Cache {
    /// The cache that all credentials of this process share.
    pub fn process() -> Arc<Self> {
        static PROCESS: LazyLock<Arc<Cache>> = LazyLock::new(|| Cache::new(CacheLimits::default()));
        Arc::clone(&PROCESS)
    }

    /// A cache of its own, for credentials that should share with nobody else.
    pub fn new(limits: CacheLimits) -> Arc<Self> {
        let renewals = Renewals::new(limits);
        Arc::new(Self { limits, entries: Index::default(), sums: Mutex::default(), flights: Flights::new(), renewals })
    }

    /// How many tokens there are, those included that have expired and were not swept yet.
    pub fn len(&self) -> usize {
        let _gate = runtime::fork_gate();
        self.sums().tokens
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all tokens, for every credential that uses this cache, and what renews them: whoever has signed in is
    /// asked to sign in again.
    pub fn clear(&self) {
        self.renewals.clear();
        let _gate = runtime::fork_gate();
        self.sums().forget(&self.entries, |_| true);
    }

    /// What renews tokens.
    pub(crate) fn renewals(&self) -> &Renewals {
        &self.renewals
    }

    /// What there is for `key`, without a lock. It is for looking only: an entry that is held is one from
    /// [`entry`](Self::entry).
    fn view(&self, key: &Sought<'_>, now: Duration, fingerprint: u64) -> Option<View> {
        self.entries.find(key, |entry| entry.view(now, fingerprint))
    }

    /// The same, where nothing is to be done about it: it is fresh, or it is not the time to replace it.
    pub(crate) fn settled(&self, key: &Sought<'_>, now: Duration, fingerprint: u64) -> Option<View> {
        self.view(key, now, fingerprint).filter(|view| view.freshness() == Freshness::Fresh || view.rests)
    }

    /// The entry for `key`, made where there is none. Everybody who asks for a key gets the same one.
    pub(crate) fn entry(&self, key: &Key, now: Duration) -> Arc<Entry> {
        let _gate = runtime::fork_gate();
        let mut sums = self.sums();
        if let Some(entry) = self.entries.find(key, Arc::clone) {
            return entry;
        }
        sums.sweep(&self.entries, now, self.limits);
        let entry = Arc::default();
        self.entries.insert(key.clone(), Arc::clone(&entry));
        entry
    }

    /// Takes in a token received at `now`.
    pub(crate) fn store(
        &self,
        key: &Key,
        entry: &Arc<Entry>,
        now: Duration,
        fetched: Fetched,
        fingerprint: u64,
    ) -> Arc<Stored> {
        let _gate = runtime::fork_gate();
        let mut sums = self.sums();
        sums.discount(key, entry);
        let stored = entry.store(now, fetched, fingerprint, fastrand::f64());
        sums.tokens += 1;
        sums.bytes += key.size() + entry.size();
        sums.sweep(&self.entries, now, self.limits);
        stored
    }

    fn sums(&self) -> MutexGuard<'_, Sums> {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sums {
    /// Takes what an entry holds out of the sums.
    fn discount(&mut self, key: &Key, entry: &Entry) {
        if entry.holds_token() {
            self.tokens -= 1;
            self.bytes -= key.size() + entry.size();
        }
    }

    fn exceeds(&self, limits: CacheLimits) -> bool {
        self.tokens > limits.entries || self.bytes > limits.bytes
    }

    /// Wipes the tokens of the entries that `which` names, and removes those entries that nobody holds.
    fn forget(&mut self, entries: &Index, mut which: impl FnMut(&Entry) -> bool) {
        entries.retain(|key, entry| {
            if which(entry) {
                self.discount(key, entry);
                entry.clear();
            }
            entry.holds_token() || Arc::strong_count(entry) > 1
        });
    }

    /// Drops what has expired, now and then; and what was used longest ago, where there is too much. That goes down to
    /// seven eighths at once, so that looking through all is paid for by many insertions.
    fn sweep(&mut self, entries: &Index, now: Duration, limits: CacheLimits) {
        let over = self.exceeds(limits);
        if !over && now < self.swept + SWEEP_EVERY {
            return;
        }
        self.swept = now;
        self.forget(entries, |entry| entry.has_expired(now));
        if !self.exceeds(limits) {
            return;
        }
        let mut by_age = Vec::with_capacity(self.tokens);
        entries.for_each(|key, entry| {
            if entry.holds_token() {
                by_age.push((entry.last_used(), key.size() + entry.size()));
            }
        });
        by_age.sort_unstable();
        let (mut tokens, mut bytes) = (self.tokens, self.bytes);
        let few = limits.entries - limits.entries / 8;
        let small = limits.bytes - limits.bytes / 8;
        // The newest stays, however small the limits are.
        by_age.pop();
        let mut horizon = None;
        for (last_used, size) in by_age {
            if tokens <= few && bytes <= small {
                break;
            }
            horizon = Some(last_used);
            tokens -= 1;
            bytes -= size;
        }
        let excess = self.tokens - tokens;
        let mut gone = 0;
        self.forget(entries, |entry| {
            let goes =
                gone < excess && entry.holds_token() && horizon.is_some_and(|horizon| entry.last_used() <= horizon);
            gone += usize::from(goes);
            goes
        });
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("limits", &self.limits).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::super::key::Principal;
    use super::*;
    use crate::token::{Token, TokenRequest};

    const HOUR: Duration = Duration::from_secs(3600);

    fn key(name: &str) -> Key {
        Key::new(Principal::new("test", &[Some(name)]), &TokenRequest::new(["s"]))
    }

    fn fetched(lifetime: Duration) -> Fetched {
        Fetched { token: Token::new(Zeroizing::new("t".repeat(1000)), 0, None), lifetime, refresh_in: None }
    }

    fn put(cache: &Cache, name: &str, now: Duration, lifetime: Duration) -> Arc<Entry> {
        let entry = cache.entry(&key(name), now);
        cache.store(&key(name), &entry, now, fetched(lifetime), 0);
        entry
    }

    #[test]
    fn least_recently_used_goes_first() {
        let cache = Cache::new(CacheLimits::default().entries(8));
        let seconds = Duration::from_secs;
        let first = put(&cache, "0", seconds(0), HOUR);
        for n in 1..8 {
            put(&cache, &n.to_string(), seconds(n), HOUR);
        }
        assert!(first.view(seconds(20), 0).token().is_some());
        put(&cache, "8", seconds(21), HOUR);
        assert_eq!(cache.len(), 7);
        assert!(first.view(seconds(22), 0).token().is_some(), "it was used lately");
        let second = cache.entry(&key("1"), seconds(22));
        assert!(second.view(seconds(22), 0).token().is_none(), "it was used longest ago");
    }

    #[test]
    fn bytes_are_bounded() {
        let cache = Cache::new(CacheLimits::default().bytes(20_000));
        for n in 0..100 {
            put(&cache, &n.to_string(), Duration::from_secs(n), HOUR);
        }
        assert!((5..20).contains(&cache.len()), "{}", cache.len());
    }

    #[test]
    fn what_expired_is_swept_and_wiped() {
        let cache = Cache::new(CacheLimits::default());
        let old = put(&cache, "old", Duration::ZERO, Duration::from_secs(60));
        put(&cache, "forgotten", Duration::ZERO, Duration::from_secs(60));
        put(&cache, "new", 2 * HOUR, HOUR);
        assert_eq!(cache.len(), 1);
        assert!(old.view(Duration::from_secs(1), 0).token().is_none());
        let found = cache.entry(&key("old"), 2 * HOUR);
        assert!(Arc::ptr_eq(&found, &old), "what somebody holds is what all find");
    }

    #[test]
    fn clear_reaches_those_who_hold_an_entry() {
        let cache = Cache::new(CacheLimits::default());
        let entry = put(&cache, "a", Duration::ZERO, HOUR);
        cache.clear();
        assert!(cache.is_empty());
        assert!(entry.view(Duration::ZERO, 0).token().is_none());
    }
}
