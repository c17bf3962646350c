//! Device codes: a client polls with one while a person enters the short code that belongs to it (RFC 8628).

use super::{kept::Kept, secret_text};
use crate::entra::scope::Asked;
use crate::user_tokens::SignIn;
use ring::rand::{SecureRandom, SystemRandom};

/// How many codes are remembered.
const CAPACITY: usize = 10_000;

/// Length of the code that a person enters, as Entra's.
const USER_CODE_LENGTH: usize = 9;

/// Characters of it: none that is taken for another.
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// What a device code stands for.
#[derive(Clone, Debug)]
pub(crate) struct DeviceCode {
    pub(crate) user_code: String,
    pub(crate) client_id: String,
    /// The tenant that it was asked of; none for `common` and the like.
    pub(crate) tenant: Option<String>,
    pub(crate) asked: Asked,
    pub(crate) claims: Option<String>,
    /// Seconds since 1970, UTC.
    pub(crate) expires: i64,
    /// When the client last polled, in milliseconds since 1970.
    polled: Option<u64>,
    pub(crate) stage: Stage,
}

/// What a person did with a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Pending,
    /// The user with this object id at home approved it.
    Approved {
        user: String,
        sign_in: SignIn,
    },
    Declined,
    Redeemed,
}

/// What a poll meets.
#[derive(Clone, Debug)]
pub(crate) enum Poll {
    Unknown,
    TooFast,
    Is(Box<DeviceCode>, PollsBefore),
}

/// How often the client had polled before.
pub(crate) type PollsBefore = bool;

/// The device codes of a run.
pub(crate) struct DeviceCodes(Kept<DeviceCode>);

impl Default for DeviceCodes {
    fn default() -> Self {
        Self(Kept::new(CAPACITY))
    }
}

impl DeviceCode {
    pub(crate) fn new(
        client_id: &str,
        tenant: Option<String>,
        asked: Asked,
        claims: Option<String>,
        expires: i64,
    ) -> Self {
        Self {
            user_code: user_code(),
            client_id: client_id.to_owned(),
            tenant,
            asked,
            claims,
            expires,
            polled: None,
            stage: Stage::Pending,
        }
    }
}

impl DeviceCodes {
    /// Issues a code.
    pub(crate) fn issue(&self, code: DeviceCode) -> String {
        let text = secret_text();
        self.0.insert(text.clone(), code);
        text
    }

    /// A client polls; `now` and `interval` are in milliseconds.
    pub(crate) fn poll(&self, text: &str, now: u64, interval: u64) -> Poll {
        let polled = self.0.with(text, |code| {
            let last = code.polled.replace(now);
            // Clocks and networks are not exact: only a client that is much too early is told so.
            match last {
                Some(last) if now.saturating_sub(last) < interval / 2 && code.stage == Stage::Pending => Poll::TooFast,
                last => Poll::Is(Box::new(code.clone()), last.is_some()),
            }
        });
        polled.unwrap_or(Poll::Unknown)
    }

    /// The code that a person entered, however they wrote it.
    pub(crate) fn entered(&self, user_code: &str) -> Option<DeviceCode> {
        let wanted = normal(user_code);
        self.0.find(|_, code| (code.user_code == wanted).then(|| code.clone()))
    }

    /// Moves a code from pending to what a person did; whether it was pending.
    pub(crate) fn decide(&self, user_code: &str, stage: &Stage) -> bool {
        let wanted = normal(user_code);
        let decided = self.0.find(|_, code| {
            (code.user_code == wanted && code.stage == Stage::Pending).then(|| code.stage = stage.clone())
        });
        decided.is_some()
    }

    /// Takes an approved code; whether it was there to be taken.
    pub(crate) fn redeem(&self, text: &str) -> bool {
        let take = |code: &mut DeviceCode| {
            let approved = matches!(code.stage, Stage::Approved { .. });
            if approved {
                code.stage = Stage::Redeemed;
            }
            approved
        };
        self.0.with(text, take).unwrap_or(false)
    }

    /// The codes that wait for a person, the newest first.
    pub(crate) fn pending(&self, now: i64) -> Vec<DeviceCode> {
        let mut all = Vec::new();
        let _: Option<()> = self.0.find(|_, code| {
            if code.stage == Stage::Pending && now < code.expires {
                all.push(code.clone());
            }
            None
        });
        all
    }
}

fn normal(user_code: &str) -> String {
    user_code.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase()
}

fn user_code() -> String {
    let mut bytes = [0; USER_CODE_LENGTH];
    // A code that does not differ from another would still be found: the newest is.
    let _ = SystemRandom::new().fill(&mut bytes);
    bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}

#[cfg(test)]
mod tests {
    use super::{DeviceCode, DeviceCodes, Poll, Stage};
    use crate::entra::scope::Asked;
    use crate::user_tokens::SignIn;

    fn issued(codes: &DeviceCodes) -> (String, String) {
        let asked = Asked::scopes("https://vault.azure.net/.default").expect("scopes");
        let code = DeviceCode::new("client", None, asked, None, 1_000);
        (code.user_code.clone(), codes.issue(code))
    }

    #[test]
    fn a_client_that_polls_too_fast_is_told_so() {
        let codes = DeviceCodes::default();
        let (_, text) = issued(&codes);
        assert!(matches!(codes.poll(&text, 10_000, 5_000), Poll::Is(_, false)));
        assert!(matches!(codes.poll(&text, 10_001, 5_000), Poll::TooFast));
        assert!(matches!(codes.poll(&text, 15_000, 5_000), Poll::Is(_, true)));
        assert!(matches!(codes.poll("another", 15_000, 5_000), Poll::Unknown));
    }

    #[test]
    fn a_code_is_approved_once_and_redeemed_once() {
        let codes = DeviceCodes::default();
        let (user_code, text) = issued(&codes);
        assert!(!codes.redeem(&text), "still pending");
        let typed = format!(" {}-{} ", &user_code[..4], user_code[4..].to_lowercase());
        assert!(codes.entered(&typed).is_some());
        assert_eq!(codes.pending(0).len(), 1);
        assert!(codes.pending(1_000).is_empty(), "expired");
        let sign_in = SignIn { methods: Vec::new(), time: 0, session: String::new(), order: 1 };
        assert!(codes.decide(&typed, &Stage::Approved { user: "ada".into(), sign_in }));
        assert!(!codes.decide(&user_code, &Stage::Declined), "too late");
        assert!(codes.redeem(&text));
        assert!(!codes.redeem(&text));
    }
}
