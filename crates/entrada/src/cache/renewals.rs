//! What renews tokens, kept beside them: what a source was given with one token to get the next one with. In OAuth's
//! words, refresh tokens.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zeroize::Zeroizing;

use super::key::Principal;
use super::memory::CacheLimits;
use crate::runtime;

/// One secret for each principal, bounded as the tokens are: what was used longest ago goes first. Wiped when the last
/// one who uses it is done.
pub(crate) struct Renewals {
    limits: CacheLimits,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    by_principal: HashMap<Principal, Renewal>,
    bytes: usize,
    /// Counts uses, to tell which is the older of two.
    uses: u64,
}

struct Renewal {
    secret: Arc<Zeroizing<String>>,
    last_use: u64,
}

impl Renewals {
    pub(super) fn new(limits: CacheLimits) -> Self {
        Self { limits, kept: Mutex::default() }
    }

    /// What renews the tokens of `principal`, where there is something.
    pub(crate) fn get(&self, principal: &Principal) -> Option<Arc<Zeroizing<String>>> {
        let _gate = runtime::fork_gate();
        let mut kept = self.lock();
        let now = kept.next_use();
        let renewal = kept.by_principal.get_mut(principal)?;
        renewal.last_use = now;
        Some(Arc::clone(&renewal.secret))
    }

    /// Keeps what renews the tokens of `principal`, in place of what did before.
    pub(crate) fn keep(&self, principal: Principal, secret: Zeroizing<String>) {
        let _gate = runtime::fork_gate();
        let mut kept = self.lock();
        kept.remove(&principal);
        let renewal = Renewal { secret: Arc::new(secret), last_use: kept.next_use() };
        kept.bytes += renewal.size();
        kept.by_principal.insert(principal, renewal);
        kept.shrink(self.limits);
    }

    /// Forgets what renewed the tokens of `principal`, if it is still `secret`: somebody may have brought a new one.
    pub(crate) fn forget(&self, principal: &Principal, secret: &str) {
        let _gate = runtime::fork_gate();
        let mut kept = self.lock();
        if kept.by_principal.get(principal).is_some_and(|renewal| renewal.secret.as_str() == secret) {
            kept.remove(principal);
        }
    }

    pub(super) fn clear(&self) {
        let _gate = runtime::fork_gate();
        *self.lock() = Kept::default();
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn next_use(&mut self) -> u64 {
        self.uses += 1;
        self.uses
    }

    fn remove(&mut self, principal: &Principal) {
        if let Some(renewal) = self.by_principal.remove(principal) {
            self.bytes -= renewal.size();
        }
    }

    /// Where there is too much, drops an eighth at once, so that looking through all is paid for by many additions. The
    /// newest stays, however small the limits are.
    fn shrink(&mut self, limits: CacheLimits) {
        if self.by_principal.len() <= limits.entries && self.bytes <= limits.bytes {
            return;
        }
        let few = limits.entries - limits.entries / 8;
        let small = limits.bytes - limits.bytes / 8;
        let mut by_age: Vec<_> =
            self.by_principal.iter().map(|(principal, renewal)| (renewal.last_use, *principal)).collect();
        by_age.sort_unstable_by_key(|(last_use, _)| *last_use);
        by_age.pop();
        for (_, principal) in by_age {
            if self.by_principal.len() <= few && self.bytes <= small {
                return;
            }
            self.remove(&principal);
        }
    }
}

impl Renewal {
    fn size(&self) -> usize {
        size_of::<Principal>() + size_of::<Self>() + self.secret.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn principal(name: &str) -> Principal {
        Principal::new("test", &[Some(name)])
    }

    fn secret(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.to_owned())
    }

    #[test]
    fn each_has_its_own_and_the_newest_counts() {
        let renewals = Renewals::new(CacheLimits::default());
        renewals.keep(principal("ada"), secret("a-1"));
        renewals.keep(principal("bob"), secret("b-1"));
        renewals.keep(principal("ada"), secret("a-2"));
        assert_eq!(**renewals.get(&principal("ada")).expect("kept"), "a-2");
        assert_eq!(**renewals.get(&principal("bob")).expect("kept"), "b-1");
        assert!(renewals.get(&principal("eve")).is_none());
        // What was refused goes, unless it has been replaced meanwhile.
        renewals.forget(&principal("ada"), "a-1");
        assert!(renewals.get(&principal("ada")).is_some());
        renewals.forget(&principal("ada"), "a-2");
        assert!(renewals.get(&principal("ada")).is_none());
        renewals.clear();
        assert!(renewals.get(&principal("bob")).is_none());
    }

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let renewals = Renewals::new(CacheLimits::default().entries(8));
        for n in 0..8 {
            renewals.keep(principal(&n.to_string()), secret("s"));
        }
        assert!(renewals.get(&principal("0")).is_some());
        renewals.keep(principal("8"), secret("s"));
        assert!(renewals.get(&principal("0")).is_some(), "it was used lately");
        assert!(renewals.get(&principal("1")).is_none(), "it was used longest ago");
        assert!(renewals.get(&principal("8")).is_some());
    }

    #[test]
    fn bytes_are_bounded_and_the_newest_stays() {
        let renewals = Renewals::new(CacheLimits::default().bytes(10_000));
        for n in 0..100 {
            renewals.keep(principal(&n.to_string()), secret(&"s".repeat(1000)));
        }
        assert!(renewals.lock().by_principal.len() < 10);
        renewals.keep(principal("large"), secret(&"s".repeat(20_000)));
        assert_eq!(renewals.lock().by_principal.len(), 1);
        assert!(renewals.get(&principal("large")).is_some());
    }
}
