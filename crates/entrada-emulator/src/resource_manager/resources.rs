//! Resources with their identity: what programs run in, user-assigned identities, vaults, storage accounts.

use super::{Reply, Request, not_emulated, problem};
use crate::compute::ComputeKind;
use crate::config::ComputeHost;
use crate::directory::{Kind, identity_resource_id, storage_id, vault_id};
use crate::host_identities::Assigned;
use crate::rbac::covers;
use http::Method;
use serde_json::{Map, Value, json};

const IDENTITIES: &str = "Microsoft.ManagedIdentity/userAssignedIdentities";
const VAULTS: &str = "Microsoft.KeyVault/vaults";
const ACCOUNTS: &str = "Microsoft.Storage/storageAccounts";

/// `GET` of a resource, and `PATCH` or `PUT` of its identity.
pub(super) fn one(request: &Request<'_>, kind: &str, id: &str) -> Result<Reply, Reply> {
    let kind = known_kind(request, kind)?;
    let changes_identity = matches!(request.call.method, Method::PATCH | Method::PUT) && compute_kind(kind).is_some();
    if request.call.method != Method::GET && !changes_identity {
        return Err(not_emulated(request.call));
    }
    request.authorize(&format!("{kind}/{}", if changes_identity { "write" } else { "read" }), id)?;
    let not_found = || {
        let mut parts = id.split('/').rev();
        let (name, group) = (parts.next().unwrap_or_default(), id.split('/').nth(4).unwrap_or_default());
        problem(
            404,
            "ResourceNotFound",
            format!(
                "The Resource '{kind}/{name}' under resource group '{group}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix"
            ),
        )
    };
    let mut resource = all(request, kind).into_iter().find(|resource| same(resource, id)).ok_or_else(not_found)?;
    if changes_identity {
        let host = request.state.directory.host(id).ok_or_else(not_found)?;
        let body = request.body()?;
        if let Some(identity) = body.get("identity").filter(|identity| !identity.is_null()) {
            let assigned = wanted_identities(request, id, identity)?;
            request.state.host_identities.set(id, assigned);
            resource["identity"] = identity_of(request, host, id);
        }
    }
    Ok(Reply::json(200, &resource))
}

/// `GET` of the resources of a kind at a scope.
pub(super) fn list(request: &Request<'_>, kind: &str, scope: &str) -> Result<Reply, Reply> {
    let kind = known_kind(request, kind)?;
    request.authorize(&format!("{kind}/read"), scope)?;
    let found: Vec<Value> = all(request, kind)
        .into_iter()
        .filter(|resource| resource["id"].as_str().is_some_and(|id| covers(scope, id)))
        .collect();
    Ok(Reply::json(200, &json!({"value": found})))
}

fn known_kind(request: &Request<'_>, kind: &str) -> Result<&'static str, Reply> {
    ComputeKind::ALL
        .map(ComputeKind::resource_type)
        .into_iter()
        .chain([IDENTITIES, VAULTS, ACCOUNTS])
        .find(|known| known.eq_ignore_ascii_case(kind))
        .ok_or_else(|| not_emulated(request.call))
}

fn compute_kind(kind: &str) -> Option<ComputeKind> {
    ComputeKind::ALL.into_iter().find(|known| known.resource_type() == kind)
}

fn same(resource: &Value, id: &str) -> bool {
    resource["id"].as_str().is_some_and(|other| other.eq_ignore_ascii_case(id))
}

fn all(request: &Request<'_>, kind: &str) -> Vec<Value> {
    let directory = &request.state.directory;
    let config = &directory.config;
    if let Some(compute) = compute_kind(kind) {
        return compute.list(config).iter().map(|host| computer(request, host, compute)).collect();
    }
    match kind {
        IDENTITIES => config
            .identities
            .iter()
            .map(|identity| {
                let tenant = directory.principal(&identity.object_id).map(|known| known.tenant.clone());
                let properties =
                    json!({"tenantId": tenant, "principalId": identity.object_id, "clientId": identity.client_id});
                plain(&identity_resource_id(identity), &identity.name, kind, properties)
            })
            .collect(),
        VAULTS => config
            .vaults
            .iter()
            .map(|vault| {
                let suffix = directory.cloud_of(&vault.subscription).vault_suffix;
                let tenant = directory.subscription(&vault.subscription).map(|found| found.tenant.clone());
                let properties = json!({
                    "tenantId": tenant,
                    "sku": {"family": "A", "name": "standard"},
                    "enableRbacAuthorization": true,
                    "enableSoftDelete": true,
                    "accessPolicies": [],
                    "vaultUri": format!("https://{}.{suffix}/", vault.name),
                    "provisioningState": "Succeeded",
                });
                plain(&vault_id(vault), &vault.name, kind, properties)
            })
            .collect(),
        _ => config
            .storage_accounts
            .iter()
            .map(|account| {
                let suffix = directory.cloud_of(&account.subscription).storage_suffix;
                let properties = json!({
                    "provisioningState": "Succeeded",
                    "primaryEndpoints": {"blob": format!("https://{}.blob.{suffix}/", account.name)},
                });
                plain(&storage_id(account), &account.name, kind, properties)
            })
            .collect(),
    }
}

fn plain(id: &str, name: &str, kind: &str, properties: Value) -> Value {
    json!({"id": id, "name": name, "type": kind, "location": "westeurope", "tags": {}, "properties": properties})
}

fn computer(request: &Request<'_>, host: &ComputeHost, kind: ComputeKind) -> Value {
    let id = kind.id(host);
    let properties = match kind {
        ComputeKind::WebApp => {
            let suffix = request.state.directory.cloud_of(&host.subscription).web_suffix;
            json!({
                "state": "Running",
                "defaultHostName": format!("{}.{suffix}", host.name),
                "resourceGroup": host.resource_group,
                "kind": "app,linux",
            })
        }
        ComputeKind::VirtualMachine => {
            json!({"provisioningState": "Succeeded", "hardwareProfile": {"vmSize": "Standard_B2s"}})
        }
        ComputeKind::ArcMachine => json!({"provisioningState": "Succeeded", "status": "Connected"}),
        _ => json!({"provisioningState": "Succeeded"}),
    };
    let mut resource = plain(&id, &host.name, kind.resource_type(), properties);
    resource["identity"] = identity_of(request, host, &id);
    resource
}

/// The `identity` of a host.
fn identity_of(request: &Request<'_>, host: &ComputeHost, id: &str) -> Value {
    let directory = &request.state.directory;
    let assigned = request.state.host_identities.of(id);
    let kind = match (assigned.system, assigned.user.is_empty()) {
        (false, true) => return json!({"type": "None"}),
        (true, true) => "SystemAssigned",
        (false, false) => "UserAssigned",
        (true, false) => "SystemAssigned, UserAssigned",
    };
    let mut identity = json!({"type": kind});
    if let Some(known) = directory.identity(id).filter(|_| assigned.system) {
        identity["principalId"] = known.object_id.as_str().into();
        identity["tenantId"] = directory.subscription(&host.subscription).map(|found| found.tenant.clone()).into();
    }
    let user: Map<String, Value> = assigned
        .user
        .iter()
        .filter_map(|object_id| directory.principal(object_id))
        .filter_map(|known| {
            let value = json!({"principalId": known.object_id, "clientId": known.client_id});
            Some((known.resource_id.clone()?, value))
        })
        .collect();
    if !user.is_empty() {
        identity["userAssignedIdentities"] = user.into();
    }
    identity
}

/// Reads the identities a request wants its host to have. A user-assigned one that is named is attached, one
/// whose value is null is detached, and the type decides the rest.
fn wanted_identities(request: &Request<'_>, id: &str, identity: &Value) -> Result<Assigned, Reply> {
    let invalid = |message: String| problem(400, "InvalidIdentityType", message);
    let kind = identity["type"].as_str().ok_or_else(|| invalid("The identity type is missing.".into()))?;
    let kinds: Vec<String> = kind.split(',').map(|part| part.trim().to_ascii_lowercase()).collect();
    if kinds.iter().any(|kind| !matches!(kind.as_str(), "none" | "systemassigned" | "userassigned")) {
        return Err(invalid(format!(
            "The identity type '{kind}' is not valid; use None, SystemAssigned, UserAssigned, or both with a comma."
        )));
    }
    let system = kinds.iter().any(|kind| kind == "systemassigned");
    if !kinds.iter().any(|kind| kind == "userassigned") {
        return Ok(Assigned { system, user: Vec::new() });
    }
    let mut user = request.state.host_identities.of(id).user;
    for (resource_id, value) in identity["userAssignedIdentities"].as_object().into_iter().flatten() {
        let known = request
            .state
            .directory
            .identity(resource_id)
            .filter(|known| {
                known.kind == Kind::ManagedIdentity
                    && resource_id.to_ascii_lowercase().contains("/userassignedidentities/")
            })
            .ok_or_else(|| {
                problem(400, "FailedIdentityOperation", format!("Resource '{resource_id}' was not found."))
            })?;
        user.retain(|other| *other != known.object_id);
        if !value.is_null() {
            request.authorize("Microsoft.ManagedIdentity/userAssignedIdentities/assign/action", resource_id)?;
            user.push(known.object_id.clone());
        }
    }
    Ok(Assigned { system, user })
}
