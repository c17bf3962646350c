//! Users as they appear in a tenant: at home, or as guests.

use crate::config::{Tenant, User};
use crate::directory::Directory;
use crate::journal::Principal;
use serde_json::json;

/// A user in one tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    /// User principal name, at home.
    pub(crate) name: String,
    pub(crate) display_name: String,
    /// The tenant.
    pub(crate) tenant: String,
    /// Object id in the tenant.
    pub(crate) object_id: String,
    pub(crate) home_tenant: String,
    pub(crate) home_object_id: String,
}

impl Person {
    /// A user in a tenant; none when the tenant does not have them.
    pub(crate) fn of(user: &User, tenant: &Tenant) -> Option<Self> {
        let object_id = if user.tenant.eq_ignore_ascii_case(&tenant.id) {
            &user.object_id
        } else {
            &user.guest_in.iter().find(|guest| guest.tenant.eq_ignore_ascii_case(&tenant.id))?.object_id
        };
        let local = user.name.split('@').next().unwrap_or_default();
        Some(Self {
            name: user.name.clone(),
            display_name: user.display_name.clone().unwrap_or_else(|| local.to_owned()),
            tenant: tenant.id.clone(),
            object_id: object_id.clone(),
            home_tenant: user.tenant.clone(),
            home_object_id: user.object_id.clone(),
        })
    }

    pub(crate) fn is_guest(&self) -> bool {
        self.tenant != self.home_tenant
    }

    /// The user principal name in the tenant: a guest has one of its own.
    pub(crate) fn principal_name(&self, tenant: &Tenant) -> String {
        if self.is_guest() {
            format!("{}#EXT#@{}", self.name.replace('@', "_"), tenant.domain)
        } else {
            self.name.clone()
        }
    }

    /// Which account of which tenant it is at home, for a client's cache: `client_info`, before it is encoded.
    pub(crate) fn client_info(&self) -> String {
        json!({"uid": self.home_object_id, "utid": self.home_tenant}).to_string()
    }

    /// The user through a client, as the journal names them.
    pub(crate) fn shown(&self, client_id: &str) -> Principal {
        Principal { name: self.name.clone(), object_id: self.object_id.clone(), client_id: Some(client_id.to_owned()) }
    }
}

impl Directory {
    /// What the configuration says of a user, by name.
    pub(crate) fn account(&self, name: &str) -> Option<&User> {
        self.config.users.iter().find(|user| user.name.eq_ignore_ascii_case(name.trim()))
    }

    /// What the configuration says of a user, by the object id at home or as a guest.
    pub(crate) fn account_of(&self, object_id: &str) -> Option<&User> {
        self.config.users.iter().find(|user| {
            user.object_id.eq_ignore_ascii_case(object_id)
                || user.guest_in.iter().any(|guest| guest.object_id.eq_ignore_ascii_case(object_id))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Person;
    use crate::config::Config;
    use crate::directory::Directory;
    use crate::world;

    #[test]
    fn a_guest_has_an_object_id_and_a_name_of_its_own() {
        let directory = Directory::new(Config::default());
        let ada = directory.account("ADA@contoso.onmicrosoft.com").expect("ada");
        let tenant = |id| directory.tenant(id).expect("tenant");
        let home = Person::of(ada, tenant(world::TENANT_ID)).expect("at home");
        assert!(!home.is_guest() && home.object_id == world::USER_OBJECT_ID);
        let fabrikam = tenant(world::FABRIKAM_TENANT_ID);
        let guest = Person::of(ada, fabrikam).expect("a guest");
        assert_eq!((guest.object_id.as_str(), guest.is_guest()), (world::GUEST_OBJECT_ID, true));
        assert_eq!(guest.principal_name(fabrikam), "ada_contoso.onmicrosoft.com#EXT#@fabrikam.onmicrosoft.com");
        assert_eq!(guest.client_info(), home.client_info());
        assert!(Person::of(ada, tenant(world::US_TENANT_ID)).is_none());
    }
}
