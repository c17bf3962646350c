//! What is wrong with a certificate or its key.

use crate::error::Error;

/// What is wrong, and what to do about it; without saying yet whose certificate it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    what: String,
    next: String,
}

impl Problem {
    pub(super) fn new(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { what: what.into(), next: next.into() }
    }

    /// With something else that may be done about it.
    pub(super) fn or(mut self, next: &str) -> Self {
        self.next = format!("{}; {next}", self.next);
        self
    }

    /// What is wrong, in words that go on where "the certificate cannot be used: " ends.
    pub(super) fn what(&self) -> &str {
        &self.what
    }

    /// This problem of a new certificate, which shows because of that of the old one.
    pub(super) fn after(self, old: &Self) -> Self {
        Self {
            what: format!("the one that was in use: {}; and what has taken its place: {}", old.what, self.what),
            next: self.next,
        }
    }

    /// As the error of a request. `named` is the certificate in words.
    pub(crate) fn failure(&self, named: &str) -> Error {
        Error::failed(format!("{named} cannot be used: {}", self.what)).next(&self.next)
    }

    /// As the error of a constructor.
    pub(super) fn argument(&self, named: &str) -> Error {
        Error::invalid_argument(format!("{named} cannot be used: {}", self.what)).next(&self.next)
    }
}
