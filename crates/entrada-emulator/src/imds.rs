//! The instance metadata service of a virtual machine: tokens and a little instance metadata.

use crate::call::{Call, Reply};
use crate::config::ComputeHost;
use crate::directory::machine_id;
use crate::managed_identity::{self, NoIdentity, Wanted};
use crate::state::State;
use crate::tokens::SigningKey;
use http::Method;
use serde_json::{Value, json};

/// The address that every virtual machine finds its metadata service at.
pub(crate) const ADDRESS: &str = "169.254.169.254";

const SERVER: &str = "IMDS/150.870.65.1854";

/// The api-version tokens are served from on.
const FIRST_TOKEN_VERSION: &str = "2018-02-01";

/// The newest api-versions, as the service lists them to a request without a good one.
const NEWEST: [&str; 3] = ["2025-04-07", "2024-07-17", "2024-03-15"];

/// Parameters of the token endpoint.
const PARAMETERS: [&str; 6] = ["api-version", "resource", "client_id", "object_id", "msi_res_id", "mi_res_id"];

/// Answers a request to the metadata service.
pub(crate) fn answer(state: &State, key: &SigningKey, call: &Call) -> Reply {
    route(state, key, call).unwrap_or_else(|reply| reply).header("server", SERVER)
}

fn route(state: &State, key: &SigningKey, call: &Call) -> Result<Reply, Reply> {
    let path = call.path.trim_end_matches('/').to_ascii_lowercase();
    if call.header("x-forwarded-for").is_some() {
        return Err(refusal(400, "invalid_request", "Request header X-Forwarded-For is not allowed"));
    }
    let has_header = call.header("metadata").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    if !has_header {
        return Err(refusal(400, "bad_request_102", "Required metadata header not specified"));
    }
    match path.as_str() {
        "/metadata/identity/oauth2/token" => token(state, key, call),
        "/metadata/instance" | "/metadata/instance/compute" => instance(state, call, &path),
        _ => Err(Reply::json(404, &json!({"error": "Not found"})).note("no such path")),
    }
}

/// An error of the token endpoint.
fn refusal(status: u16, error: &str, description: &str) -> Reply {
    Reply::json(status, &json!({"error": error, "error_description": description}))
        .note(format!("{error}: {description}"))
}

fn check_method_and_version(call: &Call, first: &str) -> Result<(), Reply> {
    if call.method != Method::GET {
        return Err(Reply::json(405, &json!({"error": "Method not allowed"}))
            .header("allow", "GET")
            .note("method not allowed"));
    }
    let is_date = |text: &str| {
        text.len() == 10
            && text.bytes().enumerate().all(|(index, byte)| match index {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            })
    };
    match call.parameter("api-version") {
        Some(version) if is_date(version) && version >= first && version <= NEWEST[0] => Ok(()),
        _ => Err(Reply::json(400, &json!({
            "error": "Bad request. api-version is invalid or was not specified in the request. For more information refer to aka.ms/azureimds",
            "newest-versions": NEWEST,
        }))
        .note("api-version is invalid or missing")),
    }
}

fn token(state: &State, key: &SigningKey, call: &Call) -> Result<Reply, Reply> {
    check_method_and_version(call, FIRST_TOKEN_VERSION)?;
    for name in PARAMETERS {
        if call.query.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name)).count() > 1 {
            return Err(refusal(400, "invalid_request", &format!("Duplicate parameter '{name}' in the request")));
        }
    }
    let given = |name: &str| call.parameter(name).filter(|value| !value.is_empty());
    let resource = given("resource")
        .ok_or_else(|| refusal(400, "invalid_request", "Required query variable 'resource' is missing"))?;
    let chosen: Vec<Wanted<'_>> = [
        given("client_id").map(Wanted::ClientId),
        given("object_id").map(Wanted::ObjectId),
        given("msi_res_id").or_else(|| given("mi_res_id")).map(Wanted::ResourceId),
    ]
    .into_iter()
    .flatten()
    .collect();
    let wanted = match chosen.as_slice() {
        [] => Wanted::Any,
        [one] => *one,
        _ => {
            return Err(refusal(
                400,
                "invalid_request",
                "Only one of 'client_id', 'object_id' and 'msi_res_id' may be specified in the request",
            ));
        }
    };
    let not_found = || refusal(400, "invalid_request", "Identity not found");
    let machine = state.directory.inner_machine().ok_or_else(not_found)?;
    let identity = managed_identity::choose(state, &machine_id(machine), wanted).map_err(|reason| match reason {
        NoIdentity::NotFound => not_found(),
        NoIdentity::Several => refusal(
            400,
            "invalid_request",
            "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request",
        ),
    })?;
    let audience = managed_identity::audience(state, identity, resource).ok_or_else(|| {
        refusal(
            400,
            "invalid_resource",
            &format!(
                "AADSTS500011: The resource principal named {resource} was not found in the tenant named {}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.",
                managed_identity::tenant_of(identity)
            ),
        )
    })?;
    let (issued, lifetime) = managed_identity::issue(state, key, call, identity, &audience)
        .ok_or_else(|| refusal(500, "unknown", "Failed to retrieve token from the Active directory."))?;
    let mut body = json!({
        "access_token": issued.token,
        "client_id": identity.client_id,
        "expires_in": lifetime.to_string(),
        "expires_on": issued.expires_on.to_string(),
        "ext_expires_in": lifetime.to_string(),
        "not_before": issued.not_before.to_string(),
        "resource": resource,
        "token_type": "Bearer",
    });
    if let (Some(shape), Some(fields)) = (&call.token_shape, body.as_object_mut()) {
        shape.apply(fields);
    }
    let mut reply = Reply::json(200, &body).principal(identity.shown(), &audience.value);
    reply.trail.grant = Some("managed_identity");
    Ok(reply)
}

fn instance(state: &State, call: &Call, path: &str) -> Result<Reply, Reply> {
    check_method_and_version(call, "2017-04-02")?;
    let machine = state
        .directory
        .inner_machine()
        .ok_or_else(|| Reply::json(404, &json!({"error": "Not found"})).note("no virtual machine"))?;
    let compute = compute(state, machine);
    let body = if path.ends_with("/compute") {
        compute
    } else {
        json!({"compute": compute, "network": {"interface": [{
            "ipv4": {"ipAddress": [{"privateIpAddress": "10.0.0.4", "publicIpAddress": ""}],
                     "subnet": [{"address": "10.0.0.0", "prefix": "24"}]},
            "ipv6": {"ipAddress": []},
            "macAddress": "000D3A000001",
        }]}})
    };
    Ok(Reply::json(200, &body))
}

fn compute(state: &State, machine: &ComputeHost) -> Value {
    let cloud = match state.directory.cloud_of(&machine.subscription).cloud {
        crate::cloud::Cloud::Public => "AzurePublicCloud",
        crate::cloud::Cloud::UsGovernment => "AzureUSGovernmentCloud",
        crate::cloud::Cloud::China => "AzureChinaCloud",
    };
    json!({
        "azEnvironment": cloud,
        "location": "westeurope",
        "name": machine.name,
        "osType": "Linux",
        "resourceGroupName": machine.resource_group,
        "resourceId": machine_id(machine),
        "subscriptionId": machine.subscription,
        "vmId": "d0000000-0000-4000-8000-000000000001",
        "vmSize": "Standard_B2s",
    })
}
