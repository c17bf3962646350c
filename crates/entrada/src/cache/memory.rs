//! The table of cached tokens.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::entry::Entry;
use super::flights::Flights;
use super::key::Key;
use crate::runtime;
use crate::token::{Fetched, Token};

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
        Self {
            entries: 100_000,
            bytes: 256 << 20,
        }
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
    table: Mutex<Table>,
    pub(crate) flights: Arc<Flights<FlightKey>>,
}

/// A claims challenge is answered by a flight of its own, shared by those who bring the same claims.
pub(crate) type FlightKey = (Key, Option<String>);

#[derive(Default)]
struct Table {
    entries: HashMap<Key, Arc<Entry>>,
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
        Arc::new(Self {
            limits,
            table: Mutex::default(),
            flights: Flights::new(),
        })
    }

    /// How many tokens there are, expired ones that were not swept yet included.
    pub fn len(&self) -> usize {
        let _gate = runtime::fork_gate();
        self.table().entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all tokens, for every credential that uses this cache.
    pub fn clear(&self) {
        let _gate = runtime::fork_gate();
        let mut table = self.table();
        for entry in table.entries.values() {
            entry.clear();
        }
        table.entries.clear();
        table.bytes = 0;
    }

    /// The entry for `key`, made where there is none. Everybody who asks for a key gets the same one.
    pub(crate) fn entry(&self, key: &Key, now: Duration) -> Arc<Entry> {
        let _gate = runtime::fork_gate();
        let mut table = self.table();
        if let Some(entry) = table.entries.get(key) {
            return Arc::clone(entry);
        }
        let entry = Arc::<Entry>::default();
        table.insert(key, &entry);
        table.sweep(key, now, self.limits);
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
    ) -> Arc<Token> {
        let _gate = runtime::fork_gate();
        let mut table = self.table();
        table.remove(key);
        let token = entry.store(now, fetched, fingerprint, fastrand::f64());
        table.insert(key, entry);
        table.sweep(key, now, self.limits);
        token
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn insert(&mut self, key: &Key, entry: &Arc<Entry>) {
        self.bytes += key.size() + entry.size();
        self.entries.insert(key.clone(), Arc::clone(entry));
    }

    fn remove(&mut self, key: &Key) {
        if let Some(entry) = self.entries.remove(key) {
            self.bytes = self.bytes.saturating_sub(key.size() + entry.size());
        }
    }

    fn exceeds(&self, limits: CacheLimits) -> bool {
        self.entries.len() > limits.entries || self.bytes > limits.bytes
    }

    /// Drops what has expired, now and then; and what was used longest ago, where there is too much. That goes down to
    /// seven eighths at once, so that sorting is paid for by many insertions. The newest entry stays, however small the
    /// limits are.
    fn sweep(&mut self, newest: &Key, now: Duration, limits: CacheLimits) {
        let over = self.exceeds(limits);
        if !over && now < self.swept + SWEEP_EVERY {
            return;
        }
        self.swept = now;
        let mut ages: Vec<(bool, u64, Key)> = self
            .entries
            .iter()
            .filter(|(key, _)| *key != newest)
            .map(|(key, entry)| {
                let (last_used, expired) = entry.age(now);
                (!expired, last_used, key.clone())
            })
            .collect();
        ages.sort_unstable_by_key(|(alive, last_used, _)| (*alive, *last_used));
        let target = CacheLimits {
            entries: limits.entries - limits.entries / 8,
            bytes: limits.bytes - limits.bytes / 8,
        };
        for (alive, _, key) in ages {
            let too_much = over && self.exceeds(target);
            if alive && !too_much {
                break;
            }
            let Some(entry) = self.entries.get(&key).cloned() else {
                continue;
            };
            self.remove(&key);
            // Credentials may still hold the entry; the secret must go all the same.
            entry.clear();
            // One that somebody is about to fill stays the one that everybody finds. Here and in the table: two.
            if !too_much && Arc::strong_count(&entry) > 1 {
                self.insert(&key, &entry);
            }
        }
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::super::key::Principal;
    use super::*;
    use crate::token::TokenRequest;

    const HOUR: Duration = Duration::from_secs(3600);

    fn key(name: &str) -> Key {
        Key::new(
            Principal::new("test", &[Some(name)]),
            &TokenRequest::new(["s"]),
        )
    }

    fn fetched(lifetime: Duration) -> Fetched {
        Fetched {
            token: Token::new(Zeroizing::new("t".repeat(1000)), 0, None),
            lifetime,
            refresh_in: None,
        }
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
        assert!(first.valid(seconds(20), 0).is_some());
        put(&cache, "8", seconds(21), HOUR);
        assert_eq!(cache.len(), 7);
        assert!(first.valid(seconds(22), 0).is_some(), "it was used lately");
        let second = cache.entry(&key("1"), seconds(22));
        assert!(
            second.valid(seconds(22), 0).is_none(),
            "it was used longest ago"
        );
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
        assert_eq!(cache.len(), 2, "what somebody holds stays findable");
        assert!(old.valid(Duration::from_secs(1), 0).is_none());
    }

    #[test]
    fn clear_reaches_those_who_hold_an_entry() {
        let cache = Cache::new(CacheLimits::default());
        let entry = put(&cache, "a", Duration::ZERO, HOUR);
        cache.clear();
        assert!(cache.is_empty());
        assert!(entry.valid(Duration::ZERO, 0).is_none());
    }
}
