//! How a client proves itself at a token endpoint: by a secret, by an assertion, or, if it is a public client, not at
//! all.

use super::token::TokenRequest;
use super::{EntraError, certificate_assertion, federation};
use crate::call::Call;
use crate::config::{App, AppSecret, Tenant};
use crate::directory::Known;
use crate::jwt::Jwt;
use crate::state::State;
use crate::tokens::ClientProof;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A client of a tenant.
#[derive(Debug)]
pub(super) struct Client<'a> {
    /// The service principal of the app, or the user-assigned identity.
    pub(super) principal: &'a Known,
    pub(super) proof: ClientProof,
}

/// The client of a user's sign-in.
#[derive(Debug)]
pub(super) struct UserClient<'a> {
    pub(super) app: &'a App,
    pub(super) proof: ClientProof,
}

impl<'a> UserClient<'a> {
    /// The client of a request, proven if it has to be. The tenant is none for `common` and the like.
    pub(super) fn of(request: &TokenRequest<'a>, tenant: Option<&Tenant>) -> Result<Self, EntraError> {
        let (client_id, shown) = shown(request)?;
        let app = user_app(request.state, tenant, &client_id)?;
        let proof = match shown {
            Shown::Nothing if app.public_client => ClientProof::None,
            Shown::Nothing => {
                return Err(EntraError::client(
                    7_000_218,
                    "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
                ));
            }
            _ if app.public_client => {
                return Err(EntraError::client(
                    700_025,
                    "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
                ));
            }
            Shown::Secret(secret) => check_secret(app, &secret).map(|()| ClientProof::Secret)?,
            Shown::Assertion(assertion) => {
                check_assertion(request, &client_id, assertion).map(|()| ClientProof::Certificate)?
            }
        };
        Ok(Self { app, proof })
    }
}

/// The app that users sign in to, in a tenant, or in whichever is theirs.
pub(super) fn user_app<'a>(state: &'a State, tenant: Option<&Tenant>, client_id: &str) -> Result<&'a App, EntraError> {
    let app = state.directory.client_app(client_id);
    let Some(tenant) = tenant else {
        let app = app.ok_or_else(|| unknown_app("Microsoft", client_id))?;
        if app.service_principals.len() > 1 || state.directory.is_first_party(app) {
            return Ok(app);
        }
        return Err(EntraError::request(
            50_194,
            format!(
                "Application '{}'({}) is not configured as a multi-tenant application. Usage of the /common endpoint is not supported for such apps created after '10/15/2018'. Use a tenant-specific endpoint or configure the application to be multi-tenant.",
                app.client_id, app.name
            ),
        ));
    };
    app.filter(|app| state.directory.knows_app(tenant, app)).ok_or_else(|| unknown_app(&tenant.name, client_id))
}

/// What a client shows to prove itself.
enum Shown<'a> {
    Nothing,
    Secret(String),
    Assertion(&'a str),
}

impl<'a> Client<'a> {
    /// The client of a request that has to prove itself, checked.
    pub(super) fn confidential(request: &TokenRequest<'a>, tenant: &Tenant) -> Result<Self, EntraError> {
        let (client_id, shown) = shown(request)?;
        match shown {
            Shown::Assertion(assertion) => {
                let principal = find_client(request.state, tenant, &client_id)?;
                check_assertion(request, &client_id, assertion)?;
                Ok(Self { principal, proof: ClientProof::Certificate })
            }
            Shown::Secret(secret) => {
                let app = find_app(request.state, tenant, &client_id)?;
                check_secret(app, &secret)?;
                Ok(Self { principal: find_client(request.state, tenant, &app.client_id)?, proof: ClientProof::Secret })
            }
            Shown::Nothing => {
                find_app(request.state, tenant, &client_id)?;
                Err(EntraError::client(
                    7_000_216,
                    "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
                ))
            }
        }
    }
}

/// The client id and what is shown with it, in the body or by HTTP Basic (RFC 6749, section 2.3.1).
fn shown<'r>(request: &'r TokenRequest<'_>) -> Result<(String, Shown<'r>), EntraError> {
    let form = &request.form;
    let (client_id, secret) = match basic(request.call)? {
        Some(pair) => pair,
        None => (form.required("client_id")?.to_owned(), form.value("client_secret").map(str::to_owned)),
    };
    let shown = match (secret, form.value("client_assertion")) {
        (Some(secret), _) => Shown::Secret(secret),
        (None, Some(assertion)) => Shown::Assertion(assertion),
        (None, None) => Shown::Nothing,
    };
    Ok((client_id, shown))
}

pub(crate) fn basic(call: &Call) -> Result<Option<(String, Option<String>)>, EntraError> {
    let basic = call.header("authorization").and_then(|header| {
        let (scheme, text) = header.split_once(' ')?;
        scheme.eq_ignore_ascii_case("basic").then(|| text.trim().to_owned())
    });
    let Some(basic) = basic else { return Ok(None) };
    let malformed = || EntraError::request(9_002_313, "Invalid request. Request is malformed or invalid.");
    let decoded = STANDARD.decode(basic).map_err(|_| malformed())?;
    let text = String::from_utf8(decoded).map_err(|_| malformed())?;
    let (id, secret) = text.split_once(':').ok_or_else(malformed)?;
    // Both halves are form-encoded before they are joined.
    let decode = |part: &str| crate::call::decode(&part.replace('+', " "));
    Ok(Some((decode(id), Some(decode(secret)).filter(|secret| !secret.is_empty()))))
}

/// Checks what a client shows in place of a secret (RFC 7523).
fn check_assertion(request: &TokenRequest<'_>, client_id: &str, assertion: &str) -> Result<(), EntraError> {
    let kind = request.form.required("client_assertion_type")?;
    if kind != federation::ASSERTION_TYPE {
        let text = format!("The client_assertion_type '{kind}' is not supported.");
        return Err(EntraError::request(9_002_313, text));
    }
    let jwt = Jwt::read(assertion).ok_or_else(|| EntraError::request(50_027, "JWT token is invalid or malformed."))?;
    let credentials = request.state.directory.federated_credentials(client_id);
    // An assertion that speaks of the client is its own; one of another issuer is for a federated credential.
    if [jwt.text("iss"), jwt.text("sub")].iter().any(|name| name.eq_ignore_ascii_case(client_id)) {
        return certificate_assertion::check(request, client_id, &jwt);
    }
    federation::check(request, credentials, &jwt)
}

fn unknown_app(tenant: &str, client_id: &str) -> EntraError {
    EntraError::new(
        400,
        700_016,
        "unauthorized_client",
        format!(
            "Application with identifier '{client_id}' was not found in the directory '{tenant}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant."
        ),
    )
}

/// The service principal of an app, or a user-assigned identity, in a tenant.
fn find_client<'a>(state: &'a State, tenant: &Tenant, client_id: &str) -> Result<&'a Known, EntraError> {
    state.directory.principal_of_client(&tenant.id, client_id).ok_or_else(|| unknown_app(&tenant.name, client_id))
}

fn find_app<'a>(state: &'a State, tenant: &Tenant, client_id: &str) -> Result<&'a App, EntraError> {
    state
        .directory
        .app(client_id)
        .filter(|app| app.service_principals.iter().any(|entry| entry.tenant.eq_ignore_ascii_case(&tenant.id)))
        .ok_or_else(|| unknown_app(&tenant.name, client_id))
}

fn check_secret(app: &App, secret: &str) -> Result<(), EntraError> {
    let Some(known) = app.secrets.iter().find(|known| known.value == secret) else {
        return Err(EntraError::client(
            7_000_215,
            format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{}'.",
                app.client_id
            ),
        ));
    };
    if has_expired(known) {
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

fn has_expired(secret: &AppSecret) -> bool {
    let expires = secret.expires.as_deref().and_then(crate::clock::parse_rfc3339);
    expires.is_some_and(|time| time <= crate::clock::now())
}
