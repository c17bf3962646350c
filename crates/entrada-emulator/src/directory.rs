//! Who and what exists in a world: tenants, principals, resources, found by any of their names.

use crate::cloud::{CLOUDS, Names};
use crate::compute::ComputeKind;
use crate::config::{
    Api, App, ComputeHost, Config, FederatedCredential, StorageAccount, Subscription, Tenant, UserAssignedIdentity,
    Vault,
};
use crate::first_party;
use crate::journal::Principal;

/// What kind of principal an object id belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    ServicePrincipal,
    ManagedIdentity,
    User,
}

/// A principal of one tenant.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) tenant: String,
    pub(crate) object_id: String,
    pub(crate) client_id: Option<String>,
    /// Resource id of the managed identity, or of the resource whose system-assigned one it is.
    pub(crate) resource_id: Option<String>,
}

impl Known {
    pub(crate) fn shown(&self) -> Principal {
        Principal { name: self.name.clone(), object_id: self.object_id.clone(), client_id: self.client_id.clone() }
    }
}

/// The unchanging part of a world.
#[derive(Debug)]
pub(crate) struct Directory {
    pub(crate) config: Config,
    principals: Vec<Known>,
    /// Microsoft's own apps, known to every tenant.
    first_party: Vec<App>,
}

impl Directory {
    pub(crate) fn new(config: Config) -> Self {
        let mut directory = Self { config, principals: Vec::new(), first_party: first_party::apps() };
        let config = &directory.config;
        let mut principals = Vec::new();
        for app in &config.apps {
            for entry in &app.service_principals {
                principals.push(Known {
                    kind: Kind::ServicePrincipal,
                    name: app.name.clone(),
                    tenant: entry.tenant.clone(),
                    object_id: entry.object_id.clone(),
                    client_id: Some(app.client_id.clone()),
                    resource_id: None,
                });
            }
        }
        for user in &config.users {
            principals.push(Known {
                kind: Kind::User,
                name: user.name.clone(),
                tenant: user.tenant.clone(),
                object_id: user.object_id.clone(),
                client_id: None,
                resource_id: None,
            });
            for guest in &user.guest_in {
                principals.push(Known {
                    kind: Kind::User,
                    name: user.name.clone(),
                    tenant: guest.tenant.clone(),
                    object_id: guest.object_id.clone(),
                    client_id: None,
                    resource_id: None,
                });
            }
        }
        for identity in &config.identities {
            principals.push(Known {
                kind: Kind::ManagedIdentity,
                name: identity.name.clone(),
                tenant: directory.tenant_of(&identity.subscription),
                object_id: identity.object_id.clone(),
                client_id: Some(identity.client_id.clone()),
                resource_id: Some(identity_resource_id(identity)),
            });
        }
        for (host, id) in directory.hosts() {
            // A host without a system-assigned identity can be given one later; who that is stands now.
            let new_id = || uuid::Uuid::new_v4().to_string();
            let system = host.system_assigned.clone();
            let (client_id, object_id) =
                system.map_or_else(|| (new_id(), new_id()), |system| (system.client_id, system.object_id));
            principals.push(Known {
                kind: Kind::ManagedIdentity,
                name: host.name.clone(),
                tenant: directory.tenant_of(&host.subscription),
                object_id,
                client_id: Some(client_id),
                resource_id: Some(id),
            });
        }
        directory.principals = principals;
        directory
    }

    fn hosts(&self) -> impl Iterator<Item = (&ComputeHost, String)> {
        ComputeKind::ALL
            .into_iter()
            .flat_map(|kind| kind.list(&self.config).iter().map(move |host| (host, kind.id(host))))
    }

    fn tenant_of(&self, subscription: &str) -> String {
        self.subscription(subscription).map(|found| found.tenant.clone()).unwrap_or_default()
    }

    /// A tenant by id or domain name.
    pub(crate) fn tenant(&self, name: &str) -> Option<&Tenant> {
        self.config
            .tenants
            .iter()
            .find(|tenant| tenant.id.eq_ignore_ascii_case(name) || tenant.domain.eq_ignore_ascii_case(name))
    }

    /// An app by client id.
    pub(crate) fn app(&self, client_id: &str) -> Option<&App> {
        self.config.apps.iter().find(|app| app.client_id.eq_ignore_ascii_case(client_id))
    }

    /// An app of the world, or one of Microsoft's own, by client id: one that users may sign in to.
    pub(crate) fn client_app(&self, client_id: &str) -> Option<&App> {
        let own = self.first_party.iter().find(|app| app.client_id.eq_ignore_ascii_case(client_id));
        self.app(client_id).or(own)
    }

    /// Whether an app is Microsoft's own.
    pub(crate) fn is_first_party(&self, app: &App) -> bool {
        self.first_party.iter().any(|own| own.client_id == app.client_id) && self.app(&app.client_id).is_none()
    }

    /// Whether a tenant knows an app.
    pub(crate) fn knows_app(&self, tenant: &Tenant, app: &App) -> bool {
        app.service_principals.iter().any(|entry| entry.tenant.eq_ignore_ascii_case(&tenant.id))
            || self.is_first_party(app)
    }

    /// An API by client id or Application ID URI.
    pub(crate) fn api(&self, tenant: &str, resource: &str) -> Option<&Api> {
        self.config.apis.iter().find(|api| {
            api.tenant.eq_ignore_ascii_case(tenant)
                && (api.client_id.eq_ignore_ascii_case(resource)
                    || api
                        .identifier_uris
                        .iter()
                        .any(|uri| uri.trim_end_matches('/') == resource.trim_end_matches('/')))
        })
    }

    /// The API that the emulator answers as under a host name.
    pub(crate) fn api_at(&self, host: &str) -> Option<&Api> {
        self.config.apis.iter().find(|api| api.host.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(host)))
    }

    /// A principal by object id.
    pub(crate) fn principal(&self, object_id: &str) -> Option<&Known> {
        self.principals.iter().find(|known| known.object_id.eq_ignore_ascii_case(object_id))
    }

    /// A principal of a tenant by client id.
    pub(crate) fn principal_of_client(&self, tenant: &str, client_id: &str) -> Option<&Known> {
        self.principals.iter().find(|known| {
            known.tenant.eq_ignore_ascii_case(tenant)
                && known.client_id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(client_id))
        })
    }

    /// A subscription by id.
    pub(crate) fn subscription(&self, id: &str) -> Option<&Subscription> {
        self.config.subscriptions.iter().find(|entry| entry.id.eq_ignore_ascii_case(id))
    }

    /// The names of the cloud a subscription is in.
    pub(crate) fn cloud_of(&self, subscription: &str) -> &'static Names {
        self.subscription(subscription)
            .and_then(|found| self.tenant(&found.tenant))
            .map_or(&CLOUDS[0], |tenant| tenant.cloud.names())
    }

    /// The vault that answers under a host name.
    pub(crate) fn vault_at(&self, host: &str) -> Option<&Vault> {
        let (label, suffix) = host.split_once('.')?;
        self.config.vaults.iter().find(|vault| {
            vault.name.eq_ignore_ascii_case(label) && self.cloud_of(&vault.subscription).vault_suffix == suffix
        })
    }

    /// The storage account whose blob endpoint has a host name.
    pub(crate) fn storage_at(&self, host: &str) -> Option<&StorageAccount> {
        let (label, suffix) = host.split_once('.')?;
        let suffix = suffix.strip_prefix("blob.")?;
        self.config.storage_accounts.iter().find(|account| {
            account.name.eq_ignore_ascii_case(label) && self.cloud_of(&account.subscription).storage_suffix == suffix
        })
    }

    /// The user-assigned identity that programs on Kubernetes are given.
    pub(crate) fn kubernetes_identity(&self) -> Option<&Known> {
        let name = &self.config.kubernetes.identity;
        let identity = self.config.identities.iter().find(|identity| identity.name.eq_ignore_ascii_case(name))?;
        self.principal(&identity.object_id)
    }

    /// A user, at home, by name.
    pub(crate) fn user(&self, name: &str) -> Option<&Known> {
        self.principals.iter().find(|known| known.kind == Kind::User && known.name.eq_ignore_ascii_case(name))
    }

    /// The federated credentials of an app or a user-assigned identity.
    pub(crate) fn federated_credentials(&self, client_id: &str) -> &[FederatedCredential] {
        let identities = || self.config.identities.iter().find(|one| one.client_id.eq_ignore_ascii_case(client_id));
        match self.app(client_id) {
            Some(app) => &app.federated_credentials,
            None => identities().map_or(&[], |identity| &identity.federated_credentials),
        }
    }

    /// A managed identity by resource id: its own, or that of the host whose system-assigned one it is.
    pub(crate) fn identity(&self, resource_id: &str) -> Option<&Known> {
        self.principals.iter().find(|known| {
            known.kind == Kind::ManagedIdentity
                && known.resource_id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(resource_id))
        })
    }

    /// The web app, virtual machine or the like with a resource id.
    pub(crate) fn host(&self, resource_id: &str) -> Option<&ComputeHost> {
        self.hosts().find(|(_, id)| id.eq_ignore_ascii_case(resource_id)).map(|(host, _)| host)
    }
}

/// Resource id of a resource.
pub(crate) fn resource_id(subscription: &str, group: &str, kind: &str, name: &str) -> String {
    format!("/subscriptions/{subscription}/resourceGroups/{group}/providers/{kind}/{name}")
}

/// Resource id of a user-assigned identity.
pub(crate) fn identity_resource_id(identity: &UserAssignedIdentity) -> String {
    resource_id(
        &identity.subscription,
        &identity.resource_group,
        "Microsoft.ManagedIdentity/userAssignedIdentities",
        &identity.name,
    )
}

/// Resource id of a vault.
pub(crate) fn vault_id(vault: &Vault) -> String {
    resource_id(&vault.subscription, &vault.resource_group, "Microsoft.KeyVault/vaults", &vault.name)
}

/// Resource id of a storage account.
pub(crate) fn storage_id(account: &StorageAccount) -> String {
    resource_id(&account.subscription, &account.resource_group, "Microsoft.Storage/storageAccounts", &account.name)
}

#[cfg(test)]
mod tests {
    use super::{Directory, identity_resource_id, storage_id, vault_id};
    use crate::config::Config;
    use crate::world;

    #[test]
    fn hosts_are_found_in_their_own_cloud_only() {
        let directory = Directory::new(Config::default());
        assert!(directory.vault_at("contoso-vault.vault.azure.net").is_some());
        assert!(directory.vault_at("contoso-vault.vault.azure.cn").is_none());
        assert!(directory.vault_at("contoso-us-vault.vault.usgovcloudapi.net").is_some());
        assert!(directory.storage_at("contosostore.blob.core.windows.net").is_some());
        assert!(directory.storage_at("azcliprod.blob.core.windows.net").is_none());
    }

    #[test]
    fn the_published_resource_ids_are_the_real_ones() {
        let directory = Directory::new(Config::default());
        let config = &directory.config;
        assert_eq!(identity_resource_id(&config.identities[0]), world::USER_ASSIGNED_RESOURCE_ID);
        assert_eq!(identity_resource_id(&config.identities[1]), world::SECOND_USER_ASSIGNED_RESOURCE_ID);
        assert_eq!(vault_id(&config.vaults[0]), world::VAULT_RESOURCE_ID);
        assert_eq!(storage_id(&config.storage_accounts[0]), world::STORAGE_RESOURCE_ID);
        let known = directory.principal_of_client(world::TENANT_ID, world::WEB_APP_CLIENT_ID).expect("known");
        assert_eq!((known.name.as_str(), known.object_id.as_str()), (world::WEB_APP, world::WEB_APP_OBJECT_ID));
    }
}
