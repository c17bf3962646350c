//! Key Vault, secrets: the challenge, the checks, and the operations.

mod operations;
pub(crate) mod store;

use crate::call::{Call, Reply};
use crate::config::Vault;
use crate::directory::vault_id;
use crate::journal::{CHALLENGE, Service};
use crate::rbac::{missing_role, roles::Plane};
use crate::resources;
use crate::state::State;
use crate::tokens::{self, Caller, SigningKey, TokenProblem};
use operations::Operation;
use serde_json::json;

/// A refusal in Key Vault's form.
fn problem(status: u16, code: &str, message: impl Into<String>) -> Reply {
    let message = message.into();
    let note = format!("{code}: {}", message.lines().next().unwrap_or_default());
    Reply::json(status, &json!({"error": {"code": code, "message": message}})).note(note)
}

/// Whether a text can be the name of a secret.
pub(crate) fn is_secret_name(name: &str) -> bool {
    (1..=127).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Answers a request sent to a vault.
pub(crate) fn answer(state: &State, key: &SigningKey, call: &Call) -> Reply {
    let Some(vault) = state.directory.vault_at(&call.host) else {
        return problem(404, "NotFound", "There is no such vault.");
    };
    let (reply, caller) = match authenticate(state, key, vault, call) {
        Ok(caller) => (serve(state, vault, &caller, call).unwrap_or_else(|reply| reply), Some(caller)),
        Err(reply) => (reply, None),
    };
    let reply = match caller {
        Some(caller) => reply.principal(caller.known.shown(), &caller.audience),
        None => reply,
    };
    let request_id = call.header("x-ms-client-request-id").map(str::to_owned);
    let reply = reply
        .header("cache-control", "no-cache")
        .header("pragma", "no-cache")
        .header("x-ms-keyvault-region", "westeurope")
        .header("x-ms-keyvault-service-version", "1.9.2500.1")
        .header("x-ms-request-id", uuid::Uuid::new_v4().to_string())
        .header("x-content-type-options", "nosniff")
        .header("strict-transport-security", "max-age=31536000;includeSubDomains");
    match request_id {
        Some(id) => reply.header("x-ms-client-request-id", id),
        None => reply,
    }
}

fn authenticate(state: &State, key: &SigningKey, vault: &Vault, call: &Call) -> Result<Caller, Reply> {
    let names = state.directory.cloud_of(&vault.subscription);
    let tenant = state.directory.subscription(&vault.subscription).map_or("", |found| found.tenant.as_str());
    let resource = resources::vault(names);
    let challenge = |reply: Reply, more: &str| {
        let header =
            format!("Bearer authorization=\"https://{}/{tenant}\", resource=\"{resource}\"{more}", names.authority);
        reply.header("www-authenticate", header)
    };
    let Some(token) = call.bearer() else {
        let reply = problem(401, "Unauthorized", "AKV10000: Request is missing a Bearer or PoP token.");
        return Err(challenge(reply, "").note(CHALLENGE));
    };
    let caller = tokens::verify(key, &state.directory, token, &resources::vault_audiences(names)).map_err(|error| {
        let message = match &error {
            TokenProblem::Audience(found) => {
                format!("AKV10022: Invalid audience. Expected {resource}, found: {found}.")
            }
            TokenProblem::Issuer(found) => {
                format!(
                    "AKV10032: Invalid issuer. Expected one of https://{}/{tenant}/, found {found}.",
                    names.v1_issuer
                )
            }
            TokenProblem::Expired(_) => format!("[TokenExpired] Error validating token: {error}."),
            _ => format!("[BearerReadAccessTokenFailed] Error validating token: {error}."),
        };
        let more = ", error=\"invalid_token\", error_description=\"The access token was refused\"";
        challenge(problem(401, "Unauthorized", message), more)
    })?;
    if !caller.known.tenant.eq_ignore_ascii_case(tenant) {
        let message = format!(
            "AKV10032: Invalid issuer. Expected one of https://{}/{tenant}/, found https://{}/{}/.",
            names.v1_issuer, names.v1_issuer, caller.known.tenant
        );
        return Err(challenge(problem(401, "Unauthorized", message), ", error=\"invalid_token\""));
    }
    match state.demand(Service::KeyVault, &caller) {
        None => Ok(caller),
        Some(demand) if demand.can_be_met => {
            Err(demand.challenge(problem(401, "Unauthorized", demand.text()), names.authority, &caller))
        }
        Some(demand) => {
            let reply = problem(401, "Unauthorized", "[TokenRevoked] Error validating token: it was revoked.");
            Err(challenge(reply, ", error=\"invalid_token\"").note(demand.note()))
        }
    }
}

fn serve(state: &State, vault: &Vault, caller: &Caller, call: &Call) -> Result<Reply, Reply> {
    match call.parameter("api-version") {
        Some(version) if version.starts_with("7.") || version.starts_with("20") => {}
        Some(version) => {
            return Err(problem(
                400,
                "BadParameter",
                format!(
                    "The specified version ({version}) is not recognized. Consider using the latest supported version (7.6)."
                ),
            ));
        }
        None => return Err(problem(400, "BadParameter", "The api-version query parameter is missing.")),
    }
    let operation = Operation::of(call).ok_or_else(|| {
        problem(
            501,
            "NotImplemented",
            format!("The emulator does not answer {} {} of Key Vault; it answers for secrets.", call.method, call.path),
        )
    })?;
    if let Some(name) = operation.secret()
        && !is_secret_name(name)
    {
        return Err(problem(400, "BadParameter", format!("The request URI contains an invalid name: {name}")));
    }
    authorize(state, vault, caller, &operation)?;
    operation.run(state, vault, call)
}

fn authorize(state: &State, vault: &Vault, caller: &Caller, operation: &Operation) -> Result<(), Reply> {
    let action = operation.action();
    let vault_id = vault_id(vault);
    let resource = operation.secret().map_or_else(|| vault_id.clone(), |name| format!("{vault_id}/secrets/{name}"));
    if state.assignments.allow(&caller.known.object_id, Plane::Data, action, &resource) {
        return Ok(());
    }
    let names = state.directory.cloud_of(&vault.subscription);
    let missing = missing_role(Plane::Data, action, &vault_id);
    let message = format!(
        "Caller is not authorized to perform action on resource.\r\n\
         If role assignments, deny assignments or role definitions were changed recently, please observe propagation time.\r\n\
         Caller: appid={};oid={};iss=https://{}/{}/\r\n\
         Action: '{action}'\r\n\
         Resource: '{resource}'\r\n\
         Assignment: (not found)\r\n\
         DenyAssignmentId: null\r\n\
         DecisionReason: null\r\n\
         Vault: {};location=westeurope\r\n\
         {missing}\r\n",
        caller.app_id(),
        caller.known.object_id,
        names.v1_issuer,
        caller.known.tenant,
        vault.name,
    );
    let body = json!({"error": {"code": "Forbidden", "message": message, "innererror": {"code": "ForbiddenByRbac"}}});
    Err(Reply::json(403, &body).note(format!("ForbiddenByRbac: {action}. {missing}")))
}
