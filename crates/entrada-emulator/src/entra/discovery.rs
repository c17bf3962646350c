//! Instance discovery and the openid-configuration documents.

use super::{EntraError, SHARED, find_tenant};
use crate::authorities::{is_vouched_for, region};
use crate::call::{Call, Reply};
use crate::cloud::{CLOUDS, Names, authority_host};
use crate::state::State;
use serde_json::{Value, json};

/// Authorities of clouds that the emulator does not answer for, and MSAL knows.
const OTHER_CLOUDS: [&str; 5] = [
    "login.microsoftonline.de",
    "login-us.microsoftonline.com",
    "login.sovcloud-identity.fr",
    "login.sovcloud-identity.de",
    "login.sovcloud-identity.sg",
];

/// `/common/discovery/instance`: which hosts are authorities, and which of them are the same one.
pub(super) fn instance(state: &State, call: &Call) -> Result<Reply, EntraError> {
    let endpoint = call.parameter("authorization_endpoint").ok_or_else(|| {
        EntraError::request(900_144, "The request must contain the following parameter: 'authorization_endpoint'.")
    })?;
    let invalid = || {
        let text = format!("Unknown or invalid instance. '{endpoint}' is not an authority of Microsoft Entra.");
        EntraError::new(400, 50_049, "invalid_instance", text)
    };
    let url = url::Url::parse(endpoint).map_err(|_| invalid())?;
    let host = url.host_str().filter(|_| url.scheme() == "https").ok_or_else(invalid)?;
    let is_known = authority_host(host).is_some() || region(host).is_some() || OTHER_CLOUDS.contains(&host);
    let port = url.port_or_known_default().unwrap_or_default();
    if !is_known && !is_vouched_for(&state.directory.config, host, port) {
        return Err(invalid());
    }
    let tenant = url.path_segments().and_then(|mut path| path.next()).filter(|name| !name.is_empty());
    let metadata: Vec<Value> = CLOUDS
        .iter()
        .map(|cloud| metadata(cloud.authority, cloud.cache, cloud.aliases))
        .chain(OTHER_CLOUDS.map(|host| metadata(host, host, &[host])))
        .collect();
    let version = if call.parameter("api-version") == Some("1.0") { "1.0" } else { "1.1" };
    let discovery = format!(
        "https://{}/{}/v2.0/.well-known/openid-configuration",
        &url[url::Position::BeforeHost..url::Position::AfterPort],
        tenant.unwrap_or("common"),
    );
    let mut body = json!({"tenant_discovery_endpoint": discovery, "api-version": version});
    if version == "1.1" {
        body["metadata"] = metadata.into();
    }
    Ok(Reply::json(200, &body))
}

fn metadata(network: &str, cache: &str, aliases: &[&str]) -> Value {
    json!({"preferred_network": network, "preferred_cache": cache, "aliases": aliases})
}

/// The openid-configuration of a tenant (OpenID Connect Discovery 1.0, section 4).
/// Addresses begin with `host`.
pub(super) fn openid(state: &State, names: &Names, host: &str, tenant: &str, version: u8) -> Result<Value, EntraError> {
    let lower = tenant.to_ascii_lowercase();
    let (path, id) = if SHARED.contains(&lower.as_str()) {
        (lower, "{tenantid}".to_owned())
    } else {
        let found = find_tenant(state, names, tenant)?;
        (found.id.clone(), found.id.clone())
    };
    let (oauth, keys, issuer) = if version == 1 {
        ("oauth2", "discovery/keys", format!("https://{}/{id}/", names.v1_issuer))
    } else {
        ("oauth2/v2.0", "discovery/v2.0/keys", format!("https://{}/{id}/v2.0", names.authority))
    };
    let scope_region = if id.starts_with('{') { Value::Null } else { names.region_scope.into() };
    let mut body = json!({
        "token_endpoint": format!("https://{host}/{path}/{oauth}/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": format!("https://{host}/{path}/{keys}"),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": issuer,
        "request_uri_parameter_supported": false,
        "authorization_endpoint": format!("https://{host}/{path}/{oauth}/authorize"),
        "device_authorization_endpoint": format!("https://{host}/{path}/{oauth}/devicecode"),
        "end_session_endpoint": format!("https://{host}/{path}/{oauth}/logout"),
        "claims_supported": [
            "sub", "iss", "cloud_instance_name", "cloud_instance_host_name", "cloud_graph_host_name",
            "msgraph_host", "aud", "exp", "iat", "auth_time", "acr", "nonce", "preferred_username",
            "name", "tid", "ver", "at_hash", "c_hash", "email",
        ],
        "tenant_region_scope": scope_region,
        "cloud_instance_name": names.authority.split_once('.').map_or("", |(_, rest)| rest),
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": names.graph,
        "rbac_url": "https://pas.windows.net",
    });
    if version == 1 {
        body["check_session_iframe"] = format!("https://{host}/{path}/oauth2/checksession").into();
        body["userinfo_endpoint"] = format!("https://{host}/{path}/openid/userinfo").into();
        body["microsoft_multi_refresh_token"] = true.into();
    } else {
        body["userinfo_endpoint"] = format!("https://{}/oidc/userinfo", names.graph).into();
    }
    Ok(body)
}
