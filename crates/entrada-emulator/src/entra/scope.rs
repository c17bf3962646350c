//! What a token request asks for: a resource (v1) or scopes (v2), and the audience that follows from it.

use super::EntraError;
use super::token::TokenRequest;
use crate::config::Tenant;
use crate::resources::{self, Audience};
use crate::state::State;

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
    use super::resource_of_app_scope;

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
}
