//! The parameter `claims` of a request (OpenID Connect Core 1.0, section 5.5): what a client can do, and what a
//! resource demanded of the next token.

use super::EntraError;
use crate::clock;
use serde_json::{Value, json};

/// What is understood of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClaimsRequest {
    /// The client takes claims challenges: `xms_cc` with `CP1`.
    pub(crate) takes_challenges: bool,
    /// Authentication contexts that a challenge asked for: `acrs`.
    pub(crate) contexts: Vec<String>,
    /// From when on the token has to be: `nbf`, in seconds since 1970.
    pub(crate) not_before: Option<i64>,
    /// Address that the resource saw the client at: `xms_rp_ipaddr`.
    pub(crate) address: Option<String>,
}

impl ClaimsRequest {
    /// Reads the parameter.
    pub(crate) fn parse(text: Option<&str>) -> Result<Self, EntraError> {
        let Some(text) = text else { return Ok(Self::default()) };
        let value: Value = serde_json::from_str(text).ok().filter(Value::is_object).ok_or_else(|| {
            // The number is documented; that it is the one for this parameter is not.
            EntraError::request(9_002_313, "Invalid request. The parameter 'claims' is not a JSON object.")
        })?;
        let wanted = &value["access_token"];
        let contexts = values(&wanted["acrs"]);
        Ok(Self {
            takes_challenges: values(&wanted["xms_cc"]).iter().any(|value| value.eq_ignore_ascii_case("CP1")),
            contexts,
            not_before: values(&wanted["nbf"]).first().and_then(|time| time.parse().ok()),
            address: values(&wanted["xms_rp_ipaddr"]).into_iter().next(),
        })
    }

    /// Adds what was asked for to the claims of a token.
    pub(crate) fn add_to(&self, claims: &mut Value) {
        if self.takes_challenges {
            claims["xms_cc"] = json!(["CP1"]);
        }
        if !self.contexts.is_empty() {
            claims["acrs"] = json!(self.contexts);
        }
        if let Some(address) = &self.address {
            claims["xms_rp_ipaddr"] = address.as_str().into();
        }
        // Tokens are dated back; one that is demanded from a time on is not, but it is never for later.
        if let Some(time) = self.not_before.map(|time| time.min(clock::now()))
            && claims["nbf"].as_i64().is_some_and(|from| from < time)
        {
            claims["nbf"] = time.into();
            claims["iat"] = time.into();
        }
    }

    /// What either of two requests asked for.
    pub(crate) fn or(self, other: Self) -> Self {
        let contexts = if self.contexts.is_empty() { other.contexts } else { self.contexts };
        Self {
            takes_challenges: self.takes_challenges || other.takes_challenges,
            contexts,
            not_before: self.not_before.or(other.not_before),
            address: self.address.or(other.address),
        }
    }
}

/// A claim is asked for with one value or several.
fn values(claim: &Value) -> Vec<String> {
    let several = claim["values"].as_array().into_iter().flatten();
    several.chain([&claim["value"]]).filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::ClaimsRequest;

    #[test]
    fn capabilities_and_contexts_are_read() {
        let read = |text: &str| ClaimsRequest::parse(Some(text)).map_err(|error| error.code);
        let both = r#"{"access_token":{"xms_cc":{"values":["CP1"]},"acrs":{"essential":true,"value":"c1"}}}"#;
        let expected =
            ClaimsRequest { takes_challenges: true, contexts: vec!["c1".into()], ..ClaimsRequest::default() };
        assert_eq!(read(both), Ok(expected));
        assert_eq!(read(r#"{"id_token":null}"#), Ok(ClaimsRequest::default()));
        assert_eq!(read("CP1"), Err(9_002_313));
        assert_eq!(read("[]"), Err(9_002_313));
    }
}
