//! The description of a world: tenants, principals, resources and faults, from TOML or built in Rust.

use crate::challenges::Challenge;
use crate::faults::FaultRule;
use crate::world;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

pub use crate::cloud::Cloud;
pub use crate::config_file::ConfigError;
pub use crate::config_hosts::{AzurePipelines, GitHubActions, Inside, Kubernetes, Limits};
pub use crate::config_users::{Consent, Guest, Lifetimes, Mfa, Refusal, User};

/// Everything a run of the emulator starts from. [`Config::default`] is the built-in world.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default = "Config::empty")]
pub struct Config {
    /// What the entries below are added to.
    #[serde(default)]
    pub world: Base,
    /// Folder that Azure Arc's challenge files are written to, in place of the one that the challenge names and
    /// the agent uses: `/var/opt/azcmagent/tokens`, or `%ProgramData%\AzureConnectedMachineAgent\Tokens`.
    pub arc_key_folder: Option<PathBuf>,
    /// Which resources programs are placed inside.
    pub inside: Inside,
    /// The cluster of programs on Kubernetes.
    pub kubernetes: Kubernetes,
    /// The workflow of programs on GitHub Actions.
    pub github: GitHubActions,
    /// The pipeline of programs on Azure Pipelines.
    pub pipelines: AzurePipelines,
    /// What the metadata service bears.
    pub limits: Limits,
    /// Where this world asks more, or less, of client assertions than Entra does.
    pub assertions: AssertionRules,
    /// How long codes and refresh tokens are good.
    pub lifetimes: Lifetimes,
    /// Name of the user who signs in wherever somebody is asked to, with no page in between, as if they had a
    /// session; without it, a person is shown pages.
    pub sign_in_as: Option<String>,
    /// Hands Blob to another server once a request has been authorized.
    pub blob: Option<BlobUpstream>,
    /// Tenants (directories).
    pub tenants: Vec<Tenant>,
    /// App registrations with their service principals.
    pub apps: Vec<App>,
    /// APIs a token can be asked for, beside Azure's own.
    pub apis: Vec<Api>,
    /// Authorities beside the hosts of the clouds: AD FS, and names of one's own.
    pub authorities: Vec<AuthorityEntry>,
    /// Issuers whose tokens apps may trust, beside GitHub, Azure Pipelines and the cluster.
    pub issuers: Vec<IssuerEntry>,
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
    /// Container apps.
    pub container_apps: Vec<ComputeHost>,
    /// Applications of Service Fabric managed clusters; `parent` is the cluster.
    pub service_fabric_applications: Vec<ComputeHost>,
    /// Machines that Azure Arc manages.
    pub arc_machines: Vec<ComputeHost>,
    /// Computes of Azure Machine Learning; `parent` is the workspace.
    pub ml_computes: Vec<ComputeHost>,
    /// Container groups of Container Instances.
    pub container_groups: Vec<ComputeHost>,
    /// Key vaults.
    pub vaults: Vec<Vault>,
    /// Storage accounts.
    pub storage_accounts: Vec<StorageAccount>,
    /// Role assignments in force from the start.
    pub role_assignments: Vec<RoleAssignmentEntry>,
    /// What resource servers demand of tokens from the start, beyond that they are good.
    pub challenges: Vec<Challenge>,
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
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// Client (application) id, a GUID.
    pub client_id: String,
    /// Display name.
    pub name: String,
    /// Client secrets, any of which signs the app in until it expires.
    #[serde(default)]
    pub secrets: Vec<AppSecret>,
    /// The tenants it may sign in to, with its object id in each. With more than one it is a multi-tenant app.
    pub service_principals: Vec<ServicePrincipalEntry>,
    /// Certificates whose keys sign the app in.
    #[serde(default)]
    pub certificates: Vec<AppCertificate>,
    /// Names whose certificates sign the app in, whatever their keys are, if an authority vouches for them and the
    /// client sends the chain (`x5c`).
    #[serde(default)]
    pub trusted_subjects: Vec<TrustedSubject>,
    /// Tokens of other issuers that sign the app in.
    #[serde(default)]
    pub federated_credentials: Vec<FederatedCredential>,
    /// Whether it may ask the regional endpoints, such as `westeurope.login.microsoft.com`; default false. Entra allows
    /// it to Microsoft's own apps only, and answers AADSTS100007 to all others but managed identities.
    #[serde(default)]
    pub regional: bool,
    /// App roles granted to it, by Application ID URI of the API.
    #[serde(default)]
    pub app_roles: BTreeMap<String, Vec<String>>,
    /// Whether it is a public client: one on a person's machine, which can keep no secret. Only a public client may use
    /// device codes and passwords without proving itself. Default no.
    #[serde(default)]
    pub public_client: bool,
    /// Where the answer to a sign-in may be sent. They are compared exactly, but for the port of `http://localhost` and
    /// `http://127.0.0.1` of a public client, which may be any.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// Who has consented to what it does in a user's name; default nobody.
    #[serde(default)]
    pub consent: Consent,
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

/// One or several certificates of an app, in PEM; only the certificates are read, not a key that is with them. Each
/// signs the app in for as long as it is valid.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AppCertificate {
    /// The text.
    pub pem: Option<String>,
    /// The file with the text, in place of `pem`; read when a run starts.
    pub file: Option<PathBuf>,
}

/// Trust in a subject name and an authority, in place of a certificate.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedSubject {
    /// Common name, or DNS name, of the certificates.
    pub name: String,
    /// Certificates of the authorities that may have signed them, PEM text.
    pub authority: String,
}

/// Where a world asks more, or less, of client assertions than Entra does.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AssertionRules {
    /// Refuses an assertion that was shown before; default false. Entra takes one as often as it is shown, and MSAL
    /// shows one for nine minutes.
    pub refuse_replays: bool,
    /// How long an assertion may be good, in seconds; default 0, which sets no limit, as in Entra.
    pub longest_seconds: i64,
    /// Takes ES256, with certificates on the curve P-256; default false, because Entra takes RSA only.
    pub elliptic_curves: bool,
}

/// An authority under a name that clients do not know. It hands out tokens to the apps of the world.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthorityEntry {
    /// `https://HOST`, with a port and a path if it has them. The path of AD FS ends with `/adfs`.
    pub url: String,
    /// What answers there; default `entra`.
    #[serde(default)]
    pub kind: AuthorityKind,
    /// The cloud whose tenants it knows; default `public`.
    #[serde(default)]
    pub cloud: Cloud,
    /// Whether instance discovery of the public cloud vouches for it; default false, and it answers
    /// `invalid_instance`.
    #[serde(default)]
    pub vouched_for: bool,
}

/// What answers at an authority.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthorityKind {
    /// Microsoft Entra, as at its public names.
    #[default]
    Entra,
    /// Active Directory Federation Services: `/adfs/oauth2/token`, and no tenants.
    AdFs,
}

/// An issuer of tokens that apps may trust in place of a secret. What it publishes is answered at its address.
///
/// Without `jwks` and `jwks_file` the run signs for it
/// ([`Emulator::issue_assertion`](crate::Emulator::issue_assertion)).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerEntry {
    /// The issuer, as the claim `iss` of its tokens has it.
    pub url: String,
    /// Its keys: JSON text of a key set (RFC 7517). Only RSA keys are taken, as by Entra.
    #[serde(default)]
    pub jwks: Option<String>,
    /// The file with that text, in place of `jwks`; read when a run starts.
    #[serde(default)]
    pub jwks_file: Option<PathBuf>,
}

/// Trust in the tokens of another issuer: a federated identity credential. All of it is compared exactly.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FederatedCredential {
    /// Issuer of the tokens, the claim `iss`.
    pub issuer: String,
    /// Who the tokens speak of, the claim `sub`.
    pub subject: String,
    /// Audiences, one of which must be the claim `aud`; default `api://AzureADTokenExchange`.
    #[serde(default = "exchange_audiences")]
    pub audiences: Vec<String>,
}

pub(crate) fn exchange_audiences() -> Vec<String> {
    vec![world::EXCHANGE_AUDIENCE.into()]
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
    /// Host name at which the emulator answers as this API, and tells a caller who they are; default none.
    #[serde(default)]
    pub host: Option<String>,
    /// Names of the permissions that apps can have in a user's name; default `user_impersonation`.
    #[serde(default = "impersonation")]
    pub scopes: Vec<String>,
}

pub(crate) fn impersonation() -> Vec<String> {
    vec!["user_impersonation".into()]
}

fn two() -> u8 {
    2
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
    /// Tokens of other issuers that sign the identity in.
    #[serde(default)]
    pub federated_credentials: Vec<FederatedCredential>,
}

/// A resource that programs run in, such as a web app or a virtual machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComputeHost {
    /// Name, unique among resources of its kind.
    pub name: String,
    /// Name of the resource it is a part of, for kinds that are: the cluster of an application, the workspace of a
    /// compute.
    #[serde(default)]
    pub parent: Option<String>,
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
            arc_key_folder: None,
            inside: Inside::default(),
            kubernetes: Kubernetes::default(),
            github: GitHubActions::default(),
            pipelines: AzurePipelines::default(),
            limits: Limits::default(),
            assertions: AssertionRules::default(),
            lifetimes: Lifetimes::default(),
            sign_in_as: None,
            blob: None,
            tenants: Vec::new(),
            apps: Vec::new(),
            apis: Vec::new(),
            authorities: Vec::new(),
            issuers: Vec::new(),
            users: Vec::new(),
            subscriptions: Vec::new(),
            identities: Vec::new(),
            web_apps: Vec::new(),
            virtual_machines: Vec::new(),
            container_apps: Vec::new(),
            service_fabric_applications: Vec::new(),
            arc_machines: Vec::new(),
            ml_computes: Vec::new(),
            container_groups: Vec::new(),
            vaults: Vec::new(),
            storage_accounts: Vec::new(),
            role_assignments: Vec::new(),
            challenges: Vec::new(),
            faults: Vec::new(),
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
