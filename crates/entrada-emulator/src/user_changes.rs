//! Changing users while a run goes on, as tests and the control endpoint do.

use crate::clock;
use crate::config::{Mfa, Refusal, User};
use crate::config_check::unknown_user;
use crate::entra::sign_ins::device_codes::Stage;
use crate::state::State;
use crate::user_tokens;
use serde_json::{Value, json};

/// Why nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UserError {
    /// The world has no user of that name.
    #[error("{0}")]
    UnknownUser(String),
    /// The world has no app with that client id.
    #[error("app `{0}` is not among [[apps]]; it is named by its client id")]
    UnknownApp(String),
    /// No device waits with that code: there never was one, or it has been decided upon, or has expired.
    #[error("no device waits with the code `{0}`; GET /device-codes tells which do")]
    UnknownDeviceCode(String),
    /// A password must not be empty.
    #[error("the password of user `{0}` cannot be empty")]
    EmptyPassword(String),
}

/// What is to be changed of a user. What is left out stays.
#[derive(Clone, Debug, Default)]
pub(crate) struct Change {
    pub(crate) password: Option<String>,
    pub(crate) mfa: Option<Mfa>,
    /// The inner none lifts a refusal.
    pub(crate) refusal: Option<Option<Refusal>>,
}

fn find<'a>(state: &'a State, name: &str) -> Result<&'a User, UserError> {
    let directory = &state.directory;
    directory.account(name).ok_or_else(|| UserError::UnknownUser(unknown_user(name, &directory.config)))
}

/// Changes a user. A new password revokes sessions.
pub(crate) fn change(state: &State, name: &str, change: Change) -> Result<(), UserError> {
    let user = find(state, name)?;
    let accounts = &state.sign_ins.accounts;
    if let Some(password) = change.password {
        if password.is_empty() {
            return Err(UserError::EmptyPassword(user.name.clone()));
        }
        accounts.set_password(&user.object_id, &password, clock::now());
    }
    if let Some(mfa) = change.mfa {
        accounts.set_mfa(&user.object_id, mfa);
    }
    if let Some(refusal) = change.refusal {
        accounts.set_refusal(&user.object_id, refusal);
    }
    Ok(())
}

/// Ends every session of a user, and every refresh token.
pub(crate) fn revoke(state: &State, name: &str) -> Result<(), UserError> {
    state.sign_ins.accounts.revoke(&find(state, name)?.object_id, clock::now());
    Ok(())
}

/// Sets who signs in where somebody is asked to.
pub(crate) fn sign_in_as(state: &State, name: Option<&str>) -> Result<(), UserError> {
    let name = name.map(|name| find(state, name).map(|user| user.name.clone())).transpose()?;
    state.sign_ins.set_robot(name);
    Ok(())
}

/// Gives or takes consent to an app, by a user or by an administrator for everyone.
pub(crate) fn consent(state: &State, client_id: &str, name: Option<&str>, gives: bool) -> Result<(), UserError> {
    let app = state.directory.app(client_id).ok_or_else(|| UserError::UnknownApp(client_id.to_owned()))?;
    let user = name.map(|name| find(state, name)).transpose()?.map(|user| user.object_id.as_str());
    if gives {
        state.sign_ins.consents.give_all(&app.client_id, user);
    } else {
        state.sign_ins.consents.remove(&app.client_id, user);
    }
    Ok(())
}

/// Approves a device code as a user who has shown every proof.
pub(crate) fn approve_device(state: &State, user_code: &str, name: &str) -> Result<(), UserError> {
    let user = find(state, name)?;
    let sign_in = state.sign_ins.sign_in(&["pwd", "mfa"]);
    decide(state, user_code, &Stage::Approved { user: user.object_id.clone(), sign_in })
}

/// Declines a device code.
pub(crate) fn decline_device(state: &State, user_code: &str) -> Result<(), UserError> {
    decide(state, user_code, &Stage::Declined)
}

fn decide(state: &State, user_code: &str, stage: &Stage) -> Result<(), UserError> {
    if state.sign_ins.device_codes.decide(user_code, stage) {
        return Ok(());
    }
    Err(UserError::UnknownDeviceCode(user_code.chars().take(40).collect()))
}

/// The codes that devices wait with, the newest first.
pub(crate) fn device_codes(state: &State) -> Vec<(String, String)> {
    let pending = state.sign_ins.device_codes.pending(clock::now());
    pending.into_iter().map(|code| (code.user_code, code.client_id)).collect()
}

/// Every user, as they are now.
pub(crate) fn users(state: &State) -> Value {
    let shown = |user: &User| {
        let account = state.sign_ins.accounts.get(&user.object_id);
        json!({
            "user": user.name,
            "object_id": user.object_id,
            "tenant": user.tenant,
            "mfa": account.as_ref().map(|account| account.mfa),
            "refusal": account.as_ref().and_then(|account| account.refusal),
            "revoked": account.and_then(|account| account.revoked).map(|revoked| clock::iso_time(revoked.at)),
        })
    };
    state.directory.config.users.iter().map(shown).collect()
}

impl State {
    /// Since when what the user of a token had signed in to is void, if the token is one of those: seconds since 1970,
    /// UTC. The claims have been verified.
    pub(crate) fn revoked_since(&self, claims: &Value) -> Option<i64> {
        let user = self.directory.account_of(claims["oid"].as_str()?)?;
        let order = user_tokens::order_of(claims)?;
        self.sign_ins.accounts.revoked(&user.object_id, order).map(|revoked| revoked.at)
    }
}

#[cfg(test)]
mod tests {
    use super::{UserError, decide, find, revoke};
    use crate::config::Config;
    use crate::entra::sign_ins::device_codes::Stage;
    use crate::state::State;
    use crate::world;
    use base64::Engine;
    use serde_json::json;

    fn state() -> State {
        let (_, key) = tokio::sync::watch::channel(None);
        State::new(Config::default(), std::path::Path::new("/nowhere"), Vec::new(), None, key).expect("a state")
    }

    #[test]
    fn a_token_from_before_a_revocation_is_void_and_one_from_after_is_not() {
        let state = state();
        let token = |order: u64| {
            let aio = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode([order.to_be_bytes(), [0; 8]].concat());
            json!({"oid": world::GUEST_OBJECT_ID, "scp": "x", "sid": "s", "aio": aio})
        };
        let before = token(state.sign_ins.accounts.next());
        assert_eq!(state.revoked_since(&before), None);
        revoke(&state, "ADA@contoso.onmicrosoft.com").expect("a user");
        assert!(state.revoked_since(&before).is_some(), "as a guest too");
        assert_eq!(state.revoked_since(&token(state.sign_ins.accounts.next())), None);
        assert_eq!(state.revoked_since(&json!({"oid": world::APP_OBJECT_ID, "idtyp": "app"})), None);
    }

    #[test]
    fn errors_say_what_there_is() {
        let state = state();
        let error = find(&state, "nobody@contoso.onmicrosoft.com").expect_err("unknown").to_string();
        assert!(error.contains(world::USER_NAME), "{error}");
        let error = decide(&state, "ABC", &Stage::Declined).expect_err("unknown");
        assert_eq!(error, UserError::UnknownDeviceCode("ABC".into()));
    }
}
