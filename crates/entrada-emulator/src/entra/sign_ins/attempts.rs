//! Sign-ins that are under way in a browser, from the first page to the answer.

use super::{kept::Kept, secret_text};
use crate::entra::authorize::AuthorizeRequest;
use crate::user_tokens::SignIn;

/// How many are remembered.
const CAPACITY: usize = 10_000;

/// How long one may take, in seconds.
const LIFETIME: i64 = 3_600;

/// What a sign-in is for.
#[derive(Clone, Debug)]
pub(crate) enum Goal {
    /// A client sent the browser.
    Authorize(Box<AuthorizeRequest>),
    /// A person opened the page where the code of a device is entered; the code, once they have.
    Device(Option<String>),
}

/// A sign-in that is under way.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    /// What the forms of its pages must hold.
    pub(crate) csrf: String,
    /// The cookie of the browser that it is under way in.
    pub(crate) browser: String,
    pub(crate) goal: Goal,
    /// The name that was entered, or named by the client, to be shown again.
    pub(crate) entered: String,
    /// Object id at home of the user who signs in.
    pub(crate) user: Option<String>,
    /// Set once a password has been accepted, or a session found.
    pub(crate) sign_in: Option<SignIn>,
    /// The code that the emulator shows, and takes, in place of an authenticator app.
    pub(crate) proof: String,
    /// Whether the password that was entered is right, but has expired.
    pub(crate) password_expired: bool,
    /// Whether the user has begun to register for a second proof.
    pub(crate) registering: bool,
    /// Whether the user has said yes on the page for it.
    pub(crate) consented: bool,
    /// Whether the user has said that the device is theirs.
    pub(crate) confirmed: bool,
    /// Whether a session will do in place of a password.
    pub(crate) by_session: bool,
    /// Seconds since 1970, UTC.
    started: i64,
}

impl Attempt {
    pub(crate) fn new(browser: &str, goal: Goal, by_session: bool, now: i64) -> Self {
        let random = uuid::Uuid::new_v4().as_u128() % 900_000 + 100_000;
        Self {
            csrf: secret_text(),
            browser: browser.to_owned(),
            goal,
            entered: String::new(),
            user: None,
            sign_in: None,
            proof: random.to_string(),
            password_expired: false,
            registering: false,
            consented: false,
            confirmed: false,
            by_session,
            started: now,
        }
    }
}

/// The sign-ins of a run that are under way.
pub(crate) struct Attempts(Kept<Attempt>);

impl Default for Attempts {
    fn default() -> Self {
        Self(Kept::new(CAPACITY))
    }
}

impl Attempts {
    /// Remembers one, and gives its id.
    pub(crate) fn start(&self, attempt: Attempt) -> String {
        let id = secret_text();
        self.0.insert(id.clone(), attempt);
        id
    }

    /// The attempt with an id, for the browser that it is under way in and a form of one of its pages.
    pub(crate) fn find(&self, id: &str, browser: &str, csrf: &str, now: i64) -> Option<Attempt> {
        self.0
            .with(id, |attempt| {
                let is_its = attempt.browser == browser && attempt.csrf == csrf;
                (is_its && now < attempt.started.saturating_add(LIFETIME)).then(|| attempt.clone())
            })
            .flatten()
    }

    /// Writes one back.
    pub(crate) fn save(&self, id: &str, attempt: &Attempt) {
        self.0.with(id, |kept| kept.clone_from(attempt));
    }

    /// Forgets one that has come to its end.
    pub(crate) fn end(&self, id: &str) {
        self.0.remove(id);
    }
}

#[cfg(test)]
mod tests {
    use super::{Attempt, Attempts, Goal, LIFETIME};

    #[test]
    fn an_attempt_belongs_to_one_browser_and_its_own_forms() {
        let attempts = Attempts::default();
        let attempt = Attempt::new("cookie", Goal::Device(None), true, 10);
        let csrf = attempt.csrf.clone();
        let id = attempts.start(attempt);
        assert!(attempts.find(&id, "cookie", &csrf, 11).is_some());
        assert!(attempts.find(&id, "another", &csrf, 11).is_none());
        assert!(attempts.find(&id, "cookie", "guess", 11).is_none());
        assert!(attempts.find("guess", "cookie", &csrf, 11).is_none());
        assert!(attempts.find(&id, "cookie", &csrf, 10 + LIFETIME).is_none());
        attempts.end(&id);
        assert!(attempts.find(&id, "cookie", &csrf, 11).is_none());
    }
}
