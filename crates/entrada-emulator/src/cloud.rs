//! What differs between the public cloud, US Government and China: host names and issuers.

use serde::{Deserialize, Serialize};

/// A national cloud. A tenant lives in exactly one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cloud {
    /// Azure, `login.microsoftonline.com`.
    #[default]
    Public,
    /// Azure US Government, `login.microsoftonline.us`.
    UsGovernment,
    /// Azure China (21Vianet), `login.chinacloudapi.cn`.
    China,
}

/// The names of one cloud.
pub(crate) struct Names {
    pub(crate) cloud: Cloud,
    /// Preferred network host of the authority.
    pub(crate) authority: &'static str,
    /// Preferred cache host of the authority.
    pub(crate) cache: &'static str,
    /// All hosts of the authority that belong together.
    pub(crate) aliases: &'static [&'static str],
    /// Host that issues v1 tokens.
    pub(crate) v1_issuer: &'static str,
    pub(crate) resource_manager: &'static str,
    /// Audience of the classic management API, which Resource Manager accepts too.
    pub(crate) service_management: &'static str,
    pub(crate) vault_suffix: &'static str,
    pub(crate) storage_suffix: &'static str,
    pub(crate) graph: &'static str,
    pub(crate) region_scope: &'static str,
    pub(crate) web_suffix: &'static str,
    /// Audience of tokens that are shown to Entra in place of a secret, as they are asked for.
    pub(crate) exchange_audience: &'static str,
    /// The same as those tokens have it that Entra itself issued. That of the public cloud is known; for the others no
    /// public document names one, and their tokens have what was asked for.
    pub(crate) exchange_app_id: &'static str,
}

/// Every cloud, the public one first.
pub(crate) const CLOUDS: [Names; 3] = [
    Names {
        cloud: Cloud::Public,
        authority: "login.microsoftonline.com",
        cache: "login.windows.net",
        aliases: &["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"],
        v1_issuer: "sts.windows.net",
        resource_manager: "management.azure.com",
        service_management: "management.core.windows.net",
        vault_suffix: "vault.azure.net",
        storage_suffix: "core.windows.net",
        graph: "graph.microsoft.com",
        region_scope: "EU",
        web_suffix: "azurewebsites.net",
        exchange_audience: "api://AzureADTokenExchange",
        exchange_app_id: "fb60f99c-7a34-4190-8149-302f77469936",
    },
    Names {
        cloud: Cloud::UsGovernment,
        authority: "login.microsoftonline.us",
        cache: "login.microsoftonline.us",
        aliases: &["login.microsoftonline.us", "login.usgovcloudapi.net"],
        v1_issuer: "sts.windows.net",
        resource_manager: "management.usgovcloudapi.net",
        service_management: "management.core.usgovcloudapi.net",
        vault_suffix: "vault.usgovcloudapi.net",
        storage_suffix: "core.usgovcloudapi.net",
        graph: "graph.microsoft.us",
        region_scope: "USGov",
        web_suffix: "azurewebsites.us",
        exchange_audience: "api://AzureADTokenExchangeUSGov",
        exchange_app_id: "api://AzureADTokenExchangeUSGov",
    },
    Names {
        cloud: Cloud::China,
        authority: "login.partner.microsoftonline.cn",
        cache: "login.partner.microsoftonline.cn",
        aliases: &["login.partner.microsoftonline.cn", "login.chinacloudapi.cn"],
        v1_issuer: "sts.chinacloudapi.cn",
        resource_manager: "management.chinacloudapi.cn",
        service_management: "management.core.chinacloudapi.cn",
        vault_suffix: "vault.azure.cn",
        storage_suffix: "core.chinacloudapi.cn",
        graph: "microsoftgraph.chinacloudapi.cn",
        region_scope: "AS",
        web_suffix: "chinacloudsites.cn",
        exchange_audience: "api://AzureADTokenExchangeChina",
        exchange_app_id: "api://AzureADTokenExchangeChina",
    },
];

impl Cloud {
    /// The names of this cloud.
    pub(crate) fn names(self) -> &'static Names {
        match self {
            Cloud::Public => &CLOUDS[0],
            Cloud::UsGovernment => &CLOUDS[1],
            Cloud::China => &CLOUDS[2],
        }
    }
}

/// The host a token request may be sent to, and the cloud behind it.
pub(crate) fn authority_host(host: &str) -> Option<&'static Names> {
    CLOUDS.iter().find(|names| names.aliases.contains(&host))
}
