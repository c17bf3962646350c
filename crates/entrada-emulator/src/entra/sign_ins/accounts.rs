//! What can change of a user during a run: password, what stands in the way, and since when their sign-ins are void.

use super::lock;
use crate::config::{Mfa, Refusal, User};
use crate::crowd;
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many wrong passwords in a row lock an account, as Entra's smart lockout does
/// (<https://learn.microsoft.com/entra/identity/authentication/howto-password-smart-lockout>).
const LOCKOUT_AFTER: u32 = 10;

/// For how long, in seconds.
const LOCKOUT: i64 = 60;

/// The accounts of a run, by object id at home.
pub(crate) struct Accounts {
    all: Mutex<HashMap<String, Account>>,
    /// Place of the next event.
    order: AtomicU64,
}

/// A user's account.
#[derive(Clone)]
pub(crate) struct Account {
    password: String,
    pub(crate) mfa: Mfa,
    pub(crate) refusal: Option<Refusal>,
    failures: u32,
    locked_until: i64,
    pub(crate) revoked: Option<Revoked>,
}

/// When all that a user had signed in to was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Revoked {
    /// What came before it is void.
    pub(crate) order: u64,
    /// Seconds since 1970, UTC.
    pub(crate) at: i64,
}

/// Why a password does not sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PasswordProblem {
    Wrong,
    Locked,
}

impl Account {
    fn of(user: &User) -> Self {
        Self {
            password: user.password.clone(),
            mfa: user.mfa,
            refusal: user.refusal,
            failures: 0,
            locked_until: 0,
            revoked: None,
        }
    }
}

impl Accounts {
    pub(crate) fn new(users: &[User]) -> Self {
        let all = users.iter().map(|user| (user.object_id.to_ascii_lowercase(), Account::of(user))).collect();
        Self { all: Mutex::new(all), order: AtomicU64::new(1) }
    }

    /// The place of something that happens now.
    pub(crate) fn next(&self) -> u64 {
        self.order.fetch_add(1, Ordering::SeqCst)
    }

    /// An account as it is now. Members of the crowd have one that nothing changes.
    pub(crate) fn get(&self, object_id: &str) -> Option<Account> {
        let found = lock(&self.all).get(&object_id.to_ascii_lowercase()).cloned();
        found.or_else(|| crowd::number_of(object_id).map(|_| Account::of(&User::default())))
    }

    fn change(&self, object_id: &str, change: impl FnOnce(&mut Account)) {
        if let Some(account) = lock(&self.all).get_mut(&object_id.to_ascii_lowercase()) {
            change(account);
        }
    }

    /// Checks a password, and counts wrong ones.
    pub(crate) fn check_password(&self, object_id: &str, password: &str, now: i64) -> Result<(), PasswordProblem> {
        let mut result = Err(PasswordProblem::Wrong);
        self.change(object_id, |account| {
            if account.refusal == Some(Refusal::Locked) || now < account.locked_until {
                result = Err(PasswordProblem::Locked);
            } else if account.password == password {
                account.failures = 0;
                result = Ok(());
            } else {
                account.failures += 1;
                if account.failures >= LOCKOUT_AFTER {
                    account.failures = 0;
                    account.locked_until = now.saturating_add(LOCKOUT);
                }
            }
        });
        result
    }

    /// Sets another password, which voids all sign-ins with the old one.
    pub(crate) fn set_password(&self, object_id: &str, password: &str, now: i64) {
        self.change(object_id, |account| {
            password.clone_into(&mut account.password);
            if account.refusal == Some(Refusal::PasswordExpired) {
                account.refusal = None;
            }
        });
        self.revoke(object_id, now);
    }

    pub(crate) fn set_mfa(&self, object_id: &str, mfa: Mfa) {
        self.change(object_id, |account| account.mfa = mfa);
    }

    pub(crate) fn set_refusal(&self, object_id: &str, refusal: Option<Refusal>) {
        self.change(object_id, |account| {
            account.refusal = refusal;
            account.locked_until = 0;
        });
    }

    /// Voids every session and refresh token that a user has.
    pub(crate) fn revoke(&self, object_id: &str, now: i64) {
        let order = self.next();
        self.change(object_id, |account| account.revoked = Some(Revoked { order, at: now }));
    }

    /// The revocation that voids what a user signed in to at a place, if any.
    pub(crate) fn revoked(&self, object_id: &str, order: u64) -> Option<Revoked> {
        self.get(object_id)?.revoked.filter(|revoked| order < revoked.order)
    }
}

#[cfg(test)]
mod tests {
    use super::{Accounts, LOCKOUT, LOCKOUT_AFTER, PasswordProblem};
    use crate::config::User;

    fn one() -> Accounts {
        Accounts::new(&[User { object_id: "A".into(), password: "right".into(), ..User::default() }])
    }

    #[test]
    fn too_many_wrong_passwords_lock_an_account_for_a_while() {
        let accounts = one();
        for _ in 0..LOCKOUT_AFTER {
            assert_eq!(accounts.check_password("a", "wrong", 100), Err(PasswordProblem::Wrong));
        }
        assert_eq!(accounts.check_password("a", "right", 100), Err(PasswordProblem::Locked));
        assert_eq!(accounts.check_password("a", "right", 100 + LOCKOUT), Ok(()));
        assert_eq!(accounts.check_password("nobody", "right", 100), Err(PasswordProblem::Wrong));
    }

    #[test]
    fn a_new_password_voids_what_was_before_it_and_not_what_comes_after() {
        let accounts = one();
        let before = accounts.next();
        assert_eq!(accounts.revoked("a", before), None);
        accounts.set_password("a", "new", 100);
        let after = accounts.next();
        assert_eq!(accounts.revoked("a", before).map(|revoked| revoked.at), Some(100));
        assert_eq!(accounts.revoked("a", after), None);
        assert_eq!(accounts.check_password("a", "right", 100), Err(PasswordProblem::Wrong));
        assert_eq!(accounts.check_password("a", "new", 100), Ok(()));
    }
}
