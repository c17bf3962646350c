//! A little of Microsoft Graph: who the user of a token is.

use crate::call::{Call, Reply};
use crate::cloud::Names;
use crate::directory::Kind;
use crate::journal::{CHALLENGE, Service};
use crate::resources;
use crate::state::State;
use crate::tokens::{self, Caller, SigningKey, TokenProblem};
use serde_json::json;

/// Answers a request to Microsoft Graph.
pub(crate) fn answer(state: &State, key: &SigningKey, names: &Names, call: &Call) -> Reply {
    let reply = match authenticate(state, key, names, call) {
        Ok(caller) => serve(&caller, call).principal(caller.known.shown(), &caller.audience),
        Err(reply) => reply,
    };
    let reply = reply
        .header("cache-control", "no-cache")
        .header("strict-transport-security", "max-age=31536000")
        .header("request-id", uuid::Uuid::new_v4().to_string());
    match call.header("client-request-id") {
        Some(id) => reply.header("client-request-id", id),
        None => reply,
    }
}

fn authenticate(state: &State, key: &SigningKey, names: &Names, call: &Call) -> Result<Caller, Reply> {
    let challenge = format!(
        "Bearer realm=\"\", authorization_uri=\"https://{}/common/oauth2/authorize\", client_id=\"{}\"",
        names.authority,
        resources::GRAPH_APP_ID
    );
    let refuse = |message: &str| {
        Reply::problem(401, "InvalidAuthenticationToken", message).header("www-authenticate", &challenge)
    };
    let Some(token) = call.bearer() else { return Err(refuse("Access token is empty.").note(CHALLENGE)) };
    let caller = tokens::verify(key, &state.directory, token, &resources::graph_audiences(names)).map_err(|error| {
        let message = match &error {
            TokenProblem::Expired(_) => "Lifetime validation failed, the token is expired.".to_owned(),
            TokenProblem::Audience(_) => "Access token validation failure. Invalid audience.".to_owned(),
            other => format!("Access token validation failure: {other}."),
        };
        refuse(&message)
    })?;
    match state.demand(Service::Graph, &caller) {
        None => Ok(caller),
        Some(demand) if demand.can_be_met => Err(Reply::problem(401, "InvalidAuthenticationToken", demand.text())
            .header(
                "www-authenticate",
                format!("{challenge}, errorDescription=\"{}\", {}", demand.text(), demand.parameters()),
            )
            .note(demand.note())
            .principal(caller.known.shown(), &caller.audience)),
        Some(demand) => Err(refuse("Access token validation failure.").note(demand.note())),
    }
}

fn serve(caller: &Caller, call: &Call) -> Reply {
    let path = call.path.trim_end_matches('/');
    if call.method != http::Method::GET || !matches!(path, "/v1.0/me" | "/beta/me") {
        let message = format!("The emulator does not answer {} {} of Microsoft Graph.", call.method, call.path);
        return Reply::problem(501, "NotImplemented", message);
    }
    if caller.known.kind != Kind::User {
        return Reply::problem(400, "BadRequest", "/me request is only valid with delegated authentication flow.");
    }
    let scopes = caller.claims["scp"].as_str().unwrap_or_default();
    if !scopes.split(' ').any(|scope| scope.starts_with("User.Read") || scope.starts_with("Directory.")) {
        return Reply::problem(
            403,
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.",
        );
    }
    let name = caller.claims["name"].as_str().unwrap_or_default();
    Reply::json(
        200,
        &json!({
            "@odata.context": format!("https://{}{}/$metadata#users/$entity", call.host, path.trim_end_matches("/me")),
            "businessPhones": [],
            "displayName": name,
            "givenName": name.split(' ').next(),
            "jobTitle": null,
            "mail": caller.known.name,
            "mobilePhone": null,
            "officeLocation": null,
            "preferredLanguage": null,
            "surname": name.split_once(' ').map(|(_, surname)| surname),
            "userPrincipalName": caller.known.name,
            "id": caller.known.object_id,
        }),
    )
}
