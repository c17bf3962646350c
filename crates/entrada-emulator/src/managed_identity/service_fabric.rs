//! The managed identity endpoint of Service Fabric, api-version 2019-07-01-preview.

use super::{NoToken, Request, Wanted};
use crate::call::Reply;
use crate::faults::ExpiryType;
use http::Method;
use serde_json::json;

/// Path of the endpoint.
const PATH: &str = "/metadata/identity/oauth2/token";

/// The api-version, as `IDENTITY_API_VERSION` has it.
pub(crate) const API_VERSION: &str = "2019-07-01-preview";

/// Answers a request to the endpoint.
pub(super) fn answer(request: &Request<'_>) -> Reply {
    token(request).unwrap_or_else(|reply| reply)
}

fn refusal(status: u16, code: &str, message: &str) -> Reply {
    let correlation = uuid::Uuid::new_v4().to_string();
    Reply::json(status, &json!({"error": {"correlationId": correlation, "code": code, "message": message}}))
        .note(format!("{code}: {message}"))
}

fn token(request: &Request<'_>) -> Result<Reply, Reply> {
    let call = request.call;
    if call.path.trim_end_matches('/') != PATH {
        return Err(refusal(404, "NotFound", "There is nothing at this path."));
    }
    if call.method != Method::GET {
        return Err(refusal(405, "MethodNotAllowed", "Only GET is allowed.").header("allow", "GET"));
    }
    let not_found = "Managed identity not found for the specified application host.";
    match call.header("secret") {
        None => return Err(refusal(400, "SecretHeaderNotFound", "Secret is not found in the request headers.")),
        // The secret is what tells applications apart: a wrong one is an application without an identity.
        Some(value) if !request.state.identity_header.accepts(value) => {
            return Err(refusal(404, "ManagedIdentityNotFound", not_found).note("the header Secret is not good"));
        }
        Some(_) => {}
    }
    let version = call.parameter("api-version").unwrap_or_default();
    if version != API_VERSION || request.repeated(&["api-version"]).is_some() {
        let message = format!("The api-version '{version}' is not supported. Supported version is '{API_VERSION}'.");
        return Err(refusal(400, "InvalidApiVersion", &message));
    }
    let resource =
        request.given("resource").filter(|_| request.repeated(&["resource"]).is_none()).ok_or_else(|| {
            refusal(400, "ArgumentNullOrEmpty", "The parameter 'resource' should not be null or empty string.")
        })?;
    // Which identity an application has is a matter of the cluster: client_id and the like are ignored, as are
    // token_sha256_to_refresh and xms_cc, because every token is a new one.
    let granted = request.token(Wanted::Any, resource).map_err(|reason| match reason {
        NoToken::NotFound | NoToken::Several => refusal(404, "ManagedIdentityNotFound", not_found),
        NoToken::Resource(text) | NoToken::NotIssued(text) => {
            refusal(500, "InternalServerError", &format!("An error occurred. {text}"))
        }
    })?;
    let body = json!({
        "token_type": "Bearer",
        "access_token": granted.issued.token,
        "expires_on": granted.issued.expires_on,
        "resource": resource,
    });
    Ok(request.reply(&granted, body, ExpiryType::Number))
}
