//! Users without end: as many as a test or a benchmark wants, each made from a number and kept nowhere.

use crate::config::{Tenant, User};
use crate::directory::{Directory, Kind, Known};
use crate::world;
use std::borrow::Cow;

/// The number of a member from the object id.
pub(crate) fn number_of(object_id: &str) -> Option<u64> {
    let (start, digits) = object_id.split_at_checked(world::CROWD_OBJECT_ID_START.len())?;
    let whole = digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_digit());
    (whole && start.eq_ignore_ascii_case(world::CROWD_OBJECT_ID_START)).then(|| digits.parse().ok())?
}

/// The user with a number, in the first tenant of the world.
fn member(directory: &Directory, number: u64) -> Option<User> {
    let tenant = first_tenant(directory)?;
    Some(User {
        name: format!("user-{number}@{}", tenant.domain),
        object_id: world::crowd_object_id(number),
        tenant: tenant.id.clone(),
        display_name: Some(format!("User {number}")),
        ..User::default()
    })
}

fn first_tenant(directory: &Directory) -> Option<&Tenant> {
    directory.config.tenants.first()
}

impl Directory {
    /// A user of the configuration, or a member of the crowd, by name.
    pub(crate) fn anybody(&self, name: &str) -> Option<Cow<'_, User>> {
        let of_crowd = || {
            let (local, domain) = name.trim().split_once('@')?;
            let digits = local.to_ascii_lowercase().strip_prefix("user-")?.to_owned();
            let number: u64 = digits.parse().ok().filter(|number| *number <= world::CROWD_LAST)?;
            let is_first = first_tenant(self)?.domain.eq_ignore_ascii_case(domain);
            (is_first && digits == number.to_string()).then(|| member(self, number))?.map(Cow::Owned)
        };
        self.account(name).map(Cow::Borrowed).or_else(of_crowd)
    }

    /// A user of the configuration, or a member of the crowd, by object id.
    pub(crate) fn anybody_with(&self, object_id: &str) -> Option<Cow<'_, User>> {
        let of_crowd = || member(self, number_of(object_id)?).map(Cow::Owned);
        self.account_of(object_id).map(Cow::Borrowed).or_else(of_crowd)
    }

    /// A principal of the configuration, or a member of the crowd, by object id.
    pub(crate) fn any_principal(&self, object_id: &str) -> Option<Known> {
        let of_crowd = || {
            let user = member(self, number_of(object_id)?)?;
            Some(Known {
                kind: Kind::User,
                name: user.name,
                tenant: user.tenant,
                object_id: user.object_id,
                client_id: None,
                resource_id: None,
            })
        };
        self.principal(object_id).cloned().or_else(of_crowd)
    }
}

#[cfg(test)]
mod tests {
    use super::number_of;
    use crate::config::Config;
    use crate::directory::Directory;
    use crate::world;

    #[test]
    fn a_member_is_found_by_name_and_by_object_id() {
        let directory = Directory::new(Config::default());
        let by_name = directory.anybody(&world::crowd_user(99_999)).expect("a member");
        assert_eq!(by_name.name, "user-99999@contoso.onmicrosoft.com");
        assert_eq!(number_of(&by_name.object_id), Some(99_999));
        assert_eq!(directory.anybody_with(&by_name.object_id).expect("a member").name, by_name.name);
        assert_eq!(directory.any_principal(&by_name.object_id).expect("a member").tenant, world::TENANT_ID);
        assert_eq!(directory.anybody(world::USER_NAME).expect("ada").object_id, world::USER_OBJECT_ID);
        for odd in [
            "user-01@contoso.onmicrosoft.com",
            "user-@contoso.onmicrosoft.com",
            "user--1@contoso.onmicrosoft.com",
            "user-1000000000000@contoso.onmicrosoft.com",
            "user-1@fabrikam.onmicrosoft.com",
            "user-1",
        ] {
            assert!(directory.anybody(odd).is_none(), "{odd}");
        }
        assert!(directory.anybody_with(world::APP_OBJECT_ID).is_none());
        assert!(directory.anybody_with("0c000000-0000-4000-8000-00000000000a").is_none());
    }
}
