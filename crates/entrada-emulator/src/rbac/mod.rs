//! Role assignments: who may do what where.

pub(crate) mod roles;

use roles::{Plane, Role};
use std::sync::{PoisonError, RwLock};

/// A role assigned to a principal at a scope.
#[derive(Clone, Debug)]
pub(crate) struct Assignment {
    /// The GUID in its resource id.
    pub(crate) name: String,
    pub(crate) principal: String,
    pub(crate) role: &'static Role,
    pub(crate) scope: String,
    /// Seconds since 1970, UTC.
    pub(crate) created: i64,
}

/// Why a role could not be assigned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AssignError {
    /// The role is not one the emulator knows.
    #[error("`{role}` is not a role the emulator knows; it knows {known}")]
    UnknownRole {
        /// The role asked for.
        role: String,
        /// The names of those there are.
        known: String,
    },
    /// No app, user or managed identity has this object id.
    #[error("no app, user or managed identity has the object id `{principal}`")]
    UnknownPrincipal {
        /// The object id asked for.
        principal: String,
    },
    /// The scope is not a resource id.
    #[error("the scope `{scope}` is not a resource id; it begins with `/subscriptions/…`, or is `/`")]
    InvalidScope {
        /// The scope asked for.
        scope: String,
    },
}

/// All role assignments of a run.
#[derive(Debug, Default)]
pub(crate) struct Assignments(RwLock<Vec<Assignment>>);

impl Assignments {
    /// Adds an assignment, or finds the one that is already there.
    pub(crate) fn add(
        &self,
        principal: &str,
        role: &'static Role,
        scope: &str,
        name: Option<&str>,
    ) -> (Assignment, bool) {
        let scope = normal(scope);
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let existing = all.iter().find(|other| {
            other.principal.eq_ignore_ascii_case(principal)
                && other.role.id == role.id
                && other.scope.eq_ignore_ascii_case(&scope)
        });
        if let Some(existing) = existing {
            return (existing.clone(), false);
        }
        let added = Assignment {
            name: name.map_or_else(|| uuid::Uuid::new_v4().to_string(), str::to_ascii_lowercase),
            principal: principal.to_ascii_lowercase(),
            role,
            scope,
            created: crate::clock::now(),
        };
        all.push(added.clone());
        (added, true)
    }

    /// Removes the assignment of this name.
    pub(crate) fn remove(&self, name: &str) -> Option<Assignment> {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let index = all.iter().position(|other| other.name.eq_ignore_ascii_case(name))?;
        Some(all.remove(index))
    }

    /// Removes every assignment of a principal in force at exactly this scope with this role.
    pub(crate) fn remove_matching(&self, principal: &str, role: &Role, scope: &str) -> usize {
        let scope = normal(scope);
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let before = all.len();
        all.retain(|other| {
            !(other.principal.eq_ignore_ascii_case(principal)
                && other.role.id == role.id
                && other.scope.eq_ignore_ascii_case(&scope))
        });
        before - all.len()
    }

    /// Assignments that satisfy a predicate.
    pub(crate) fn select(&self, wanted: impl Fn(&Assignment) -> bool) -> Vec<Assignment> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter(|assignment| wanted(assignment)).cloned().collect()
    }

    /// Whether a principal may do `action` on the resource `resource`.
    pub(crate) fn allow(&self, principal: &str, plane: Plane, action: &str, resource: &str) -> bool {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.iter().any(|assignment| {
            assignment.principal.eq_ignore_ascii_case(principal)
                && covers(&assignment.scope, resource)
                && assignment.role.allows(plane, action)
        })
    }

    /// Whether a principal has any role at, below or above `resource`.
    pub(crate) fn touch(&self, principal: &str, resource: &str) -> bool {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.iter().any(|assignment| {
            assignment.principal.eq_ignore_ascii_case(principal)
                && (covers(&assignment.scope, resource) || covers(resource, &assignment.scope))
        })
    }
}

/// Whether a scope includes a resource: the same, or above it.
pub(crate) fn covers(scope: &str, resource: &str) -> bool {
    let scope = scope.trim_end_matches('/');
    let resource = resource.trim_end_matches('/');
    resource.len() >= scope.len()
        && resource.is_char_boundary(scope.len())
        && resource[..scope.len()].eq_ignore_ascii_case(scope)
        && (resource.len() == scope.len() || resource.as_bytes()[scope.len()] == b'/')
}

fn normal(scope: &str) -> String {
    let trimmed = scope.trim_end_matches('/');
    if trimmed.is_empty() { "/".into() } else { trimmed.into() }
}

/// The sentence that tells a refused caller which role is missing.
pub(crate) fn missing_role(plane: Plane, action: &str, scope: &str) -> String {
    roles::recommend(plane, action)
        .map_or_else(String::new, |role| format!("The role '{}' at scope '{scope}' would allow it.", role.name))
}

#[cfg(test)]
mod tests {
    use super::{Assignments, covers, missing_role, roles};
    use roles::Plane;

    #[test]
    fn a_scope_covers_itself_and_what_is_below() {
        assert!(covers("/", "/subscriptions/a"));
        assert!(covers("/subscriptions/A", "/subscriptions/a/resourceGroups/g"));
        assert!(!covers("/subscriptions/a", "/subscriptions/ab"));
        assert!(!covers("/subscriptions/a/resourceGroups/g", "/subscriptions/a"));
    }

    #[test]
    fn an_assignment_takes_effect_and_ends() {
        let assignments = Assignments::default();
        let action = "Microsoft.KeyVault/vaults/secrets/getSecret/action";
        let vault = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v";
        let role = roles::find("Key Vault Secrets User").expect("role");
        assert!(!assignments.allow("p", Plane::Data, action, vault));
        let (added, new) = assignments.add("P", role, "/subscriptions/s/", None);
        assert!(new && assignments.allow("p", Plane::Data, action, vault));
        assert!(!assignments.add("p", role, "/subscriptions/s", None).1);
        assert!(assignments.remove(&added.name).is_some());
        assert!(!assignments.allow("p", Plane::Data, action, vault));
        assert!(missing_role(Plane::Data, action, vault).contains("'Key Vault Secrets User'"));
    }
}
