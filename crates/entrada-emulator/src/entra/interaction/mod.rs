//! What happens between the first page of a sign-in and its answer: each request brings it one step on.

mod entry;
mod step;

use super::authorize::{AuthorizeRequest, Prompt, respond};
use super::browser::{self, Web};
use super::client::user_app;
use super::pages::{self, Frame, Problem};
use super::sign_ins::attempts::{Attempt, Goal};
use super::sign_ins::codes::Code;
use super::sign_ins::device_codes::Stage;
use super::sign_ins::secret_text;
use super::sign_ins::sessions::SignedIn;
use super::{EntraError, policy, robot};
use crate::browse::USER_AGENT;
use crate::call::Reply;
use crate::clock;
use crate::config::{App, Mfa, User};
use crate::journal::NOBODY_THERE;
use crate::people::Person;
use crate::user_tokens::{SignIn, object_id_of_hint};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
pub(super) use entry::{find as find_attempt, post};
use step::{Step, next};

/// Begins the sign-in that a client sent a browser for.
pub(super) fn begin(web: &Web<'_>, request: AuthorizeRequest) -> Reply {
    let state = web.state;
    let back = request.back.clone();
    let tenant = request.tenant.as_deref().and_then(|id| state.directory.tenant(id));
    let app = match user_app(state, tenant, &request.client_id) {
        Ok(app) => app,
        Err(error) => return respond::error(web, &back, &error),
    };
    let hinted = request.login_hint.as_deref().and_then(|hint| user_of_hint(web, hint));
    let is_robot = |user: &User| state.sign_ins.robot().is_some_and(|name| name.eq_ignore_ascii_case(&user.name));
    if request.login_hint.is_none() || hinted.is_some_and(is_robot) {
        match robot::sign_in(state, app, tenant, &request.asked, &request.contexts()) {
            Ok(None) => {}
            Ok(Some((user, sign_in))) => return finish_authorize(web, &request, app, user, &sign_in),
            Err(error) => return respond::error(web, &back, &error),
        }
    }
    let accounts = web.accounts();
    let mut attempt = Attempt::new(
        &web.ensure_browser(),
        Goal::Authorize(Box::new(request.clone())),
        request.prompt != Prompt::Login,
        clock::now(),
    );
    attempt.entered = request.login_hint.clone().filter(|hint| hint.contains('@')).unwrap_or_default();
    let picks = request.prompt == Prompt::SelectAccount && !accounts.is_empty();
    if let Some(user) = hinted.filter(|_| !picks) {
        attempt.user = Some(user.object_id.clone());
    } else if let ([only], true) = (accounts.as_slice(), request.login_hint.is_none() && !picks && attempt.by_session) {
        attempt.user = Some(only.user.clone());
    }
    if request.prompt == Prompt::None {
        return silent(web, &request, attempt, accounts.len());
    }
    let id = state.sign_ins.attempts.start(attempt.clone());
    if (picks || accounts.len() > 1) && attempt.user.is_none() && attempt.by_session {
        let reply = pages::accounts::reply(&frame(web, &id, &attempt, None), &names(web));
        return browser::mark(reply, &attempt.browser);
    }
    advance(web, &id, attempt, None)
}

/// Answers without a page, or says which one there would have been.
fn silent(web: &Web<'_>, request: &AuthorizeRequest, mut attempt: Attempt, accounts: usize) -> Reply {
    let refused = |code, text: &str| {
        respond::error(web, &request.back, &EntraError::new(400, code, "interaction_required", text))
    };
    let nobody = || refused(50_058, "A silent sign-in request was sent but no user is signed in.");
    if attempt.user.is_none() && accounts > 1 {
        return refused(
            16_000,
            "Either multiple user identities are available for the current request or selected account is not supported for the scenario.",
        );
    }
    match next(web, &mut attempt) {
        Ok(Step::Finish { app, user, sign_in, .. }) => finish_authorize(web, request, app, user, &sign_in),
        Ok(Step::Proof(_, user)) => {
            let Some(sign_in) = &attempt.sign_in else { return nobody() };
            let missing = policy::check_token(web.state, user, sign_in, &request.contexts(), &request.client_id);
            missing.map_or_else(|error| respond::error(web, &request.back, &error), |()| nobody())
        }
        Ok(Step::Consent { app, .. }) => respond::error(web, &request.back, &policy::consent_missing(app)),
        Ok(_) => nobody(),
        Err(error) => respond::error(web, &request.back, &error),
    }
}

/// Shows the next page, or answers.
fn advance(web: &Web<'_>, id: &str, mut attempt: Attempt, problem: Option<Problem>) -> Reply {
    let next = next(web, &mut attempt);
    let frame = frame(web, id, &attempt, problem);
    let reply = match next {
        Ok(Step::Name) => pages::name::reply(&frame, &attempt.entered, &users(web)),
        Ok(Step::Password(user)) => pages::password::reply(&frame, &user.name),
        Ok(Step::NewPassword(user)) => pages::new_password::reply(&frame, &user.name),
        Ok(Step::Proof(Mfa::Register, user)) => pages::proof::register(&frame, &user.name),
        Ok(Step::Proof(_, user)) => pages::proof::reply(&frame, &user.name, &attempt.proof),
        Ok(Step::Consent { user, permissions, .. }) => pages::consent::reply(&frame, &user.name, &permissions),
        Ok(Step::Confirm(user)) => pages::device::confirm(&frame, &user.name),
        Ok(Step::DeviceCode) => pages::device::code(&frame, ""),
        Ok(Step::Finish { app, user, sign_in, person }) => {
            web.state.sign_ins.attempts.end(id);
            return match &attempt.goal {
                Goal::Authorize(request) => finish_authorize(web, request, app, user, &sign_in),
                Goal::Device(code) => {
                    finish_device(web, code.as_deref().unwrap_or_default(), app, user, &person, sign_in)
                }
            };
        }
        Err(error) => pages::error::reply(&error, web.correlation, Some(&frame)),
    };
    let reply = match &frame.problem {
        Some(problem) => reply.note(format!("AADSTS{}: {}", problem.code, problem.text)),
        None => reply,
    };
    let reply = if web.call.header("user-agent") == Some(USER_AGENT) { reply.note(NOBODY_THERE) } else { reply };
    let reply = match attempt.user.as_deref().and_then(|user| web.state.directory.account_of(user)) {
        Some(user) => shown(web, reply, user, &client_id(&attempt, web)),
        None => reply,
    };
    web.state.sign_ins.attempts.save(id, &attempt);
    browser::mark(reply, &attempt.browser)
}

/// Goes on with a sign-in to whatever comes next.
pub(super) fn go_on(web: &Web<'_>, id: &str, attempt: Attempt) -> Reply {
    advance(web, id, attempt, None)
}

/// Issues a code, and sends the browser back with it.
fn finish_authorize(web: &Web<'_>, request: &AuthorizeRequest, app: &App, user: &User, sign_in: &SignIn) -> Reply {
    let state = web.state;
    let tenant = state.directory.tenant(request.tenant.as_deref().unwrap_or(&user.tenant));
    let Some(person) = tenant.and_then(|tenant| Person::of(user, tenant)) else {
        return respond::error(web, &request.back, &EntraError::unavailable("The user's tenant has gone."));
    };
    let mut fields = vec![];
    if request.wants_client_info {
        fields.push(("client_info", URL_SAFE_NO_PAD.encode(person.client_info())));
    }
    let principal = person.shown(&app.client_id);
    let code = state.sign_ins.codes.issue(Code {
        client_id: app.client_id.clone(),
        redirect_uri: request.back.redirect_uri.clone(),
        challenge: request.challenge.clone(),
        person,
        asked: request.asked.clone(),
        claims: request.claims.clone(),
        nonce: request.nonce.clone(),
        sign_in: sign_in.clone(),
        family: secret_text(),
        issued: clock::now(),
        redeemed: false,
    });
    fields.insert(0, ("code", code));
    fields.push(("session_state", sign_in.session.clone()));
    let mut reply = web.keep(respond::with(&request.back, fields), signed_in(user, sign_in));
    reply.trail.principal = Some(principal);
    reply
}

/// Approves a device.
fn finish_device(web: &Web<'_>, user_code: &str, app: &App, user: &User, person: &Person, sign_in: SignIn) -> Reply {
    let stage = Stage::Approved { user: user.object_id.clone(), sign_in: sign_in.clone() };
    if !web.state.sign_ins.device_codes.decide(user_code, &stage) {
        return pages::message::reply(
            "That code is no longer good",
            "Ask for another one on your device, and enter that.",
        );
    }
    let text =
        format!("You have signed in to the {} application on your device. You may now close this window.", app.name);
    let mut reply = web.keep(pages::message::reply("You're done", &text), signed_in(user, &sign_in));
    reply.trail.principal = Some(person.shown(&app.client_id));
    reply
}

fn signed_in(user: &User, sign_in: &SignIn) -> SignedIn {
    SignedIn { user: user.object_id.clone(), sign_in: sign_in.clone() }
}

/// Sends the person back with a refusal, or ends the sign-in of a device.
fn give_up(web: &Web<'_>, id: &str, attempt: &Attempt, error: &EntraError) -> Reply {
    web.state.sign_ins.attempts.end(id);
    match &attempt.goal {
        Goal::Authorize(request) => respond::error(web, &request.back, error),
        Goal::Device(code) => {
            web.state.sign_ins.device_codes.decide(code.as_deref().unwrap_or_default(), &Stage::Declined);
            pages::message::reply("You have declined", "Your device is told. You may now close this window.")
                .note(error.short())
        }
    }
}

/// What the pages of a sign-in carry along.
pub(super) fn frame(web: &Web<'_>, id: &str, attempt: &Attempt, problem: Option<Problem>) -> Frame {
    let (segment, target) = match &attempt.goal {
        Goal::Authorize(request) => (request.segment.clone(), request.target()),
        Goal::Device(_) => ("common".to_owned(), None),
    };
    let client_id = client_id(attempt, web);
    let app = web.state.directory.client_app(&client_id).map_or_else(String::new, |app| app.name.clone());
    Frame { segment, attempt: id.to_owned(), csrf: attempt.csrf.clone(), target, app, problem }
}

fn client_id(attempt: &Attempt, web: &Web<'_>) -> String {
    match &attempt.goal {
        Goal::Authorize(request) => request.client_id.clone(),
        Goal::Device(code) => code
            .as_deref()
            .and_then(|code| web.state.sign_ins.device_codes.entered(code))
            .map_or_else(String::new, |code| code.client_id),
    }
}

/// The user that a login hint names, by address or by the hint of an id token.
fn user_of_hint<'a>(web: &Web<'a>, hint: &str) -> Option<&'a User> {
    let directory = &web.state.directory;
    match object_id_of_hint(hint) {
        Some(object_id) => directory.account_of(&object_id),
        None => directory.account(hint),
    }
}

/// Names to choose from: those of the users of this cloud.
fn users(web: &Web<'_>) -> Vec<String> {
    let directory = &web.state.directory;
    let is_here = |user: &&User| directory.tenant(&user.tenant).is_some_and(|tenant| tenant.cloud == web.names.cloud);
    directory.config.users.iter().filter(is_here).map(|user| user.name.clone()).collect()
}

/// Names and display names of the accounts that are signed in.
fn names(web: &Web<'_>) -> Vec<(String, String)> {
    let users = web.accounts().into_iter().filter_map(|account| web.state.directory.account_of(&account.user));
    users.map(|user| (user.name.clone(), user.display_name.clone().unwrap_or_else(|| user.name.clone()))).collect()
}

fn shown(web: &Web<'_>, mut reply: Reply, user: &User, client_id: &str) -> Reply {
    let person = web.state.directory.tenant(&user.tenant).and_then(|tenant| Person::of(user, tenant));
    reply.trail.principal = person.map(|person| person.shown(client_id));
    reply
}

/// Names the flow for the journal.
pub(super) fn traced(mut reply: Reply, flow: &'static str) -> Reply {
    reply.trail.grant = Some(flow);
    reply
}
