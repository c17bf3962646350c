//! Devices without a browser: the endpoint that hands out codes, and the page where a person enters one (RFC 8628).

use super::browser::{self, Web};
use super::claims_request::ClaimsRequest;
use super::client::user_app;
use super::form::Form;
use super::interaction::{self, find_attempt, go_on};
use super::pages::{self, Problem};
use super::scope::Asked;
use super::sign_ins::attempts::{Attempt, Goal};
use super::sign_ins::device_codes::{DeviceCode, Stage};
use super::{EntraError, find_tenant, is_shared};
use crate::call::Reply;
use crate::clock;
use crate::cloud::{Cloud, Names};
use serde_json::json;

/// Name of the flow in the journal.
const FLOW: &str = "device_code";

/// Hands out a device code (`oauth2/v2.0/devicecode`, `oauth2/devicecode`).
pub(super) fn start(web: &Web<'_>, segment: &str, version: u8) -> Result<Reply, EntraError> {
    let form = match web.call.method {
        // v1 takes either.
        http::Method::GET if version == 1 => Form::of(web.call.query.clone())?,
        http::Method::POST => Form::read(web.call).map_err(|error| match error.code {
            900_144 => EntraError::missing("client_id"),
            _ => error,
        })?,
        _ => return Err(EntraError::method("POST", &web.call.method)),
    };
    let tenant = if is_shared(segment) { None } else { Some(find_tenant(web.state, web.names, segment)?) };
    let app = user_app(web.state, tenant, form.required("client_id")?)?;
    let asked = Asked::read(&form, version)?
        .ok_or_else(|| EntraError::missing(if version == 1 { "resource" } else { "scope" }))?;
    if let Some(tenant) = tenant {
        asked.in_tenant(web.state, tenant)?;
    }
    ClaimsRequest::parse(form.value("claims"))?;
    let sign_ins = &web.state.sign_ins;
    let lifetime = sign_ins.lifetimes.device_code;
    // Nobody has to type the code that the robot approves.
    let interval = if sign_ins.robot().is_some() { 1 } else { sign_ins.lifetimes.device_code_interval.max(1) };
    let code = DeviceCode::new(
        &app.client_id,
        tenant.map(|tenant| tenant.id.clone()),
        asked,
        form.value("claims").map(str::to_owned),
        clock::now().saturating_add(i64::from(lifetime)),
    );
    let user_code = code.user_code.clone();
    let page = verification_page(web.names);
    let message = format!(
        "To sign in, use a web browser to open the page {page} and enter the code {user_code} to authenticate."
    );
    let device_code = sign_ins.device_codes.issue(code);
    let body = if version == 1 {
        json!({
            "user_code": user_code,
            "device_code": device_code,
            "verification_url": page,
            "expires_in": lifetime.to_string(),
            "interval": interval.to_string(),
            "message": message,
        })
    } else {
        json!({
            "user_code": user_code,
            "device_code": device_code,
            "verification_uri": page,
            "expires_in": lifetime,
            "interval": interval,
            "message": message,
        })
    };
    Ok(interaction::traced(Reply::json(200, &body), FLOW))
}

/// The short address that a person is told; the gateway leads it to [`entry`].
fn verification_page(names: &Names) -> &'static str {
    match names.cloud {
        Cloud::Public => "https://microsoft.com/devicelogin",
        Cloud::UsGovernment => "https://microsoft.com/deviceloginus",
        Cloud::China => "https://microsoft.com/deviceloginchina",
    }
}

/// Leads the short addresses (`microsoft.com/devicelogin`, `login.microsoft.com/device`) to the page itself.
pub(crate) fn lead(path: &str, query: &str) -> Option<Reply> {
    let cloud = match path.trim_matches('/').to_ascii_lowercase().as_str() {
        "devicelogin" | "device" => Cloud::Public,
        "deviceloginus" => Cloud::UsGovernment,
        "deviceloginchina" => Cloud::China,
        _ => return None,
    };
    let query = if query.is_empty() { String::new() } else { format!("?{query}") };
    let page = format!("https://{}/common/oauth2/deviceauth{query}", cloud.names().authority);
    Some(interaction::traced(Reply::new(302).header("location", page), FLOW))
}

/// The page where the code is entered, and what was entered there.
pub(super) fn entry(web: &Web<'_>) -> Reply {
    let reply = if web.call.method == http::Method::POST {
        match Form::read(web.call).and_then(|form| find_attempt(web, &form).map(|found| (form, found))) {
            Ok((form, (id, attempt))) => entered(web, &id, attempt, form.value("otc").unwrap_or_default()),
            Err(error) => pages::error::reply(&error, web.correlation, None),
        }
    } else {
        let attempt = Attempt::new(&web.ensure_browser(), Goal::Device(None), true, clock::now());
        let id = web.state.sign_ins.attempts.start(attempt.clone());
        let frame = interaction::frame(web, &id, &attempt, None);
        let filled: String = web.call.parameter("otc").unwrap_or_default().chars().take(16).collect();
        browser::mark(pages::device::code(&frame, &filled), &attempt.browser)
    };
    interaction::traced(reply, FLOW)
}

fn entered(web: &Web<'_>, id: &str, mut attempt: Attempt, user_code: &str) -> Reply {
    let codes = &web.state.sign_ins.device_codes;
    let problem = match codes.entered(user_code) {
        Some(code) if clock::now() >= code.expires => {
            let error = EntraError::grant(70_019, "Verification code expired.");
            Some((error, "That code has expired. Get a new one from your device."))
        }
        Some(code) if code.stage == Stage::Pending && is_here(web, &code) => None,
        _ => {
            let error = EntraError::grant(70_018, "Invalid verification code.");
            Some((error, "That code didn't work. Check the code and try again."))
        }
    };
    if let Some((error, text)) = problem {
        let problem = Problem::new(&error, text, web.correlation);
        let frame = interaction::frame(web, id, &attempt, Some(problem));
        return pages::device::code(&frame, "").note(error.short());
    }
    attempt.goal = Goal::Device(Some(user_code.to_owned()));
    if let [only] = web.accounts().as_slice() {
        attempt.user = Some(only.user.clone());
    }
    go_on(web, id, attempt)
}

/// Whether a code was asked for in this cloud.
fn is_here(web: &Web<'_>, code: &DeviceCode) -> bool {
    let tenant = code.tenant.as_deref().and_then(|tenant| web.state.directory.tenant(tenant));
    tenant.is_none_or(|tenant| tenant.cloud == web.names.cloud)
}
