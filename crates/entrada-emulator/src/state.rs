//! Everything the services of one run share.

use crate::blob::store::Blobs;
use crate::blob::upstream::Upstream;
use crate::config::Config;
use crate::directory::Directory;
use crate::faults::Faults;
use crate::federated_token::{FederatedToken, Wish};
use crate::host::Host;
use crate::host_identities::HostIdentities;
use crate::identity_header::IdentityHeader;
use crate::journal::Journal;
use crate::key_vault::store::Vaults;
use crate::managed_identity::arc_keys::ArcKeys;
use crate::managed_identity::throttle::Throttle;
use crate::port::Port;
use crate::rbac::{Assignments, roles};
use crate::resource_manager::groups::Groups;
use crate::tokens::SigningKey;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The state of a run.
pub(crate) struct State {
    pub(crate) directory: Directory,
    pub(crate) assignments: Assignments,
    pub(crate) journal: Journal,
    pub(crate) faults: Faults,
    pub(crate) host_identities: HostIdentities,
    pub(crate) identity_header: IdentityHeader,
    pub(crate) vaults: Vaults,
    pub(crate) blobs: Blobs,
    pub(crate) groups: Groups,
    pub(crate) arc_keys: ArcKeys,
    pub(crate) throttle: Throttle,
    pub(crate) federated_token: FederatedToken,
    /// The ports of the endpoints that hosts have of their own.
    pub(crate) endpoints: Vec<(Host, Arc<Port>)>,
    /// Where Blob is handed on to, if anywhere.
    pub(crate) upstream: Option<Upstream>,
    key: watch::Receiver<Option<Arc<SigningKey>>>,
}

impl State {
    /// Builds the state of a checked configuration. The signing key is announced through `key`; `folder` is that of
    /// the run.
    pub(crate) fn new(
        config: Config,
        folder: &Path,
        endpoints: Vec<(Host, Arc<Port>)>,
        upstream: Option<Upstream>,
        key: watch::Receiver<Option<Arc<SigningKey>>>,
    ) -> Self {
        let assignments = Assignments::default();
        for entry in &config.role_assignments {
            if let Some(role) = roles::find(&entry.role) {
                assignments.add(&entry.principal, role, &entry.scope, None);
            }
        }
        let ports = endpoints.iter().filter_map(|(host, port)| Some((host.service()?, port.clone())));
        let faults = Faults::over(ports.collect());
        // The configuration has been checked: a rule that is not valid cannot be in it.
        let _ = faults.replace(config.faults.clone());
        Self {
            arc_keys: ArcKeys::new(config.arc_key_folder.clone()),
            throttle: Throttle::new(&config.limits),
            federated_token: FederatedToken::new(folder),
            vaults: Vaults::new(&config.vaults),
            blobs: Blobs::new(&config.storage_accounts),
            groups: Groups::new(&config.subscriptions),
            host_identities: HostIdentities::new(&config),
            directory: Directory::new(config),
            assignments,
            journal: Journal::default(),
            faults,
            identity_header: IdentityHeader::default(),
            endpoints,
            upstream,
            key,
        }
    }

    /// The port of the endpoint that a host has of its own.
    pub(crate) fn port(&self, host: Host) -> Option<&Port> {
        self.endpoints.iter().find(|(other, _)| *other == host).map(|(_, port)| &**port)
    }

    /// Whether connections to a host's endpoint are refused.
    pub(crate) fn is_shut(&self, host: Host) -> bool {
        self.port(host).is_some_and(Port::is_shut)
    }

    /// The URL of a host's endpoint, as its variables have it.
    pub(crate) fn endpoint(&self, host: Host) -> Option<String> {
        host.endpoint(self.port(host)?.number())
    }

    /// Writes a service-account token in the place of the one there is.
    pub(crate) fn write_federated_token(&self, wish: &Wish) -> io::Result<()> {
        let key = self.wait_for_key().ok_or_else(no_key)?;
        self.federated_token.write(&key, &self.directory.config.kubernetes, wish)
    }

    /// Writes the first service-account token, unless there was one.
    pub(crate) fn ensure_federated_token(&self) -> io::Result<()> {
        let key = self.wait_for_key().ok_or_else(no_key)?;
        self.federated_token.ensure(&key, &self.directory.config.kubernetes)
    }

    /// The signing key, for those who cannot await it: it is a moment away at most.
    fn wait_for_key(&self) -> Option<Arc<SigningKey>> {
        loop {
            if let Some(key) = self.key.borrow().clone() {
                return Some(key);
            }
            // An error means that the maker has gone without making one.
            self.key.has_changed().ok()?;
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// The signing key, as soon as there is one; none when it could not be made.
    pub(crate) async fn key(&self) -> Option<Arc<SigningKey>> {
        let mut key = self.key.clone();
        let ready = key.wait_for(Option::is_some).await.ok()?;
        ready.clone()
    }
}

fn no_key() -> io::Error {
    io::Error::other("there is no key to sign it with")
}
