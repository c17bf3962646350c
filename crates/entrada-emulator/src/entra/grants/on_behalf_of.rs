//! On behalf of: an API exchanges a user's token for one for another resource
//! (<https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow>).

use crate::call::Reply;
use crate::clock;
use crate::config::{App, Tenant};
use crate::entra::claims_request::ClaimsRequest;
use crate::entra::client::UserClient;
use crate::entra::scope::Asked;
use crate::entra::sign_ins::secret_text;
use crate::entra::token::TokenRequest;
use crate::entra::user_answer::{self, Granted};
use crate::entra::{EntraError, policy};
use crate::jwt::Jwt;
use crate::tokens::{self, ClientProof};
use crate::user_tokens::{self, SignIn};
use serde_json::json;

/// What `requested_token_use` must be.
const USE: &str = "on_behalf_of";

/// The conditional access policy that stands in the way, as a refusal names it.
const POLICY: &str = "ca000000-0000-4000-8000-000000000001";

/// Answers a request with this grant.
pub(in crate::entra) fn answer(request: &TokenRequest<'_>) -> Result<Reply, EntraError> {
    let state = request.state;
    let used = request.form.required("requested_token_use")?;
    if used != USE {
        // The number for this parameter is in no public document.
        let text = format!("Invalid request. The requested_token_use '{used}' is not supported.");
        return Err(EntraError::request(9_002_313, text));
    }
    let assertion = request.form.required("assertion")?;
    let client = UserClient::of(request, request.tenant)?;
    if client.proof == ClientProof::None {
        return Err(EntraError::client(
            7_000_218,
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        ));
    }
    let asked = Asked::read(&request.form, request.version)?
        .ok_or_else(|| EntraError::missing(if request.version == 1 { "resource" } else { "scope" }))?;
    let (tenant, sign_in, object_id) = check(request, client.app, assertion)?;
    let unknown = || EntraError::grant(50_034, "The user account {EUII Hidden} does not exist in the directory.");
    let user = state.directory.anybody_with(&object_id).ok_or_else(unknown)?;
    let granted = Granted {
        person: policy::in_tenant(&user, tenant, client.app)?,
        client,
        user: &user,
        asked,
        claims: ClaimsRequest::default(),
        sign_in,
        family: secret_text(),
        nonce: None,
    };
    user_answer::reply(request, &granted, USE).map_err(with_claims)
}

/// Checks what was shown as the user's token: one of ours, for this client, of a user, in time. Gives its tenant, how
/// the user signed in, and the user's object id there.
fn check<'a>(
    request: &TokenRequest<'a>,
    app: &App,
    assertion: &str,
) -> Result<(&'a Tenant, SignIn, String), EntraError> {
    let state = request.state;
    let jwt = Jwt::read(assertion).ok_or_else(|| EntraError::request(50_027, "JWT token is invalid or malformed."))?;
    if !request.key.has_signed(&jwt) {
        return Err(EntraError::grant(
            50_013,
            format!(
                "Assertion failed signature validation. [Reason - The key was not found., Thumbprint of key used by client: '{}'].",
                jwt.header["kid"].as_str().unwrap_or_default()
            ),
        ));
    }
    let tenant = state.directory.tenant(jwt.text("tid"));
    let tenant =
        tenant.filter(|tenant| [1, 2].into_iter().any(|version| jwt.text("iss") == tokens::issuer(tenant, version)));
    let tenant = tenant.filter(|tenant| request.tenant.is_none_or(|wanted| wanted.id == tenant.id)).ok_or_else(|| {
        EntraError::grant(
            50_013,
            format!(
                "Assertion failed signature validation. [Reason - The assertion is of the issuer '{}', which is not the tenant of the request.].",
                jwt.text("iss")
            ),
        )
    })?;
    check_audience(request, tenant, app, jwt.text("aud"))?;
    let now = clock::now();
    if jwt.time("exp").is_none_or(|until| until <= now) || jwt.time("nbf").is_none_or(|from| from > now) {
        return Err(EntraError::grant(
            500_133,
            format!(
                "Assertion is not within its valid time range. Ensure that the access token is not expired before using it for user assertion, or request a new token. Current time: {}, expiry time of assertion {}.",
                clock::iso_time(now),
                clock::iso_time(jwt.time("exp").unwrap_or_default())
            ),
        ));
    }
    if jwt.text("idtyp") == "app" {
        return Err(EntraError::grant(
            7_000_114,
            format!("Application '{}' is not allowed to make application on-behalf-of calls.", app.client_id),
        ));
    }
    // An id token is for the client, too, and nothing that a resource is shown. Its number is in no public document.
    let sign_in = user_tokens::sign_in_of(&jwt.claims)
        .ok_or_else(|| EntraError::grant(50_013, "Assertion is not an access token of a user who has signed in."))?;
    if let Some(since) = state.revoked_since(&jwt.claims) {
        return Err(EntraError::grant(
            50_173,
            format!(
                "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password. The grant was issued on '{}' and the TokensValidFrom date (before which tokens are not valid) for this user is '{}'.",
                clock::iso_time(sign_in.time),
                clock::iso_time(since)
            ),
        )
        .with("bad_token"));
    }
    Ok((tenant, sign_in, jwt.text("oid").to_owned()))
}

fn check_audience(request: &TokenRequest<'_>, tenant: &Tenant, app: &App, audience: &str) -> Result<(), EntraError> {
    let of_api = request.state.directory.api(&tenant.id, audience);
    let is_its = audience.eq_ignore_ascii_case(&app.client_id)
        || audience.eq_ignore_ascii_case(&format!("api://{}", app.client_id))
        || of_api.is_some_and(|api| api.client_id.eq_ignore_ascii_case(&app.client_id));
    if is_its {
        return Ok(());
    }
    Err(EntraError::grant(
        500_131,
        format!(
            "Assertion audience does not match the Client app presenting the assertion. The audience in the assertion was '{audience}' and the expected audience is 'api://{0}' or one of the Application Uris of this application with App ID '{0}'({1}). The downstream client must request a token for the expected audience (the application that made the OBO request) and this application should use that token as the assertion.",
            app.client_id, app.name
        ),
    ))
}

/// Where a person must act, the API can hand its caller the claims to ask Entra for.
fn with_claims(error: EntraError) -> EntraError {
    let wanted = json!({"access_token": {"polids": {"essential": true, "values": [POLICY]}}});
    match error.code {
        50_076 | 50_079 | 53_003 if error.claims.is_none() => {
            EntraError { error: "interaction_required", claims: Some(wanted.to_string()), ..error }
        }
        _ => error,
    }
}
