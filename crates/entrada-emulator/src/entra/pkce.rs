//! Proof Key for Code Exchange (RFC 7636).

use super::EntraError;
use super::form::Form;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// Shortest and longest verifier, in characters.
const LENGTHS: std::ops::RangeInclusive<usize> = 43..=128;

/// What the verifier of a code has to fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    Plain(String),
    Sha256(String),
}

impl Challenge {
    /// The challenge of an authorize request, if it has one.
    pub(super) fn of(form: &Form) -> Result<Option<Self>, EntraError> {
        let Some(challenge) = form.value("code_challenge") else {
            return match form.value("code_challenge_method") {
                None => Ok(None),
                Some(_) => Err(EntraError::missing("code_challenge")),
            };
        };
        if !LENGTHS.contains(&challenge.len()) || !challenge.bytes().all(is_unreserved) {
            return Err(EntraError::request(501_491, "Invalid size of Code_Challenge parameter."));
        }
        match form.value("code_challenge_method").unwrap_or("plain") {
            "S256" if challenge.len() == 43 => Ok(Some(Self::Sha256(challenge.to_owned()))),
            "S256" => Err(EntraError::request(501_491, "Invalid size of Code_Challenge parameter.")),
            "plain" => Ok(Some(Self::Plain(challenge.to_owned()))),
            // The number is in no public document.
            method => Err(EntraError::request(
                50_149,
                format!(
                    "Invalid value '{method}' of the parameter 'code_challenge_method'; supported are S256 and plain."
                ),
            )),
        }
    }

    fn fits(&self, verifier: &str) -> bool {
        match self {
            Self::Plain(challenge) => challenge == verifier,
            Self::Sha256(challenge) => *challenge == URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)),
        }
    }
}

/// Checks the verifier that a code is redeemed with.
pub(super) fn check(challenge: Option<&Challenge>, verifier: Option<&str>) -> Result<(), EntraError> {
    match (challenge, verifier) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(EntraError::grant(
            // The number is in no public document.
            501_482,
            "A Code_Verifier was supplied, and the authorization request had no code_challenge.",
        )),
        (Some(_), None) => Err(EntraError::missing("code_verifier")),
        (Some(challenge), Some(verifier)) if LENGTHS.contains(&verifier.len()) && challenge.fits(verifier) => Ok(()),
        (Some(_), Some(_)) => Err(EntraError::grant(
            501_481,
            "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
        )),
    }
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use super::{Challenge, check};
    use crate::entra::form::Form;

    fn challenge(pairs: &[(&str, &str)]) -> Result<Option<Challenge>, u32> {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Challenge::of(&Form::of(pairs).expect("a form")).map_err(|error| error.code)
    }

    // RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_the_rfc() {
        let found = challenge(&[("code_challenge", CHALLENGE), ("code_challenge_method", "S256")]).expect("good");
        assert!(check(found.as_ref(), Some(VERIFIER)).is_ok());
        let wrong = VERIFIER.replace('d', "e");
        assert_eq!(check(found.as_ref(), Some(&wrong)).expect_err("wrong").code, 501_481);
        assert_eq!(check(found.as_ref(), Some(CHALLENGE)).expect_err("not plain").code, 501_481);
        assert_eq!(check(found.as_ref(), None).expect_err("missing").code, 900_144);
        assert_eq!(check(None, Some(VERIFIER)).expect_err("without a challenge").code, 501_482);
        assert!(check(None, None).is_ok());
    }

    #[test]
    fn odd_challenges_are_refused() {
        assert_eq!(challenge(&[]), Ok(None));
        assert_eq!(challenge(&[("code_challenge", VERIFIER)]), Ok(Some(Challenge::Plain(VERIFIER.into()))));
        assert_eq!(challenge(&[("code_challenge", "short"), ("code_challenge_method", "S256")]), Err(501_491));
        assert_eq!(challenge(&[("code_challenge", &"x".repeat(44)), ("code_challenge_method", "S256")]), Err(501_491));
        assert_eq!(challenge(&[("code_challenge", CHALLENGE), ("code_challenge_method", "S512")]), Err(50_149));
        assert_eq!(challenge(&[("code_challenge_method", "S256")]), Err(900_144));
    }
}
