//! Client credentials: an app signs in as itself (RFC 6749, section 4.4).

use crate::authorities::region;
use crate::call::Reply;
use crate::directory::Kind;
use crate::entra::client::Client;
use crate::entra::token::{self, TokenRequest};
use crate::entra::{EntraError, not_regional, scope};
use crate::managed_identity::principal_to_show;
use crate::tokens::{self, ClientProof};

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
    let lifetime = request.lifetime(if is_managed { MANAGED_LIFETIME } else { LIFETIME });
    let issued = tokens::issue(request.key, &request.state.directory, principal, &audience, client.proof, lifetime)
        .ok_or_else(|| EntraError::unavailable("The token could not be signed."))?;
    let fields = token::fields(request, issued, lifetime);
    Ok(token::reply(request, fields, "client_credentials").principal(principal.shown(), &audience.value))
}
