//! Blob storage: containers and block blobs, in memory or handed on to another server.

mod blobs;
mod block_list;
mod containers;
mod operation;
mod range;
pub(crate) mod store;
pub(crate) mod upstream;

use crate::call::{Call, Reply};
use crate::clock;
use crate::config::StorageAccount;
use crate::directory::storage_id;
use crate::journal::{CHALLENGE, Service};
use crate::rbac::missing_role;
use crate::resources;
use crate::state::State;
use crate::tokens::{self, Caller, SigningKey};
use operation::Operation;
use quick_xml::escape::partial_escape;

/// Largest request body, in bytes.
pub(crate) const LARGEST_BODY: usize = 128 * 1024 * 1024;

/// The version of the service that answers say they are of, unless the request names one.
const VERSION: &str = "2025-11-05";

/// Whether a text can be the name of a container.
pub(crate) fn is_container_name(name: &str) -> bool {
    if matches!(name, "$root" | "$web" | "$logs") {
        return true;
    }
    (3..=63).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--")
}

/// A refusal in storage's form. [`answer`] completes the message with the request's id and time.
fn problem(status: u16, code: &str, message: impl Into<String>) -> Reply {
    let message = message.into();
    Reply::new(status)
        .header("x-ms-error-code", code)
        .note(format!("{code}: {}", message.lines().next().unwrap_or_default()))
        .body(message)
}

/// Answers a request sent to the blob endpoint of an account.
pub(crate) async fn answer(state: &State, key: &SigningKey, call: &Call) -> Reply {
    let request_id = uuid::Uuid::new_v4().to_string();
    let reply = match admit(state, key, call) {
        Ok((operation, account, caller)) => {
            let reply = match &state.upstream {
                Some(upstream) => upstream.forward(call).await,
                None => finish(operation.run(state, account, call).unwrap_or_else(|reply| reply), call, &request_id),
            };
            reply.principal(caller.known.shown(), &caller.audience)
        }
        Err(reply) => finish(reply, call, &request_id),
    };
    let reply = reply
        .header("server", "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0")
        .header("x-ms-version", call.header("x-ms-version").unwrap_or(VERSION));
    let reply =
        if reply.headers.contains_key("x-ms-request-id") { reply } else { reply.header("x-ms-request-id", request_id) };
    match call.header("x-ms-client-request-id") {
        Some(id) => reply.header("x-ms-client-request-id", id),
        None => reply,
    }
}

/// Writes the body of a refusal.
fn finish(reply: Reply, call: &Call, request_id: &str) -> Reply {
    let Some(code) = reply.headers.get("x-ms-error-code").and_then(|code| code.to_str().ok()).map(str::to_owned) else {
        return reply;
    };
    if call.method == http::Method::HEAD || reply.status == http::StatusCode::NOT_MODIFIED {
        return reply.body("");
    }
    let message = String::from_utf8_lossy(&reply.body).into_owned();
    let xml = format!(
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>{}\nRequestId:{request_id}\nTime:{}</Message></Error>",
        partial_escape(message.as_str()),
        clock::iso_time(clock::now()),
    );
    reply.header("content-type", "application/xml").body(xml)
}

/// Checks token and role, and says what the request asks for.
fn admit<'a>(
    state: &'a State,
    key: &SigningKey,
    call: &Call,
) -> Result<(Operation, &'a StorageAccount, Caller), Reply> {
    let account = state
        .directory
        .storage_at(&call.host)
        .ok_or_else(|| problem(404, "ResourceNotFound", "There is no such storage account."))?;
    let caller = authenticate(state, key, account, call)?;
    let operation = Operation::of(call)?;
    let account_id = storage_id(account);
    let (plane, action) = operation.permission();
    let scope = match operation.container() {
        Some(name) => format!("{account_id}/blobServices/default/containers/{name}"),
        None => account_id.clone(),
    };
    if !state.assignments.allow(&caller.known.object_id, plane, action, &scope) {
        let missing = missing_role(plane, action, &account_id);
        let message =
            format!("This request is not authorized to perform this operation using this permission. {missing}");
        return Err(problem(403, "AuthorizationPermissionMismatch", message)
            .note(format!("AuthorizationPermissionMismatch: {action}. {missing}"))
            .principal(caller.known.shown(), &caller.audience));
    }
    Ok((operation, account, caller))
}

fn authenticate(state: &State, key: &SigningKey, account: &StorageAccount, call: &Call) -> Result<Caller, Reply> {
    let names = state.directory.cloud_of(&account.subscription);
    let tenant = state.directory.subscription(&account.subscription).map_or("", |found| found.tenant.as_str());
    let challenge = format!(
        "Bearer authorization_uri=https://{}/{tenant}/oauth2/authorize resource_id=https://storage.azure.com",
        names.authority
    );
    let keyed = call.header("authorization").is_some_and(|header| header.to_ascii_lowercase().starts_with("sharedkey"));
    if keyed || call.parameter("sig").is_some() {
        return Err(problem(
            403,
            "KeyBasedAuthenticationNotPermitted",
            "Key based authentication is not permitted on this storage account. The emulator takes bearer tokens only.",
        ));
    }
    let Some(token) = call.bearer() else {
        return Err(problem(
            401,
            "NoAuthenticationInformation",
            "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.",
        )
        .header("www-authenticate", challenge)
        .note(CHALLENGE));
    };
    if call.header("x-ms-version").is_none_or(|version| version < "2017-11-09") {
        return Err(problem(
            403,
            "AuthenticationFailed",
            "Server failed to authenticate the request. Authentication scheme Bearer is not supported in this version; send x-ms-version 2017-11-09 or later.",
        ));
    }
    let refuse = |detail: String| {
        problem(
            401,
            "InvalidAuthenticationInfo",
            format!("Server failed to authenticate the request. Please refer to the information in the www-authenticate header. {detail}"),
        )
        .header("www-authenticate", &challenge)
        .note(format!("InvalidAuthenticationInfo: {detail}"))
    };
    let caller = tokens::verify(key, &state.directory, token, &resources::blob_audiences(&call.host))
        .map_err(|error| refuse(format!("AuthenticationErrorDetail: {error}.")))?;
    if !caller.known.tenant.eq_ignore_ascii_case(tenant) {
        return Err(refuse("AuthenticationErrorDetail: Issuer validation failed. Issuer did not match.".into()));
    }
    match state.demand(Service::Blob, &caller) {
        None => Ok(caller),
        Some(demand) if demand.can_be_met => Err(demand.challenge(refuse(demand.text()), names.authority, &caller)),
        Some(demand) => Err(refuse("AuthenticationErrorDetail: the token was revoked.".into()).note(demand.note())),
    }
}

#[cfg(test)]
mod tests {
    use super::is_container_name;

    #[test]
    fn container_names() {
        assert!(is_container_name("orders") && is_container_name("a-1") && is_container_name("$web"));
        for bad in ["ab", "Orders", "-abc", "abc-", "a--b", "a_b", &"a".repeat(64)] {
            assert!(!is_container_name(bad), "{bad}");
        }
    }
}
