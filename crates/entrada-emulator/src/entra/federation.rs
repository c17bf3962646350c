//! Federated identity credentials: tokens of another issuer, shown in place of a secret (RFC 7523).

use super::EntraError;
use super::certificate_assertion::check_time;
use super::token::TokenRequest;
use crate::config::FederatedCredential;
use crate::issuers::Verdict;
use crate::jwt::Jwt;
use crate::world::BINDING_AUDIENCE;

/// What `client_assertion_type` must be.
pub(crate) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

const ADVICE: &str = "Check your federated identity credential Subject, Audience and Issuer against the presented assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation";

/// Checks that an assertion is good for one of the federated credentials of a client. The proxy of an identity binding
/// takes only what is for itself, and answers to Entra for it with a credential of its own.
pub(super) fn check(
    request: &TokenRequest<'_>,
    credentials: &[FederatedCredential],
    jwt: &Jwt<'_>,
) -> Result<(), EntraError> {
    let (issuer, subject) = (jwt.text("iss"), jwt.text("sub"));
    let audiences = jwt.audiences();
    let shown = audiences.first().copied().unwrap_or_default();
    if credentials.is_empty() {
        return Err(EntraError::request(
            70_021,
            format!(
                "No matching federated identity record found for presented assertion. Assertion Issuer: '{issuer}'. Assertion Subject: '{subject}'. Assertion Audience: '{shown}'. https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
            ),
        ));
    }
    let is_of_entra = is_entra(request, issuer);
    if is_of_entra && jwt.claims.get("xms_mirid").is_none() {
        return Err(EntraError::client(
            700_222,
            "AAD-issued tokens may not be used for federated identity flows, unless they are of a managed identity.",
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
    let audiences: Vec<&str> = audiences.into_iter().map(|audience| as_asked_for(request, audience)).collect();
    let is_audience = |one: &FederatedCredential| {
        if request.call.through_binding {
            audiences.contains(&BINDING_AUDIENCE)
        } else {
            one.audiences.iter().any(|known| audiences.contains(&known.as_str()))
        }
    };
    if !of_subject.into_iter().any(is_audience) {
        return Err(no_match(700_212, "audience", shown));
    }
    if jwt.algorithm() != "RS256" {
        return Err(EntraError::request(
            5_002_738,
            format!(
                "Invalid JWT token. '{}' is not a supported signature algorithm. Supported signing algorithms are: 'RS256'",
                jwt.algorithm()
            ),
        ));
    }
    let verdict = match is_of_entra {
        true if request.key.has_signed(jwt) => Verdict::Good,
        true => Verdict::Forged,
        false => request.state.issuers.check(request.key, jwt),
    };
    match verdict {
        Verdict::Good => check_time(jwt),
        Verdict::Forged => Err(EntraError::client(
            700_027,
            format!(
                "Client assertion failed signature validation. The emulator has no key '{}' of the issuer '{issuer}' that made it.",
                jwt.header["kid"].as_str().unwrap_or_default()
            ),
        )),
        Verdict::NoKeys => Err(EntraError::request(
            50_166,
            format!("Request to External OIDC endpoint failed. The emulator has no keys of the issuer '{issuer}'."),
        )),
    }
}

/// Whether an issuer is a tenant of Entra.
fn is_entra(request: &TokenRequest<'_>, issuer: &str) -> bool {
    request.state.directory.config.tenants.iter().any(|tenant| {
        let names = tenant.cloud.names();
        issuer == format!("https://{}/{}/v2.0", names.authority, tenant.id)
            || issuer == format!("https://{}/{}/", names.v1_issuer, tenant.id)
    })
}

/// An audience as a federated credential has it: Entra writes that of its own tokens as the id of an app.
fn as_asked_for<'a>(request: &TokenRequest<'_>, audience: &'a str) -> &'a str {
    let names = request.tenant.map(|tenant| tenant.cloud.names());
    names.filter(|names| audience == names.exchange_app_id).map_or(audience, |names| names.exchange_audience)
}
