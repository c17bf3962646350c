//! What a request asks for: a resource (v1) or scopes (v2), and the audience and permissions that follow from it.

use super::EntraError;
use super::form::Form;
use super::token::TokenRequest;
use crate::cloud::Names;
use crate::config::{Tenant, impersonation};
use crate::resources::{self, Audience};
use crate::state::State;

/// Scopes of OpenID Connect, which name no resource.
const RESERVED: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// Permissions of Microsoft Graph that the emulator knows by name.
const GRAPH: [&str; 12] = [
    "Application.Read.All",
    "Calendars.Read",
    "Directory.Read.All",
    "Files.Read",
    "Group.Read.All",
    "Mail.Read",
    "Mail.Send",
    "Sites.Read.All",
    "Tasks.Read",
    "User.Read",
    "User.Read.All",
    "User.ReadBasic.All",
];

/// What a request in a user's name asks for, before it is known in which tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// As the client wrote it, without scopes that name no resource; none is Microsoft Graph.
    resource: Option<String>,
    /// Whether permissions were written with the resource before them.
    qualified: bool,
    /// Names of permissions; `.default` is all that the app is registered for.
    permissions: Vec<String>,
    /// Those of [`RESERVED`].
    reserved: Vec<String>,
}

/// What a request asks for in a tenant.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) audience: Audience,
    /// The claim `scp`.
    pub(crate) permissions: Vec<String>,
    /// The field `scope` of the answer.
    pub(crate) scope: String,
}

impl Asked {
    /// Reads `resource` of a request to a v1 endpoint, or `scope` of one to a v2 endpoint; none when it is not there.
    pub(super) fn read(form: &Form, version: u8) -> Result<Option<Self>, EntraError> {
        match version {
            1 => Ok(form.value("resource").map(Self::resource)),
            _ => form.value("scope").map(Self::scopes).transpose(),
        }
    }

    /// Everything that a v1 request for a resource gets.
    pub(crate) fn resource(resource: &str) -> Self {
        Self {
            resource: Some(resource.to_owned()),
            qualified: true,
            permissions: vec![".default".into()],
            reserved: RESERVED.map(str::to_owned).to_vec(),
        }
    }

    /// Reads scopes.
    pub(crate) fn scopes(text: &str) -> Result<Self, EntraError> {
        let mut asked = Self { resource: None, qualified: false, permissions: Vec::new(), reserved: Vec::new() };
        for scope in text.split_ascii_whitespace() {
            if RESERVED.contains(&scope) {
                asked.reserved.push(scope.to_owned());
                continue;
            }
            let (resource, permission) = match scope.rsplit_once('/') {
                Some((resource, permission)) => (Some(resource), permission),
                None => (None, scope),
            };
            if permission.is_empty() || resource == Some("") {
                return Err(not_valid(text, &format!("The scope {scope} is not valid.")));
            }
            if asked.permissions.is_empty() {
                (asked.resource, asked.qualified) = (resource.map(str::to_owned), resource.is_some());
            } else if asked.resource.as_deref() != resource {
                let text = "Provided value for the input parameter scope is not valid because it contains more than one resource.";
                return Err(EntraError::new(
                    400,
                    28_000,
                    "invalid_request",
                    format!("{text} Scope {} is not valid.", shown(scope)),
                ));
            }
            asked.permissions.push(permission.to_owned());
        }
        if asked.permissions.len() > 1 && asked.permissions.iter().any(|permission| permission == ".default") {
            return Err(not_valid(text, ".default scope can't be combined with resource-specific scopes."));
        }
        if asked.permissions.is_empty() && asked.reserved.is_empty() {
            return Err(EntraError::missing("scope"));
        }
        Ok(asked)
    }

    pub(crate) fn has(&self, reserved: &str) -> bool {
        self.reserved.iter().any(|scope| scope == reserved)
    }

    /// Adds scopes without a resource that an earlier request had asked for.
    pub(crate) fn with_reserved_of(mut self, other: &Self) -> Self {
        for scope in &other.reserved {
            if !self.has(scope) {
                self.reserved.push(scope.clone());
            }
        }
        self
    }

    /// As one text, to be kept in a refresh token and read again by [`Asked::scopes`].
    pub(crate) fn text(&self) -> String {
        let permissions = self.permissions.iter().map(|permission| self.written(permission));
        permissions.chain(self.reserved.iter().cloned()).collect::<Vec<_>>().join(" ")
    }

    fn written(&self, permission: &str) -> String {
        match &self.resource {
            Some(resource) if self.qualified => format!("{resource}/{permission}"),
            _ => permission.to_owned(),
        }
    }

    /// What it means in a tenant.
    pub(crate) fn in_tenant(&self, state: &State, tenant: &Tenant) -> Result<Wanted, EntraError> {
        let names = tenant.cloud.names();
        let graph = format!("https://{}", names.graph);
        let resource = self.resource.as_deref().unwrap_or(&graph);
        let audience = audience(state, tenant, resource)?;
        let is_graph = is_graph(&audience, names);
        let known = match state.directory.api(&tenant.id, resource) {
            Some(api) => api.scopes.clone(),
            None if is_graph => GRAPH.map(str::to_owned).to_vec(),
            None => impersonation(),
        };
        let is_default = self.permissions.iter().any(|permission| permission == ".default");
        let mut permissions = Vec::new();
        if is_default || self.permissions.is_empty() {
            permissions = if is_graph { vec!["User.Read".to_owned()] } else { known };
        } else {
            for permission in &self.permissions {
                let found = known.iter().find(|known| known.eq_ignore_ascii_case(permission)).ok_or_else(|| {
                    EntraError::new(
                        400,
                        650_053,
                        "invalid_client",
                        format!("The application asked for scope '{}' that doesn't exist on the resource '{resource}'. Contact the app vendor.", shown(permission)),
                    )
                })?;
                permissions.push(found.clone());
            }
        }
        let mut scope: Vec<String> = permissions.iter().map(|permission| self.written(permission)).collect();
        if is_default {
            scope.push(self.written(".default"));
        }
        if is_graph {
            let identity = self.reserved.iter().filter(|scope| *scope != "offline_access").cloned();
            permissions.extend(identity.clone());
            scope.extend(identity);
        }
        Ok(Wanted { audience, permissions, scope: scope.join(" ") })
    }
}

impl Wanted {
    /// The permissions with their resource before them, as consent is given to them.
    pub(crate) fn to_consent_to(&self) -> Vec<String> {
        let resource = self.audience.value.trim_end_matches('/').to_ascii_lowercase();
        let named = self.permissions.iter().filter(|permission| !RESERVED.contains(&permission.as_str()));
        named.map(|permission| format!("{resource}/{permission}")).collect()
    }
}

fn is_graph(audience: &Audience, names: &Names) -> bool {
    let value = audience.value.trim_end_matches('/').to_ascii_lowercase();
    value == format!("https://{}", names.graph) || value == resources::GRAPH_APP_ID
}

fn not_valid(scope: &str, why: &str) -> EntraError {
    let text = format!(
        "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. {why} The value was '{}'.",
        shown(scope)
    );
    EntraError::new(400, 70_011, "invalid_scope", text)
}

/// What a client sent, cut to what fits into a message.
fn shown(text: &str) -> String {
    text.chars().take(200).collect()
}

/// The audience of a resource, as a client writes it (without `/.default`).
pub(super) fn audience(state: &State, tenant: &Tenant, resource: &str) -> Result<Audience, EntraError> {
    resources::audience(&state.directory, tenant, resource).ok_or_else(|| {
        EntraError::new(
            400,
            500_011,
            "invalid_resource",
            format!(
                "The resource principal named {resource} was not found in the tenant named {}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.",
                tenant.name
            ),
        )
    })
}

/// The audience of a request for an app-only token.
pub(super) fn app_audience(request: &TokenRequest<'_>, tenant: &Tenant) -> Result<Audience, EntraError> {
    let resource = match request.version {
        1 => request.form.required("resource")?,
        _ => resource_of_app_scope(request.form.required("scope")?)?,
    };
    audience(request.state, tenant, resource)
}

/// The resource named by the scope of a client-credentials request: one scope, ending in `/.default`.
fn resource_of_app_scope(scope: &str) -> Result<&str, EntraError> {
    let invalid = |code, text| EntraError::new(400, code, "invalid_scope", text);
    let mut wanted =
        scope.split_ascii_whitespace().filter(|part| !matches!(*part, "openid" | "profile" | "offline_access"));
    let first = wanted.next().ok_or_else(|| EntraError::missing("scope"))?;
    if let Some(second) = wanted.next() {
        return Err(invalid(
            70_011,
            format!(
                "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope {first} {second} is not valid."
            ),
        ));
    }
    first.strip_suffix("/.default").filter(|resource| !resource.is_empty()).ok_or_else(|| {
        invalid(
            1_002_012,
            format!("The provided value for scope {first} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::{Asked, resource_of_app_scope};

    #[test]
    fn scopes_of_client_credentials() {
        let resource = |scope| resource_of_app_scope(scope).map_err(|error| error.code);
        assert_eq!(resource("https://vault.azure.net/.default"), Ok("https://vault.azure.net"));
        assert_eq!(
            resource("https://management.core.windows.net//.default"),
            Ok("https://management.core.windows.net/")
        );
        assert_eq!(resource("https://vault.azure.net"), Err(1_002_012));
        assert_eq!(resource("User.Read"), Err(1_002_012));
        assert_eq!(resource("a/.default b/.default"), Err(70_011));
        assert_eq!(resource(" "), Err(900_144));
    }

    #[test]
    fn scopes_of_users() {
        let asked = |text: &str| Asked::scopes(text).map_err(|error| error.code);
        let one = asked("https://vault.azure.net/.default offline_access openid profile").expect("valid");
        assert!(one.has("openid") && one.has("offline_access") && !one.has("email"));
        assert_eq!(one.text(), "https://vault.azure.net/.default offline_access openid profile");
        assert_eq!(asked(&one.text()), Ok(one));
        assert_eq!(asked("User.Read Mail.Read").expect("valid").text(), "User.Read Mail.Read");
        assert_eq!(asked("https://vault.azure.net/.default https://storage.azure.com/.default"), Err(28_000));
        assert_eq!(asked("https://vault.azure.net/.default https://vault.azure.net/user_impersonation"), Err(70_011));
        assert_eq!(asked("https://vault.azure.net/"), Err(70_011));
        assert_eq!(asked("/x"), Err(70_011));
        assert_eq!(asked(" "), Err(900_144));
        assert!(asked("openid").is_ok());
        let v1 = Asked::resource("https://management.core.windows.net/");
        assert_eq!(asked(&v1.text()).expect("valid").text(), v1.text());
    }
}
