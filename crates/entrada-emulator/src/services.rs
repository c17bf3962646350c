//! Which service answers under which name.

use crate::call::{Call, Reply};
use crate::cloud::{CLOUDS, Names, authority_host};
use crate::directory::Directory;
use crate::host::Host;
use crate::issuers::{self, github, pipelines};
use crate::journal::Service;
use crate::managed_identity::imds;
use crate::managed_identity::throttle::Place;
use crate::state::State;
use crate::tokens::SigningKey;
use crate::{authorities, blob, entra, graph, key_vault, managed_identity, own_api, resource_manager};

/// A service, and the cloud or the account it answers for.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    Entra(&'static Names),
    ResourceManager(&'static Names),
    Graph(&'static Names),
    /// An API of one's own.
    Api,
    KeyVault,
    Blob,
    /// The endpoint of a host that hands out tokens of managed identities.
    ManagedIdentity(Host),
    /// An authority of the world, by its place in the configuration.
    Authority(usize),
    /// What gives jobs of GitHub Actions their tokens.
    GitHubActions,
    /// What gives jobs of Azure Pipelines their tokens.
    AzurePipelines,
    /// What issuers publish.
    Issuer,
    /// The proxy of a cluster with an identity binding, and Entra behind it.
    TokenProxy,
    /// The short addresses of the page where the code of a device is entered.
    DevicePage,
}

/// The hosts of [`Target::DevicePage`].
const DEVICE_PAGE: [&str; 2] = ["microsoft.com", "www.microsoft.com"];

impl Target {
    /// The service that answers under a name and a port over https.
    pub(crate) fn at_port(directory: &Directory, host: &str, port: u16) -> Option<Self> {
        let authority = authorities::at(&directory.config, host, port).map(Self::Authority);
        authority.or_else(|| Self::of(directory, host).filter(|_| port == 443))
    }

    /// The service that answers under a public name over https.
    pub(crate) fn of(directory: &Directory, host: &str) -> Option<Self> {
        if let Some(names) = authority_host(host).or_else(|| authorities::region(host).map(|(names, _)| names)) {
            return Some(Self::Entra(names));
        }
        let managed = CLOUDS.iter().find(|names| host == names.resource_manager || host == names.service_management);
        if let Some(names) = managed {
            return Some(Self::ResourceManager(names));
        }
        if let Some(names) = CLOUDS.iter().find(|names| host == names.graph) {
            return Some(Self::Graph(names));
        }
        if directory.api_at(host).is_some() {
            return Some(Self::Api);
        }
        match host {
            github::HOST => return Some(Self::GitHubActions),
            pipelines::HOST => return Some(Self::AzurePipelines),
            _ if issuers::is_host(&directory.config, host) => return Some(Self::Issuer),
            _ if DEVICE_PAGE.contains(&host) => return Some(Self::DevicePage),
            _ => {}
        }
        if directory.vault_at(host).is_some() {
            return Some(Self::KeyVault);
        }
        directory.storage_at(host).map(|_| Self::Blob)
    }

    /// The service that answers at a host's own endpoint.
    pub(crate) fn at(host: Host) -> Option<Self> {
        match host {
            Host::KubernetesIdentityBinding => Some(Self::TokenProxy),
            _ => host.service().map(|_| Self::ManagedIdentity(host)),
        }
    }

    pub(crate) fn service(self) -> Service {
        match self {
            Self::Entra(_) | Self::TokenProxy | Self::DevicePage => Service::Entra,
            Self::ResourceManager(_) => Service::ResourceManager,
            Self::Graph(_) => Service::Graph,
            Self::Api => Service::Api,
            Self::KeyVault => Service::KeyVault,
            Self::Blob => Service::Blob,
            Self::Authority(_) => Service::Entra,
            Self::GitHubActions => Service::GitHubActions,
            Self::AzurePipelines => Service::AzurePipelines,
            Self::Issuer => Service::Issuer,
            Self::ManagedIdentity(host) => host.service().unwrap_or(Service::Imds),
        }
    }

    /// Largest request body the service reads, in bytes.
    pub(crate) fn largest_body(self) -> usize {
        match self {
            Self::Blob => blob::LARGEST_BODY,
            _ => 1024 * 1024,
        }
    }

    /// Lets a request in, or refuses it for one of the service's limits.
    pub(crate) fn admit<'a>(self, state: &'a State, call: &Call) -> Result<Option<Place<'a>>, Reply> {
        match self.service() {
            Service::Imds => imds::admit(state, call),
            _ => Ok(None),
        }
    }

    pub(crate) async fn answer(self, state: &State, key: &SigningKey, call: &Call) -> Reply {
        match self {
            Self::Entra(names) => entra::answer(state, key, names, call),
            Self::ResourceManager(names) => resource_manager::answer(state, key, names, call),
            Self::Graph(names) => graph::answer(state, key, names, call),
            Self::Api => own_api::answer(state, key, call),
            Self::KeyVault => key_vault::answer(state, key, call),
            Self::Blob => blob::answer(state, key, call).await,
            Self::Authority(index) => authorities::answer(state, key, index, call),
            Self::GitHubActions => github::answer(state, key, call),
            Self::AzurePipelines => pipelines::answer(state, key, call),
            Self::Issuer => issuers::answer(state, key, call),
            Self::ManagedIdentity(host) => managed_identity::answer(state, key, host, call),
            Self::TokenProxy => entra::answer_through_proxy(state, key, call),
            Self::DevicePage => device_page(call),
        }
    }
}

fn device_page(call: &Call) -> Reply {
    entra::lead_to_device_page(&call.path, &call.raw_query).unwrap_or_else(|| {
        let text =
            "The emulator answers for the page where the code of a device is entered, and no other of this host.";
        Reply::text(404, text).note(text)
    })
}

/// Says why a name is refused, with what it probably is.
pub(crate) fn why_refused(directory: &Directory, host: &str) -> String {
    let known = |kind: &str, names: Vec<&str>| {
        format!("there is no {kind} of that name in this world; it has {}", names.join(", "))
    };
    let ends = |suffix: &dyn Fn(&Names) -> String| CLOUDS.iter().any(|names| host.ends_with(&suffix(names)));
    if ends(&|names| format!(".{}", names.vault_suffix)) {
        return known("key vault", directory.config.vaults.iter().map(|vault| vault.name.as_str()).collect());
    }
    if ends(&|names| format!(".blob.{}", names.storage_suffix)) {
        return known(
            "storage account",
            directory.config.storage_accounts.iter().map(|account| account.name.as_str()).collect(),
        );
    }
    "the emulator does not answer for this name, and nothing leaves this machine".into()
}
