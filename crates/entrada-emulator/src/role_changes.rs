//! Assigning roles by object id, role name and scope, as tests and the control endpoint do.

use crate::rbac::{AssignError, roles};
use crate::state::State;

/// Assigns a role.
pub(crate) fn assign(state: &State, principal: &str, role: &str, scope: &str) -> Result<(), AssignError> {
    let role = check(state, principal, role, scope)?;
    state.assignments.add(principal, role, scope, None);
    Ok(())
}

/// Takes a role away; whether it had been assigned there.
pub(crate) fn unassign(state: &State, principal: &str, role: &str, scope: &str) -> Result<bool, AssignError> {
    let role = check(state, principal, role, scope)?;
    Ok(state.assignments.remove_matching(principal, role, scope) > 0)
}

fn check(state: &State, principal: &str, role: &str, scope: &str) -> Result<&'static roles::Role, AssignError> {
    if state.directory.principal(principal).is_none() {
        return Err(AssignError::UnknownPrincipal { principal: principal.to_owned() });
    }
    if !scope.starts_with('/') {
        return Err(AssignError::InvalidScope { scope: scope.to_owned() });
    }
    roles::find(role).ok_or_else(|| AssignError::UnknownRole { role: role.to_owned(), known: roles::names() })
}
