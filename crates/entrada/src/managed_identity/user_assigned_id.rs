//! Which user-assigned identity is meant.

use crate::entra::check_client_id;
use crate::error::Error;

/// A user-assigned managed identity, by one of its three names.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserAssignedId {
    /// The client id of its service principal, a GUID.
    ClientId(String),
    /// The object id of its service principal (principal id), a GUID.
    ObjectId(String),
    /// Its id in Resource Manager:
    /// `/subscriptions/…/resourceGroups/…/providers/Microsoft.ManagedIdentity/userAssignedIdentities/…`.
    ResourceId(String),
}

impl UserAssignedId {
    /// The kind of name, and the name.
    pub(crate) fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::ClientId(id) => ("client id", id),
            Self::ObjectId(id) => ("object id", id),
            Self::ResourceId(id) => ("resource id", id),
        }
    }

    /// Refuses what cannot be such a name.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let next =
            "`az identity show --query \"{clientId:clientId, objectId:principalId, resourceId:id}\"` prints all three";
        match self {
            Self::ClientId(id) => check_client_id(id),
            Self::ObjectId(id) if is_guid(id) => Ok(()),
            Self::ResourceId(id) if is_resource_id(id) => Ok(()),
            _ => {
                let (kind, id) = self.parts();
                Err(Error::invalid_argument(format!("{id:?} is not the {kind} of a managed identity")).next(next))
            }
        }
    }
}

fn is_guid(text: &str) -> bool {
    uuid::Uuid::try_parse(text).is_ok()
}

/// Resource Manager's names are not sensitive to case.
fn is_resource_id(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.starts_with("/subscriptions/")
        && lower.contains("/providers/microsoft.managedidentity/userassignedidentities/")
        && !lower.ends_with('/')
        && !lower.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_a_name_is_refused() {
        let guid = "00000000-0000-4000-8000-000000000001".to_owned();
        let resource = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i";
        assert!(UserAssignedId::ClientId(guid.clone()).check().is_ok());
        assert!(UserAssignedId::ObjectId(guid).check().is_ok());
        assert!(UserAssignedId::ResourceId(resource.into()).check().is_ok());
        for bad in [
            UserAssignedId::ClientId(String::new()),
            UserAssignedId::ObjectId("my-identity".into()),
            UserAssignedId::ResourceId("my-identity".into()),
        ] {
            assert!(bad.check().expect_err("refused").is_invalid_argument());
        }
    }
}
