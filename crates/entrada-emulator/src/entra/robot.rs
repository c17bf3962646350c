//! The user who signs in where no person is: examples and tests run without one.
//!
//! It does what a person would do at the pages, so it is refused where a person would be, and then the client is told
//! at once: nobody is there to read a page.

use super::EntraError;
use super::policy;
use super::scope::Asked;
use super::sign_ins::device_codes::{DeviceCode, Stage};
use crate::config::{App, Consent, Mfa, Tenant, User};
use crate::state::State;
use crate::user_tokens::SignIn;

/// Signs the robot in to an app, in a tenant or at home; none when there is no robot.
pub(super) fn sign_in<'a>(
    state: &'a State,
    app: &App,
    tenant: Option<&'a Tenant>,
    asked: &Asked,
    contexts: &[String],
) -> Result<Option<(&'a User, SignIn)>, EntraError> {
    let directory = &state.directory;
    let Some(user) = state.sign_ins.robot().and_then(|name| directory.account(&name)) else { return Ok(None) };
    let home = || directory.tenant(&user.tenant);
    let tenant = tenant.or_else(home).ok_or_else(|| EntraError::unavailable("The user has no tenant."))?;
    policy::in_tenant(user, tenant, app)?;
    let accounts = &state.sign_ins.accounts;
    policy::check_account(state, user)?;
    let mut sign_in = state.sign_ins.sign_in(&["pwd"]);
    if let Some(missing) = policy::missing_proof(state, user, &sign_in, contexts) {
        if missing == Mfa::Register {
            accounts.set_mfa(&user.object_id, Mfa::Required);
        }
        sign_in.methods.push("mfa".to_owned());
    }
    let wanted = asked.in_tenant(state, tenant)?;
    policy::check_token(state, user, &sign_in, contexts, &wanted.audience.value)?;
    if app.consent == Consent::Ask {
        state.sign_ins.consents.give(&app.client_id, &user.object_id, &wanted.to_consent_to());
    }
    policy::check_consent(state, app, user, &wanted)?;
    Ok(Some((user, sign_in)))
}

/// Approves a device code.
pub(super) fn decide(state: &State, app: &App, code: &DeviceCode) -> Result<Option<Stage>, EntraError> {
    let tenant = code.tenant.as_deref().and_then(|tenant| state.directory.tenant(tenant));
    let Some((user, sign_in)) = sign_in(state, app, tenant, &code.asked, &[])? else { return Ok(None) };
    let stage = Stage::Approved { user: user.object_id.clone(), sign_in };
    Ok(state.sign_ins.device_codes.decide(&code.user_code, &stage).then_some(stage))
}
