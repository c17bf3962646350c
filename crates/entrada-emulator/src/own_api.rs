//! An API of one's own as a resource server: it tells a caller who they are.

use crate::call::{Call, Reply};
use crate::config::Api;
use crate::journal::{CHALLENGE, Service};
use crate::state::State;
use crate::tokens::{self, Caller, SigningKey};
use serde_json::json;

/// Answers a request sent to the host of an API.
pub(crate) fn answer(state: &State, key: &SigningKey, call: &Call) -> Reply {
    let Some(api) = state.directory.api_at(&call.host) else { return Reply::new(404) };
    match authenticate(state, key, api, call) {
        Ok(caller) => serve(api, &caller).principal(caller.known.shown(), &caller.audience),
        Err(reply) => reply,
    }
}

fn authenticate(state: &State, key: &SigningKey, api: &Api, call: &Call) -> Result<Caller, Reply> {
    let tenant = state.directory.tenant(&api.tenant);
    let authority = tenant.map_or("login.microsoftonline.com", |tenant| tenant.cloud.names().authority);
    let challenge = |more: &str| {
        format!(
            "Bearer realm=\"\", authorization_uri=\"https://{authority}/{}/oauth2/v2.0/authorize\", client_id=\"{}\"{more}",
            api.tenant, api.client_id
        )
    };
    let refuse = |text: &str, more: &str| {
        Reply::json(401, &json!({"error": text})).header("www-authenticate", challenge(more)).note(text)
    };
    let Some(token) = call.bearer() else { return Err(refuse("There is no token.", "").note(CHALLENGE)) };
    let mut audiences = vec![api.client_id.clone()];
    audiences.extend(api.identifier_uris.iter().cloned());
    let caller = tokens::verify_for(key, &state.directory, token, &audiences, api.token_version)
        .map_err(|error| refuse(&format!("{error}."), ", error=\"invalid_token\""))?;
    match state.demand(Service::Api, &caller) {
        None => Ok(caller),
        Some(demand) if demand.can_be_met => {
            Err(refuse("The token lacks claims.", &format!(", {}", demand.parameters())).note(demand.note()))
        }
        Some(demand) => Err(refuse("The token was refused.", ", error=\"invalid_token\"").note(demand.note())),
    }
}

fn serve(api: &Api, caller: &Caller) -> Reply {
    Reply::json(
        200,
        &json!({
            "api": api.name,
            "name": caller.known.name,
            "object_id": caller.known.object_id,
            "client_id": caller.claims.get("azp").or_else(|| caller.claims.get("appid")),
            "scopes": caller.claims["scp"].as_str().map(|scopes| scopes.split(' ').collect::<Vec<_>>()),
            "roles": caller.claims["roles"],
        }),
    )
}
