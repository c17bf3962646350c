//! Client credentials: an app signs in as itself (RFC 6749, section 4.4).

use crate::authorities::region;
use crate::call::Reply;
use crate::directory::Kind;
use crate::entra::claims_request::ClaimsRequest;
use crate::entra::client::Client;
use crate::entra::token::{self, TokenRequest};
use crate::entra::{EntraError, not_regional, scope};
use crate::managed_identity::principal_to_show;
use crate::tokens::{self, ClientProof};
use crate::user_tokens::CAE_LIFETIME;

/// Lifetime of an app-only token, in seconds.
const LIFETIME: i64 = 3599;

/// Lifetime of a managed identity's token, in seconds.
const MANAGED_LIFETIME: i64 = 86_399;

/// Refuses an app that may not ask a regional endpoint.
fn check_region(request: &TokenRequest<'_>, client: &Client<'_>) -> Result<(), EntraError> {
    let app = client.principal.client_id.as_deref().and_then(|client_id| request.state.directory.app(client_id));
    match region(&request.call.host) {
        Some(_) if app.is_some_and(|app| !app.regional) => Err(not_regional()),
        _ => Ok(()),
    }
}

/// Answers a request with this grant.
pub(in crate::entra) fn answer(request: &TokenRequest<'_>) -> Result<Reply, EntraError> {
    let tenant = request.tenant.ok_or_else(|| {
        EntraError::request(
            50_059,
            "No tenant-identifying information found in either the request or implied by any provided credentials.",
        )
    })?;
    let client = Client::confidential(request, tenant)?;
    check_region(request, &client)?;
    let audience = scope::app_audience(request, tenant)?;
    let principal =
        principal_to_show(request.state, request.call, client.principal).map_err(EntraError::unavailable)?;
    let is_managed = client.principal.kind == Kind::ManagedIdentity && client.proof == ClientProof::Certificate;
    let claims = ClaimsRequest::parse(request.form.value("claims"))?;
    let usual = match (is_managed, claims.takes_challenges) {
        (true, _) => MANAGED_LIFETIME,
        (false, true) => CAE_LIFETIME,
        (false, false) => LIFETIME,
    };
    let lifetime = request.lifetime(usual);
    let directory = &request.state.directory;
    let issued = tokens::issue(request.key, directory, principal, &audience, client.proof, &claims, lifetime)
        .ok_or_else(|| EntraError::unavailable("The token could not be signed."))?;
    let fields = token::fields(request, issued, lifetime);
    Ok(token::reply(request, fields, "client_credentials").principal(principal.shown(), &audience.value))
}
