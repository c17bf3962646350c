//! The agent of Azure Arc: a challenge that only who may read its key folder can meet, and then a token.

use super::metadata_query::{self, PATH};
use super::{Request, Wanted};
use crate::call::Reply;
use crate::faults::ExpiryType;
use http::Method;
use serde_json::json;

const API_VERSIONS: [&str; 2] = ["2020-06-01", "2019-11-01"];

/// Answers a request to the agent.
pub(super) fn answer(request: &Request<'_>) -> Reply {
    token(request).unwrap_or_else(|reply| reply)
}

fn refusal(status: u16, error: &str, description: &str) -> Reply {
    let body = json!({
        "error": error,
        "error_description": description,
        "error_codes": [status],
        "timestamp": crate::clock::entra_time(crate::clock::now()),
        "trace_id": "",
        "correlation_id": uuid::Uuid::new_v4().to_string(),
    });
    Reply::json(status, &body).note(format!("{error}: {description}"))
}

fn token(request: &Request<'_>) -> Result<Reply, Reply> {
    let call = request.call;
    if call.path.trim_end_matches('/').to_ascii_lowercase() != PATH {
        return Err(refusal(404, "not_found", "There is nothing at this path"));
    }
    if call.method != Method::GET {
        return Err(refusal(405, "method_not_allowed", "Only GET is allowed").header("allow", "GET"));
    }
    if !call.header("metadata").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Err(refusal(400, "bad_request_102", "Required metadata header not specified"));
    }
    if !call.parameter("api-version").is_some_and(|version| API_VERSIONS.contains(&version)) {
        let text = format!("The api-version is invalid or was not specified; use {}", API_VERSIONS[0]);
        return Err(refusal(400, "invalid_request", &text));
    }
    let (resource, wanted) = metadata_query::read(request, refusal)?;
    meet_challenge(request)?;
    let granted = request.token(wanted, resource).map_err(|reason| metadata_query::no_token(reason, refusal))?;
    let mut body = metadata_query::body(&granted, resource);
    if wanted != Wanted::Any {
        // An agent that is too old for user-assigned identities ignores the wish; this tells it from one that is not.
        body["client_id"] = granted.identity.client_id.clone().into();
        body["object_id"] = granted.identity.object_id.clone().into();
        body["msi_res_id"] = granted.identity.resource_id.clone().into();
    }
    Ok(request.reply(&granted, body, ExpiryType::Text))
}

/// Lets a request pass that shows the content of a key file, which is then used up, and challenges any other.
fn meet_challenge(request: &Request<'_>) -> Result<(), Reply> {
    let keys = &request.state.arc_keys;
    let shown = request.call.header("authorization").and_then(|value| value.strip_prefix("Basic "));
    if shown.is_some_and(|key| keys.take(key)) {
        return Ok(());
    }
    let realm = match &request.call.challenge {
        Some(path) => path.clone(),
        None => keys.challenge().map_err(|error| refusal(500, "internal_server_error", &error))?,
    };
    let reply = match shown {
        None => refusal(401, "unauthorized", "Missing Basic Authorization header").note(crate::journal::CHALLENGE),
        Some(_) => refusal(401, "unauthorized", "The key in the Authorization header is not good, or was used before"),
    };
    Err(reply.header("www-authenticate", format!("Basic realm={realm}")))
}
