//! The token endpoints: `oauth2/token` (v1, `resource`) and `oauth2/v2.0/token` (v2, `scope`).

use super::{EntraError, federation, find_tenant, is_shared};
use crate::call::{Call, Reply};
use crate::cloud::Names;
use crate::config::{App, Tenant};
use crate::directory::{Kind, Known};
use crate::faults::ExpiryType;
use crate::managed_identity::principal_to_show;
use crate::resources::{self, Audience};
use crate::state::State;
use crate::tokens::{self, ClientProof, SigningKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Lifetime of an app-only token, in seconds.
const LIFETIME: i64 = 3599;

/// Lifetime of a managed identity's token, in seconds.
const MANAGED_LIFETIME: i64 = 86_399;

/// Grants the real endpoint knows and this one does not answer.
const OTHER_GRANTS: [&str; 7] = [
    "authorization_code",
    "refresh_token",
    "password",
    "device_code",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
    "urn:ietf:params:oauth:grant-type:saml2-bearer",
];

/// Names of parameters that may be there once only.
type Form = Vec<(String, String)>;

pub(super) fn answer(
    state: &State,
    key: &SigningKey,
    names: &Names,
    tenant: &str,
    version: u8,
    call: &Call,
) -> Result<Reply, EntraError> {
    if call.method != http::Method::POST {
        return Err(EntraError::request(
            900_561,
            format!("The endpoint only accepts POST requests. Received a {} request.", call.method),
        ));
    }
    let form = read_form(call)?;
    let shared = is_shared(tenant);
    let tenant = if shared { None } else { Some(find_tenant(state, names, tenant)?) };
    let grant = required(&form, "grant_type")?;
    if OTHER_GRANTS.contains(&grant) {
        return Ok(not_emulated(&format!("The emulator does not answer the grant '{grant}'.")));
    }
    if grant != "client_credentials" {
        return Err(EntraError {
            status: 400,
            code: 70_003,
            error: "unsupported_grant_type",
            text: format!("The app requested an unsupported grant type '{grant}'."),
        });
    }
    let tenant = tenant.ok_or_else(|| {
        EntraError::request(
            50_059,
            "No tenant-identifying information found in either the request or implied by any provided credentials.",
        )
    })?;
    let (client_id, secret) = client(&form, call)?;
    let assertion = if secret.is_none() { value(&form, "client_assertion") } else { None };
    let (principal, proof, usual) = match assertion {
        Some(assertion) => {
            let principal = find_client(state, tenant, &client_id)?;
            let kind = required(&form, "client_assertion_type")?;
            if kind != federation::ASSERTION_TYPE {
                let text = format!("The client_assertion_type '{kind}' is not supported.");
                return Err(EntraError::request(9_002_313, text));
            }
            let credentials = state.directory.federated_credentials(&client_id);
            if credentials.is_empty() && tokens::is_signed_by(assertion, &client_id) {
                return Ok(not_emulated("The emulator does not answer assertions that a certificate signs."));
            }
            federation::check(state, key, credentials, assertion, call.through_binding)?;
            let usual = if principal.kind == Kind::ManagedIdentity { MANAGED_LIFETIME } else { LIFETIME };
            (principal, ClientProof::Certificate, usual)
        }
        None => {
            let app = find_app(state, tenant, &client_id)?;
            check_secret(app, secret.as_deref())?;
            (find_client(state, tenant, &app.client_id)?, ClientProof::Secret, LIFETIME)
        }
    };
    let audience = audience(state, tenant, version, &form)?;
    let principal = principal_to_show(state, call, principal).map_err(|text| unavailable(&text))?;
    let shape = call.token_shape.as_ref();
    let lifetime = shape.and_then(|shape| shape.expires_in).unwrap_or(usual);
    let issued = tokens::issue(key, &state.directory, principal, &audience, proof, lifetime)
        .ok_or_else(|| unavailable("The token could not be signed."))?;
    let mut body = if version == 1 {
        json!({
            "token_type": "Bearer",
            "expires_in": lifetime,
            "ext_expires_in": lifetime,
            "expires_on": issued.expires_on,
            "not_before": issued.not_before,
            "resource": value(&form, "resource"),
            "access_token": issued.token,
        })
    } else {
        json!({
            "token_type": "Bearer",
            "expires_in": lifetime,
            "ext_expires_in": lifetime,
            "access_token": issued.token,
        })
    };
    if let Some(fields) = body.as_object_mut() {
        let usual = if version == 1 { ExpiryType::Text } else { ExpiryType::Number };
        shape.cloned().unwrap_or_default().apply(fields, usual);
    }
    let mut reply = Reply::json(200, &body).principal(principal.shown(), &audience.value);
    reply.trail.grant = Some("client_credentials");
    Ok(reply)
}

fn not_emulated(text: &str) -> Reply {
    let body: Value = json!({"error": "not_emulated", "error_description": text});
    Reply::json(501, &body).note(text)
}

fn read_form(call: &Call) -> Result<Form, EntraError> {
    let is_form = call
        .header("content-type")
        .is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("application/x-www-form-urlencoded"));
    if !is_form || call.body.is_empty() {
        return Err(EntraError::missing("grant_type"));
    }
    if std::str::from_utf8(&call.body).is_err() {
        return Err(EntraError::request(9_002_313, "Invalid request. Request is malformed or invalid."));
    }
    let form: Form = url::form_urlencoded::parse(&call.body).into_owned().collect();
    for (index, (name, _)) in form.iter().enumerate() {
        if form[..index].iter().any(|(other, _)| other == name) {
            return Err(EntraError::request(
                9_000_411,
                format!("The request is not properly formatted. The parameter '{name}' is duplicated."),
            ));
        }
    }
    Ok(form)
}

fn value<'a>(form: &'a Form, name: &str) -> Option<&'a str> {
    form.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
}

fn required<'a>(form: &'a Form, name: &str) -> Result<&'a str, EntraError> {
    value(form, name).ok_or_else(|| EntraError::missing(name))
}

/// The client's id and secret, from the body or from HTTP Basic (RFC 6749, section 2.3.1).
fn client(form: &Form, call: &Call) -> Result<(String, Option<String>), EntraError> {
    let basic = call.header("authorization").and_then(|header| {
        let (scheme, text) = header.split_once(' ')?;
        scheme.eq_ignore_ascii_case("basic").then(|| text.trim().to_owned())
    });
    let Some(basic) = basic else {
        let secret = value(form, "client_secret").map(str::to_owned);
        return Ok((required(form, "client_id")?.to_owned(), secret));
    };
    let malformed = || EntraError::request(9_002_313, "Invalid request. Request is malformed or invalid.");
    let decoded = STANDARD.decode(basic).map_err(|_| malformed())?;
    let text = String::from_utf8(decoded).map_err(|_| malformed())?;
    let (id, secret) = text.split_once(':').ok_or_else(malformed)?;
    // Both halves are form-encoded before they are joined.
    let decode = |part: &str| crate::call::decode(&part.replace('+', " "));
    Ok((decode(id), Some(decode(secret)).filter(|secret| !secret.is_empty())))
}

fn unknown_app(tenant: &Tenant, client_id: &str) -> EntraError {
    EntraError {
        status: 400,
        code: 700_016,
        error: "unauthorized_client",
        text: format!(
            "Application with identifier '{client_id}' was not found in the directory '{}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.",
            tenant.name
        ),
    }
}

fn unavailable(text: &str) -> EntraError {
    EntraError { status: 500, code: 90_033, error: "temporarily_unavailable", text: text.into() }
}

/// The service principal of an app, or a user-assigned identity, in a tenant.
fn find_client<'a>(state: &'a State, tenant: &Tenant, client_id: &str) -> Result<&'a Known, EntraError> {
    state.directory.principal_of_client(&tenant.id, client_id).ok_or_else(|| unknown_app(tenant, client_id))
}

fn find_app<'a>(state: &'a State, tenant: &Tenant, client_id: &str) -> Result<&'a App, EntraError> {
    state
        .directory
        .app(client_id)
        .filter(|app| app.service_principals.iter().any(|entry| entry.tenant.eq_ignore_ascii_case(&tenant.id)))
        .ok_or_else(|| unknown_app(tenant, client_id))
}

fn check_secret(app: &App, secret: Option<&str>) -> Result<(), EntraError> {
    let Some(secret) = secret else {
        return Err(EntraError::client(
            7_000_216,
            "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
        ));
    };
    let Some(known) = app.secrets.iter().find(|known| known.value == secret) else {
        return Err(EntraError::client(
            7_000_215,
            format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{}'.",
                app.client_id
            ),
        ));
    };
    let expires = known.expires.as_deref().and_then(crate::clock::parse_rfc3339);
    if expires.is_some_and(|time| time <= crate::clock::now()) {
        return Err(EntraError::client(
            7_000_222,
            format!(
                "The provided client secret keys for app '{}' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds.",
                app.client_id
            ),
        ));
    }
    Ok(())
}

fn audience(state: &State, tenant: &Tenant, version: u8, form: &Form) -> Result<Audience, EntraError> {
    let resource =
        if version == 1 { required(form, "resource")? } else { resource_of_scope(required(form, "scope")?)? };
    resources::audience(&state.directory, tenant, resource).ok_or_else(|| EntraError {
        status: 400,
        code: 500_011,
        error: "invalid_resource",
        text: format!(
            "The resource principal named {resource} was not found in the tenant named {}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.",
            tenant.name
        ),
    })
}

/// The resource named by the scope of a client-credentials request: one scope, ending in `/.default`.
fn resource_of_scope(scope: &str) -> Result<&str, EntraError> {
    let invalid = |code, text| EntraError { status: 400, code, error: "invalid_scope", text };
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
    use super::resource_of_scope;

    #[test]
    fn scopes_of_client_credentials() {
        let resource = |scope| resource_of_scope(scope).map_err(|error| error.code);
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
