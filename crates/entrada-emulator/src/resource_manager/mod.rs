//! Azure Resource Manager: subscriptions, tenants, resource groups, role assignments, the identity of a resource.

mod authorization;
pub(crate) mod groups;
mod resource_groups;
mod resources;
mod subscriptions;

use crate::call::{Call, Reply};
use crate::clock;
use crate::cloud::Names;
use crate::journal::Service;
use crate::rbac::{missing_role, roles::Plane};
use crate::state::State;
use crate::tokens::{self, Caller, SigningKey, TokenProblem};
use serde_json::Value;

/// A request by a known caller.
pub(crate) struct Request<'a> {
    state: &'a State,
    call: &'a Call,
    caller: &'a Caller,
}

/// A refusal.
fn problem(status: u16, code: &str, message: impl Into<String>) -> Reply {
    Reply::problem(status, code, message)
}

/// Answers a request sent to Resource Manager.
pub(crate) fn answer(state: &State, key: &SigningKey, names: &Names, call: &Call) -> Reply {
    let reply = match authenticate(state, key, names, call) {
        Ok(caller) => {
            let request = Request { state, call, caller: &caller };
            route(&request).unwrap_or_else(|reply| reply).principal(caller.known.shown(), &caller.audience)
        }
        Err(reply) => reply,
    };
    let request_id = uuid::Uuid::new_v4().to_string();
    let correlation = call.header("x-ms-correlation-request-id").map_or_else(|| request_id.clone(), str::to_owned);
    let reply = reply
        .header("cache-control", "no-cache")
        .header("pragma", "no-cache")
        .header("expires", "-1")
        .header("x-ms-routing-request-id", format!("WESTEUROPE:{}:{request_id}", clock::iso_time(clock::now())))
        .header("x-ms-request-id", request_id)
        .header("x-ms-correlation-request-id", correlation)
        .header("strict-transport-security", "max-age=31536000; includeSubDomains")
        .header("x-content-type-options", "nosniff");
    match call.header("x-ms-client-request-id") {
        Some(id) => reply.header("x-ms-client-request-id", id),
        None => reply,
    }
}

fn authenticate(state: &State, key: &SigningKey, names: &Names, call: &Call) -> Result<Caller, Reply> {
    let refuse = |code: &str, message: String, description: &str| {
        let challenge = format!(
            "Bearer authorization_uri=\"https://{}/\", error=\"invalid_token\", error_description=\"{description}\"",
            names.cache
        );
        problem(401, code, message).header("www-authenticate", challenge)
    };
    let Some(token) = call.bearer() else {
        return Err(refuse(
            "AuthenticationFailed",
            "Authentication failed. The 'Authorization' header is missing.".into(),
            "The authentication failed because of missing 'Authorization' header.",
        ));
    };
    let caller = tokens::verify(key, &state.directory, token, &crate::resources::resource_manager(names)).map_err(|error| {
        let (code, message) = match &error {
            TokenProblem::Expired(time) => (
                "ExpiredAuthenticationToken",
                format!(
                    "The access token expiry UTC time '{time}' is earlier than current UTC time '{}'.",
                    clock::entra_time(clock::now())
                ),
            ),
            TokenProblem::Audience(found) => (
                "InvalidAuthenticationTokenAudience",
                format!(
                    "The access token has been obtained for wrong audience or resource '{found}'. It should exactly match with one of the allowed audiences '{}'.",
                    crate::resources::resource_manager(names).join("/','")
                ),
            ),
            other => ("InvalidAuthenticationToken", format!("The access token is invalid: {other}.")),
        };
        refuse(code, message, "Could not validate the access token.")
    })?;
    match state.demand(Service::ResourceManager, &caller) {
        None => Ok(caller),
        Some(demand) if demand.can_be_met => {
            Err(demand.challenge(problem(401, "InvalidAuthenticationToken", demand.text()), names.authority, &caller))
        }
        Some(demand) => {
            let message = "The access token is invalid: it was revoked.".to_owned();
            Err(refuse("InvalidAuthenticationToken", message, "The access token has been revoked.").note(demand.note()))
        }
    }
}

fn route(request: &Request<'_>) -> Result<Reply, Reply> {
    let call = request.call;
    if call.parameter("api-version").is_none_or(str::is_empty) {
        return Err(problem(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        ));
    }
    let segments = call.segments();
    if let Some(reply) = authorization::route(request, &segments)? {
        return Ok(reply);
    }
    let lower: Vec<String> = segments.iter().map(|segment| segment.to_ascii_lowercase()).collect();
    let parts: Vec<&str> = lower.iter().map(String::as_str).collect();
    match (call.method.as_str(), parts.as_slice()) {
        ("GET", ["subscriptions"]) => Ok(subscriptions::list(request)),
        ("GET", ["tenants"]) => Ok(subscriptions::tenants(request)),
        ("GET", ["subscriptions", id]) => subscriptions::get(request, id),
        ("GET", ["subscriptions", id, "resourcegroups"]) => resource_groups::list(request, id),
        (_, ["subscriptions", id, "resourcegroups", _]) => resource_groups::one(request, id, &segments[3]),
        (_, ["subscriptions", id, "resourcegroups", _, "providers", space, kind, _]) => {
            request.subscription(id)?;
            resources::one(request, &format!("{space}/{kind}"), &format!("/{}", segments.join("/")))
        }
        (_, ["subscriptions", id, "resourcegroups", _, "providers", space, kind, _, inner, _]) => {
            request.subscription(id)?;
            resources::one(request, &format!("{space}/{kind}/{inner}"), &format!("/{}", segments.join("/")))
        }
        ("GET", ["subscriptions", id, "resourcegroups", _, "providers", space, kind, _, inner]) => {
            request.subscription(id)?;
            resources::list(request, &format!("{space}/{kind}/{inner}"), &format!("/{}", segments[..8].join("/")))
        }
        ("GET", ["subscriptions", id, "resourcegroups", _, "providers", space, kind]) => {
            request.subscription(id)?;
            resources::list(request, &format!("{space}/{kind}"), &format!("/{}", segments[..4].join("/")))
        }
        ("GET", ["subscriptions", id, "providers", space, kind]) => {
            request.subscription(id)?;
            resources::list(request, &format!("{space}/{kind}"), &format!("/subscriptions/{id}"))
        }
        _ => Err(not_emulated(call)),
    }
}

fn not_emulated(call: &Call) -> Reply {
    problem(
        501,
        "NotImplemented",
        format!("The emulator does not answer {} {} of Resource Manager.", call.method, call.path),
    )
}

impl Request<'_> {
    /// Checks that a subscription exists in the caller's tenant.
    fn subscription(&self, id: &str) -> Result<&crate::config::Subscription, Reply> {
        let not_found = || problem(404, "SubscriptionNotFound", format!("The subscription '{id}' could not be found."));
        let found = self.state.directory.subscription(id).ok_or_else(not_found)?;
        if !found.tenant.eq_ignore_ascii_case(&self.caller.known.tenant) {
            return Err(problem(
                401,
                "InvalidAuthenticationTokenTenant",
                format!(
                    "The access token is from the wrong issuer. It must match the tenant '{}' associated with this subscription.",
                    found.tenant
                ),
            ));
        }
        Ok(found)
    }

    /// Checks that a role allows the caller an action at a scope.
    fn authorize(&self, action: &str, scope: &str) -> Result<(), Reply> {
        let principal = &self.caller.known.object_id;
        if self.state.assignments.allow(principal, Plane::Control, action, scope) {
            return Ok(());
        }
        Err(self.forbidden(action, scope))
    }

    fn forbidden(&self, action: &str, scope: &str) -> Reply {
        let known = &self.caller.known;
        let client = known.client_id.as_deref().unwrap_or(&known.name);
        let missing = missing_role(Plane::Control, action, scope);
        problem(
            403,
            "AuthorizationFailed",
            format!(
                "The client '{client}' with object id '{}' does not have authorization to perform action '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your credentials. {missing}",
                known.object_id,
            ),
        )
        .note(format!("AuthorizationFailed: {action}. {missing}"))
    }

    fn allows(&self, action: &str, scope: &str) -> bool {
        self.state.assignments.allow(&self.caller.known.object_id, Plane::Control, action, scope)
    }

    /// The body as a JSON object.
    fn body(&self) -> Result<Value, Reply> {
        self.call.json().filter(Value::is_object).ok_or_else(|| {
            problem(
                400,
                "InvalidRequestContent",
                "The request content was invalid and could not be deserialized: it is not a JSON object.",
            )
        })
    }
}
