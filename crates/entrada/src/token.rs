//! Tokens, what is asked for, and the arithmetic of expiry.

use std::any::Any;
use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use time::OffsetDateTime;
use time::macros::datetime;
use zeroize::Zeroizing;

const LAST_DATE: OffsetDateTime = datetime!(9999-12-31 23:59:59 UTC);

/// An access token as a credential returns it.
///
/// The text is wiped from memory when the last reference is dropped and never appears in `Debug`.
pub struct Token {
    secret: Zeroizing<String>,
    expires_on: i64,
    /// The same as a date: it is asked for with every request, and calendars are slow.
    expires_on_date: OffsetDateTime,
    refresh_on: Option<i64>,
    attachment: OnceLock<Attachment>,
}

/// What somebody else keeps with a token; see [`Token::attachment`].
pub type Attachment = Box<dyn Any + Send + Sync>;

impl Token {
    /// Creates a token that expires at `expires_on` (seconds since 1970-01-01T00:00:00Z) and that its issuer
    /// would like to be replaced from `refresh_on` (same unit), where it says so.
    pub fn new(secret: Zeroizing<String>, expires_on: i64, refresh_on: Option<i64>) -> Self {
        Self {
            secret,
            expires_on,
            expires_on_date: OffsetDateTime::from_unix_timestamp(expires_on).unwrap_or(LAST_DATE),
            refresh_on,
            attachment: OnceLock::new(),
        }
    }

    /// The token itself: what goes after `Bearer ` in an `Authorization` header (RFC 6750).
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// When the token ends, in seconds since 1970-01-01T00:00:00Z.
    pub fn expires_on(&self) -> i64 {
        self.expires_on
    }

    /// A place for what a language binding makes of the token, so that it is made once, whatever object asks for the
    /// token, and goes with it.
    pub fn attachment(&self) -> &OnceLock<Attachment> {
        &self.attachment
    }

    /// When the token ends, as a date in UTC; the end of the year 9999 where `expires_on` is no date.
    pub(crate) fn expires_on_date(&self) -> OffsetDateTime {
        self.expires_on_date
    }

    /// From when a new token should be fetched although this one is still valid, in seconds since
    /// 1970-01-01T00:00:00Z; `None` where the issuer gave no advice.
    pub fn refresh_on(&self) -> Option<i64> {
        self.refresh_on
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("expires_on", &self.expires_on)
            .field("refresh_on", &self.refresh_on)
            .finish_non_exhaustive()
    }
}

/// What a caller asks a credential for.
///
/// ```
/// use entrada::TokenRequest;
///
/// let mut request = TokenRequest::new(["https://vault.azure.net/.default"]);
/// request.tenant_id = Some("contoso.onmicrosoft.com".into());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TokenRequest {
    /// The scopes the token must have, for example `https://vault.azure.net/.default`. At least one.
    pub scopes: Vec<String>,
    /// The tenant to ask instead of the credential's own; honoured where the credential allows it.
    pub tenant_id: Option<String>,
    /// Claims demanded by a resource in a challenge, as JSON. A request with claims goes past the cache.
    pub claims: Option<String>,
    /// Whether the caller can handle continuous access evaluation (CAE) challenges. CAE tokens and others
    /// are cached apart.
    pub enable_cae: bool,
    /// Whether a chain asks, which has others to ask: what cannot be there is then found out quickly rather than
    /// patiently.
    pub within_chain: bool,
}

impl TokenRequest {
    /// A request for the given scopes and nothing else.
    pub fn new<S: Into<String>>(scopes: impl IntoIterator<Item = S>) -> Self {
        Self { scopes: scopes.into_iter().map(Into::into).collect(), ..Self::default() }
    }
}

/// A token just received, with its life measured from the moment of the answer.
///
/// Durations rather than dates: a wall clock that is wrong, or is set later, must not make an expired token look
/// valid.
#[derive(Debug)]
pub(crate) struct Fetched {
    /// The token.
    pub(crate) token: Token,
    /// How long it is still valid.
    pub(crate) lifetime: Duration,
    /// After how long its issuer wants it replaced, where the answer said so (`refresh_in`).
    pub(crate) refresh_in: Option<Duration>,
}

impl Fetched {
    /// A token that ends at `expires_on`, where that is after `now`; both in seconds since 1970-01-01T00:00:00Z.
    pub(crate) fn until(secret: Zeroizing<String>, expires_on: i64, now: i64) -> Option<Self> {
        let left = u64::try_from(expires_on.saturating_sub(now)).ok().filter(|left| *left > 0)?;
        let token = Token::new(secret, expires_on, None);
        Some(Self { token, lifetime: Duration::from_secs(left), refresh_in: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let token = Token::new(Zeroizing::new("eyJ.secret".into()), 10, None);
        assert_eq!(token.secret(), "eyJ.secret");
        assert!(!format!("{token:?}").contains("eyJ"));
    }
}
