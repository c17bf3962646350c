//! Which step comes next: the first thing that is still missing.

use crate::config::{App, Consent, Mfa, Tenant, User};
use crate::entra::authorize::Prompt;
use crate::entra::browser::Web;
use crate::entra::client::user_app;
use crate::entra::scope::{Asked, Wanted};
use crate::entra::sign_ins::attempts::{Attempt, Goal};
use crate::entra::{EntraError, policy};
use crate::people::Person;
use crate::user_tokens::SignIn;

/// What is asked of the person next.
pub(super) enum Step<'a> {
    /// The code of a device.
    DeviceCode,
    Name,
    Password(&'a User),
    /// The password has expired.
    NewPassword(&'a User),
    Proof(Mfa, &'a User),
    Consent {
        app: &'a App,
        user: &'a User,
        permissions: Vec<String>,
    },
    /// Whether the device is the person's.
    Confirm(&'a User),
    /// Nothing.
    Finish {
        app: &'a App,
        user: &'a User,
        person: Person,
        sign_in: SignIn,
    },
}

/// What a sign-in is for, whoever asked.
struct Purpose<'a> {
    app: &'a App,
    tenant: Option<&'a Tenant>,
    asked: Asked,
    contexts: Vec<String>,
    asks_consent: bool,
}

/// The next step; an error is a refusal that no step gets around. A session that will do is taken up.
pub(super) fn next<'a>(web: &Web<'a>, attempt: &mut Attempt) -> Result<Step<'a>, EntraError> {
    let state = web.state;
    let directory = &state.directory;
    let Some(purpose) = purpose(web, attempt)? else { return Ok(Step::DeviceCode) };
    let Some(user) = attempt.user.as_deref().and_then(|user| directory.account_of(user)) else { return Ok(Step::Name) };
    if attempt.sign_in.is_none() && attempt.by_session {
        let accounts = web.accounts();
        attempt.sign_in = accounts.into_iter().find(|one| one.user == user.object_id).map(|one| one.sign_in);
    }
    let Some(sign_in) = attempt.sign_in.clone() else {
        return Ok(if attempt.password_expired { Step::NewPassword(user) } else { Step::Password(user) });
    };
    let tenant = purpose.tenant.or_else(|| directory.tenant(&user.tenant));
    let tenant = tenant.ok_or_else(|| EntraError::unavailable("The user's tenant has gone."))?;
    let app = user_app(state, Some(tenant), &purpose.app.client_id)?;
    let person = policy::in_tenant(user, tenant, app)?;
    policy::check_standing(state, user)?;
    if let Some(missing) = policy::missing_proof(state, user, &sign_in, &purpose.contexts) {
        let missing = if attempt.registering { Mfa::Required } else { missing };
        return Ok(Step::Proof(missing, user));
    }
    let wanted = purpose.asked.in_tenant(state, tenant)?;
    if !attempt.consented {
        let is_missing = policy::check_consent(state, app, user, &wanted).is_err();
        if is_missing && app.consent == Consent::Admin {
            return Err(policy::consent_missing(app));
        }
        if is_missing || purpose.asks_consent {
            return Ok(Step::Consent { app, user, permissions: described(&purpose.asked, &wanted) });
        }
    }
    match &attempt.goal {
        Goal::Device(_) if !attempt.confirmed => Ok(Step::Confirm(user)),
        _ => Ok(Step::Finish { app, user, person, sign_in }),
    }
}

fn purpose<'a>(web: &Web<'a>, attempt: &Attempt) -> Result<Option<Purpose<'a>>, EntraError> {
    let state = web.state;
    let find = |tenant: &Option<String>| tenant.as_deref().and_then(|id| state.directory.tenant(id));
    match &attempt.goal {
        Goal::Authorize(request) => {
            let tenant = find(&request.tenant);
            Ok(Some(Purpose {
                app: user_app(state, tenant, &request.client_id)?,
                tenant,
                asked: request.asked.clone(),
                contexts: request.contexts(),
                asks_consent: request.prompt == Prompt::Consent,
            }))
        }
        Goal::Device(code) => {
            let Some(code) = code.as_deref().and_then(|code| state.sign_ins.device_codes.entered(code)) else {
                return Ok(None);
            };
            let tenant = find(&code.tenant);
            let app = user_app(state, tenant, &code.client_id)?;
            Ok(Some(Purpose { app, tenant, asked: code.asked, contexts: Vec::new(), asks_consent: false }))
        }
    }
}

/// The permissions that a user wants consented to, which a `give` of consents takes.
pub(super) fn to_consent_to(web: &Web<'_>, attempt: &Attempt, user: &User) -> Result<Vec<String>, EntraError> {
    let Some(purpose) = purpose(web, attempt)? else { return Ok(Vec::new()) };
    let tenant = purpose.tenant.or_else(|| web.state.directory.tenant(&user.tenant));
    let tenant = tenant.ok_or_else(|| EntraError::unavailable("The user's tenant has gone."))?;
    Ok(purpose.asked.in_tenant(web.state, tenant)?.to_consent_to())
}

/// Permissions in a person's words, with the name that an app asks by.
fn described(asked: &Asked, wanted: &Wanted) -> Vec<String> {
    let resource = wanted.audience.api_uris.first().unwrap_or(&wanted.audience.value).trim_end_matches('/');
    let mut all = Vec::new();
    for permission in &wanted.permissions {
        all.push(match permission.as_str() {
            "User.Read" => "Sign you in and read your profile (User.Read)".to_owned(),
            "openid" | "profile" | "email" => continue,
            "user_impersonation" => format!("Use {resource} as you (user_impersonation)"),
            other => format!("{other} of {resource}"),
        });
    }
    if asked.has("openid") {
        all.push("Sign you in, and see who you are (openid)".to_owned());
    }
    if asked.has("offline_access") {
        all.push("Keep the access that you give it (offline_access)".to_owned());
    }
    all
}
