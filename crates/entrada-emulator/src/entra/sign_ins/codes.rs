//! Authorization codes: good once, for a short time, for the client and the redirect URI they were issued for.

use super::{kept::Kept, secret_text};
use crate::entra::pkce::Challenge;
use crate::entra::scope::Asked;
use crate::people::Person;
use crate::user_tokens::SignIn;

/// How many codes are remembered.
const CAPACITY: usize = 10_000;

/// What a code stands for.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: Option<Challenge>,
    pub(crate) person: Person,
    pub(crate) asked: Asked,
    pub(crate) claims: Option<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) sign_in: SignIn,
    /// The family of refresh tokens that it leads to.
    pub(crate) family: String,
    /// Seconds since 1970, UTC.
    pub(crate) issued: i64,
    pub(crate) redeemed: bool,
}

/// The codes of a run.
pub(crate) struct Codes(Kept<Code>);

impl Default for Codes {
    fn default() -> Self {
        Self(Kept::new(CAPACITY))
    }
}

impl Codes {
    /// Issues a code.
    pub(crate) fn issue(&self, code: Code) -> String {
        // Entra's are longer; a number of them tell by the first characters.
        let text = format!("1.{}", secret_text());
        self.0.insert(text.clone(), code);
        text
    }

    /// What a code stands for, as it is now.
    pub(crate) fn look(&self, text: &str) -> Option<Code> {
        self.0.with(text, |code| code.clone())
    }

    /// Takes a code; whether it was there to be taken.
    pub(crate) fn redeem(&self, text: &str) -> bool {
        self.0.with(text, |code| !std::mem::replace(&mut code.redeemed, true)).unwrap_or(false)
    }
}
