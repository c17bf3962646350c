//! Everything the services of one run share.

use crate::blob::store::Blobs;
use crate::blob::upstream::Upstream;
use crate::config::Config;
use crate::directory::Directory;
use crate::faults::Faults;
use crate::host_identities::HostIdentities;
use crate::identity_header::IdentityHeader;
use crate::journal::Journal;
use crate::key_vault::store::Vaults;
use crate::rbac::{Assignments, roles};
use crate::resource_manager::groups::Groups;
use crate::tokens::SigningKey;
use std::sync::Arc;
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
    /// Where Blob is handed on to, if anywhere.
    pub(crate) upstream: Option<Upstream>,
    key: watch::Receiver<Option<Arc<SigningKey>>>,
}

impl State {
    /// Builds the state of a checked configuration. The signing key is announced through `key`.
    pub(crate) fn new(
        config: Config,
        upstream: Option<Upstream>,
        key: watch::Receiver<Option<Arc<SigningKey>>>,
    ) -> Self {
        let assignments = Assignments::default();
        for entry in &config.role_assignments {
            if let Some(role) = roles::find(&entry.role) {
                assignments.add(&entry.principal, role, &entry.scope, None);
            }
        }
        let faults = Faults::default();
        // The configuration has been checked: a rule that is not valid cannot be in it.
        let _ = faults.replace(config.faults.clone());
        Self {
            vaults: Vaults::new(&config.vaults),
            blobs: Blobs::new(&config.storage_accounts),
            groups: Groups::new(&config.subscriptions),
            host_identities: HostIdentities::new(&config),
            directory: Directory::new(config),
            assignments,
            journal: Journal::default(),
            faults,
            identity_header: IdentityHeader::default(),
            upstream,
            key,
        }
    }

    /// The signing key, as soon as there is one; none when it could not be made.
    pub(crate) async fn key(&self) -> Option<Arc<SigningKey>> {
        let mut key = self.key.clone();
        let ready = key.wait_for(Option::is_some).await.ok()?;
        ready.clone()
    }
}
