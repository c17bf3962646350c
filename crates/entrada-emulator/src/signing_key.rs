//! The key that a run signs its tokens with, and the issuers it signs for.
//!
//! The key pair is generated in the background, because that takes longer than all the rest of a start. Every issuer of
//! the world has the same pair, because another one takes as long again; each has a key id of its own, and what is
//! signed for one does not pass for what is signed for another. Signing and verifying are ring's.

use crate::jwt::{Jwt, PublicKey};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_RSA_SHA256};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rsa::pkcs8::EncodePrivateKey;
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const BITS: usize = 2048;

/// The run's signing key.
pub(crate) struct SigningKey {
    pair: RsaKeyPair,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    certificate: Vec<u8>,
    /// Key id of Entra's: the certificate's thumbprint, as Entra names its keys.
    id: String,
}

/// Why there is no signing key.
#[derive(Debug, thiserror::Error)]
#[error("cannot make the key that signs tokens: {0}")]
pub(crate) struct KeyError(String);

impl SigningKey {
    /// Makes a key. Blocks for as long as finding two primes takes.
    pub(crate) fn generate() -> Result<Self, KeyError> {
        let fail = |error: &dyn std::fmt::Display| KeyError(error.to_string());
        let private = rsa::PrivateKey::new(&mut getrandom::SysRng, BITS).map_err(|error| fail(&error))?;
        let der = private.to_pkcs8_der().map_err(|error| fail(&error))?;
        let pair = RsaKeyPair::from_pkcs8(der.as_bytes()).map_err(|error| fail(&error))?;
        let key = KeyPair::from_pkcs8_der_and_sign_algo(&der.as_bytes().into(), &PKCS_RSA_SHA256)
            .map_err(|error| fail(&error))?;
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "entrada emulator token signing");
        let certificate = params.self_signed(&key).map_err(|error| fail(&error))?.der().to_vec();
        Ok(Self {
            modulus: private.n_bytes().to_vec(),
            exponent: private.e_bytes().to_vec(),
            id: URL_SAFE_NO_PAD.encode(&Sha256::digest(&certificate)[..20]),
            pair,
            certificate,
        })
    }

    /// The key set that Entra's `jwks_uri` leads to (RFC 7517).
    pub(crate) fn key_set(&self) -> Value {
        let mut key = self.jwk(&self.id);
        key["x5t"] = self.id.as_str().into();
        key["x5c"] = json!([STANDARD.encode(&self.certificate)]);
        json!({"keys": [key]})
    }

    /// The key set of another issuer.
    pub(crate) fn key_set_of(&self, issuer: &str) -> Value {
        json!({"keys": [self.jwk(&self.id_of(issuer))]})
    }

    fn jwk(&self, id: &str) -> Value {
        json!({
            "kty": "RSA",
            "use": "sig",
            "kid": id,
            "n": URL_SAFE_NO_PAD.encode(&self.modulus),
            "e": URL_SAFE_NO_PAD.encode(&self.exponent),
            "alg": "RS256",
        })
    }

    /// The key id under which another issuer signs.
    fn id_of(&self, issuer: &str) -> String {
        let hash = Sha256::new().chain_update(&self.certificate).chain_update(issuer).finalize();
        URL_SAFE_NO_PAD.encode(&hash[..31])
    }

    /// Signs the claims of a v1 or a v2 token of Entra's.
    pub(crate) fn sign(&self, claims: &Value, version: u8) -> Option<String> {
        // A v2 token has no `x5t` in its header.
        let header = if version == 1 {
            json!({"typ": "JWT", "alg": "RS256", "x5t": self.id, "kid": self.id})
        } else {
            json!({"typ": "JWT", "alg": "RS256", "kid": self.id})
        };
        self.sign_with(&header, claims)
    }

    /// Signs a token as another issuer does.
    pub(crate) fn sign_as(&self, issuer: &str, claims: &Value) -> Option<String> {
        self.sign_with(&json!({"typ": "JWT", "alg": "RS256", "kid": self.id_of(issuer)}), claims)
    }

    fn sign_with(&self, header: &Value, claims: &Value) -> Option<String> {
        let mut token = URL_SAFE_NO_PAD.encode(header.to_string());
        token.push('.');
        token.push_str(&URL_SAFE_NO_PAD.encode(claims.to_string()));
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), token.as_bytes(), &mut signature).ok()?;
        token.push('.');
        token.push_str(&URL_SAFE_NO_PAD.encode(signature));
        Some(token)
    }

    /// Whether a token is signed as Entra signs.
    pub(crate) fn has_signed(&self, jwt: &Jwt<'_>) -> bool {
        self.has_signed_under(&self.id, jwt)
    }

    /// Whether a token is signed as another issuer signs.
    pub(crate) fn has_signed_as(&self, issuer: &str, jwt: &Jwt<'_>) -> bool {
        self.has_signed_under(&self.id_of(issuer), jwt)
    }

    fn has_signed_under(&self, id: &str, jwt: &Jwt<'_>) -> bool {
        jwt.algorithm() == "RS256"
            && jwt.header["kid"] == id
            && jwt.is_signed_by(&PublicKey::rsa(&self.modulus, &self.exponent))
    }
}
