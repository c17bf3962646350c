//! Credentials that the environment describes, or does not.

use std::sync::Arc;

use crate::credential::Cached;
use crate::error::Error;
use crate::scope;
use crate::token::{Token, TokenRequest};

/// What was found, or why there is nothing. That shows when a token is requested, so that a chain with such a credential
/// can be made anywhere.
pub(super) struct Described {
    name: &'static str,
    found: Result<Cached, Error>,
}

impl Described {
    pub(super) fn new(name: &'static str, found: Result<Cached, Error>) -> Self {
        Self { name, found: found.map_err(|error| error.credential(name)) }
    }

    /// Why there is nothing.
    pub(super) fn problem(&self) -> Option<&Error> {
        self.found.as_ref().err()
    }

    pub(super) fn at_hand(&self, scopes: &[&str], tenant_id: Option<&str>, enable_cae: bool) -> Option<Arc<Token>> {
        self.with_at_hand(scopes, tenant_id, enable_cae, Arc::clone)
    }

    pub(super) fn with_at_hand<R>(
        &self,
        scopes: &[&str],
        tenant_id: Option<&str>,
        enable_cae: bool,
        look: impl FnOnce(&Arc<Token>) -> R,
    ) -> Option<R> {
        self.found.as_ref().ok()?.with_at_hand(scopes, tenant_id, enable_cae, look)
    }

    pub(super) async fn token(&self, request: &TokenRequest) -> Result<Arc<Token>, Error> {
        scope::check(request).map_err(|error| error.credential(self.name))?;
        match &self.found {
            Ok(cached) => cached.token(request).await,
            Err(error) => Err(error.clone()),
        }
    }
}

/// A setting that is given, or in a variable; the names of those that are neither.
#[derive(Default)]
pub(super) struct Settings {
    missing: Vec<&'static str>,
}

impl Settings {
    /// The value; empty, and noted, where there is none.
    pub(super) fn get(&mut self, given: Option<String>, variable: Option<String>, name: &'static str) -> String {
        given.or(variable).unwrap_or_else(|| {
            self.missing.push(name);
            String::new()
        })
    }

    /// All that are missing, in one sentence: `A`, `A and B`, `A, B and C`.
    pub(super) fn missing(&self) -> Option<String> {
        let (last, others) = self.missing.split_last()?;
        Some(if others.is_empty() { (*last).to_owned() } else { format!("{} and {last}", others.join(", ")) })
    }
}
