//! What the metadata service and the agent of Azure Arc have in common: how a token is asked for, what is said
//! of it, and why there is none.

use super::{Granted, NoToken, Request, Wanted};
use crate::call::Reply;
use serde_json::{Value, json};

/// Path of the token endpoint.
pub(super) const PATH: &str = "/metadata/identity/oauth2/token";

const PARAMETERS: [&str; 6] = ["api-version", "resource", "client_id", "object_id", "msi_res_id", "mi_res_id"];

/// Makes an error of a status, a code and a description, in a host's own form.
pub(super) type Refuse = fn(u16, &str, &str) -> Reply;

/// The resource and the identity that a request is about.
pub(super) fn read<'a>(request: &Request<'a>, refuse: Refuse) -> Result<(&'a str, Wanted<'a>), Reply> {
    if let Some(name) = request.repeated(&PARAMETERS) {
        return Err(refuse(400, "invalid_request", &format!("Duplicate parameter '{name}' in the request")));
    }
    let resource = request
        .given("resource")
        .ok_or_else(|| refuse(400, "invalid_request", "Required query variable 'resource' is missing"))?;
    let named: Vec<Wanted<'_>> = [
        request.given("client_id").map(Wanted::ClientId),
        request.given("object_id").map(Wanted::ObjectId),
        request.given("msi_res_id").or_else(|| request.given("mi_res_id")).map(Wanted::ResourceId),
    ]
    .into_iter()
    .flatten()
    .collect();
    match named.as_slice() {
        [] => Ok((resource, Wanted::Any)),
        [one] => Ok((resource, *one)),
        _ => {
            let text = "Only one of 'client_id', 'object_id' and 'msi_res_id' may be specified in the request";
            Err(refuse(400, "invalid_request", text))
        }
    }
}

/// What both say of a token.
pub(super) fn body(granted: &Granted<'_>, resource: &str) -> Value {
    json!({
        "access_token": granted.issued.token,
        "expires_in": granted.lifetime,
        "expires_on": granted.issued.expires_on,
        "ext_expires_in": granted.lifetime,
        "not_before": granted.issued.not_before,
        "resource": resource,
        "token_type": "Bearer",
    })
}

/// Why there is no token, in the words of both.
pub(super) fn no_token(reason: NoToken, refuse: Refuse) -> Reply {
    match reason {
        NoToken::NotFound => refuse(400, "invalid_request", "Identity not found"),
        NoToken::Several => refuse(
            400,
            "invalid_request",
            "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request",
        ),
        NoToken::Resource(text) => refuse(400, "invalid_resource", &text),
        NoToken::NotIssued(text) => {
            refuse(500, "unknown", &format!("Failed to retrieve token from the Active directory. {text}"))
        }
    }
}
