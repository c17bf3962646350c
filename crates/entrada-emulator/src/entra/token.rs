//! The token endpoints: `oauth2/token` (v1, `resource`) and `oauth2/v2.0/token` (v2, `scope`).

use super::form::Form;
use super::{EntraError, find_tenant, grants, is_shared, not_regional};
use crate::authorities::region;
use crate::call::{Call, Reply};
use crate::cloud::Names;
use crate::config::Tenant;
use crate::faults::ExpiryType;
use crate::journal::Principal;
use crate::state::State;
use crate::tokens::{Issued, SigningKey};
use serde_json::{Map, Value, json};

/// A request to a token endpoint.
pub(super) struct TokenRequest<'a> {
    pub(super) state: &'a State,
    pub(super) key: &'a SigningKey,
    pub(super) call: &'a Call,
    /// None for `common` and the other names that stand for any tenant.
    pub(super) tenant: Option<&'a Tenant>,
    /// Which of those names it is, in lower case.
    pub(super) shared: Option<String>,
    /// 1 or 2: the endpoint's.
    pub(super) version: u8,
    pub(super) form: Form,
}

/// Answers a request to a token endpoint.
pub(super) fn answer<'a>(
    state: &'a State,
    key: &'a SigningKey,
    names: &Names,
    tenant: &str,
    version: u8,
    call: &'a Call,
) -> Result<Reply, EntraError> {
    if call.method != http::Method::POST {
        return Err(EntraError::method("POST", &call.method));
    }
    let form = Form::read(call)?;
    let shared = is_shared(tenant).then(|| tenant.to_ascii_lowercase());
    let tenant = if shared.is_some() { None } else { Some(find_tenant(state, names, tenant)?) };
    let request = TokenRequest { state, key, call, tenant, shared, version, form };
    let grant = request.form.required("grant_type")?;
    if region(&call.host).is_some() && grant != "client_credentials" {
        return Err(not_regional());
    }
    let (flow, answered) = match grant {
        "client_credentials" => ("client_credentials", grants::client_credentials::answer(&request)),
        "authorization_code" => ("authorization_code", grants::authorization_code::answer(&request)),
        "refresh_token" => ("refresh_token", grants::refresh_token::answer(&request)),
        "device_code" | "urn:ietf:params:oauth:grant-type:device_code" => {
            ("device_code", grants::device_code::answer(&request))
        }
        "password" => ("password", grants::password::answer(&request)),
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => ("on_behalf_of", grants::on_behalf_of::answer(&request)),
        "urn:ietf:params:oauth:grant-type:saml2-bearer" => {
            return Err(EntraError::not_emulated(format!("The emulator does not answer the grant '{grant}'.")));
        }
        grant => {
            return Err(EntraError::new(
                400,
                70_003,
                "unsupported_grant_type",
                format!("The app requested an unsupported grant type '{grant}'."),
            ));
        }
    };
    answered.map_err(|error| error.asked_by(flow, who(&request, flow)))
}

/// Whom a refused request is about, as far as it can be told: the user, or else the app.
fn who(request: &TokenRequest<'_>, flow: &str) -> Option<Principal> {
    let (directory, sign_ins, form) = (&request.state.directory, &request.state.sign_ins, &request.form);
    let client = directory.client_app(form.value("client_id")?)?;
    let user = match flow {
        "password" => form.value("username").and_then(|name| directory.account(name)),
        "authorization_code" => {
            let code = form.value("code").and_then(|code| sign_ins.codes.look(code));
            code.and_then(|code| directory.account_of(&code.person.home_object_id))
        }
        "refresh_token" => {
            let token = form.value("refresh_token").and_then(|token| sign_ins.refresh_tokens.open(token));
            token.and_then(|token| directory.account_of(&token.user))
        }
        _ => None,
    };
    let app = || directory.principal_of_client(&request.tenant?.id, &client.client_id).map(|app| app.shown());
    user.map_or_else(app, |user| {
        Some(Principal {
            name: user.name.clone(),
            object_id: user.object_id.clone(),
            client_id: Some(client.client_id.clone()),
        })
    })
}

impl TokenRequest<'_> {
    /// Lifetime of the token to issue, in seconds: the usual one, unless a fault rule wants another.
    pub(super) fn lifetime(&self, usual: i64) -> i64 {
        self.call.token_shape.as_ref().and_then(|shape| shape.expires_in).unwrap_or(usual)
    }
}

/// The fields that every answer with an access token has.
pub(super) fn fields(request: &TokenRequest<'_>, issued: Issued, lifetime: i64) -> Map<String, Value> {
    let mut fields = Map::new();
    let mut add = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    add("token_type", "Bearer".into());
    add("expires_in", lifetime.into());
    add("ext_expires_in", lifetime.into());
    if request.version == 1 {
        add("expires_on", issued.expires_on.into());
        add("not_before", issued.not_before.into());
        add("resource", json!(request.form.value("resource")));
    }
    add("access_token", issued.token.into());
    fields
}

/// An answer with these fields, in the shape that a fault rule asks for.
pub(super) fn reply(request: &TokenRequest<'_>, mut fields: Map<String, Value>, grant: &'static str) -> Reply {
    let usual = if request.version == 1 { ExpiryType::Text } else { ExpiryType::Number };
    request.call.token_shape.clone().unwrap_or_default().apply(&mut fields, usual);
    let mut reply = Reply::json(200, &fields.into());
    reply.trail.grant = Some(grant);
    reply
}
