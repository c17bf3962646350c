//! The identity endpoint of Cloud Shell: a POST, and the token of the user whose shell it is.

use super::{NoToken, Request};
use crate::call::Reply;
use crate::faults::ExpiryType;
use http::Method;
use serde_json::json;

const PATH: &str = "/oauth2/token";

/// What other hosts take to name an identity.
const IDENTITIES: [&str; 7] =
    ["client_id", "clientid", "object_id", "principal_id", "msi_res_id", "mi_res_id", "resource_id"];

/// Answers a request to the endpoint.
pub(super) fn answer(request: &Request<'_>) -> Reply {
    token(request).unwrap_or_else(|reply| reply)
}

fn refusal(status: u16, code: &str, message: &str) -> Reply {
    Reply::json(status, &json!({"error": {"code": code, "message": message}})).note(format!("{code}: {message}"))
}

fn token(request: &Request<'_>) -> Result<Reply, Reply> {
    let call = request.call;
    if call.path.trim_end_matches('/') != PATH {
        return Err(refusal(404, "NotFound", "There is nothing at this path."));
    }
    if call.method != Method::POST {
        return Err(refusal(405, "MethodNotAllowed", "Only POST is allowed.").header("allow", "POST"));
    }
    if !call.header("metadata").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Err(refusal(400, "MissingMetadataHeader", "Required metadata header not specified"));
    }
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&call.body).into_owned().collect();
    if let Some((name, _)) = form.iter().find(|(name, _)| IDENTITIES.contains(&name.to_ascii_lowercase().as_str())) {
        let message = format!("The parameter '{name}' is not supported: tokens are those of the user of the shell.");
        return Err(refusal(400, "BadRequest", &message));
    }
    let mut resources = form.iter().filter(|(name, value)| name == "resource" && !value.is_empty());
    let (Some((_, resource)), None) = (resources.next(), resources.next()) else {
        return Err(refusal(400, "BadRequest", "The parameter 'resource' is missing, or there twice."));
    };
    let directory = &request.state.directory;
    let user = directory.user(&directory.config.inside.cloud_shell);
    let user = user.ok_or_else(|| refusal(400, "BadRequest", "Nobody is signed in to this shell."))?;
    let granted = request.token_of(user, resource).map_err(|reason| match reason {
        NoToken::Resource(_) => {
            let message = format!("Audience {resource} is not a supported MSI token audience.");
            refusal(400, "AudienceNotSupported", &message)
        }
        NoToken::NotIssued(text) => refusal(500, "InternalServerError", &text),
        NoToken::NotFound | NoToken::Several => refusal(400, "BadRequest", "Identity not found"),
    })?;
    let body = json!({
        "access_token": granted.issued.token,
        "refresh_token": "",
        "expires_in": granted.lifetime,
        "expires_on": granted.issued.expires_on,
        "not_before": granted.issued.not_before,
        "resource": resource,
        "token_type": "Bearer",
    });
    Ok(request.reply(&granted, body, ExpiryType::Text))
}
