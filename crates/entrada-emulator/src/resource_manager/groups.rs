//! The resource groups of the subscriptions.

use crate::config::Subscription;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A resource group.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) location: String,
    pub(super) tags: Map<String, Value>,
}

/// The groups of one subscription, by name in lower case.
type Named = BTreeMap<String, Group>;

/// All resource groups of a run, by subscription id in lower case.
pub(crate) struct Groups(Mutex<BTreeMap<String, Named>>);

impl Groups {
    pub(crate) fn new(subscriptions: &[Subscription]) -> Self {
        let all = subscriptions.iter().map(|subscription| {
            let named = subscription.resource_groups.iter().map(|name| {
                let group = Group { name: name.clone(), location: "westeurope".into(), tags: Map::new() };
                (name.to_ascii_lowercase(), group)
            });
            (subscription.id.to_ascii_lowercase(), named.collect())
        });
        Self(Mutex::new(all.collect()))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Named>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn list(&self, subscription: &str) -> Vec<Group> {
        let all = self.lock();
        all.get(&subscription.to_ascii_lowercase()).map(|named| named.values().cloned().collect()).unwrap_or_default()
    }

    pub(super) fn get(&self, subscription: &str, name: &str) -> Option<Group> {
        self.lock().get(&subscription.to_ascii_lowercase())?.get(&name.to_ascii_lowercase()).cloned()
    }

    /// Creates or replaces a group; whether it is new.
    pub(super) fn put(&self, subscription: &str, group: Group) -> bool {
        let mut all = self.lock();
        let named = all.entry(subscription.to_ascii_lowercase()).or_default();
        named.insert(group.name.to_ascii_lowercase(), group).is_none()
    }

    pub(super) fn remove(&self, subscription: &str, name: &str) -> bool {
        let mut all = self.lock();
        all.get_mut(&subscription.to_ascii_lowercase())
            .is_some_and(|named| named.remove(&name.to_ascii_lowercase()).is_some())
    }
}
