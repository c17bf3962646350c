//! What a run knows of its users' sign-ins: accounts, consents, and what has been handed out.

pub(crate) mod accounts;
pub(crate) mod attempts;
pub(crate) mod codes;
pub(crate) mod consents;
pub(crate) mod device_codes;
mod kept;
pub(crate) mod refresh_tokens;
pub(crate) mod sessions;

use crate::clock;
use crate::config::{Config, Lifetimes};
use crate::user_tokens::SignIn;
use accounts::Accounts;
use attempts::Attempts;
use codes::Codes;
use consents::Consents;
use device_codes::DeviceCodes;
use refresh_tokens::RefreshTokens;
use sessions::Sessions;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The sign-ins of a run.
pub(crate) struct SignIns {
    pub(crate) accounts: Accounts,
    pub(crate) consents: Consents,
    pub(crate) attempts: Attempts,
    pub(crate) codes: Codes,
    pub(crate) device_codes: DeviceCodes,
    pub(crate) refresh_tokens: RefreshTokens,
    pub(crate) sessions: Sessions,
    pub(crate) lifetimes: Lifetimes,
    /// Name of the user who signs in wherever somebody is asked to.
    robot: Mutex<Option<String>>,
}

impl SignIns {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            accounts: Accounts::new(&config.users),
            consents: Consents::new(&config.apps),
            attempts: Attempts::default(),
            codes: Codes::default(),
            device_codes: DeviceCodes::default(),
            refresh_tokens: RefreshTokens::new(),
            sessions: Sessions::default(),
            lifetimes: config.lifetimes.clone(),
            robot: Mutex::new(config.sign_in_as.clone()),
        }
    }

    /// A user signs in now, having shown this (RFC 8176).
    pub(crate) fn sign_in(&self, methods: &[&str]) -> SignIn {
        SignIn {
            methods: methods.iter().map(|method| (*method).to_owned()).collect(),
            time: clock::now(),
            session: uuid::Uuid::new_v4().to_string(),
            order: self.accounts.next(),
        }
    }

    /// Name of the user who signs in with no page in between.
    pub(crate) fn robot(&self) -> Option<String> {
        lock(&self.robot).clone()
    }

    pub(crate) fn set_robot(&self, name: Option<String>) {
        *lock(&self.robot) = name;
    }
}

/// Locks what a panic of another thread leaves whole anyway.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A text of 256 random bits, for what nobody may guess.
pub(crate) fn secret_text() -> String {
    format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple())
}
