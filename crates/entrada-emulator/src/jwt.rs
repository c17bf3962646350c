//! JSON Web Tokens in their compact form (RFC 7515), as strangers show them: read within bounds, trusted in nothing.

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde_json::Value;

/// Longest token that is looked at, in bytes: room for a chain of certificates in the header.
const LONGEST: usize = 32 * 1024;

/// base64url, padded or not: azure-identity for async Python pads.
pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_encode_padding(false).with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A token taken apart. Its claims are only what it says of itself until the signature is checked.
#[derive(Debug)]
pub(crate) struct Jwt<'a> {
    pub(crate) header: Value,
    pub(crate) claims: Value,
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> Jwt<'a> {
    /// Takes a token apart; none when it is too long, or not one.
    pub(crate) fn read(token: &'a str) -> Option<Self> {
        if token.len() > LONGEST {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        Some(Self {
            header: json_part(header)?,
            claims: json_part(claims)?,
            signed,
            signature: BASE64.decode(signature).ok()?,
        })
    }

    /// The algorithm that the header names.
    pub(crate) fn algorithm(&self) -> &str {
        self.header["alg"].as_str().unwrap_or_default()
    }

    /// A claim that is a text; empty when it is not there, or something else.
    pub(crate) fn text(&self, claim: &str) -> &str {
        self.claims[claim].as_str().unwrap_or_default()
    }

    /// A claim that is a time, in seconds since 1970. Python's MSAL writes fractions.
    pub(crate) fn time(&self, claim: &str) -> Option<i64> {
        let value = &self.claims[claim];
        value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))
    }

    /// The audiences: the claim `aud` is one text or several.
    pub(crate) fn audiences(&self) -> Vec<&str> {
        match &self.claims["aud"] {
            Value::String(one) => vec![one],
            Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether a key made the signature, with the algorithm that the header names.
    pub(crate) fn is_signed_by(&self, key: &PublicKey) -> bool {
        key.verifies(self.algorithm(), self.signed.as_bytes(), &self.signature)
    }
}

fn json_part(part: &str) -> Option<Value> {
    let value: Value = serde_json::from_slice(&BASE64.decode(part).ok()?).ok()?;
    value.is_object().then_some(value)
}

/// The public half of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PublicKey {
    /// Modulus and exponent, big-endian.
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    /// An uncompressed point of the curve P-256.
    P256(Vec<u8>),
}

impl PublicKey {
    /// An RSA key; leading zeros are dropped.
    pub(crate) fn rsa(modulus: &[u8], exponent: &[u8]) -> Self {
        let bare = |number: &[u8]| number.iter().copied().skip_while(|byte| *byte == 0).collect();
        Self::Rsa { modulus: bare(modulus), exponent: bare(exponent) }
    }

    /// A key of a key set (RFC 7517), if it is one for RSA signatures.
    pub(crate) fn of_jwk(jwk: &Value) -> Option<Self> {
        let number = |name: &str| BASE64.decode(jwk[name].as_str()?).ok();
        if jwk["kty"] != "RSA" || jwk["use"].as_str().is_some_and(|what| what != "sig") {
            return None;
        }
        Some(Self::rsa(&number("n")?, &number("e")?))
    }

    fn verifies(&self, algorithm: &str, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Rsa { modulus, exponent } => rsa_parameters(algorithm).is_some_and(|parameters| {
                RsaPublicKeyComponents { n: modulus, e: exponent }.verify(parameters, message, signature).is_ok()
            }),
            Self::P256(point) => {
                algorithm == "ES256"
                    && UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
            }
        }
    }
}

/// What an algorithm of RFC 7518 for RSA keys is; none for any other.
fn rsa_parameters(algorithm: &str) -> Option<&'static RsaParameters> {
    Some(match algorithm {
        "RS256" => &RSA_PKCS1_2048_8192_SHA256,
        "RS384" => &RSA_PKCS1_2048_8192_SHA384,
        "RS512" => &RSA_PKCS1_2048_8192_SHA512,
        "PS256" => &RSA_PSS_2048_8192_SHA256,
        "PS384" => &RSA_PSS_2048_8192_SHA384,
        "PS512" => &RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}

/// Whether an algorithm is one for RSA keys.
pub(crate) fn is_rsa(algorithm: &str) -> bool {
    rsa_parameters(algorithm).is_some()
}

#[cfg(test)]
mod tests {
    use super::{BASE64, Jwt, LONGEST, PublicKey};
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE;
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};

    fn signed(header: &str, claims: &str) -> (String, PublicKey) {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).expect("a key");
        let body = format!("{}.{}", URL_SAFE.encode(header), URL_SAFE.encode(claims));
        let signature = pair.sign(&random, body.as_bytes()).expect("signed");
        (format!("{body}.{}", BASE64.encode(signature)), PublicKey::P256(pair.public_key().as_ref().to_vec()))
    }

    #[test]
    fn padding_is_taken_and_a_change_is_seen() {
        let (token, key) = signed(r#"{"alg":"ES256"}"#, r#"{"sub":"a","exp":1.5,"aud":["b","c"]}"#);
        assert!(token.contains('='), "padded: {token}");
        let jwt = Jwt::read(&token).expect("a token");
        assert!(jwt.is_signed_by(&key));
        assert_eq!((jwt.text("sub"), jwt.time("exp"), jwt.audiences()), ("a", Some(1), vec!["b", "c"]));
        let forged = token.replacen(
            &URL_SAFE.encode(r#"{"sub":"a","exp":1.5,"aud":["b","c"]}"#),
            &URL_SAFE.encode(r#"{"sub":"x"}"#),
            1,
        );
        assert!(!Jwt::read(&forged).expect("a token").is_signed_by(&key));
    }

    #[test]
    fn a_key_is_no_good_with_another_algorithm() {
        for algorithm in ["none", "RS256", "HS256", ""] {
            let (token, key) = signed(&format!(r#"{{"alg":"{algorithm}"}}"#), "{}");
            assert!(!Jwt::read(&token).expect("a token").is_signed_by(&key), "{algorithm}");
        }
    }

    #[test]
    fn what_is_not_a_token_is_none() {
        let long = format!("{}.e30.", "a".repeat(LONGEST));
        for text in
            ["", ".", "..", "a.b.c", "e30.e30", "W10.e30.AA", "e30.IjEi.AA", "e30.e30.!", "e30.e30.AA.AA", &long]
        {
            assert!(Jwt::read(text).is_none(), "{text}");
        }
        assert!(Jwt::read("e30.e30.").is_some(), "unsigned, which no key verifies");
    }
}
