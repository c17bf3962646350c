//! Browser sessions: who signed in with this browser before, and needs no password again.

use super::{kept::Kept, secret_text};
use crate::user_tokens::SignIn;

/// How many browsers are remembered.
const CAPACITY: usize = 10_000;

/// How many accounts a browser may have.
const ACCOUNTS: usize = 20;

/// An account that is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignedIn {
    /// Object id of the user at home.
    pub(crate) user: String,
    pub(crate) sign_in: SignIn,
}

/// The sessions of a run, by the value of the browser's cookie.
pub(crate) struct Sessions(Kept<Vec<SignedIn>>);

impl Default for Sessions {
    fn default() -> Self {
        Self(Kept::new(CAPACITY))
    }
}

impl Sessions {
    /// The accounts of a browser, the last one first.
    pub(crate) fn accounts(&self, cookie: &str) -> Vec<SignedIn> {
        self.0.with(cookie, |accounts| accounts.clone()).unwrap_or_default()
    }

    /// Adds an account, or signs it in anew, and gives the value of the cookie.
    pub(crate) fn add(&self, cookie: Option<&str>, account: SignedIn) -> String {
        // The session of one person must not be that of the next: the value of a cookie is never taken from outside.
        let mut accounts = cookie.and_then(|cookie| self.0.remove(cookie)).unwrap_or_default();
        accounts.retain(|other| other.user != account.user);
        accounts.insert(0, account);
        accounts.truncate(ACCOUNTS);
        let fresh = secret_text();
        self.0.insert(fresh.clone(), accounts);
        fresh
    }

    /// Forgets a browser.
    pub(crate) fn end(&self, cookie: &str) {
        self.0.remove(cookie);
    }
}

#[cfg(test)]
mod tests {
    use super::{Sessions, SignedIn};
    use crate::user_tokens::SignIn;

    #[test]
    fn a_cookie_changes_with_every_sign_in_and_is_never_the_browsers_choice() {
        let sign_in = SignIn { methods: vec!["pwd".into()], time: 1, session: "s".into(), order: 1 };
        let account = |user: &str| SignedIn { user: user.into(), sign_in: sign_in.clone() };
        let sessions = Sessions::default();
        let first = sessions.add(Some("chosen-by-someone"), account("ada"));
        assert!(sessions.accounts("chosen-by-someone").is_empty());
        let second = sessions.add(Some(&first), account("grace"));
        assert!(sessions.accounts(&first).is_empty());
        let names: Vec<_> = sessions.accounts(&second).into_iter().map(|account| account.user).collect();
        assert_eq!(names, ["grace", "ada"]);
        sessions.end(&second);
        assert!(sessions.accounts(&second).is_empty());
    }
}
