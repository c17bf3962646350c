//! What a person entered at a page.

use super::step::to_consent_to;
use super::{Step, advance, give_up, next, traced};
use crate::call::Reply;
use crate::clock;
use crate::config::{Consent, Mfa, User};
use crate::entra::authorize::{AuthorizeRequest, FLOW};
use crate::entra::browser::Web;
use crate::entra::form::Form;
use crate::entra::pages::{self, Problem};
use crate::entra::sign_ins::attempts::{Attempt, Goal};
use crate::entra::{EntraError, policy};

/// Takes a form of one of the pages.
pub(in crate::entra) fn post(web: &Web<'_>, step: &str) -> Reply {
    let found = form(web).and_then(|form| find(web, &form).map(|(id, attempt)| (form, id, attempt)));
    let reply = match found {
        Ok((form, id, attempt)) => enter(web, step, &form, &id, attempt),
        Err(error) => pages::error::reply(&error, web.correlation, None),
    };
    traced(reply, FLOW)
}

fn form(web: &Web<'_>) -> Result<Form, EntraError> {
    if web.call.method != http::Method::POST {
        return Err(EntraError::method("POST", &web.call.method));
    }
    Form::read(web.call)
}

/// The sign-in that a form belongs to. A form of another browser, or made up elsewhere, belongs to none.
pub(in crate::entra) fn find(web: &Web<'_>, form: &Form) -> Result<(String, Attempt), EntraError> {
    let (id, csrf) = (form.value("ctx").unwrap_or_default(), form.value("csrf").unwrap_or_default());
    let attempt = web
        .browser()
        .and_then(|browser| web.state.sign_ins.attempts.find(id, browser, csrf, clock::now()))
        .ok_or_else(|| {
            EntraError::request(
                165_000,
                "Invalid Request: The request tokens do not match the user context. Do not copy the user context values (cookies; form fields; headers) between different requests or user sessions; always maintain the ALL of the supplied values across a complete single user flow. Go back to the app, and sign in again from there.",
            )
        })?;
    Ok((id.to_owned(), attempt))
}

fn enter(web: &Web<'_>, step: &str, form: &Form, id: &str, mut attempt: Attempt) -> Reply {
    let user = attempt.user.as_deref().and_then(|user| web.state.directory.account_of(user));
    let result = match (step, user) {
        ("name", _) => name(web, form, &mut attempt),
        ("account", _) => account(web, form, &mut attempt),
        ("other", _) => {
            (attempt.user, attempt.sign_in, attempt.by_session, attempt.password_expired) = (None, None, false, false);
            Ok(())
        }
        ("password", Some(user)) => password(web, form, &mut attempt, user),
        ("new-password", Some(user)) => new_password(web, form, &mut attempt, user),
        ("register", Some(_)) => {
            attempt.registering = true;
            Ok(())
        }
        ("proof", Some(user)) => proof(web, form, &mut attempt, user),
        ("consent", Some(user)) => return consent(web, id, attempt, user),
        ("confirm", Some(_)) => {
            attempt.confirmed = attempt.sign_in.is_some();
            Ok(())
        }
        ("cancel", _) => return give_up(web, id, &attempt, &cancelled()),
        ("give-up", _) => {
            let error = next(web, &mut attempt).err().unwrap_or_else(cancelled);
            return give_up(web, id, &attempt, &error);
        }
        // A page of a step that the sign-in is not at, as after a reload: it goes on where it is.
        _ => Ok(()),
    };
    advance(web, id, attempt, result.err())
}

fn cancelled() -> EntraError {
    EntraError::new(400, 65_004, "access_denied", "User declined to consent to access the app.")
}

fn problem(web: &Web<'_>, error: &EntraError, text: &str) -> Problem {
    Problem::new(error, text, web.correlation)
}

fn name(web: &Web<'_>, form: &Form, attempt: &mut Attempt) -> Result<(), Problem> {
    let entered = form.value("loginfmt").unwrap_or_default().trim();
    let hint = match &attempt.goal {
        Goal::Authorize(request) => request.domain_hint.clone(),
        Goal::Device(_) => None,
    };
    // Whose domain the client has named already need not write it.
    let full = match hint.filter(|_| !entered.is_empty() && !entered.contains('@')) {
        Some(domain) => format!("{entered}@{domain}"),
        None => entered.to_owned(),
    };
    let directory = &web.state.directory;
    let cloud = |user: &User| directory.tenant(&user.tenant).map(|tenant| tenant.cloud);
    let found = directory.account(&full).filter(|user| cloud(user) == Some(web.names.cloud));
    attempt.entered = entered.chars().take(320).collect();
    let Some(user) = found.filter(|_| !is_for_consumers(&attempt.goal)) else {
        let error = EntraError::grant(50_034, "The user account does not exist in the directory.");
        let text = if found.is_some() {
            "You can't sign in here with a work or school account. Use your personal account instead."
        } else {
            "We couldn't find an account with that username. Make sure you typed it correctly; the emulator knows the users of its world only."
        };
        return Err(problem(web, &error, text));
    };
    (attempt.user, attempt.sign_in, attempt.password_expired) = (Some(user.object_id.clone()), None, false);
    Ok(())
}

fn is_for_consumers(goal: &Goal) -> bool {
    let is = |request: &AuthorizeRequest| request.segment.eq_ignore_ascii_case("consumers");
    matches!(goal, Goal::Authorize(request) if is(request))
}

fn account(web: &Web<'_>, form: &Form, attempt: &mut Attempt) -> Result<(), Problem> {
    let name = form.value("account").unwrap_or_default();
    let user = web.state.directory.account(name);
    // Only an account that the page could have offered is taken from it.
    attempt.user = user
        .filter(|user| web.accounts().iter().any(|account| account.user == user.object_id))
        .map(|user| user.object_id.clone());
    Ok(())
}

fn password(web: &Web<'_>, form: &Form, attempt: &mut Attempt, user: &User) -> Result<(), Problem> {
    match policy::check_password(web.state, user, form.value("passwd").unwrap_or_default()) {
        Ok(()) => {
            attempt.sign_in = Some(web.state.sign_ins.sign_in(&["pwd"]));
            Ok(())
        }
        Err(error) if error.code == 50_055 => {
            attempt.password_expired = true;
            Ok(())
        }
        Err(error) => Err(problem(web, &error, in_words(&error))),
    }
}

/// What the pages of Entra say, which is not what its token endpoint says.
fn in_words(error: &EntraError) -> &'static str {
    match error.code {
        50_126 => "Your account or password is incorrect.",
        50_053 => "Your account has been locked. Contact your support person to unlock it, then try again.",
        50_057 => "Your account has been disabled. Contact your support person.",
        _ => "You could not be signed in.",
    }
}

fn new_password(web: &Web<'_>, form: &Form, attempt: &mut Attempt, user: &User) -> Result<(), Problem> {
    let text = |name: &str| form.value(name).unwrap_or_default();
    let accounts = &web.state.sign_ins.accounts;
    let now = clock::now();
    let wrong = |code, words: &str| Err(problem(web, &EntraError::grant(code, words), words));
    if accounts.check_password(&user.object_id, text("currentpasswd"), now).is_err() {
        return wrong(50_126, "Your current password is incorrect.");
    }
    let new = text("newpasswd");
    if new.chars().count() < 8 {
        return wrong(50_055, "Choose a password of 8 characters or more.");
    }
    if new == text("currentpasswd") {
        return wrong(50_055, "Choose a password that you have not used before.");
    }
    if new != text("confirmnewpasswd") {
        return wrong(50_055, "The two new passwords are not the same.");
    }
    accounts.set_password(&user.object_id, new, now);
    attempt.sign_in = Some(web.state.sign_ins.sign_in(&["pwd"]));
    Ok(())
}

fn proof(web: &Web<'_>, form: &Form, attempt: &mut Attempt, user: &User) -> Result<(), Problem> {
    if form.value("otc").map(str::trim) != Some(&attempt.proof) {
        let error = EntraError::grant(500_121, "Authentication failed during strong authentication request.");
        return Err(problem(web, &error, "You didn't enter the expected verification code. Please try again."));
    }
    if let Some(sign_in) = &mut attempt.sign_in
        && !sign_in.has_mfa()
    {
        sign_in.methods.push("mfa".to_owned());
        if attempt.registering {
            web.state.sign_ins.accounts.set_mfa(&user.object_id, Mfa::Required);
        }
    }
    Ok(())
}

fn consent(web: &Web<'_>, id: &str, mut attempt: Attempt, user: &User) -> Reply {
    // Before the sign-in is complete there is nothing to consent to.
    if let Ok(Step::Consent { app, .. }) = next(web, &mut attempt) {
        match to_consent_to(web, &attempt, user) {
            Ok(permissions) if app.consent != Consent::Admin => {
                web.state.sign_ins.consents.give(&app.client_id, &user.object_id, &permissions);
                attempt.consented = true;
            }
            Ok(_) => attempt.consented = true,
            Err(error) => return give_up(web, id, &attempt, &error),
        }
    }
    advance(web, id, attempt, None)
}
