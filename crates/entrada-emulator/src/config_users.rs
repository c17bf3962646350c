//! The part of a world that says who signs in, and what stands in their way.

use serde::{Deserialize, Serialize};

/// A user. The password is kept out of `Debug`.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// User principal name, unique in a world.
    pub name: String,
    /// Object id, a GUID.
    pub object_id: String,
    /// Tenant id.
    pub tenant: String,
    /// Password.
    pub password: String,
    /// Display name, the claim `name`; default the part of `name` before the `@`.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Whether a password is enough; default yes.
    #[serde(default)]
    pub mfa: Mfa,
    /// Why Entra signs the user in nowhere; default nothing.
    #[serde(default)]
    pub refusal: Option<Refusal>,
    /// Other tenants that have the user as a guest.
    #[serde(default)]
    pub guest_in: Vec<Guest>,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("name", &self.name).field("object_id", &self.object_id).finish_non_exhaustive()
    }
}

/// A user's presence in a tenant that is not theirs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guest {
    /// Tenant id.
    pub tenant: String,
    /// Object id of the guest there, a GUID: what role assignments name.
    pub object_id: String,
}

/// Whether a user must show more than a password (multi-factor authentication).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mfa {
    /// A password is enough.
    #[default]
    NotRequired,
    /// A second proof is asked for: AADSTS50076 where nobody can be asked.
    Required,
    /// The same, and the user has to register for it first: AADSTS50079.
    Register,
}

/// Why Entra does not sign a user in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// A conditional access policy blocks every token: AADSTS53003.
    Blocked,
    /// The password has expired: AADSTS50055.
    PasswordExpired,
    /// The account is disabled: AADSTS50057.
    Disabled,
    /// The account is locked after too many wrong passwords: AADSTS50053.
    Locked,
}

/// Who has consented to an app.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// Nobody yet; each user is asked: AADSTS65001 where nobody can be.
    #[default]
    Ask,
    /// An administrator, for everyone.
    Granted,
    /// Nobody yet, and only an administrator may: AADSTS90094.
    Admin,
}

/// How long what a sign-in leads to is good, in seconds. 0 is a thing that has expired when it is issued.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lifetimes {
    /// Of an authorization code; default 600.
    pub authorization_code: u32,
    /// Of a device code; default 900.
    pub device_code: u32,
    /// How long a client has to wait between two polls with a device code; default 5. Twice as fast is too fast. 0
    /// takes every poll.
    pub device_code_interval: u32,
    /// Of a refresh token; default 7776000, 90 days.
    pub refresh_token: u32,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self { authorization_code: 600, device_code: 900, device_code_interval: 5, refresh_token: 7_776_000 }
    }
}
