//! A request of a browser: its cookies, and the one that ties a sign-in to it.

use super::sign_ins::secret_text;
use super::sign_ins::sessions::SignedIn;
use crate::call::{Call, Reply};
use crate::cloud::Names;
use crate::state::State;

/// Holds who is signed in; ends with the browser, as Entra's does.
const SESSION: &str = "entrada-session";

/// Ties the forms of a sign-in to the browser that it began in.
const BROWSER: &str = "entrada-browser";

/// A request of a browser to one of Entra's pages.
pub(super) struct Web<'a> {
    pub(super) state: &'a State,
    pub(super) names: &'a Names,
    pub(super) call: &'a Call,
    pub(super) correlation: &'a str,
}

impl Web<'_> {
    fn cookie(&self, name: &str) -> Option<&str> {
        let pairs = self.call.header("cookie")?.split(';').filter_map(|pair| pair.trim().split_once('='));
        pairs.filter(|(_, value)| value.len() <= 128).find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// What the browser is known by; none when it has not been here.
    pub(super) fn browser(&self) -> Option<&str> {
        self.cookie(BROWSER).filter(|value| !value.is_empty())
    }

    /// What the browser is known by from now on.
    pub(super) fn ensure_browser(&self) -> String {
        self.browser().map_or_else(secret_text, str::to_owned)
    }

    /// The accounts that are signed in with this browser and still may be, the last one first.
    pub(super) fn accounts(&self) -> Vec<SignedIn> {
        let accounts = &self.state.sign_ins.accounts;
        let all = self.cookie(SESSION).map(|cookie| self.state.sign_ins.sessions.accounts(cookie)).unwrap_or_default();
        all.into_iter().filter(|one| accounts.revoked(&one.user, one.sign_in.order).is_none()).collect()
    }

    /// Signs an account in with this browser.
    pub(super) fn keep(&self, reply: Reply, account: SignedIn) -> Reply {
        let cookie = self.state.sign_ins.sessions.add(self.cookie(SESSION), account);
        reply.cookie(&format!("{SESSION}={cookie}; Path=/; Secure; HttpOnly; SameSite=None"))
    }

    /// Signs every account of this browser out.
    pub(super) fn sign_out(&self, reply: Reply) -> Reply {
        if let Some(cookie) = self.cookie(SESSION) {
            self.state.sign_ins.sessions.end(cookie);
        }
        reply.cookie(&format!("{SESSION}=; Path=/; Secure; HttpOnly; SameSite=None; Max-Age=0"))
    }
}

/// Marks a browser.
pub(super) fn mark(reply: Reply, browser: &str) -> Reply {
    reply.cookie(&format!("{BROWSER}={browser}; Path=/; Secure; HttpOnly; SameSite=Lax"))
}
