//! Which managed identities the resources that programs run in have at the moment.

use crate::compute::ComputeKind;
use crate::config::{ComputeHost, Config};
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

/// The identities of one host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Assigned {
    /// Whether the system-assigned identity is on.
    pub(crate) system: bool,
    /// Object ids of the user-assigned identities attached.
    pub(crate) user: Vec<String>,
}

/// The identities of all hosts, by resource id in lower case.
pub(crate) struct HostIdentities(RwLock<HashMap<String, Assigned>>);

impl HostIdentities {
    pub(crate) fn new(config: &Config) -> Self {
        let assigned = |host: &ComputeHost| Assigned {
            system: host.system_assigned.is_some(),
            user: host
                .user_assigned
                .iter()
                .filter_map(|name| config.identities.iter().find(|entry| entry.name.eq_ignore_ascii_case(name)))
                .map(|identity| identity.object_id.clone())
                .collect(),
        };
        let hosts = ComputeKind::ALL.into_iter().flat_map(|kind| {
            kind.list(config).iter().map(move |host| (kind.id(host).to_ascii_lowercase(), assigned(host)))
        });
        Self(RwLock::new(hosts.collect()))
    }

    /// The identities of the host with a resource id.
    pub(crate) fn of(&self, resource_id: &str) -> Assigned {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(&resource_id.to_ascii_lowercase()).cloned().unwrap_or_default()
    }

    /// Gives a host other identities.
    pub(crate) fn set(&self, resource_id: &str, assigned: Assigned) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(resource_id.to_ascii_lowercase(), assigned);
    }
}
