//! The secrets of the vaults, with their versions and what was deleted.

use crate::clock;
use crate::config::Vault;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Days a deleted secret can be recovered.
const RECOVERABLE_DAYS: i64 = 90;

/// One version of a secret.
#[derive(Clone)]
pub(super) struct Version {
    pub(super) id: String,
    pub(super) value: String,
    pub(super) content_type: Option<String>,
    pub(super) tags: Map<String, Value>,
    pub(super) enabled: bool,
    pub(super) expires: Option<i64>,
    pub(super) not_before: Option<i64>,
    /// Seconds since 1970, UTC.
    pub(super) created: i64,
    /// Seconds since 1970, UTC.
    pub(super) updated: i64,
}

/// A secret: its versions, the newest last.
#[derive(Clone, Default)]
pub(super) struct Secret {
    pub(super) versions: Vec<Version>,
    /// When it was deleted, in seconds since 1970, UTC.
    pub(super) deleted: Option<i64>,
}

/// The secrets of one vault, by name in lower case: names differ only by letters, not by case.
pub(super) type Secrets = BTreeMap<String, Secret>;

/// The vaults of a run.
pub(crate) struct Vaults(BTreeMap<String, Mutex<Secrets>>);

impl Vaults {
    pub(crate) fn new(vaults: &[Vault]) -> Self {
        let fill = |vault: &Vault| {
            let secrets = vault.secrets.iter().map(|(name, value)| {
                let versions = vec![Version::new(value.clone())];
                (name.to_ascii_lowercase(), Secret { versions, deleted: None })
            });
            (vault.name.to_ascii_lowercase(), Mutex::new(secrets.collect()))
        };
        Self(vaults.iter().map(fill).collect())
    }

    /// The secrets of a vault.
    pub(super) fn of(&self, vault: &str) -> Option<MutexGuard<'_, Secrets>> {
        let secrets = self.0.get(&vault.to_ascii_lowercase())?;
        Some(secrets.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Version {
    pub(super) fn new(value: String) -> Self {
        let now = clock::now();
        Self {
            id: uuid::Uuid::new_v4().simple().to_string(),
            value,
            content_type: None,
            tags: Map::new(),
            enabled: true,
            expires: None,
            not_before: None,
            created: now,
            updated: now,
        }
    }

    /// Takes over attributes, tags and content type from the body of a request.
    pub(super) fn update(&mut self, body: &Value) {
        if let Some(content_type) = body["contentType"].as_str() {
            self.content_type = Some(content_type.to_owned());
        }
        if let Some(tags) = body["tags"].as_object() {
            self.tags = tags.clone();
        }
        let attributes = &body["attributes"];
        if let Some(enabled) = attributes["enabled"].as_bool() {
            self.enabled = enabled;
        }
        self.expires = attributes["exp"].as_i64().or(self.expires);
        self.not_before = attributes["nbf"].as_i64().or(self.not_before);
    }

    /// The version as JSON; without its value in lists.
    pub(super) fn json(&self, id: String, with_value: bool) -> Value {
        let mut body = json!({
            "id": id,
            "attributes": {
                "enabled": self.enabled,
                "created": self.created,
                "updated": self.updated,
                "recoveryLevel": "Recoverable+Purgeable",
                "recoverableDays": RECOVERABLE_DAYS,
            },
            "tags": self.tags,
        });
        if with_value {
            body["value"] = self.value.as_str().into();
        }
        if let Some(content_type) = &self.content_type {
            body["contentType"] = content_type.as_str().into();
        }
        for (name, time) in [("exp", self.expires), ("nbf", self.not_before)] {
            if let Some(time) = time {
                body["attributes"][name] = time.into();
            }
        }
        body
    }
}

impl Secret {
    /// Adds to `body` what tells of a deletion.
    pub(super) fn mark_deleted(&self, vault_url: &str, name: &str, body: &mut Value) {
        let Some(deleted) = self.deleted else { return };
        body["recoveryId"] = format!("{vault_url}/deletedsecrets/{name}").into();
        body["deletedDate"] = deleted.into();
        body["scheduledPurgeDate"] = (deleted + RECOVERABLE_DAYS * 86_400).into();
    }
}
