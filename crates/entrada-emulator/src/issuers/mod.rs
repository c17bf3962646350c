//! The issuers whose tokens apps trust in place of a secret: what they publish (OpenID Connect Discovery 1.0), and
//! whether a token is theirs.
//!
//! The run signs for GitHub Actions, Azure Pipelines, the cluster, and every issuer of the configuration that has no
//! keys of its own; the keys of the others are in the configuration.

pub(crate) mod github;
mod keys;
pub(crate) mod pipelines;

use crate::call::{Call, Reply};
use crate::clock;
use crate::config::Config;
use crate::jwt::Jwt;
use crate::state::State;
use crate::tokens::SigningKey;
use keys::GivenKeys;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// How long a token made to order is good, in seconds.
const LIFETIME: i64 = 600;

/// What is to be said of a token's signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Good,
    Forged,
    /// Nobody here has the keys of its issuer.
    NoKeys,
}

/// The issuers of a world.
pub(crate) struct Issuers(Vec<Issuer>);

struct Issuer {
    /// As the claim `iss` has it.
    url: String,
    /// None where the run signs.
    keys: Option<GivenKeys>,
}

impl Issuers {
    /// Reads the issuers of a configuration.
    pub(crate) fn load(config: &Config) -> Result<Self, String> {
        let signed = [&config.github.issuer, &config.pipelines.issuer, &config.kubernetes.issuer];
        let mut all: Vec<Issuer> = signed.into_iter().map(|url| Issuer { url: url.clone(), keys: None }).collect();
        for entry in &config.issuers {
            let url = url::Url::parse(&entry.url).ok().filter(|url| url.scheme() == "https" && url.has_host());
            if url.is_none_or(|url| url.query().is_some() || url.fragment().is_some()) {
                return Err(format!("the issuer `{}` is not a URL that begins with https://", entry.url));
            }
            if all.iter().any(|known| known.url == entry.url) {
                return Err(format!("the issuer `{}` is there twice", entry.url));
            }
            all.push(Issuer { url: entry.url.clone(), keys: GivenKeys::load(entry)? });
        }
        Ok(Self(all))
    }

    fn find(&self, url: &str) -> Option<&Issuer> {
        self.0.iter().find(|issuer| issuer.url == url)
    }

    /// Whether a token is signed by the issuer that it names.
    pub(crate) fn check(&self, key: &SigningKey, jwt: &Jwt<'_>) -> Verdict {
        let url = jwt.text("iss");
        let Some(issuer) = self.find(url) else { return Verdict::NoKeys };
        let good = match &issuer.keys {
            None => key.has_signed_as(url, jwt),
            Some(keys) => keys.have_signed(jwt),
        };
        if good { Verdict::Good } else { Verdict::Forged }
    }
}

/// A token of an issuer that the run signs for, made to order.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssertionWish {
    /// The issuer: [`GITHUB_ISSUER`](crate::world::GITHUB_ISSUER),
    /// [`PIPELINES_ISSUER`](crate::world::PIPELINES_ISSUER), [`CLUSTER_ISSUER`](crate::world::CLUSTER_ISSUER), or one of
    /// the configuration without keys of its own.
    pub issuer: String,
    /// The claim `sub`.
    pub subject: String,
    /// The claim `aud`; default [`EXCHANGE_AUDIENCE`](crate::world::EXCHANGE_AUDIENCE).
    #[serde(default)]
    pub audience: Option<String>,
    /// When it ends, in seconds from now; default 600, negative for one that has expired.
    #[serde(default)]
    pub expires_in: Option<i64>,
    /// When it begins, in seconds from now; default 0.
    #[serde(default)]
    pub valid_in: Option<i64>,
    /// Further claims, or others in the place of these.
    #[serde(default)]
    pub claims: Map<String, Value>,
}

/// Why a token could not be made to order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AssertionError {
    /// The run does not sign for this issuer.
    #[error("the emulator does not sign for the issuer `{issuer}`; it does for {known}")]
    UnknownIssuer {
        /// The issuer asked for.
        issuer: String,
        /// Those it signs for.
        known: String,
    },
    /// There is no key.
    #[error("the token could not be signed")]
    NotSigned,
}

impl AssertionWish {
    /// Makes the token.
    pub(crate) fn sign(&self, issuers: &Issuers, key: &SigningKey) -> Result<String, AssertionError> {
        if issuers.find(&self.issuer).is_none_or(|issuer| issuer.keys.is_some()) {
            let signed = issuers.0.iter().filter(|issuer| issuer.keys.is_none());
            let known: Vec<&str> = signed.map(|issuer| issuer.url.as_str()).collect();
            return Err(AssertionError::UnknownIssuer { issuer: self.issuer.clone(), known: known.join(", ") });
        }
        let audience = self.audience.as_deref().unwrap_or(crate::world::EXCHANGE_AUDIENCE);
        let mut claims = claims(&self.issuer, &self.subject, audience, self.expires_in.unwrap_or(LIFETIME));
        if let Some(valid_in) = self.valid_in {
            claims["nbf"] = clock::now().saturating_add(valid_in).into();
        }
        for (name, value) in &self.claims {
            claims[name] = value.clone();
        }
        key.sign_as(&self.issuer, &claims).ok_or(AssertionError::NotSigned)
    }
}

/// The claims that the tokens of every issuer have.
fn claims(issuer: &str, subject: &str, audience: &str, lifetime: i64) -> Value {
    let now = clock::now();
    let expires = now.saturating_add(lifetime);
    json!({
        "jti": uuid::Uuid::new_v4().to_string(),
        "iss": issuer,
        "sub": subject,
        "aud": audience,
        "nbf": now.min(expires),
        "iat": now.min(expires),
        "exp": expires,
    })
}

/// Whether an issuer of the world answers under a host name.
pub(crate) fn is_host(config: &Config, host: &str) -> bool {
    let named = [&config.github.issuer, &config.pipelines.issuer, &config.kubernetes.issuer];
    named
        .into_iter()
        .chain(config.issuers.iter().map(|issuer| &issuer.url))
        .filter_map(|issuer| url::Url::parse(issuer).ok())
        .any(|url| url.host_str() == Some(host))
}

/// Answers a request for what an issuer publishes.
pub(crate) fn answer(state: &State, key: &SigningKey, call: &Call) -> Reply {
    let asked = format!("https://{}{}", call.host, call.path);
    let found = state.issuers.0.iter().find_map(|issuer| {
        let rest = asked.strip_prefix(issuer.url.trim_end_matches('/'))?;
        match rest {
            "/.well-known/openid-configuration" => Some(configuration(&issuer.url)),
            "/.well-known/jwks" => Some(match &issuer.keys {
                None => key.key_set_of(&issuer.url),
                Some(keys) => keys.key_set.clone(),
            }),
            _ => None,
        }
    });
    match found {
        Some(body) if call.method == http::Method::GET => Reply::json(200, &body),
        Some(_) => Reply::text(405, "Method not allowed").header("allow", "GET").note("method not allowed"),
        None => Reply::json(404, &json!({"message": "Not found"})).note(format!("no issuer publishes {asked}")),
    }
}

fn configuration(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "jwks_uri": format!("{}/.well-known/jwks", issuer.trim_end_matches('/')),
        "subject_types_supported": ["public", "pairwise"],
        "response_types_supported": ["id_token"],
        "claims_supported": ["sub", "aud", "exp", "iat", "iss", "jti", "nbf"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid"],
    })
}
