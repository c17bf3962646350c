//! Client assertions that an app signs itself, with the key of a certificate (RFC 7523, section 3).
//!
//! What Entra asks of them is described at
//! <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>.

use super::EntraError;
use super::token::TokenRequest;
use crate::certificates::{self, Certificate, hex};
use crate::clock;
use crate::cloud::CLOUDS;
use crate::jwt::{self, BASE64, Jwt, PublicKey};
use base64::Engine;
use std::sync::Arc;

/// How far a clock may be behind, in seconds.
const SKEW: i64 = 300;

/// Checks an assertion that a client shows in place of a secret.
pub(super) fn check(request: &TokenRequest<'_>, client_id: &str, jwt: &Jwt<'_>) -> Result<(), EntraError> {
    check_algorithm(request, jwt)?;
    let certificate = find(request, client_id, jwt)?;
    if !jwt.is_signed_by(&certificate.key) {
        return Err(unregistered(
            client_id,
            "The provided signature value did not match the expected signature value.",
            &certificate.thumbprint(),
        ));
    }
    if !certificate.is_current() {
        let found = format!(
            "The key used is expired., Thumbprint of key used by client: '{}', Found key 'Start={}, End={}'",
            certificate.thumbprint(),
            clock::us_date(certificate.not_before),
            clock::us_date(certificate.not_after),
        );
        return Err(refused(client_id, &found));
    }
    if !jwt.text("sub").eq_ignore_ascii_case(client_id) || !jwt.text("iss").eq_ignore_ascii_case(client_id) {
        return Err(EntraError::client(
            700_021,
            format!(
                "Client assertion application identifier doesn't match 'client_id' parameter. Its subject is '{}', its issuer '{}'. Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
                jwt.text("sub"),
                jwt.text("iss")
            ),
        ));
    }
    if !jwt.audiences().iter().any(|audience| is_for(request, audience)) {
        return Err(EntraError::client(
            700_023,
            format!(
                "Client assertion audience claim does not match Realm issuer. The audience in the assertion was '{}'. Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
                jwt.audiences().join(", ")
            ),
        ));
    }
    check_time(jwt)?;
    check_limits(request, jwt)
}

fn check_algorithm(request: &TokenRequest<'_>, jwt: &Jwt<'_>) -> Result<(), EntraError> {
    let algorithm = jwt.algorithm();
    let curves = request.state.directory.config.assertions.elliptic_curves;
    if jwt::is_rsa(algorithm) || (algorithm == "ES256" && curves) {
        return Ok(());
    }
    // The code and the text are public, in a report on ES384; the list of algorithms in it has changed since.
    Err(EntraError::request(
        5_002_738,
        format!(
            "Invalid JWT token. '{algorithm}' is not a supported signature algorithm. Supported signing algorithms are: 'RS256,RS384,RS512,PS256,PS384,PS512'"
        ),
    ))
}

/// The certificate that the header names: a registered one, or one of a trusted subject with its chain.
fn find(request: &TokenRequest<'_>, client_id: &str, jwt: &Jwt<'_>) -> Result<Arc<Certificate>, EntraError> {
    let state = request.state;
    if let Some(app) = state.directory.app(client_id)
        && let Some(leaf) = certificates::is_trusted(&jwt.header["x5c"], &app.trusted_subjects)
    {
        return Ok(Arc::new(leaf));
    }
    let thumbprint = |name: &str| jwt.header[name].as_str().map(|text| (text, BASE64.decode(text).unwrap_or_default()));
    let named = thumbprint("x5t#S256").or_else(|| thumbprint("x5t")).or_else(|| thumbprint("kid"));
    let Some((text, bytes)) = named else {
        return Err(EntraError::request(
            50_027,
            "JWT token is invalid or malformed. No certificate thumbprint specified in token header.",
        ));
    };
    // The thumbprint in a `kid` may be written in digits.
    let is_it = |certificate: &Arc<Certificate>| {
        bytes == certificate.sha256 || bytes == certificate.sha1 || certificate.thumbprint().eq_ignore_ascii_case(text)
    };
    let found = state.certificates.of(client_id).into_iter().find(is_it);
    found.ok_or_else(|| unregistered(client_id, "The key was not found.", &hex(&bytes))).and_then(|certificate| {
        match certificate.key {
            PublicKey::P256(_) if !state.directory.config.assertions.elliptic_curves => {
                Err(EntraError::request(5_002_730, "Invalid JWT token. Unsupported key for the signing algorithm."))
            }
            _ => Ok(certificate),
        }
    })
}

fn unregistered(client_id: &str, reason: &str, thumbprint: &str) -> EntraError {
    refused(client_id, &format!("{reason}, Thumbprint of key used by client: '{thumbprint}'"))
}

fn refused(client_id: &str, reason: &str) -> EntraError {
    EntraError::client(
        700_027,
        format!(
            "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - {reason}, Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see configured keys for app Id '{client_id}'. Review the documentation at https://docs.microsoft.com/en-us/graph/deployments to determine the corresponding service endpoint and https://docs.microsoft.com/en-us/graph/api/application-get?view=graph-rest-1.0&tabs=http to build a query request URL, such as 'https://graph.microsoft.com/beta/applications/{client_id}']. Alternatively, SNI may be configured on the app. Please ensure that client assertion is being sent with the x5c claim in the JWT header using MSAL's WithSendX5C() method so that Azure Active Directory can validate the certificate being used."
        ),
    )
}

/// Whether an audience is this tenant at this authority: a token endpoint, or an issuer.
fn is_for(request: &TokenRequest<'_>, audience: &str) -> bool {
    let Some(rest) = audience.strip_prefix("https://") else { return false };
    let names = request.tenant.map_or(&CLOUDS[0], |tenant| tenant.cloud.names());
    let is_tenant = |name: &str| match request.tenant {
        Some(tenant) => name.eq_ignore_ascii_case(&tenant.id) || name.eq_ignore_ascii_case(&tenant.domain),
        None => super::is_shared(name),
    };
    let below = |host: &str| {
        let (tenant, path) = rest.strip_prefix(host)?.strip_prefix('/')?.split_once('/')?;
        is_tenant(tenant).then(|| path.trim_end_matches('/'))
    };
    let here = request.call.base.as_deref().unwrap_or(&request.call.host);
    let mut hosts = names.aliases.iter().copied().chain([here]);
    below(names.v1_issuer) == Some("")
        || hosts.any(|host| matches!(below(host), Some("oauth2/v2.0/token" | "oauth2/token" | "v2.0")))
}

/// Checks when an assertion begins and ends to be good. Entra restricts the time between the two in no way.
pub(super) fn check_time(jwt: &Jwt<'_>) -> Result<(), EntraError> {
    let now = clock::now();
    let from = jwt.time("nbf").or_else(|| jwt.time("iat")).unwrap_or_default();
    let until = jwt.time("exp").unwrap_or_default();
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

/// Limits that Entra does not set, and a world may. Their codes are no document's.
fn check_limits(request: &TokenRequest<'_>, jwt: &Jwt<'_>) -> Result<(), EntraError> {
    let limits = &request.state.directory.config.assertions;
    let until = jwt.time("exp").unwrap_or_default();
    let life = until.saturating_sub(jwt.time("nbf").or_else(|| jwt.time("iat")).unwrap_or_default());
    if limits.longest_seconds > 0 && life > limits.longest_seconds {
        return Err(EntraError::client(
            700_024,
            format!(
                "Client assertion is not within its valid time range. It is good for {life} seconds, and this world takes {} at most.",
                limits.longest_seconds
            ),
        ));
    }
    if limits.refuse_replays && !request.state.assertions_seen.is_new(jwt.text("iss"), jwt.text("jti"), until) {
        return Err(EntraError::client(
            700_027,
            "Client assertion was used before. Its 'jti' must be another one each time in this world.",
        ));
    }
    Ok(())
}
