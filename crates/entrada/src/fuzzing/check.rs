//! What must hold of every token and of every error, whatever they were made of.

use crate::error::Error;
use crate::platform::Clock;
use crate::token::Fetched;

/// No error needs more, in bytes: a person reads it.
const LONGEST_ERROR: usize = 16 << 10;
/// So much of a secret in a row is more than chance.
const GIVEAWAY: usize = 8;

/// An error can be shown to anybody: it is short, has no control characters but line ends, no token, and nothing of what
/// was `shown` to the server, which `said` something that may repeat it.
pub(super) fn error(error: &Error, said: &[u8], shown: &[&str]) {
    let text = error.to_string();
    assert!(text.len() <= LONGEST_ERROR, "an error of {} bytes", text.len());
    let odd = text.chars().find(|c| c.is_control() && *c != '\n');
    assert!(odd.is_none(), "{odd:?} in an error: {text:?}");
    // Every JWT begins so.
    assert!(!text.contains("eyJ"), "a token in an error: {text}");
    for secret in shown {
        assert!(!text.contains(secret), "{secret} in an error: {text}");
        assert!(!format!("{error:?}").contains(secret), "{secret} in the Debug of an error: {text}");
        let begun = begun(secret, said, &text);
        assert!(begun.is_none(), "a part of {secret} in an error: {text}");
    }
}

/// A part of a secret that is in a text, where the server repeated all of it and said no part of its own accord; an escape
/// may hide one.
fn begun<'s>(secret: &'s str, said: &[u8], text: &str) -> Option<&'s str> {
    let said = String::from_utf8_lossy(said);
    if !said.contains(secret) || said.contains("\\u") {
        return None;
    }
    let said = said.replace(secret, " ");
    let parts = (0..=secret.len().saturating_sub(GIVEAWAY)).filter_map(|at| secret.get(at..at + GIVEAWAY));
    parts.filter(|part| !said.contains(part)).find(|part| text.contains(part))
}

/// A token can be used now, ends when it says, and is not shown by accident.
pub(super) fn fetched(fetched: &Fetched, clock: &dyn Clock) {
    let token = &fetched.token;
    assert!(!token.secret().trim().is_empty(), "an empty token");
    assert!(!fetched.lifetime.is_zero(), "a token without a life");
    assert!(token.expires_on() > clock.unix_time(), "a token that ended at {}", token.expires_on());
    assert!(
        fetched.refresh_in.is_none_or(|after| after < fetched.lifetime),
        "to be replaced after its end: {fetched:?}"
    );
    assert!(token.refresh_on().is_none_or(|at| at < token.expires_on()), "to be replaced after its end: {token:?}");
    let secret = token.secret();
    assert!(secret.len() < 40 || !format!("{fetched:?}").contains(secret), "Debug shows a token");
}
