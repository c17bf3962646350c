//! What a token can be asked for: Azure's own resources and the APIs of the world.

use crate::cloud::Names;
use crate::config::Tenant;
use crate::directory::Directory;

/// The audience of a token to be issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Audience {
    /// The `aud` claim.
    pub(crate) value: String,
    /// 1 or 2: the version the resource takes.
    pub(crate) version: u8,
    /// Application ID URIs, for APIs of the world.
    pub(crate) api_uris: Vec<String>,
}

/// Azure services that run on v1 tokens and have the same name in every cloud's directory.
const EVERYWHERE: [&str; 2] = ["https://storage.azure.com", "https://graph.windows.net"];

/// Further Azure services of the public cloud: a token for them can be had, though nothing here answers for them.
const PUBLIC: [&str; 15] = [
    "https://ossrdbms-aad.database.windows.net",
    "https://database.windows.net",
    "https://redis.azure.com",
    "https://eventhubs.azure.net",
    "https://servicebus.azure.net",
    "https://cognitiveservices.azure.com",
    "https://ai.azure.com",
    "https://search.azure.com",
    "https://cosmos.azure.com",
    "https://monitor.azure.com",
    "https://api.loganalytics.io",
    "https://azconfig.io",
    "https://containerregistry.azure.net",
    "https://datalake.azure.net",
    "https://managedhsm.azure.net",
];

/// GUIDs by which some resources are asked for, with the service they are.
const BY_APP_ID: [&str; 4] = [
    "797f4846-ba00-4fd7-ba43-dac1f8f63013", // Azure Resource Manager
    "cfa8b339-82a2-471a-a3c9-0fc0be7a4093", // Key Vault
    "e406a681-f3d4-42a8-90b6-c2b029497af1", // Storage
    GRAPH_APP_ID,
];

/// The GUID of Microsoft Graph.
pub(crate) const GRAPH_APP_ID: &str = "00000003-0000-0000-c000-000000000000";

/// Finds the audience for a resource as a client writes it (without `/.default`), or none when the
/// tenant has no such resource. The writing is kept: it becomes the `aud` claim, slash and all.
pub(crate) fn audience(directory: &Directory, tenant: &Tenant, resource: &str) -> Option<Audience> {
    if let Some(api) = directory.api(&tenant.id, resource) {
        let value = if api.token_version == 2 { api.client_id.clone() } else { resource.to_owned() };
        return Some(Audience { value, version: api.token_version, api_uris: api.identifier_uris.clone() });
    }
    let names = tenant.cloud.names();
    let wanted = resource.strip_suffix('/').unwrap_or(resource).to_ascii_lowercase();
    if wanted == names.exchange_audience.to_ascii_lowercase() || wanted == names.exchange_app_id {
        return Some(Audience { value: names.exchange_app_id.to_owned(), version: 2, api_uris: Vec::new() });
    }
    let known = resource_manager(names).contains(&wanted)
        || wanted == vault(names)
        || wanted == format!("https://{}", names.graph)
        || EVERYWHERE.contains(&wanted.as_str())
        || BY_APP_ID.contains(&wanted.as_str())
        || (names.cloud == crate::cloud::Cloud::Public && PUBLIC.contains(&wanted.as_str()))
        || wanted.strip_prefix("https://").is_some_and(|host| directory.storage_at(host).is_some());
    known.then(|| Audience { value: resource.to_owned(), version: 1, api_uris: Vec::new() })
}

/// Audiences that Resource Manager takes.
pub(crate) fn resource_manager(names: &Names) -> Vec<String> {
    vec![
        format!("https://{}", names.resource_manager),
        format!("https://{}", names.service_management),
        BY_APP_ID[0].to_owned(),
    ]
}

/// Audience of Key Vault.
pub(crate) fn vault(names: &Names) -> String {
    format!("https://{}", names.vault_suffix)
}

/// Audiences that Key Vault takes.
pub(crate) fn vault_audiences(names: &Names) -> Vec<String> {
    vec![vault(names), BY_APP_ID[1].to_owned()]
}

/// Audiences that Microsoft Graph takes.
pub(crate) fn graph_audiences(names: &Names) -> Vec<String> {
    vec![format!("https://{}", names.graph), GRAPH_APP_ID.to_owned()]
}

/// Audiences that the blob endpoint of an account takes.
pub(crate) fn blob_audiences(host: &str) -> Vec<String> {
    vec![EVERYWHERE[0].to_owned(), format!("https://{host}"), BY_APP_ID[2].to_owned()]
}

#[cfg(test)]
mod tests {
    use super::audience;
    use crate::config::Config;
    use crate::directory::Directory;
    use crate::world;

    #[test]
    fn the_audience_is_written_as_asked_for() {
        let directory = Directory::new(Config::default());
        let tenant = directory.tenant(world::TENANT_DOMAIN).expect("tenant");
        let value = |resource: &str| audience(&directory, tenant, resource).map(|found| (found.value, found.version));
        assert_eq!(
            value("https://management.core.windows.net/"),
            Some(("https://management.core.windows.net/".into(), 1))
        );
        assert_eq!(value("https://vault.azure.net"), Some(("https://vault.azure.net".into(), 1)));
        assert_eq!(value(world::API_URI), Some((world::API_CLIENT_ID.into(), 2)));
        assert_eq!(value(world::BLOB_URL), Some((world::BLOB_URL.into(), 1)));
        assert_eq!(value("https://vault.azure.cn"), None, "another cloud");
        assert_eq!(value("https://nothing.example"), None);
    }
}
