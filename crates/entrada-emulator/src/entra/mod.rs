//! Entra's authority: discovery, keys and the token endpoints.

pub(crate) mod authorize;
mod browser;
mod certificate_assertion;
pub(crate) mod claims_request;
mod client;
mod device;
mod discovery;
mod error;
mod federation;
mod form;
mod grants;
mod interaction;
mod logout;
mod pages;
pub(crate) mod pkce;
mod policy;
mod robot;
pub(crate) mod scope;
pub(crate) mod sign_ins;
mod token;
mod user_answer;
mod user_realm;

use crate::authorities::region;
use crate::call::{Call, Reply};
use crate::cloud::Names;
use crate::config::Tenant;
use crate::state::State;
use crate::tokens::SigningKey;
use browser::Web;
pub(crate) use client::basic;
pub(crate) use device::lead as lead_to_device_page;
use error::EntraError;
pub(crate) use federation::ASSERTION_TYPE;

/// Names of tenants that stand for "any".
const SHARED: [&str; 3] = ["common", "organizations", "consumers"];

/// Answers a request sent to an authority's host.
pub(crate) fn answer(state: &State, key: &SigningKey, names: &Names, call: &Call) -> Reply {
    let correlation = call
        .header("client-request-id")
        .or_else(|| call.parameter("client-request-id"))
        .and_then(|id| uuid::Uuid::try_parse(id).ok())
        .unwrap_or_else(uuid::Uuid::new_v4)
        .to_string();
    let reply =
        route(state, key, names, call, &correlation).unwrap_or_else(|error| error.reply(names.authority, &correlation));
    let reply = reply
        .header("cache-control", "no-store, no-cache")
        .header("pragma", "no-cache")
        .header("expires", "-1")
        .header("strict-transport-security", "max-age=31536000; includeSubDomains")
        .header("x-content-type-options", "nosniff")
        .header("x-ms-ests-server", "2.1.22345.6 - WEULR1 ProdSlices")
        .header("p3p", "CP=\"DSP CUR OTPi IND OTRi ONL FIN\"");
    let reply = if reply.headers.contains_key("x-ms-request-id") {
        reply
    } else {
        reply.header("x-ms-request-id", uuid::Uuid::new_v4().to_string())
    };
    let wants_echo = call.header("return-client-request-id").is_some_and(|wants| wants.eq_ignore_ascii_case("true"));
    if wants_echo || call.header("client-request-id").is_some() {
        reply.header("client-request-id", &correlation)
    } else {
        reply
    }
}

/// Answers a request to the token proxy of a cluster with an identity binding: it hands on what is for the token
/// endpoint of the public cloud.
pub(crate) fn answer_through_proxy(state: &State, key: &SigningKey, call: &Call) -> Reply {
    let path = call.path.strip_prefix(PROXY_PATH).filter(|path| path.ends_with("/oauth2/v2.0/token"));
    let Some(path) = path else {
        return Reply::text(404, format!("The token proxy answers below {PROXY_PATH}, for the token endpoint only."))
            .note("not the token endpoint");
    };
    let names = &crate::cloud::CLOUDS[0];
    let host = names.authority.to_owned();
    let call = Call { path: path.to_owned(), host, through_binding: true, ..call.clone() };
    answer(state, key, names, &call)
}

/// Path that `AZURE_KUBERNETES_TOKEN_PROXY` ends with.
const PROXY_PATH: &str = "/token-proxy";

fn route(state: &State, key: &SigningKey, names: &Names, call: &Call, correlation: &str) -> Result<Reply, EntraError> {
    let web = Web { state, names, call, correlation };
    let segments = call.segments();
    let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
    check_region(call, &parts)?;
    match parts.as_slice() {
        [_, "discovery", "instance"] => discovery::instance(state, call),
        [tenant, ".well-known", "openid-configuration"] => {
            discovery::openid(state, names, &base(call, names), tenant, 1).map(|body| Reply::json(200, &body))
        }
        [tenant, "v2.0", ".well-known", "openid-configuration"] => {
            discovery::openid(state, names, &base(call, names), tenant, 2).map(|body| Reply::json(200, &body))
        }
        [tenant, "discovery", "keys"] | [tenant, "discovery", "v2.0", "keys"] => {
            if !is_shared(tenant) {
                find_tenant(state, names, tenant)?;
            }
            Ok(Reply::json(200, &key.key_set()))
        }
        [tenant, "oauth2", "token"] => token::answer(state, key, names, tenant, 1, call),
        [tenant, "oauth2", "v2.0", "token"] => token::answer(state, key, names, tenant, 2, call),
        [tenant, "oauth2", "authorize"] => Ok(authorize::answer(&web, tenant, 1)),
        [tenant, "oauth2", "v2.0", "authorize"] => Ok(authorize::answer(&web, tenant, 2)),
        [_, "login", step] => Ok(interaction::post(&web, step)),
        [tenant, "oauth2", "devicecode"] => device::start(&web, tenant, 1),
        [tenant, "oauth2", "v2.0", "devicecode"] => device::start(&web, tenant, 2),
        [_, "oauth2", "deviceauth"] => Ok(device::entry(&web)),
        [_, "oauth2", "logout"] | [_, "oauth2", "v2.0", "logout"] => Ok(logout::answer(&web)),
        [_, "oauth2", "nativeclient"] => {
            Ok(pages::message::reply("You're done", "The app has been told, and you may close this window."))
        }
        [_, "userrealm", user] => user_realm::answer(state, names, user, call),
        ["device" | "devicelogin"] => Ok(device::lead(&call.path, &call.raw_query).unwrap_or_else(|| Reply::new(404))),
        ["favicon.ico"] => Ok(Reply::new(204)),
        _ => Err(EntraError::new(
            404,
            90_034,
            "invalid_request",
            format!("The emulator does not answer {} {} of Entra.", call.method, call.path),
        )),
    }
}

/// What addresses of this authority begin with, after `https://`.
fn base(call: &Call, names: &Names) -> String {
    match &call.base {
        Some(base) => base.clone(),
        None if region(&call.host).is_some() => call.host.clone(),
        None => names.authority.to_owned(),
    }
}

/// Refuses what the regional endpoints do not do: they are for apps that sign in as themselves.
fn check_region(call: &Call, parts: &[&str]) -> Result<(), EntraError> {
    let is_public = matches!(
        parts,
        [_, "discovery", ..]
            | [.., ".well-known", "openid-configuration"]
            | [_, "oauth2", "token"]
            | [_, "oauth2", "v2.0", "token"]
    );
    if region(&call.host).is_none() || is_public {
        return Ok(());
    }
    Err(not_regional())
}

/// What regional endpoints answer to those they are not for.
fn not_regional() -> EntraError {
    EntraError::request(
        100_007,
        "This request was received by an Azure AD regional authentication endpoint. Only managed identities and Microsoft internal service identities are supported. SN+I authentication is required. All others, send your request to login.microsoftonline.com: in MSAL avoid using .WithAzureRegion(), in App Service, set REGION_NAME to null.",
    )
}

fn is_shared(tenant: &str) -> bool {
    SHARED.contains(&tenant.to_ascii_lowercase().as_str())
}

/// Finds a tenant of this cloud by id or domain name.
fn find_tenant<'a>(state: &'a State, names: &Names, tenant: &str) -> Result<&'a Tenant, EntraError> {
    let well_formed = !tenant.is_empty()
        && tenant.len() <= 255
        && (uuid::Uuid::try_parse(tenant).is_ok()
            || (tenant.contains('.')
                && !tenant.starts_with('.')
                && !tenant.ends_with('.')
                && tenant.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))));
    if !well_formed {
        return Err(EntraError::request(
            900_023,
            format!("Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid external domain."),
        ));
    }
    state
        .directory
        .tenant(tenant)
        .filter(|found| found.cloud == names.cloud)
        .ok_or_else(|| EntraError::request(
            90_002,
            format!(
                "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant."
            ),
        ))
}
