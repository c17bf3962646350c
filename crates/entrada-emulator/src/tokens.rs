//! Access tokens: RS256 JWTs (RFC 7519) with the claims of Entra's v1 and v2 tokens, under a key made for the run.

use crate::clock;
use crate::config::Tenant;
use crate::directory::{Directory, Kind, Known};
use crate::entra::claims_request::ClaimsRequest;
use crate::jwt::Jwt;
use crate::resources::Audience;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

pub(crate) use crate::signing_key::SigningKey;

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
    /// All that the token says.
    pub(crate) claims: Value,
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
    /// None: a public client.
    None,
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
    more: &ClaimsRequest,
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
    more.add_to(&mut claims);
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
    let expires_on = clock::now().saturating_add(lifetime);
    // Entra dates a token five minutes back, for clocks that are behind.
    let not_before = (clock::now() - 300).min(expires_on);
    let proof = match proof {
        ClientProof::None => "0",
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
    claims["iss"] = issuer(tenant, audience.version).into();
    if audience.version == 1 {
        claims["idp"] = claims["iss"].clone();
        claims["appid"] = client_id.into();
        claims["appidacr"] = proof.into();
        claims["ver"] = "1.0".into();
    } else {
        claims["azp"] = client_id.into();
        claims["azpacr"] = proof.into();
        claims["ver"] = "2.0".into();
    }
    (claims, not_before, expires_on)
}

/// The claim `iss` of a tenant's tokens of a version.
pub(crate) fn issuer(tenant: &Tenant, version: u8) -> String {
    let names = tenant.cloud.names();
    match version {
        1 => format!("https://{}/{}/", names.v1_issuer, tenant.id),
        _ => format!("https://{}/{}/v2.0", names.authority, tenant.id),
    }
}

/// Checks a v1 token shown to one of Azure's services.
pub(crate) fn verify(
    key: &SigningKey,
    directory: &Directory,
    token: &str,
    audiences: &[String],
) -> Result<Caller, TokenProblem> {
    verify_for(key, directory, token, audiences, 1)
}

/// Checks a token of a version.
pub(crate) fn verify_for(
    key: &SigningKey,
    directory: &Directory,
    token: &str,
    audiences: &[String],
    version: u8,
) -> Result<Caller, TokenProblem> {
    let jwt = Jwt::read(token).ok_or(TokenProblem::Malformed)?;
    if !key.has_signed(&jwt) {
        return Err(TokenProblem::Signature);
    }
    let claims = &jwt.claims;
    let text = |name: &str| claims[name].as_str().unwrap_or_default().to_owned();
    let tenant = directory
        .tenant(&text("tid"))
        .filter(|tenant| text("iss") == issuer(tenant, version))
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
        .any_principal(&text("oid"))
        .filter(|known| known.tenant.eq_ignore_ascii_case(&tenant.id))
        .ok_or_else(|| TokenProblem::Principal(text("oid")))?;
    Ok(Caller { known, audience, claims: jwt.claims })
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
    use crate::entra::claims_request::ClaimsRequest;
    use crate::resources::Audience;
    use crate::world;
    use base64::Engine;

    fn issued(key: &SigningKey, directory: &Directory, audience: &str, lifetime: i64) -> String {
        let principal = directory.principal(world::APP_OBJECT_ID).expect("principal");
        let audience = Audience { value: audience.into(), version: 1, api_uris: Vec::new() };
        issue(key, directory, principal, &audience, ClientProof::Secret, &ClaimsRequest::default(), lifetime)
            .expect("token")
            .token
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
