//! Active Directory Federation Services: apps that sign in as themselves, at an authority without tenants
//! (<https://learn.microsoft.com/openspecs/windows_protocols/ms-oapx>).

use super::ad_fs_client::{self, Proof};
use crate::call::{Call, Reply};
use crate::clock;
use crate::config::App;
use crate::directory::Directory;
use crate::resources;
use crate::state::State;
use crate::tokens::SigningKey;
use serde_json::{Value, json};

/// How long a token is good, in seconds.
const LIFETIME: i64 = 3_600;

/// Grants that the real one knows and this one does not answer.
const OTHER_GRANTS: [&str; 6] = [
    "authorization_code",
    "refresh_token",
    "password",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
    "urn:ietf:params:oauth:grant-type:saml2-bearer",
];

/// A refusal. All of them have status 400.
pub(super) struct Refusal {
    error: &'static str,
    text: String,
    /// What the journal says beyond it: AD FS keeps the reason to its own log.
    note: Option<String>,
}

impl Refusal {
    pub(super) fn new(error: &'static str, text: impl Into<String>) -> Self {
        Self { error, text: text.into(), note: None }
    }

    /// The client has not proved itself; for the reason that only the journal tells.
    pub(super) fn client(reason: impl Into<String>) -> Self {
        let text = "MSIS9622: Client authentication failed. Please verify the credential provided for client authentication is valid.";
        Self { note: Some(format!("MSIS9622: {}", reason.into())), ..Self::new("invalid_client", text) }
    }

    fn reply(self) -> Reply {
        let note = self.note.unwrap_or_else(|| self.text.clone());
        Reply::json(400, &json!({"error": self.error, "error_description": self.text})).note(note)
    }
}

/// Answers a request; `rest` is what follows the path of the authority.
pub(super) fn answer(state: &State, key: &SigningKey, origin: &str, path: &str, rest: &str, call: &Call) -> Reply {
    let base = format!("https://{origin}{path}");
    let reply = match (call.method.as_str(), rest.trim_end_matches('/').to_ascii_lowercase().as_str()) {
        ("GET", "/.well-known/openid-configuration") => Reply::json(200, &configuration(&base, origin)),
        ("GET", "/discovery/keys") => Reply::json(200, &key.key_set_of(&token_issuer(origin))),
        ("POST", "/oauth2/token") => token(state, key, origin, &base, call).unwrap_or_else(Refusal::reply),
        _ => Reply::text(404, "").note(format!("AD FS does not answer {} {}", call.method, call.path)),
    };
    reply.header("cache-control", "no-store").header("pragma", "no-cache").header("server", "Microsoft-HTTPAPI/2.0")
}

/// The claim `iss` of access tokens.
fn token_issuer(origin: &str) -> String {
    format!("http://{origin}/adfs/services/trust")
}

fn configuration(base: &str, origin: &str) -> Value {
    json!({
        "issuer": base,
        "authorization_endpoint": format!("{base}/oauth2/authorize/"),
        "token_endpoint": format!("{base}/oauth2/token/"),
        "jwks_uri": format!("{base}/discovery/keys"),
        "token_endpoint_auth_methods_supported": [
            "client_secret_post", "client_secret_basic", "private_key_jwt", "windows_client_authentication",
        ],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token", "code token", "code id_token token"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "grant_types_supported": [
            "authorization_code", "refresh_token", "client_credentials",
            "urn:ietf:params:oauth:grant-type:jwt-bearer", "implicit", "password",
        ],
        "subject_types_supported": ["pairwise"],
        "scopes_supported": ["allatclaims", "aza", "email", "logon_cert", "openid", "profile", "user_impersonation"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256"],
        "access_token_issuer": token_issuer(origin),
        "claims_supported": ["aud", "iss", "iat", "exp", "auth_time", "nonce", "at_hash", "c_hash", "sub", "upn"],
        "microsoft_multi_refresh_token": true,
        "userinfo_endpoint": format!("{base}/userinfo"),
        "capabilities": [],
        "end_session_endpoint": format!("{base}/oauth2/logout"),
        "device_authorization_endpoint": format!("{base}/oauth2/devicecode"),
    })
}

fn token(state: &State, key: &SigningKey, origin: &str, base: &str, call: &Call) -> Result<Reply, Refusal> {
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&call.body).into_owned().collect();
    let value =
        |name: &str| form.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str());
    // No public document has the texts of what is missing.
    let grant =
        value("grant_type").ok_or_else(|| Refusal::new("invalid_request", "The 'grant_type' parameter is missing."))?;
    if OTHER_GRANTS.contains(&grant) {
        let text = format!("The emulator's AD FS does not answer the grant '{grant}'.");
        return Ok(Reply::json(501, &json!({"error": "not_emulated", "error_description": text})).note(text));
    }
    if grant != "client_credentials" {
        return Err(Refusal::new(
            "unsupported_grant_type",
            "MSIS9611: The authorization server does not support the requested 'grant_type'. The authorization server only supports 'authorization_code', 'refresh_token' or 'client_credentials' as the grant type.",
        ));
    }
    let (app, proof) = ad_fs_client::check(state, base, call, &value)?;
    let audience = audience(&state.directory, app, value("resource"), value("scope"))?;
    let lifetime = call.token_shape.as_ref().and_then(|shape| shape.expires_in).unwrap_or(LIFETIME);
    let issuer = token_issuer(origin);
    let now = clock::now();
    let expires = now.saturating_add(lifetime);
    let claims = json!({
        "aud": audience,
        "iss": issuer,
        "iat": now.min(expires),
        "nbf": now.min(expires),
        "exp": expires,
        "apptype": "Confidential",
        "appid": app.client_id,
        "authmethod": match proof {
            Proof::Secret => "http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/password",
            Proof::Certificate => "http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/tlsclient",
        },
        "auth_time": clock::iso_time(now),
        "ver": "1.0",
        "scp": "openid",
    });
    let token =
        key.sign_as(&issuer, &claims).ok_or_else(|| Refusal::new("server_error", "The token could not be signed."))?;
    let mut body = json!({"access_token": token, "token_type": "bearer", "expires_in": lifetime});
    if let Some(fields) = body.as_object_mut() {
        call.token_shape.clone().unwrap_or_default().apply(fields, crate::faults::ExpiryType::Number);
    }
    let mut reply = Reply::json(200, &body);
    reply.trail.grant = Some("client_credentials");
    reply.trail.audience = Some(audience);
    reply.trail.principal = Some(crate::journal::Principal {
        name: app.name.clone(),
        object_id: String::new(),
        client_id: Some(app.client_id.clone()),
    });
    Ok(reply)
}

/// The audience of the token: a resource that is a URL as it is, another with a prefix.
fn audience(directory: &Directory, app: &App, resource: Option<&str>, scope: Option<&str>) -> Result<String, Refusal> {
    // From 2019 on the resource may stand in the scope, as at Entra.
    let of_scope =
        || scope?.split_ascii_whitespace().find_map(|scope| scope.rsplit_once('/')).map(|(resource, _)| resource);
    let wanted = resource.or_else(of_scope);
    let tenants = app.service_principals.iter().filter_map(|entry| directory.tenant(&entry.tenant));
    let known =
        wanted.filter(|wanted| tenants.clone().any(|tenant| resources::audience(directory, tenant, wanted).is_some()));
    let resource = known.ok_or_else(|| {
        Refusal::new(
            "invalid_resource",
            "MSIS9602: The received 'resource' parameter is invalid. The authorization server can not find a registered resource with the specified identifier.",
        )
    })?;
    Ok(match resource.contains("://") {
        true => resource.to_owned(),
        false => format!("microsoft:identityserver:{resource}"),
    })
}
