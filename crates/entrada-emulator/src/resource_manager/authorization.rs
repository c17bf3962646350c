//! `Microsoft.Authorization`: role definitions and role assignments.

use super::{Reply, Request, not_emulated, problem};
use crate::clock;
use crate::directory::Kind;
use crate::rbac::{Assignment, covers, roles};
use crate::resource_manager::subscriptions;
use serde_json::{Value, json};

const READ: &str = "Microsoft.Authorization/roleAssignments/read";
const WRITE: &str = "Microsoft.Authorization/roleAssignments/write";
const DELETE: &str = "Microsoft.Authorization/roleAssignments/delete";
const READ_DEFINITIONS: &str = "Microsoft.Authorization/roleDefinitions/read";

/// Most role assignments of a run, as in a subscription of Azure.
const MOST: usize = 4_000;

/// Answers a request about roles, at any scope; none when the path is about something else.
pub(super) fn route(request: &Request<'_>, segments: &[String]) -> Result<Option<Reply>, Reply> {
    let Some(at) = segments.windows(2).rposition(|pair| {
        pair[0].eq_ignore_ascii_case("providers") && pair[1].eq_ignore_ascii_case("Microsoft.Authorization")
    }) else {
        return Ok(None);
    };
    let scope = format!("/{}", segments[..at].join("/"));
    if let [first, id, ..] = segments
        && first.eq_ignore_ascii_case("subscriptions")
        && at >= 2
    {
        request.subscription(id)?;
    }
    let kind = segments.get(at + 2).map(|kind| kind.to_ascii_lowercase()).unwrap_or_default();
    let name = segments.get(at + 3).map(String::as_str);
    match (request.call.method.as_str(), kind.as_str(), name) {
        ("GET", "roledefinitions", None) => definitions(request, &scope),
        ("GET", "roledefinitions", Some(id)) => definition(request, &scope, id),
        ("GET", "roleassignments", None) => list(request, &scope),
        ("GET", "roleassignments", Some(name)) => get(request, &scope, name),
        ("PUT", "roleassignments", Some(name)) => put(request, &scope, name),
        ("DELETE", "roleassignments", Some(name)) => delete(request, &scope, name),
        _ => Err(not_emulated(request.call)),
    }
    .map(Some)
}

/// A comparison in an OData filter: `field eq 'value'`.
fn compared(filter: &str, field: &str) -> Option<String> {
    let at = filter.to_ascii_lowercase().find(&format!("{} eq ", field.to_ascii_lowercase()))?;
    quoted(&filter[at..])
}

fn quoted(text: &str) -> Option<String> {
    let (_, rest) = text.split_once('\'')?;
    rest.split_once('\'').map(|(value, _)| value.to_owned())
}

fn definitions(request: &Request<'_>, scope: &str) -> Result<Reply, Reply> {
    request.authorize(READ_DEFINITIONS, scope)?;
    let wanted = request.call.parameter("$filter").and_then(|filter| compared(filter, "roleName"));
    let found: Vec<Value> = roles::ROLES
        .iter()
        .filter(|role| wanted.as_deref().is_none_or(|name| role.name.eq_ignore_ascii_case(name)))
        .map(|role| definition_json(role, scope))
        .collect();
    Ok(Reply::json(200, &json!({"value": found})))
}

fn definition(request: &Request<'_>, scope: &str, id: &str) -> Result<Reply, Reply> {
    request.authorize(READ_DEFINITIONS, scope)?;
    let role = roles::ROLES.iter().find(|role| role.id.eq_ignore_ascii_case(id)).ok_or_else(|| unknown_role(id))?;
    Ok(Reply::json(200, &definition_json(role, scope)))
}

fn unknown_role(id: &str) -> Reply {
    problem(
        404,
        "RoleDefinitionDoesNotExist",
        format!("The specified role definition with ID '{id}' does not exist. The emulator knows {}.", roles::names()),
    )
}

fn list(request: &Request<'_>, scope: &str) -> Result<Reply, Reply> {
    request.authorize(READ, scope)?;
    let filter = request.call.parameter("$filter").unwrap_or_default().to_owned();
    let principal = compared(&filter, "principalId").or_else(|| {
        let lower = filter.to_ascii_lowercase();
        lower.find("assignedto(").and_then(|at| quoted(&filter[at..]))
    });
    let at_scope = filter.to_ascii_lowercase().contains("atscope()");
    let found: Vec<Value> = request
        .state
        .assignments
        .select(|assignment| {
            let above = covers(&assignment.scope, scope);
            let below = !at_scope && covers(scope, &assignment.scope);
            (above || below) && principal.as_deref().is_none_or(|id| assignment.principal.eq_ignore_ascii_case(id))
        })
        .iter()
        .map(|assignment| json_of(request, assignment))
        .collect();
    Ok(Reply::json(200, &json!({"value": found})))
}

fn get(request: &Request<'_>, scope: &str, name: &str) -> Result<Reply, Reply> {
    request.authorize(READ, scope)?;
    let found = request.state.assignments.select(|assignment| assignment.name.eq_ignore_ascii_case(name));
    found
        .first()
        .map(|assignment| Reply::json(200, &json_of(request, assignment)))
        .ok_or_else(|| problem(404, "RoleAssignmentNotFound", format!("The role assignment '{name}' is not found.")))
}

fn put(request: &Request<'_>, scope: &str, name: &str) -> Result<Reply, Reply> {
    request.authorize(WRITE, scope)?;
    if uuid::Uuid::try_parse(name).is_err() {
        return Err(problem(
            400,
            "InvalidRoleAssignmentId",
            format!("The role assignment ID '{name}' is not valid. The role assignment ID must be a GUID."),
        ));
    }
    let body = request.body()?;
    let properties = &body["properties"];
    let text = |field: &str| {
        properties[field].as_str().filter(|value| !value.is_empty()).ok_or_else(|| {
            problem(
                400,
                "InvalidRequestContent",
                format!("The request content was invalid: properties.{field} is missing or not a text."),
            )
        })
    };
    let (role_id, principal) = (text("roleDefinitionId")?, text("principalId")?);
    let role = roles::ROLES
        .iter()
        .find(|role| role_id.rsplit('/').next().is_some_and(|id| role.id.eq_ignore_ascii_case(id)))
        .ok_or_else(|| unknown_role(role_id))?;
    let known = request
        .state
        .directory
        .principal(principal)
        .filter(|known| known.tenant.eq_ignore_ascii_case(&request.caller.known.tenant));
    if known.is_none() {
        return Err(problem(
            400,
            "PrincipalNotFound",
            format!(
                "Principal {principal} does not exist in the directory {}. Check that you have the correct principal ID.",
                request.caller.known.tenant
            ),
        ));
    }
    if request.state.assignments.select(|_| true).len() >= MOST {
        return Err(problem(
            400,
            "RoleAssignmentLimitExceeded",
            format!("No more role assignments can be created: there are {MOST}."),
        ));
    }
    let same_name = request.state.assignments.select(|other| other.name.eq_ignore_ascii_case(name));
    if let Some(other) = same_name.first() {
        if other.principal.eq_ignore_ascii_case(principal)
            && other.role.id == role.id
            && other.scope.eq_ignore_ascii_case(scope)
        {
            return Ok(Reply::json(200, &json_of(request, other)));
        }
        return Err(problem(
            409,
            "RoleAssignmentUpdateNotPermitted",
            "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
        ));
    }
    let (assignment, new) = request.state.assignments.add(principal, role, scope, Some(name));
    if !new {
        return Err(problem(409, "RoleAssignmentExists", "The role assignment already exists."));
    }
    Ok(Reply::json(201, &json_of(request, &assignment)))
}

fn delete(request: &Request<'_>, scope: &str, name: &str) -> Result<Reply, Reply> {
    request.authorize(DELETE, scope)?;
    match request.state.assignments.remove(name) {
        Some(removed) => Ok(Reply::json(200, &json_of(request, &removed))),
        None => Ok(Reply::new(204)),
    }
}

fn json_of(request: &Request<'_>, assignment: &Assignment) -> Value {
    let kind = match request.state.directory.principal(&assignment.principal).map(|known| known.kind) {
        Some(Kind::User) => "User",
        _ => "ServicePrincipal",
    };
    let scope = if assignment.scope == "/" { "" } else { &assignment.scope };
    let time = clock::iso_time(assignment.created);
    let subscription = assignment.scope.split('/').nth(2).unwrap_or_default();
    json!({
        "id": format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{}", assignment.name),
        "type": "Microsoft.Authorization/roleAssignments",
        "name": assignment.name,
        "properties": {
            "roleDefinitionId": definition_id(assignment.role, &subscriptions::scope(subscription)),
            "principalId": assignment.principal,
            "principalType": kind,
            "scope": assignment.scope,
            "condition": null,
            "conditionVersion": null,
            "createdOn": time,
            "updatedOn": time,
        },
    })
}

fn definition_id(role: &roles::Role, scope: &str) -> String {
    let scope = if scope.len() > "/subscriptions/".len() { scope } else { "" };
    format!("{scope}/providers/Microsoft.Authorization/roleDefinitions/{}", role.id)
}

fn definition_json(role: &roles::Role, scope: &str) -> Value {
    let subscription: Vec<&str> = scope.split('/').take(3).collect();
    json!({
        "id": definition_id(role, &subscription.join("/")),
        "type": "Microsoft.Authorization/roleDefinitions",
        "name": role.id,
        "properties": {
            "roleName": role.name,
            "type": "BuiltInRole",
            "description": "",
            "assignableScopes": ["/"],
            "permissions": [{
                "actions": role.actions,
                "notActions": role.not_actions,
                "dataActions": role.data_actions,
                "notDataActions": [],
            }],
        },
    })
}

#[cfg(test)]
mod tests {
    use super::compared;

    #[test]
    fn filters_are_read() {
        assert_eq!(
            compared("roleName eq 'Key Vault Secrets User'", "roleName").as_deref(),
            Some("Key Vault Secrets User")
        );
        assert_eq!(compared("atScope() and principalId eq 'p'", "principalId").as_deref(), Some("p"));
        assert_eq!(compared("atScope()", "principalId"), None);
    }
}
