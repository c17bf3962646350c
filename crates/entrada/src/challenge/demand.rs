//! What a resource demands of the next token.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Value, json};
use url::Url;

use super::www_authenticate::{Challenge, parse};
use crate::entra::{check_tenant_id, is_of_entra, is_placeholder};

/// No real claims are longer, in bytes.
const LONGEST_CLAIMS: usize = 16 << 10;
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// What the header of a 401 demands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Demand {
    /// The claims that the token must have, as JSON.
    pub(crate) claims: Option<String>,
    /// The tenant that must issue it.
    pub(crate) tenant_id: Option<String>,
}

impl Demand {
    /// Reads a header; one that cannot be read demands nothing.
    pub(crate) fn read(header: &str) -> Self {
        let challenges = parse(header).unwrap_or_default();
        let mut bearers = challenges.iter().filter(|challenge| challenge.is("Bearer"));
        Self { claims: bearers.clone().find_map(claims), tenant_id: bearers.find_map(tenant_id) }
    }
}

/// The claims of a claims challenge, in base64 of either alphabet, or the authentication contexts of a step-up challenge
/// (RFC 9470, section 3).
///
/// <https://learn.microsoft.com/entra/identity-platform/claims-challenge>
fn claims(challenge: &Challenge) -> Option<String> {
    match challenge.parameter("error")? {
        "insufficient_claims" => {
            let encoded = challenge.parameter("claims").filter(|text| text.len() <= LONGEST_CLAIMS)?;
            let decoded = STANDARD.decode(encoded).or_else(|_| URL_SAFE.decode(encoded)).ok()?;
            let claims: Value = serde_json::from_slice(&decoded).ok()?;
            // As the resource wrote it, for Entra to read.
            claims.is_object().then(|| String::from_utf8(decoded).ok())?
        }
        "insufficient_user_authentication" => {
            let contexts: Vec<&str> = challenge.parameter("acr_values")?.split_ascii_whitespace().collect();
            let claims = json!({"access_token": {"acrs": {"essential": true, "values": contexts}}});
            (!contexts.is_empty()).then(|| claims.to_string())
        }
        _ => None,
    }
}

/// The tenant of the authority that the challenge names. Only the tenant is taken from it, and only where the authority is
/// one of Entra's: whoever challenges does not decide where secrets go.
fn tenant_id(challenge: &Challenge) -> Option<String> {
    let authority = challenge.parameter("authorization").or_else(|| challenge.parameter("authorization_uri"))?;
    let authority = Url::parse(authority).ok()?;
    let tenant_id = authority.path_segments()?.next()?;
    let usable = is_of_entra(&authority) && check_tenant_id(tenant_id).is_ok() && !is_placeholder(tenant_id);
    usable.then(|| tenant_id.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CLAIMS: &str = r#"{"access_token":{"nbf":{"essential":true,"value":"1800000000"}}}"#;

    fn challenge(claims: &str) -> String {
        format!(r#"Bearer realm="", error="insufficient_claims", claims="{claims}""#)
    }

    #[test]
    fn claims_come_in_any_base64() {
        use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
        let odd = r#"{"access_token":{"x":{"value":"ÿ?>"}}}"#;
        for claims in [CLAIMS, odd] {
            for encoded in [STANDARD.encode(claims), STANDARD_NO_PAD.encode(claims), URL_SAFE_NO_PAD.encode(claims)] {
                assert_eq!(Demand::read(&challenge(&encoded)).claims.as_deref(), Some(claims), "{encoded}");
            }
        }
    }

    #[test]
    fn what_are_no_claims_is_left_alone() {
        let base64 = |text: &str| STANDARD.encode(text);
        let long = base64(&format!(r#"{{"a":"{}"}}"#, "b".repeat(LONGEST_CLAIMS)));
        for encoded in ["", "%%%", &base64("[]"), &base64("not json"), &STANDARD.encode([0xff, 0xfe]), &long] {
            assert_eq!(Demand::read(&challenge(encoded)).claims, None, "{encoded:.40}");
        }
        let expired = challenge(&base64(CLAIMS)).replace("insufficient_claims", "invalid_token");
        assert_eq!(Demand::read(&expired), Demand::default());
        assert_eq!(Demand::read(&challenge(&base64(CLAIMS)).replace("Bearer", "PoP")), Demand::default());
        assert_eq!(Demand::read("Bearer error=\"insufficient_claims"), Demand::default());
    }

    #[test]
    fn a_step_up_challenge_demands_authentication_contexts() {
        let header = r#"Bearer error="insufficient_user_authentication", error_description="more", acr_values="c1 c2""#;
        let expected = r#"{"access_token":{"acrs":{"essential":true,"values":["c1","c2"]}}}"#;
        assert_eq!(Demand::read(header).claims.as_deref(), Some(expected));
        assert_eq!(Demand::read(r#"Bearer error="insufficient_user_authentication", max_age="5""#).claims, None);
    }

    #[test]
    fn a_tenant_is_taken_from_entras_authorities_alone() {
        let tenant = |authority: &str| Demand::read(&format!(r#"Bearer authorization="{authority}""#)).tenant_id;
        assert_eq!(tenant("https://login.microsoftonline.com/t-1").as_deref(), Some("t-1"));
        assert_eq!(tenant("https://login.windows.net/t-1/oauth2/authorize").as_deref(), Some("t-1"));
        for authority in [
            "https://login.evil.test/t-1",
            "https://login.microsoftonline.com.evil.test/t-1",
            "http://login.microsoftonline.com/t-1",
            "https://login.microsoftonline.com:8443/t-1",
            "https://user@login.microsoftonline.com/t-1",
            "https://login.microsoftonline.com/",
            "https://login.microsoftonline.com/common",
            "https://login.microsoftonline.com/t%2f1",
            "login.microsoftonline.com/t-1",
        ] {
            assert_eq!(tenant(authority), None, "{authority}");
        }
        let storage = "Bearer authorization_uri=https://login.microsoftonline.com/t-1/oauth2/authorize resource_id=https://storage.azure.com";
        assert_eq!(Demand::read(storage).tenant_id.as_deref(), Some("t-1"));
    }

    proptest! {
        #[test]
        fn whatever_is_demanded_can_be_sent(header in r#"(Bearer |error="insufficient_claims"|claims="|authorization="https://login.windows.net/|[ -~]){0,40}"#) {
            let demand = Demand::read(&header);
            if let Some(claims) = demand.claims {
                prop_assert!(serde_json::from_str::<Value>(&claims).is_ok_and(|claims| claims.is_object()));
            }
            if let Some(tenant_id) = demand.tenant_id {
                prop_assert!(check_tenant_id(&tenant_id).is_ok());
            }
        }
    }
}
