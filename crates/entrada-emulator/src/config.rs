//! The description of a world: tenants, principals, resources and faults, from TOML or built in Rust.
//!
//! A file adds to the built-in world, entry by entry (an entry with the same key replaces the built-in
//! one); `world = "empty"` on its first line starts from nothing.

use crate::faults::FaultRule;
use crate::world;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use crate::cloud::Cloud;

/// Everything a run of the emulator starts from. [`Config::default`] is the built-in world.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default = "Config::empty")]
pub struct Config {
    /// What the entries below are added to.
    #[serde(default)]
    pub world: Base,
    /// Which web app and which virtual machine a program placed inside one is in.
    pub inside: Inside,
    /// Hands Blob to another server once a request has been authorized.
    pub blob: Option<BlobUpstream>,
    /// Tenants (directories).
    pub tenants: Vec<Tenant>,
    /// App registrations with their service principals.
    pub apps: Vec<App>,
    /// APIs a token can be asked for, beside Azure's own.
    pub apis: Vec<Api>,
    /// Users.
    pub users: Vec<User>,
    /// Subscriptions with their resource groups.
    pub subscriptions: Vec<Subscription>,
    /// User-assigned managed identities.
    pub identities: Vec<UserAssignedIdentity>,
    /// App Service web apps.
    pub web_apps: Vec<ComputeHost>,
    /// Virtual machines.
    pub virtual_machines: Vec<ComputeHost>,
    /// Key vaults.
    pub vaults: Vec<Vault>,
    /// Storage accounts.
    pub storage_accounts: Vec<StorageAccount>,
    /// Role assignments in force from the start.
    pub role_assignments: Vec<RoleAssignmentEntry>,
    /// Faults in force from the start.
    pub faults: Vec<FaultRule>,
}

/// What a configuration file adds to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Base {
    /// The built-in world (see [`crate::world`]).
    #[default]
    Default,
    /// Nothing: the file describes everything.
    Empty,
}

/// Names the resources that programs run inside.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Inside {
    /// Name of the web app of [`crate::Host::AppService`]; default `orders-web`.
    pub app_service: String,
    /// Name of the virtual machine of [`crate::Host::VirtualMachine`]; default `build-vm`.
    pub virtual_machine: String,
}

impl Default for Inside {
    fn default() -> Self {
        Self { app_service: world::WEB_APP.into(), virtual_machine: world::VIRTUAL_MACHINE.into() }
    }
}

/// Another server for Blob, such as Azurite, called after token and role have been checked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlobUpstream {
    /// `http://` or `https://` with host and port. The `Host` header of the request is kept.
    pub upstream: String,
    /// PEM file of the authority that signed the upstream's certificate (a certificate that signed
    /// itself will not do). Without it, a loopback upstream is not verified and any other is refused.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

/// A tenant.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    /// Tenant id, a GUID.
    pub id: String,
    /// Initial domain name.
    pub domain: String,
    /// Display name.
    pub name: String,
    /// The cloud it lives in; default `public`.
    #[serde(default)]
    pub cloud: Cloud,
}

/// An app registration.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// Client (application) id, a GUID.
    pub client_id: String,
    /// Display name.
    pub name: String,
    /// Client secrets, any of which signs the app in until it expires.
    #[serde(default)]
    pub secrets: Vec<AppSecret>,
    /// The tenants it may sign in to, with its object id in each.
    pub service_principals: Vec<ServicePrincipalEntry>,
    /// App roles granted to it, by Application ID URI of the API.
    #[serde(default)]
    pub app_roles: BTreeMap<String, Vec<String>>,
}

/// A client secret. Its value is kept out of `Debug`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppSecret {
    /// The value a client sends.
    pub value: String,
    /// When it ends, RFC 3339; never, if left out.
    #[serde(default)]
    pub expires: Option<String>,
}

/// An app's presence in one tenant.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServicePrincipalEntry {
    /// Tenant id.
    pub tenant: String,
    /// Object id of the service principal, a GUID: what role assignments name.
    pub object_id: String,
}

/// An API of one's own that tokens can be asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// Client id, a GUID; the audience of its v2 tokens.
    pub client_id: String,
    /// Display name.
    pub name: String,
    /// Tenant id.
    pub tenant: String,
    /// Application ID URIs.
    pub identifier_uris: Vec<String>,
    /// Version of its access tokens, 1 or 2; default 2.
    #[serde(default = "two")]
    pub token_version: u8,
}

fn two() -> u8 {
    2
}

/// A user. The password is kept out of `Debug`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// User principal name.
    pub name: String,
    /// Object id, a GUID.
    pub object_id: String,
    /// Tenant id.
    pub tenant: String,
    /// Password.
    pub password: String,
}

/// A subscription.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscription {
    /// Subscription id, a GUID.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Tenant id.
    pub tenant: String,
    /// Names of its resource groups.
    #[serde(default)]
    pub resource_groups: Vec<String>,
}

/// A user-assigned managed identity.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserAssignedIdentity {
    /// Name, unique in a world; `user_assigned` lists refer to it.
    pub name: String,
    /// Client id, a GUID.
    pub client_id: String,
    /// Object (principal) id, a GUID.
    pub object_id: String,
    /// Subscription id.
    pub subscription: String,
    /// Resource group.
    pub resource_group: String,
}

/// A resource that programs run in: a web app or a virtual machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComputeHost {
    /// Name, unique among resources of its kind.
    pub name: String,
    /// Subscription id.
    pub subscription: String,
    /// Resource group.
    pub resource_group: String,
    /// Its system-assigned identity, if it has one.
    #[serde(default)]
    pub system_assigned: Option<SystemAssigned>,
    /// Names of the user-assigned identities attached to it.
    #[serde(default)]
    pub user_assigned: Vec<String>,
}

/// A system-assigned managed identity.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SystemAssigned {
    /// Client id, a GUID.
    pub client_id: String,
    /// Object (principal) id, a GUID.
    pub object_id: String,
}

/// A key vault. The values of its secrets are kept out of `Debug`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vault {
    /// Name: the first label of its host name.
    pub name: String,
    /// Subscription id.
    pub subscription: String,
    /// Resource group.
    pub resource_group: String,
    /// Secrets, name to value.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
}

/// A storage account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StorageAccount {
    /// Name: the first label of its host names.
    pub name: String,
    /// Subscription id.
    pub subscription: String,
    /// Resource group.
    pub resource_group: String,
    /// Blob containers that exist from the start.
    #[serde(default)]
    pub containers: Vec<String>,
}

/// A role assignment.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleAssignmentEntry {
    /// Object id of the principal.
    pub principal: String,
    /// Name or id of a built-in role.
    pub role: String,
    /// Resource id the role holds at and below; `/` is everywhere.
    pub scope: String,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The text is not TOML, or has a key or a type that does not belong there.
    #[error("the configuration{place} is not valid:\n{message}")]
    Syntax {
        /// ` FILE`, or nothing for text from memory.
        place: String,
        /// Line, column, and what was expected.
        message: String,
    },
    /// The entries contradict each other.
    #[error("the configuration{place}{} is not valid: {message}", line.map(|line| format!(" (line {line})")).unwrap_or_default())]
    Meaning {
        /// ` FILE`, or nothing for text from memory.
        place: String,
        /// Line of the offending value, where it could be found.
        line: Option<usize>,
        /// What is wrong, and what would be right.
        message: String,
    },
}

impl Default for Config {
    fn default() -> Self {
        world::built_in()
    }
}

impl Config {
    /// A world with nothing in it.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            world: Base::Empty,
            inside: Inside::default(),
            blob: None,
            tenants: Vec::new(),
            apps: Vec::new(),
            apis: Vec::new(),
            users: Vec::new(),
            subscriptions: Vec::new(),
            identities: Vec::new(),
            web_apps: Vec::new(),
            virtual_machines: Vec::new(),
            vaults: Vec::new(),
            storage_accounts: Vec::new(),
            role_assignments: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Reads a configuration from TOML text.
    ///
    /// # Errors
    /// With line, column and what was expected when the text is not valid.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        Self::parse(text, String::new())
    }

    /// Reads a configuration from a TOML file.
    ///
    /// # Errors
    /// As [`Config::from_toml`], or when the file cannot be read.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let text =
            std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_path_buf(), source })?;
        Self::parse(&text, format!(" {}", path.display()))
    }

    /// Writes the configuration as TOML, secrets included: a file to start one's own from.
    ///
    /// # Errors
    /// When a value has no form in TOML, which can only be a JSON null in a fault rule.
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        toml::to_string(self).map_err(|error| ConfigError::Syntax { place: String::new(), message: error.to_string() })
    }

    fn parse(text: &str, place: String) -> Result<Self, ConfigError> {
        let file: Self = toml::from_str(text).map_err(|error| ConfigError::Syntax {
            place: place.clone(),
            message: error.to_string().trim_end().to_owned(),
        })?;
        let config = match file.world {
            Base::Empty => file,
            Base::Default => Self::default().extended_with(file),
        };
        config.check().map_err(|problem| ConfigError::Meaning {
            place,
            line: text.lines().position(|line| line.contains(&format!("\"{}\"", problem.value))).map(|index| index + 1),
            message: problem.message,
        })?;
        Ok(config)
    }

    fn extended_with(mut self, file: Self) -> Self {
        self.world = Base::Default;
        self.inside = file.inside;
        self.blob = file.blob;
        merge(&mut self.tenants, file.tenants, |entry| entry.id.clone());
        merge(&mut self.apps, file.apps, |entry| entry.client_id.clone());
        merge(&mut self.apis, file.apis, |entry| entry.client_id.clone());
        merge(&mut self.users, file.users, |entry| entry.name.clone());
        merge(&mut self.subscriptions, file.subscriptions, |entry| entry.id.clone());
        merge(&mut self.identities, file.identities, |entry| entry.name.clone());
        merge(&mut self.web_apps, file.web_apps, |entry| entry.name.clone());
        merge(&mut self.virtual_machines, file.virtual_machines, |entry| entry.name.clone());
        merge(&mut self.vaults, file.vaults, |entry| entry.name.clone());
        merge(&mut self.storage_accounts, file.storage_accounts, |entry| entry.name.clone());
        self.role_assignments.extend(file.role_assignments);
        self.faults.extend(file.faults);
        self
    }
}

fn merge<T>(base: &mut Vec<T>, added: Vec<T>, key: impl Fn(&T) -> String) {
    for entry in added {
        let wanted = key(&entry);
        match base.iter_mut().find(|other| key(other).eq_ignore_ascii_case(&wanted)) {
            Some(other) => *other = entry,
            None => base.push(entry),
        }
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("tenants", &self.tenants.len())
            .field("apps", &self.apps.len())
            .field("vaults", &self.vaults.len())
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for AppSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AppSecret").field("expires", &self.expires).finish_non_exhaustive()
    }
}
