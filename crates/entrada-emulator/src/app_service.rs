//! The identity endpoint of App Service, Functions and Container Apps, api-version 2019-08-01.

use crate::call::{Call, Reply};
use crate::directory::site_id;
use crate::managed_identity::{self, Wanted};
use crate::state::State;
use crate::tokens::SigningKey;
use http::Method;
use serde_json::json;

/// Path of the endpoint.
pub(crate) const PATH: &str = "/msi/token";

const API_VERSION: &str = "2019-08-01";

/// Answers a request to the identity endpoint.
pub(crate) fn answer(state: &State, key: &SigningKey, call: &Call) -> Reply {
    token(state, key, call).unwrap_or_else(|reply| reply)
}

fn refusal(status: u16, message: &str) -> Reply {
    let correlation = uuid::Uuid::new_v4().to_string();
    Reply::json(status, &json!({"statusCode": status, "message": message, "correlationId": correlation})).note(message)
}

fn token(state: &State, key: &SigningKey, call: &Call) -> Result<Reply, Reply> {
    if call.path.trim_end_matches('/') != PATH {
        return Err(refusal(404, "Not found."));
    }
    if call.method != Method::GET {
        return Err(refusal(405, "Only GET is allowed.").header("allow", "GET"));
    }
    match call.header("x-identity-header") {
        None => return Err(refusal(401, "The header X-IDENTITY-HEADER is missing.")),
        Some(value) if !state.identity_header.accepts(value) => {
            return Err(refusal(401, "The header X-IDENTITY-HEADER is not the value of IDENTITY_HEADER."));
        }
        Some(_) => {}
    }
    if call.parameter("api-version") != Some(API_VERSION) {
        return Err(refusal(400, &format!("The api-version is missing or not supported; use {API_VERSION}.")));
    }
    let given = |name: &str| call.parameter(name).filter(|value| !value.is_empty());
    let resource = given("resource").ok_or_else(|| refusal(400, "The query parameter 'resource' is missing."))?;
    let named: Vec<Wanted<'_>> = [
        given("client_id").map(Wanted::ClientId),
        given("principal_id").or_else(|| given("object_id")).map(Wanted::ObjectId),
        given("mi_res_id").or_else(|| given("resource_id")).map(Wanted::ResourceId),
    ]
    .into_iter()
    .flatten()
    .collect();
    let wanted = match named.as_slice() {
        [] => Wanted::Any,
        [one] => *one,
        _ => {
            return Err(refusal(400, "Only one of client_id, principal_id and mi_res_id may be specified."));
        }
    };
    let none = "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.";
    let app = state.directory.inner_web_app().ok_or_else(|| refusal(400, none))?;
    let app_id = site_id(app);
    if wanted == Wanted::Any && !state.host_identities.of(&app_id).system {
        // Unlike a virtual machine, an app does not fall back on its only user-assigned identity.
        return Err(refusal(400, "No System Assigned Managed Identity found for this app."));
    }
    let identity = managed_identity::choose(state, &app_id, wanted).map_err(|_| refusal(400, none))?;
    let audience = managed_identity::audience(state, identity, resource).ok_or_else(|| {
        refusal(
            400,
            &format!(
                "AADSTS500011: The resource principal named {resource} was not found in the tenant named {}.",
                managed_identity::tenant_of(identity)
            ),
        )
    })?;
    let (issued, _) = managed_identity::issue(state, key, call, identity, &audience)
        .ok_or_else(|| refusal(500, "The token could not be issued."))?;
    let mut body = json!({
        "access_token": issued.token,
        "expires_on": issued.expires_on.to_string(),
        "resource": resource,
        "token_type": "Bearer",
        "client_id": identity.client_id,
    });
    if let (Some(shape), Some(fields)) = (&call.token_shape, body.as_object_mut()) {
        shape.apply(fields);
    }
    let mut reply = Reply::json(200, &body).principal(identity.shown(), &audience.value);
    reply.trail.grant = Some("managed_identity");
    Ok(reply)
}
