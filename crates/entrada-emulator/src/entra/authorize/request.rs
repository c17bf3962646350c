//! What an authorize request says, checked.

use super::redirect;
use crate::config::Tenant;
use crate::entra::browser::Web;
use crate::entra::claims_request::ClaimsRequest;
use crate::entra::client::user_app;
use crate::entra::form::Form;
use crate::entra::pkce::Challenge;
use crate::entra::scope::Asked;
use crate::entra::{EntraError, find_tenant, is_shared};

/// A request that has been found good.
#[derive(Clone, Debug)]
pub(crate) struct AuthorizeRequest {
    /// First segment of the path, as sent.
    pub(crate) segment: String,
    /// Tenant id; none for `common` and the like.
    pub(crate) tenant: Option<String>,
    pub(crate) client_id: String,
    pub(crate) back: Back,
    pub(crate) challenge: Option<Challenge>,
    pub(crate) asked: Asked,
    pub(crate) claims: Option<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) prompt: Prompt,
    pub(crate) login_hint: Option<String>,
    pub(crate) domain_hint: Option<String>,
    pub(crate) wants_client_info: bool,
}

/// The way back to the client.
#[derive(Clone, Debug)]
pub(crate) struct Back {
    pub(crate) redirect_uri: String,
    pub(crate) mode: Mode,
    pub(crate) state: Option<String>,
}

/// How the answer reaches the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Query,
    Fragment,
    FormPost,
}

/// What the person is to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prompt {
    WhatIsNeeded,
    Login,
    SelectAccount,
    Consent,
    None,
}

impl AuthorizeRequest {
    /// Where its answer leads the browser, as the policy of a page names it.
    pub(crate) fn target(&self) -> Option<String> {
        redirect::origin(&self.back.redirect_uri)
    }

    pub(crate) fn contexts(&self) -> Vec<String> {
        ClaimsRequest::parse(self.claims.as_deref()).unwrap_or_default().contexts
    }
}

/// Reads a request. The outer error is for the person, the inner one for the client.
pub(super) fn read(
    web: &Web<'_>,
    form: &Form,
    segment: &str,
    version: u8,
) -> Result<Result<AuthorizeRequest, (Back, EntraError)>, EntraError> {
    let state = web.state;
    let tenant = if is_shared(segment) { None } else { Some(find_tenant(state, web.names, segment)?) };
    let client_id = form.required("client_id")?;
    let app = user_app(state, tenant, client_id)?;
    let redirect_uri = match (form.value("redirect_uri"), app.redirect_uris.as_slice()) {
        (Some(uri), _) if redirect::matches(app, uri) => uri.to_owned(),
        (None, [only]) => only.clone(),
        (None, _) => return Err(EntraError::request(900_971, "No reply address provided.")),
        (Some(uri), _) => {
            let shown: String = uri.chars().take(200).collect();
            return Err(EntraError::request(
                50_011,
                format!(
                    "The redirect URI '{shown}' specified in the request does not match the redirect URIs configured for the application '{}'. Make sure the redirect URI sent in the request matches one added to your application in the Azure portal. Navigate to https://aka.ms/redirectUriMismatchError to learn more about how to troubleshoot this error.",
                    app.client_id
                ),
            ));
        }
    };
    let mut back = Back { redirect_uri, mode: Mode::Query, state: form.value("state").map(str::to_owned) };
    match form.value("response_mode") {
        None | Some("query") => {}
        Some("fragment") => back.mode = Mode::Fragment,
        Some("form_post") => back.mode = Mode::FormPost,
        Some(_) => {
            let error = EntraError::request(70_007, "The value of the parameter 'response_mode' is not supported.");
            return Ok(Err((back, error)));
        }
    }
    Ok(read_rest(form, version, tenant, &app.client_id, segment, &back).map_err(|error| (back, error)))
}

fn read_rest(
    form: &Form,
    version: u8,
    tenant: Option<&Tenant>,
    client_id: &str,
    segment: &str,
    back: &Back,
) -> Result<AuthorizeRequest, EntraError> {
    check_response_type(form.required("response_type")?)?;
    let prompt = prompt(form.value("prompt"))?;
    let challenge = Challenge::of(form)?;
    ClaimsRequest::parse(form.value("claims"))?;
    let asked = match Asked::read(form, version)? {
        Some(asked) => asked,
        // A v1 client may say at the token endpoint what it wants.
        None if version == 1 => Asked::scopes("openid profile offline_access")?,
        None => return Err(EntraError::missing("scope")),
    };
    let text = |name: &str| form.value(name).map(str::to_owned);
    Ok(AuthorizeRequest {
        segment: segment.to_owned(),
        tenant: tenant.map(|tenant| tenant.id.clone()),
        client_id: client_id.to_owned(),
        back: back.clone(),
        challenge,
        asked,
        claims: text("claims"),
        nonce: text("nonce"),
        prompt,
        login_hint: text("login_hint"),
        domain_hint: text("domain_hint"),
        wants_client_info: form.value("client_info") == Some("1"),
    })
}

/// Only codes are handed out: a token in an address is what everybody advises against (RFC 9700, section 2.1.2).
fn check_response_type(kind: &str) -> Result<(), EntraError> {
    let disabled = |code, kind: &str| {
        let text = format!("response_type '{kind}' is not enabled for the application.");
        Err(EntraError::new(400, code, "unsupported_response_type", text))
    };
    let mut parts = kind.split_ascii_whitespace();
    if kind == "code" {
        Ok(())
    } else if parts.clone().any(|part| part == "token") {
        disabled(700_051, "token")
    } else if parts.any(|part| part == "id_token") {
        disabled(700_054, "id_token")
    } else {
        let text = "The app returned an unsupported response type: it asked for one that Entra does not know.";
        Err(EntraError::new(400, 70_005, "unsupported_response_type", text))
    }
}

fn prompt(text: Option<&str>) -> Result<Prompt, EntraError> {
    match text {
        None => Ok(Prompt::WhatIsNeeded),
        Some("login") => Ok(Prompt::Login),
        Some("select_account") => Ok(Prompt::SelectAccount),
        Some("consent" | "admin_consent") => Ok(Prompt::Consent),
        Some("none") => Ok(Prompt::None),
        // The number is documented for requests that are not valid; that it is the one for this parameter is not.
        Some(_) => Err(EntraError::request(90_023, "Unsupported 'prompt' value.")),
    }
}
