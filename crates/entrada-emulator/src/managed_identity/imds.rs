//! The instance metadata service of a virtual machine: tokens and a little instance metadata.

use super::Request;
use super::metadata_query::{self, PATH};
use super::throttle::Place;
use crate::call::{Call, Reply};
use crate::compute::ComputeKind;
use crate::config::ComputeHost;
use crate::faults::ExpiryType;
use crate::host::Host;
use crate::state::State;
use http::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

/// The address that every virtual machine finds its metadata service at.
pub(crate) const ADDRESS: &str = "169.254.169.254";

const SERVER: &str = "IMDS/150.870.65.1854";

/// The api-version tokens are served from on.
const FIRST_TOKEN_VERSION: &str = "2018-02-01";

/// The newest api-versions, as the service lists them to a request without a good one.
const NEWEST: [&str; 3] = ["2025-04-07", "2024-07-17", "2024-03-15"];

/// Lets a request in, if the limits allow it. Only those that could get a token count: a probe without the header does
/// not.
pub(crate) fn admit<'a>(state: &'a State, call: &Call) -> Result<Option<Place<'a>>, Reply> {
    if !call.path.trim_end_matches('/').eq_ignore_ascii_case(PATH) || !has_header(call) {
        return Ok(None);
    }
    state.throttle.enter(Instant::now()).map(Some).map_err(|which| {
        refusal(429, "invalid_request", "Temporarily throttled, too many requests").header("server", SERVER).note(which)
    })
}

fn has_header(call: &Call) -> bool {
    call.header("metadata").is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// Answers a request to the metadata service.
pub(super) fn answer(request: &Request<'_>) -> Reply {
    route(request).unwrap_or_else(|reply| reply).header("server", SERVER)
}

fn route(request: &Request<'_>) -> Result<Reply, Reply> {
    let call = request.call;
    let path = call.path.trim_end_matches('/').to_ascii_lowercase();
    if call.header("x-forwarded-for").is_some() {
        return Err(refusal(400, "invalid_request", "Request header X-Forwarded-For is not allowed"));
    }
    if !has_header(call) {
        return Err(refusal(400, "bad_request_102", "Required metadata header not specified"));
    }
    match path.as_str() {
        PATH => token(request),
        // A container group has the token endpoint and no more.
        _ if path.starts_with("/metadata/instance") && request.host == Host::VirtualMachine => instance(request, &path),
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

fn token(request: &Request<'_>) -> Result<Reply, Reply> {
    check_method_and_version(request.call, FIRST_TOKEN_VERSION)?;
    let (resource, wanted) = metadata_query::read(request, refusal)?;
    let granted = request.token(wanted, resource).map_err(|reason| metadata_query::no_token(reason, refusal))?;
    let mut body = metadata_query::body(&granted, resource);
    body["client_id"] = granted.identity.client_id.clone().into();
    Ok(request.reply(&granted, body, ExpiryType::Text))
}

fn instance(request: &Request<'_>, path: &str) -> Result<Reply, Reply> {
    let state = request.state;
    check_method_and_version(request.call, "2017-04-02")?;
    let machine = ComputeKind::VirtualMachine
        .inner(&state.directory.config)
        .ok_or_else(|| Reply::json(404, &json!({"error": "Not found"})).note("no virtual machine"))?;
    let all = json!({"compute": compute(state, machine), "network": {"interface": [{
        "ipv4": {"ipAddress": [{"privateIpAddress": "10.0.0.4", "publicIpAddress": ""}],
                 "subnet": [{"address": "10.0.0.0", "prefix": "24"}]},
        "ipv6": {"ipAddress": []},
        "macAddress": "000D3A000001",
    }]}});
    let not_found = || Reply::json(404, &json!({"error": "Not found"})).note("no such path");
    let mut found = &all;
    for name in path.split('/').skip(3) {
        let named = |(key, _): &(&String, &Value)| key.eq_ignore_ascii_case(name);
        found = found
            .as_object()
            .and_then(|object| object.iter().find(named))
            .map(|(_, value)| value)
            .ok_or_else(not_found)?;
    }
    let as_text = call_wants_text(request.call);
    match found {
        // What is no object is given as text, and only when it is asked for as text.
        Value::String(text) if as_text => Ok(Reply::text(200, text.as_str())),
        Value::Object(object) if as_text => {
            let names: Vec<String> = object
                .iter()
                .map(|(name, value)| format!("{name}{}", if value.is_string() { "" } else { "/" }))
                .collect();
            Ok(Reply::text(200, names.join("\n")))
        }
        Value::String(_) => Err(Reply::json(400, &json!({
            "error": "Bad request. The requested format is not supported for this path; ask for a leaf with format=text.",
        }))
        .note("a leaf is given with format=text only")),
        other => Ok(Reply::json(200, other)),
    }
}

fn call_wants_text(call: &Call) -> bool {
    call.parameter("format").is_some_and(|format| format.eq_ignore_ascii_case("text"))
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
        "resourceId": ComputeKind::VirtualMachine.id(machine),
        "subscriptionId": machine.subscription,
        "vmId": "d0000000-0000-4000-8000-000000000001",
        "vmSize": "Standard_B2s",
    })
}
