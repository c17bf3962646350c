//! Azure's built-in roles that the emulator knows, with the permissions it can check.

/// A role definition.
#[derive(Debug)]
pub(crate) struct Role {
    /// The GUID Azure gives it in every tenant.
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) actions: &'static [&'static str],
    pub(crate) not_actions: &'static [&'static str],
    pub(crate) data_actions: &'static [&'static str],
}

/// Every role, the least powerful first: the first that allows an action is the one to recommend.
pub(crate) const ROLES: &[Role] = &[
    Role {
        id: "4633458b-17de-408a-b874-0445c86b69e6",
        name: "Key Vault Secrets User",
        actions: &[],
        not_actions: &[],
        data_actions: &[
            "Microsoft.KeyVault/vaults/secrets/getSecret/action",
            "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
        ],
    },
    Role {
        id: "21090545-7ca7-4776-b22c-e363652d74d2",
        name: "Key Vault Reader",
        actions: &["Microsoft.KeyVault/vaults/read"],
        not_actions: &[],
        data_actions: &["Microsoft.KeyVault/vaults/*/read", "Microsoft.KeyVault/vaults/secrets/readMetadata/action"],
    },
    Role {
        id: "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
        name: "Key Vault Secrets Officer",
        actions: &["Microsoft.KeyVault/vaults/read"],
        not_actions: &[],
        data_actions: &["Microsoft.KeyVault/vaults/secrets/*"],
    },
    Role {
        id: "00482a5a-887f-4fb3-b363-3b7fe8e74483",
        name: "Key Vault Administrator",
        actions: &["Microsoft.KeyVault/vaults/read"],
        not_actions: &[],
        data_actions: &["Microsoft.KeyVault/vaults/*"],
    },
    Role {
        id: "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
        name: "Storage Blob Data Reader",
        actions: &["Microsoft.Storage/storageAccounts/blobServices/containers/read"],
        not_actions: &[],
        data_actions: &["Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"],
    },
    Role {
        id: "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
        name: "Storage Blob Data Contributor",
        actions: &[
            "Microsoft.Storage/storageAccounts/blobServices/containers/delete",
            "Microsoft.Storage/storageAccounts/blobServices/containers/read",
            "Microsoft.Storage/storageAccounts/blobServices/containers/write",
        ],
        not_actions: &[],
        data_actions: &[
            "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/delete",
            "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read",
            "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write",
            "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action",
        ],
    },
    Role {
        id: "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
        name: "Storage Blob Data Owner",
        actions: &["Microsoft.Storage/storageAccounts/blobServices/containers/*"],
        not_actions: &[],
        data_actions: &["Microsoft.Storage/storageAccounts/blobServices/containers/blobs/*"],
    },
    Role {
        id: "acdd72a7-3385-48ef-bd42-f606fba81ae7",
        name: "Reader",
        actions: &["*/read"],
        not_actions: &[],
        data_actions: &[],
    },
    Role {
        id: "f1a07417-d97a-45cb-824c-7a7467783830",
        name: "Managed Identity Operator",
        actions: &[
            "Microsoft.ManagedIdentity/userAssignedIdentities/read",
            "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
        ],
        not_actions: &[],
        data_actions: &[],
    },
    Role {
        id: "b24988ac-6180-42a0-ab88-20f7382dd24c",
        name: "Contributor",
        actions: &["*"],
        not_actions: &["Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write"],
        data_actions: &[],
    },
    Role {
        id: "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
        name: "User Access Administrator",
        actions: &["*/read", "Microsoft.Authorization/*"],
        not_actions: &[],
        data_actions: &[],
    },
    Role {
        id: "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
        name: "Role Based Access Control Administrator",
        actions: &[
            "*/read",
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Authorization/roleAssignments/delete",
        ],
        not_actions: &[],
        data_actions: &[],
    },
    Role {
        id: "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
        name: "Owner",
        actions: &["*"],
        not_actions: &[],
        data_actions: &[],
    },
];

/// Finds a role by name, GUID or resource id, in any case.
pub(crate) fn find(role: &str) -> Option<&'static Role> {
    let last = role.rsplit('/').next().unwrap_or(role);
    ROLES.iter().find(|known| known.name.eq_ignore_ascii_case(role) || known.id.eq_ignore_ascii_case(last))
}

/// The names of all roles, for an error message.
pub(crate) fn names() -> String {
    let names: Vec<_> = ROLES.iter().map(|role| role.name).collect();
    names.join(", ")
}

/// Whether a permission is for the control plane or for data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plane {
    Control,
    Data,
}

impl Role {
    /// Whether the role, where it is assigned, allows `action`.
    pub(crate) fn allows(&self, plane: Plane, action: &str) -> bool {
        let (granted, withheld) = match plane {
            Plane::Control => (self.actions, self.not_actions),
            Plane::Data => (self.data_actions, &[][..]),
        };
        granted.iter().any(|pattern| matches(pattern, action))
            && !withheld.iter().any(|pattern| matches(pattern, action))
    }
}

/// The least powerful role that allows `action`.
pub(crate) fn recommend(plane: Plane, action: &str) -> Option<&'static Role> {
    ROLES.iter().find(|role| role.allows(plane, action))
}

/// Compares an action with a pattern in which `*` stands for any text, ignoring case.
fn matches(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.to_ascii_lowercase(), action.to_ascii_lowercase());
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = action.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<_> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::{Plane, find, matches, recommend};

    #[test]
    fn patterns() {
        assert!(matches("*", "a/b"));
        assert!(matches("*/read", "Microsoft.Web/sites/READ"));
        assert!(!matches("*/read", "Microsoft.Web/sites/write"));
        assert!(matches("a/*/c", "A/b/C") && !matches("a/*/c", "a/b/d"));
        assert!(matches("a/b", "a/b") && !matches("a/b", "a/bc"));
    }

    #[test]
    fn contributors_cannot_assign_roles_and_owners_cannot_read_secrets() {
        let assign = "Microsoft.Authorization/roleAssignments/write";
        assert!(!find("Contributor").expect("role").allows(Plane::Control, assign));
        assert!(find("owner").expect("role").allows(Plane::Control, assign));
        let get = "Microsoft.KeyVault/vaults/secrets/getSecret/action";
        assert!(!find("Owner").expect("role").allows(Plane::Data, get));
        assert_eq!(recommend(Plane::Data, get).expect("role").name, "Key Vault Secrets User");
    }

    #[test]
    fn roles_are_found_by_resource_id() {
        let id =
            "/subscriptions/x/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7";
        assert_eq!(find(id).expect("role").name, "Reader");
    }
}
