//! Access tokens: RS256 JWTs (RFC 7519) with the claims of Entra's v1 and v2 tokens, under a key made for the run.
//!
//! The key pair is generated in the background, because that takes longer than all the rest of a start;
//! signing and verifying are ring's.

use crate::clock;
use crate::config::Tenant;
use crate::directory::{Directory, Kind, Known};
use crate::resources::Audience;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_RSA_SHA256};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents};
use rsa::pkcs8::EncodePrivateKey;
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const BITS: usize = 2048;

/// Longest token that is looked at, in bytes.
const LONGEST: usize = 16 * 1024;

/// The run's signing key, as published in the JWKS.
pub(crate) struct SigningKey {
    pair: RsaKeyPair,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    certificate: Vec<u8>,
    /// Key id: the certificate's thumbprint, as Entra names its keys.
    id: String,
    /// Key id under which the cluster signs service-account tokens. It is the same pair, because a second one takes
    /// as long again to make, but neither signature passes for the other.
    cluster_id: String,
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
            cluster_id: URL_SAFE_NO_PAD.encode(&Sha256::digest(&certificate)[..31]),
            pair,
            certificate,
        })
    }

    /// The key set that `jwks_uri` leads to (RFC 7517).
    pub(crate) fn key_set(&self) -> Value {
        json!({"keys": [{
            "kty": "RSA",
            "use": "sig",
            "kid": self.id,
            "x5t": self.id,
            "n": URL_SAFE_NO_PAD.encode(&self.modulus),
            "e": URL_SAFE_NO_PAD.encode(&self.exponent),
            "x5c": [STANDARD.encode(&self.certificate)],
            "alg": "RS256",
        }]})
    }

    /// Signs the claims of a v1 or a v2 token.
    pub(crate) fn sign(&self, claims: &Value, version: u8) -> Option<String> {
        // A v2 token has no `x5t` in its header.
        let header = if version == 1 {
            json!({"typ": "JWT", "alg": "RS256", "x5t": self.id, "kid": self.id})
        } else {
            json!({"typ": "JWT", "alg": "RS256", "kid": self.id})
        };
        self.sign_with(&header, claims)
    }

    /// Signs a service-account token, as the cluster does.
    pub(crate) fn sign_for_cluster(&self, claims: &Value) -> Option<String> {
        self.sign_with(&json!({"alg": "RS256", "kid": self.cluster_id}), claims)
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

    /// Checks form, algorithm, key and signature, and gives the claims.
    fn open(&self, token: &str) -> Result<Value, TokenProblem> {
        self.open_with(&self.id, token)
    }

    /// Checks the signature of a service-account token.
    pub(crate) fn check_for_cluster(&self, token: &str) -> Result<(), TokenProblem> {
        self.open_with(&self.cluster_id, token).map(|_| ())
    }

    fn open_with(&self, id: &str, token: &str) -> Result<Value, TokenProblem> {
        let malformed = || TokenProblem::Malformed;
        if token.len() > LONGEST {
            return Err(malformed());
        }
        let (signed, signature) = token.rsplit_once('.').ok_or_else(malformed)?;
        let (header, claims) = signed.split_once('.').ok_or_else(malformed)?;
        let header = json_part(header).ok_or_else(malformed)?;
        if header["alg"] != "RS256" || header["kid"] != id {
            return Err(TokenProblem::Signature);
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| malformed())?;
        RsaPublicKeyComponents { n: &self.modulus, e: &self.exponent }
            .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
            .map_err(|_| TokenProblem::Signature)?;
        json_part(claims).filter(Value::is_object).ok_or_else(malformed)
    }
}

fn json_part(part: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// The claims of a token that nobody has checked; none when it is not a JWT.
pub(crate) fn unchecked_claims(token: &str) -> Option<Value> {
    let mut parts = token.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || token.len() > LONGEST {
        return None;
    }
    json_part(claims).filter(Value::is_object)
}

/// Whether an assertion says that the client itself made it, as one does that a certificate of the client signs.
pub(crate) fn is_signed_by(assertion: &str, client_id: &str) -> bool {
    unchecked_claims(assertion)
        .is_some_and(|claims| claims["iss"].as_str().is_some_and(|issuer| issuer.eq_ignore_ascii_case(client_id)))
}

/// What is wrong with a token that a service was shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenProblem {
    #[error("the token is not a well-formed JWT")]
    Malformed,
    #[error("the token's signature does not verify with a key of this run")]
    Signature,
    #[error("the token's issuer '{0}' is not a tenant of this world")]
    Issuer(String),
    #[error("the token's audience '{0}' is not this service")]
    Audience(String),
    #[error("the token expired at {0}")]
    Expired(String),
    #[error("the token is not valid yet")]
    NotYet,
    #[error("the token's principal '{0}' does not exist")]
    Principal(String),
}

/// A token that has been found good.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) known: Known,
    /// Audience of the token, as written in it.
    pub(crate) audience: String,
}

impl Caller {
    /// The client id shown in messages of refusal.
    pub(crate) fn app_id(&self) -> &str {
        self.known.client_id.as_deref().unwrap_or("")
    }
}

/// A freshly issued token.
pub(crate) struct Issued {
    pub(crate) token: String,
    /// Seconds since 1970, UTC.
    pub(crate) not_before: i64,
    /// Seconds since 1970, UTC.
    pub(crate) expires_on: i64,
}

/// How the principal proved itself: the `appidacr` / `azpacr` claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientProof {
    Secret,
    /// A certificate or a federated credential; managed identities carry it too.
    Certificate,
}

/// Lifetime of a user's token, in seconds.
pub(crate) const USER_LIFETIME: i64 = 4_500;

/// The client that users' tokens are issued through: Cloud Shell.
const USERS_CLIENT: &str = "b677c290-cf4b-4a8e-a60e-91ba650a4abe";

/// Issues an app-only token, or a delegated one to a user. `lifetime` is in seconds and may be negative.
pub(crate) fn issue(
    key: &SigningKey,
    directory: &Directory,
    principal: &Known,
    audience: &Audience,
    proof: ClientProof,
    lifetime: i64,
) -> Option<Issued> {
    let client_id = principal.client_id.as_deref().unwrap_or(USERS_CLIENT);
    let (mut claims, not_before, expires_on) =
        claims(directory.tenant(&principal.tenant)?, &principal.object_id, client_id, audience, proof, lifetime);
    if principal.kind == Kind::User {
        let name = principal.name.split('@').next().unwrap_or_default();
        claims["name"] = name.into();
        claims["scp"] = "user_impersonation".into();
        let names: &[&str] = if audience.version == 1 { &["upn", "unique_name"] } else { &["preferred_username"] };
        for claim in names {
            claims[*claim] = principal.name.as_str().into();
        }
    } else {
        claims["idtyp"] = "app".into();
    }
    if let Some(id) = &principal.resource_id
        && principal.kind == Kind::ManagedIdentity
    {
        claims["xms_mirid"] = id.as_str().into();
    }
    let roles =
        directory.app(client_id).and_then(|app| audience.api_uris.iter().find_map(|uri| app.app_roles.get(uri)));
    if let Some(roles) = roles {
        claims["roles"] = json!(roles);
    }
    let token = key.sign(&claims, audience.version)?;
    Some(Issued { token, not_before, expires_on })
}

/// The claims of every access token, with the times between which it is good.
pub(crate) fn claims(
    tenant: &Tenant,
    object_id: &str,
    client_id: &str,
    audience: &Audience,
    proof: ClientProof,
    lifetime: i64,
) -> (Value, i64, i64) {
    let names = tenant.cloud.names();
    let expires_on = clock::now().saturating_add(lifetime);
    // Entra dates a token five minutes back, for clocks that are behind.
    let not_before = (clock::now() - 300).min(expires_on);
    let proof = match proof {
        ClientProof::Secret => "1",
        ClientProof::Certificate => "2",
    };
    let mut claims = json!({
        "aud": audience.value,
        "iat": not_before,
        "nbf": not_before,
        "exp": expires_on,
        "aio": random_text(),
        "oid": object_id,
        "rh": format!("1.{}.", random_text()),
        "sub": object_id,
        "tid": tenant.id,
        "uti": random_text(),
    });
    if audience.version == 1 {
        claims["iss"] = format!("https://{}/{}/", names.v1_issuer, tenant.id).into();
        claims["idp"] = claims["iss"].clone();
        claims["appid"] = client_id.into();
        claims["appidacr"] = proof.into();
        claims["ver"] = "1.0".into();
    } else {
        claims["iss"] = format!("https://{}/{}/v2.0", names.authority, tenant.id).into();
        claims["azp"] = client_id.into();
        claims["azpacr"] = proof.into();
        claims["ver"] = "2.0".into();
    }
    (claims, not_before, expires_on)
}

/// Checks a v1 token shown to one of Azure's services.
pub(crate) fn verify(
    key: &SigningKey,
    directory: &Directory,
    token: &str,
    audiences: &[String],
) -> Result<Caller, TokenProblem> {
    let claims = key.open(token)?;
    let text = |name: &str| claims[name].as_str().unwrap_or_default().to_owned();
    let tenant = directory
        .tenant(&text("tid"))
        .filter(|tenant| text("iss") == format!("https://{}/{}/", tenant.cloud.names().v1_issuer, tenant.id))
        .ok_or_else(|| TokenProblem::Issuer(text("iss")))?;
    let audience = text("aud");
    if !audiences.iter().any(|known| known.trim_end_matches('/') == audience.trim_end_matches('/')) {
        return Err(TokenProblem::Audience(audience));
    }
    let expires = claims["exp"].as_i64().ok_or(TokenProblem::Malformed)?;
    if expires <= clock::now() {
        return Err(TokenProblem::Expired(clock::entra_time(expires)));
    }
    if claims["nbf"].as_i64().is_none_or(|from| from > clock::now()) {
        return Err(TokenProblem::NotYet);
    }
    let known = directory
        .principal(&text("oid"))
        .filter(|known| known.tenant.eq_ignore_ascii_case(&tenant.id))
        .cloned()
        .ok_or_else(|| TokenProblem::Principal(text("oid")))?;
    Ok(Caller { known, audience })
}

/// Text without meaning, as in the claims that only Entra reads.
pub(crate) fn random_text() -> String {
    URL_SAFE_NO_PAD.encode(uuid::Uuid::new_v4().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::{ClientProof, SigningKey, TokenProblem, URL_SAFE_NO_PAD, issue, verify};
    use crate::config::Config;
    use crate::directory::Directory;
    use crate::resources::Audience;
    use crate::world;
    use base64::Engine;

    fn issued(key: &SigningKey, directory: &Directory, audience: &str, lifetime: i64) -> String {
        let principal = directory.principal(world::APP_OBJECT_ID).expect("principal");
        let audience = Audience { value: audience.into(), version: 1, api_uris: Vec::new() };
        issue(key, directory, principal, &audience, ClientProof::Secret, lifetime).expect("token").token
    }

    #[test]
    fn a_token_is_good_only_for_its_audience_and_time_and_unchanged() {
        let directory = Directory::new(Config::default());
        let key = SigningKey::generate().expect("key");
        let vault = ["https://vault.azure.net".to_owned()];
        let check = |token: &str| verify(&key, &directory, token, &vault);

        let good = issued(&key, &directory, "https://vault.azure.net/", 60);
        assert_eq!(check(&good).expect("good").known.name, "orders-ci");
        let other = issued(&key, &directory, "https://management.azure.com", 60);
        assert!(matches!(check(&other), Err(TokenProblem::Audience(_))));
        let old = issued(&key, &directory, "https://vault.azure.net", -1);
        assert!(matches!(check(&old), Err(TokenProblem::Expired(_))));

        let mut parts: Vec<String> = good.split('.').map(str::to_owned).collect();
        let claims = URL_SAFE_NO_PAD.decode(&parts[1]).expect("claims");
        let forged = String::from_utf8(claims).expect("text").replace(world::APP_OBJECT_ID, world::ADMIN_OBJECT_ID);
        parts[1] = URL_SAFE_NO_PAD.encode(forged);
        assert_eq!(check(&parts.join(".")).expect_err("forged"), TokenProblem::Signature);

        parts[0] = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
        assert_eq!(check(&parts.join(".")).expect_err("unsigned"), TokenProblem::Signature);
        assert_eq!(check("not a token").expect_err("text"), TokenProblem::Malformed);
    }

    #[test]
    fn a_key_of_another_run_is_not_accepted() {
        let directory = Directory::new(Config::default());
        let (key, other) = (SigningKey::generate().expect("key"), SigningKey::generate().expect("key"));
        let token = issued(&other, &directory, "https://vault.azure.net", 60);
        let result = verify(&key, &directory, &token, &["https://vault.azure.net".to_owned()]);
        assert_eq!(result.expect_err("refused"), TokenProblem::Signature);
    }
}
