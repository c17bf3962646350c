//! The keys of an issuer that the configuration has: a key set (RFC 7517), as the issuer publishes it.

use crate::config::IssuerEntry;
use crate::jwt::{Jwt, PublicKey};
use serde_json::Value;

/// How many keys a set may have.
const MOST: usize = 100;

/// The keys of one issuer.
pub(super) struct GivenKeys {
    /// As it was given.
    pub(super) key_set: Value,
    keys: Vec<(Option<String>, PublicKey)>,
}

impl GivenKeys {
    /// Reads the keys of an issuer; none when it has none, and the run signs for it.
    pub(super) fn load(entry: &IssuerEntry) -> Result<Option<Self>, String> {
        let text = match (&entry.jwks, &entry.jwks_file) {
            (None, None) => return Ok(None),
            (Some(text), None) => text.clone(),
            (None, Some(file)) => std::fs::read_to_string(file).map_err(|error| {
                format!("cannot read the keys {} of the issuer `{}`: {error}", file.display(), entry.url)
            })?,
            (Some(_), Some(_)) => return Err(format!("the issuer `{}` has either `jwks` or `jwks_file`", entry.url)),
        };
        let wrong = |why: &str| format!("the keys of the issuer `{}` are not a key set: {why}", entry.url);
        let key_set: Value = serde_json::from_str(&text).map_err(|error| wrong(&error.to_string()))?;
        let listed = key_set["keys"].as_array().ok_or_else(|| wrong("there is no list `keys`"))?;
        let keys: Vec<_> = listed
            .iter()
            .take(MOST)
            .filter_map(|jwk| Some((jwk["kid"].as_str().map(str::to_owned), PublicKey::of_jwk(jwk)?)))
            .collect();
        if keys.is_empty() {
            return Err(wrong("none of its keys is an RSA key for signatures, and Entra takes no other"));
        }
        Ok(Some(Self { key_set, keys }))
    }

    /// Whether one of them has signed a token: the one that it names, if it names one.
    pub(super) fn have_signed(&self, jwt: &Jwt<'_>) -> bool {
        let named = jwt.header["kid"].as_str();
        jwt.algorithm() == "RS256"
            && self
                .keys
                .iter()
                .filter(|(id, _)| named.is_none() || id.as_deref() == named)
                .any(|(_, key)| jwt.is_signed_by(key))
    }
}
