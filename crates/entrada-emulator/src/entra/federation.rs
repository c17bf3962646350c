//! Federated identity credentials: tokens of another issuer, shown in place of a secret (RFC 7523).

use super::EntraError;
use crate::clock;
use crate::config::FederatedCredential;
use crate::state::State;
use crate::tokens::{self, SigningKey};
use crate::world::BINDING_AUDIENCE;
use serde_json::Value;

/// What `client_assertion_type` must be.
pub(super) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

const ADVICE: &str = "Check your federated identity credential Subject, Audience and Issuer against the presented assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation";

/// How far a clock may be behind, in seconds.
const SKEW: i64 = 300;

/// Checks that an assertion is good for one of the federated credentials of a client. The proxy of an identity binding
/// takes only what is for itself, and answers to Entra for it with a credential of its own.
pub(super) fn check(
    state: &State,
    key: &SigningKey,
    credentials: &[FederatedCredential],
    assertion: &str,
    through_binding: bool,
) -> Result<(), EntraError> {
    let claims = tokens::unchecked_claims(assertion)
        .ok_or_else(|| EntraError::request(50_027, "JWT token is invalid or malformed."))?;
    let text = |name: &str| claims[name].as_str().unwrap_or_default();
    let (issuer, subject) = (text("iss"), text("sub"));
    let audiences = audiences(&claims["aud"]);
    let shown = audiences.first().copied().unwrap_or_default();
    if credentials.is_empty() {
        return Err(EntraError::request(
            70_021,
            format!(
                "No matching federated identity record found for presented assertion. Assertion Issuer: '{issuer}'. Assertion Subject: '{subject}'. Assertion Audience: '{shown}'. https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
            ),
        ));
    }
    let no_match = |code: u32, what: &str, value: &str| {
        EntraError::client(
            code,
            format!("No matching federated identity record found for presented assertion {what} '{value}'. {ADVICE}"),
        )
    };
    // Each step leaves fewer credentials; the first that leaves none is what does not match.
    let of_issuer: Vec<_> = credentials.iter().filter(|one| one.issuer == issuer).collect();
    if of_issuer.is_empty() {
        return Err(no_match(700_211, "issuer", issuer));
    }
    let of_subject: Vec<_> = of_issuer.into_iter().filter(|one| one.subject == subject).collect();
    if of_subject.is_empty() {
        return Err(no_match(700_213, "subject", subject));
    }
    let is_audience = |one: &FederatedCredential| {
        if through_binding {
            audiences.contains(&BINDING_AUDIENCE)
        } else {
            one.audiences.iter().any(|known| audiences.contains(&known.as_str()))
        }
    };
    if !of_subject.into_iter().any(is_audience) {
        return Err(no_match(700_212, "audience", shown));
    }
    if issuer != state.directory.config.kubernetes.issuer {
        return Err(EntraError::request(
            50_166,
            format!("Request to External OIDC endpoint failed. The emulator has no keys of the issuer '{issuer}'."),
        ));
    }
    if key.check_for_cluster(assertion).is_err() {
        return Err(EntraError::client(700_027, "Client assertion failed signature validation."));
    }
    check_time(&claims)
}

fn check_time(claims: &Value) -> Result<(), EntraError> {
    let now = clock::now();
    let (from, until) = (claims["nbf"].as_i64().unwrap_or_default(), claims["exp"].as_i64().unwrap_or_default());
    if from <= now.saturating_add(SKEW) && now < until {
        return Ok(());
    }
    Err(EntraError::client(
        700_024,
        format!(
            "Client assertion is not within its valid time range. Current time: {}, assertion valid from {}, expiry time of assertion {}. Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
            clock::iso_time(now),
            clock::iso_time(from),
            clock::iso_time(until)
        ),
    ))
}

/// The claim `aud` is one text or several.
fn audiences(claim: &Value) -> Vec<&str> {
    match claim {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}
