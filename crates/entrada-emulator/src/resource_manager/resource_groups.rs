//! Resource groups: list, get, create, delete.

use super::groups::Group;
use super::{Reply, Request, not_emulated, problem, subscriptions};
use crate::compute::ComputeKind;
use crate::directory::{identity_resource_id, storage_id, vault_id};
use crate::rbac::covers;
use serde_json::{Map, Value, json};

const READ: &str = "Microsoft.Resources/subscriptions/resourceGroups/read";
const WRITE: &str = "Microsoft.Resources/subscriptions/resourceGroups/write";
const DELETE: &str = "Microsoft.Resources/subscriptions/resourceGroups/delete";

/// Most groups a subscription may have, as in Azure.
const MOST: usize = 980;

/// `GET …/resourcegroups`: those the caller may read.
pub(super) fn list(request: &Request<'_>, subscription: &str) -> Result<Reply, Reply> {
    let subscription = &request.subscription(subscription)?.id;
    let visible: Vec<Value> = request
        .state
        .groups
        .list(subscription)
        .iter()
        .filter(|group| request.allows(READ, &scope(subscription, &group.name)))
        .map(|group| json_of(subscription, group))
        .collect();
    // Without any role here the answer is a refusal, not an empty list.
    if visible.is_empty() {
        request.authorize(READ, &subscriptions::scope(subscription))?;
    }
    Ok(Reply::json(200, &json!({"value": visible})))
}

/// `GET`, `HEAD`, `PUT`, `PATCH` and `DELETE` of one group.
pub(super) fn one(request: &Request<'_>, subscription: &str, name: &str) -> Result<Reply, Reply> {
    let subscription = request.subscription(subscription)?.id.clone();
    let scope = scope(&subscription, name);
    let groups = &request.state.groups;
    let not_found = || problem(404, "ResourceGroupNotFound", format!("Resource group '{name}' could not be found."));
    match request.call.method.as_str() {
        "GET" => {
            request.authorize(READ, &scope)?;
            let group = groups.get(&subscription, name).ok_or_else(not_found)?;
            Ok(Reply::json(200, &json_of(&subscription, &group)))
        }
        "HEAD" => {
            request.authorize(READ, &scope)?;
            Ok(Reply::new(if groups.get(&subscription, name).is_some() { 204 } else { 404 }))
        }
        "PUT" | "PATCH" => {
            request.authorize(WRITE, &scope)?;
            let existing = groups.get(&subscription, name);
            if existing.is_none() && request.call.method == http::Method::PATCH {
                return Err(not_found());
            }
            let group = changed(request, name, existing)?;
            if groups.list(&subscription).len() >= MOST {
                return Err(problem(
                    409,
                    "ResourceGroupQuotaExceeded",
                    format!("A subscription has at most {MOST} resource groups."),
                ));
            }
            let new = groups.put(&subscription, group.clone());
            Ok(Reply::json(if new { 201 } else { 200 }, &json_of(&subscription, &group)))
        }
        "DELETE" => {
            request.authorize(DELETE, &scope)?;
            if holds_resources(request, &scope) {
                return Err(problem(
                    409,
                    "ResourceGroupNotEmpty",
                    format!(
                        "Resource group '{name}' holds resources of the configuration, which the emulator does not delete."
                    ),
                ));
            }
            if !groups.remove(&subscription, name) {
                return Err(not_found());
            }
            Ok(Reply::new(200))
        }
        _ => Err(not_emulated(request.call)),
    }
}

fn changed(request: &Request<'_>, name: &str, existing: Option<Group>) -> Result<Group, Reply> {
    let valid = (1..=90).contains(&name.chars().count())
        && !name.ends_with('.')
        && name.chars().all(|char| char.is_alphanumeric() || matches!(char, '-' | '_' | '.' | '(' | ')'));
    if !valid {
        return Err(problem(
            400,
            "InvalidResourceGroup",
            format!(
                "The provided resource group name '{name}' has these invalid characters or is too long; use up to 90 letters, digits, hyphens, underscores, parentheses and periods, with no period at the end."
            ),
        ));
    }
    let body = request.body()?;
    let location = body["location"].as_str().map(|text| text.to_lowercase().replace(' ', ""));
    let location = match (location, &existing) {
        (Some(location), Some(existing)) if location != existing.location => {
            return Err(problem(
                409,
                "InvalidResourceGroupLocation",
                format!(
                    "Invalid resource group location '{location}'. The resource group already exists in location '{}'.",
                    existing.location
                ),
            ));
        }
        (Some(location), _) => location,
        (None, Some(existing)) => existing.location.clone(),
        (None, None) => {
            return Err(problem(400, "LocationRequired", "The location property is required for this definition."));
        }
    };
    let tags = body["tags"].as_object().cloned().or_else(|| existing.as_ref().map(|group| group.tags.clone()));
    Ok(Group {
        name: existing.map_or_else(|| name.to_owned(), |group| group.name),
        location,
        tags: tags.unwrap_or_else(Map::new),
    })
}

fn holds_resources(request: &Request<'_>, scope: &str) -> bool {
    let config = &request.state.directory.config;
    let mut ids = ComputeKind::ALL
        .into_iter()
        .flat_map(|kind| kind.list(config).iter().map(move |host| kind.id(host)))
        .chain(config.vaults.iter().map(vault_id))
        .chain(config.storage_accounts.iter().map(storage_id))
        .chain(config.identities.iter().map(identity_resource_id));
    ids.any(|id| covers(scope, &id))
}

fn scope(subscription: &str, group: &str) -> String {
    format!("/subscriptions/{subscription}/resourceGroups/{group}")
}

fn json_of(subscription: &str, group: &Group) -> Value {
    json!({
        "id": scope(subscription, &group.name),
        "name": group.name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": group.location,
        "tags": group.tags,
        "properties": {"provisioningState": "Succeeded"},
    })
}
