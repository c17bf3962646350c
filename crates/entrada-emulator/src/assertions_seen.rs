//! Which assertions were shown before, for worlds that take each of them once.

use crate::clock;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// How many assertions are remembered; the one that ends first is forgotten for another.
const MOST: usize = 100_000;

/// The assertions that were shown, by issuer and `jti`, with the second in which they end.
#[derive(Debug, Default)]
pub(crate) struct AssertionsSeen(Mutex<HashMap<(String, String), i64>>);

impl AssertionsSeen {
    /// Whether an assertion has not been shown before, and can be told from others by its id.
    pub(crate) fn is_new(&self, issuer: &str, id: &str, until: i64) -> bool {
        if id.is_empty() {
            return false;
        }
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = clock::now();
        if seen.len() >= MOST {
            seen.retain(|_, until| *until > now);
        }
        if seen.len() >= MOST
            && let Some(first) = seen.iter().min_by_key(|(_, until)| **until).map(|(key, _)| key.clone())
        {
            seen.remove(&first);
        }
        seen.insert((issuer.to_ascii_lowercase(), id.to_owned()), until).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::AssertionsSeen;

    #[test]
    fn an_assertion_is_new_once() {
        let seen = AssertionsSeen::default();
        assert!(seen.is_new("app", "1", i64::MAX));
        assert!(!seen.is_new("APP", "1", i64::MAX));
        assert!(seen.is_new("app", "2", i64::MAX) && seen.is_new("other", "1", i64::MAX));
        assert!(!seen.is_new("app", "", i64::MAX), "one without an id");
    }
}
