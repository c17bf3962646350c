//! Refresh tokens: sealed texts that hold all there is to know of them, so that a run with many users keeps none.
//!
//! As Entra's, a token is good for its client and user, for any resource and tenant of theirs, and stays good when it
//! has been used (<https://learn.microsoft.com/entra/identity-platform/refresh-tokens>). It ends with its time, with a
//! revocation of the user's sessions, or when the code it came from is shown again.

use super::kept::Kept;
use crate::user_tokens::SignIn;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};

/// How tokens begin, as Entra's do.
const PREFIX: &str = "1.";

/// Longest token that is looked at, in bytes.
const LONGEST: usize = 8 * 1024;

/// How many ended families are remembered.
const FAMILIES: usize = 10_000;

/// What a refresh token holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RefreshToken {
    /// Object id of the user at home.
    pub(crate) user: String,
    pub(crate) client_id: String,
    /// Tenant that it was issued in.
    pub(crate) tenant: String,
    /// The scopes, or the resource, that were asked for with it.
    pub(crate) scope: String,
    methods: Vec<String>,
    time: i64,
    session: String,
    order: u64,
    /// Seconds since 1970, UTC.
    pub(crate) issued: i64,
    /// What all tokens of one sign-in have in common.
    pub(crate) family: String,
}

impl RefreshToken {
    pub(crate) fn new(
        user: &str,
        client_id: &str,
        tenant: &str,
        scope: String,
        sign_in: &SignIn,
        family: &str,
        now: i64,
    ) -> Self {
        Self {
            user: user.to_owned(),
            client_id: client_id.to_owned(),
            tenant: tenant.to_owned(),
            scope,
            methods: sign_in.methods.clone(),
            time: sign_in.time,
            session: sign_in.session.clone(),
            order: sign_in.order,
            issued: now,
            family: family.to_owned(),
        }
    }

    /// How and when its user signed in.
    pub(crate) fn sign_in(&self) -> SignIn {
        SignIn { methods: self.methods.clone(), time: self.time, session: self.session.clone(), order: self.order }
    }
}

/// The refresh tokens of a run.
pub(crate) struct RefreshTokens {
    /// None when the system gives no randomness; then there are no tokens.
    key: Option<LessSafeKey>,
    ended: Kept<()>,
}

impl RefreshTokens {
    pub(crate) fn new() -> Self {
        let mut bytes = [0; 32];
        let made = SystemRandom::new().fill(&mut bytes).and_then(|()| UnboundKey::new(&AES_256_GCM, &bytes));
        Self { key: made.ok().map(LessSafeKey::new), ended: Kept::new(FAMILIES) }
    }

    /// The text of a token.
    pub(crate) fn seal(&self, token: &RefreshToken) -> Option<String> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).ok()?;
        let mut sealed = serde_json::to_vec(token).ok()?;
        let key = self.key.as_ref()?;
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed).ok()?;
        Some(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat())))
    }

    /// What a text holds; none when it is not a token of this run.
    pub(crate) fn open(&self, text: &str) -> Option<RefreshToken> {
        let text = text.strip_prefix(PREFIX).filter(|text| text.len() <= LONGEST)?;
        let mut bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (nonce, sealed) = bytes.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let open = self.key.as_ref()?.open_in_place(nonce, Aad::empty(), sealed).ok()?;
        serde_json::from_slice(open).ok()
    }

    /// Ends every token of a family.
    pub(crate) fn end_family(&self, family: &str) {
        self.ended.insert(family.to_owned(), ());
    }

    pub(crate) fn has_ended(&self, family: &str) -> bool {
        self.ended.contains(family)
    }
}

#[cfg(test)]
mod tests {
    use super::{RefreshToken, RefreshTokens};
    use crate::user_tokens::SignIn;

    #[test]
    fn a_token_opens_in_its_own_run_and_unchanged_only() {
        let (run, other) = (RefreshTokens::new(), RefreshTokens::new());
        let sign_in = SignIn { methods: vec!["pwd".into()], time: 5, session: "s".into(), order: 3 };
        let token = RefreshToken::new("ada", "client", "tenant", "scope".into(), &sign_in, "family", 6);
        let text = run.seal(&token).expect("sealed");
        assert!(!text.contains("ada"), "opaque");
        assert_eq!(run.open(&text), Some(token.clone()));
        assert_eq!(token.sign_in(), sign_in);
        assert_eq!(other.open(&text), None);
        let mut changed = text.clone();
        changed.pop();
        assert_eq!(run.open(&changed), None);
        for odd in ["", "1.", "1.AAAA", "no", &"1.A".repeat(9_000)] {
            assert_eq!(run.open(odd), None, "{}", odd.len());
        }
        run.end_family("family");
        assert!(run.has_ended("family") && !run.has_ended("another"));
    }
}
