//! The secret header of the App Service identity endpoint, and its rotation.

use std::sync::{Mutex, PoisonError};
use uuid::Uuid;

/// The values that are good: the newest, and the ones handed out before.
///
/// App Service rotates the value of a running app; a program started earlier keeps its own, so every
/// value stays good until the run ends.
pub(crate) struct IdentityHeader(Mutex<Vec<String>>);

impl Default for IdentityHeader {
    fn default() -> Self {
        Self(Mutex::new(vec![fresh()]))
    }
}

impl IdentityHeader {
    /// The value a program started now is given.
    pub(crate) fn current(&self) -> String {
        let values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        values.last().cloned().unwrap_or_default()
    }

    /// Makes a new value and gives it.
    pub(crate) fn rotate(&self) -> String {
        let value = fresh();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(value.clone());
        value
    }

    /// Whether a value was ever handed out in this run.
    pub(crate) fn accepts(&self, value: &str) -> bool {
        let values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        !value.is_empty() && values.iter().any(|known| known == value)
    }
}

fn fresh() -> String {
    Uuid::new_v4().to_string().to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::IdentityHeader;

    #[test]
    fn values_of_programs_started_earlier_stay_good() {
        let header = IdentityHeader::default();
        let first = header.current();
        let second = header.rotate();
        assert!(first != second && header.current() == second);
        assert!(header.accepts(&first) && header.accepts(&second));
        assert!(!header.accepts("") && !header.accepts("guess"));
    }
}
