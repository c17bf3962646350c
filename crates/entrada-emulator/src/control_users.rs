//! The part of the control endpoint that is about users.

use crate::call::{Call, Reply};
use crate::config::{Mfa, Refusal};
use crate::control::{json_body, problem};
use crate::state::State;
use crate::user_changes::{self, Change, UserError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

/// What there is, for who asks for something else.
pub(crate) const PATHS: &str =
    "PUT|DELETE /sign-in, GET|PUT /users, DELETE /sessions, PUT|DELETE /consents and GET|PUT|DELETE /device-codes";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OneUser {
    user: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserChange {
    user: String,
    #[serde(default)]
    password: Option<String>,
    #[serde(default)]
    mfa: Option<Mfa>,
    /// `null` lifts it; left out, it stays.
    #[serde(default, deserialize_with = "given")]
    refusal: Option<Option<Refusal>>,
}

fn given<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Option<Refusal>>, D::Error> {
    Option::deserialize(value).map(Some)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Consent {
    client_id: String,
    #[serde(default)]
    user: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeviceCode {
    user_code: String,
    #[serde(default)]
    user: Option<String>,
}

/// Answers a request about users; none when it is about something else.
pub(crate) fn route(state: &State, call: &Call) -> Option<Result<Reply, Reply>> {
    let answer = match (call.method.as_str(), call.path.as_str()) {
        ("PUT", "/sign-in") => {
            read(call).and_then(|body: OneUser| done(user_changes::sign_in_as(state, Some(&body.user))))
        }
        ("DELETE", "/sign-in") => done(user_changes::sign_in_as(state, None)),
        ("GET", "/users") => Ok(Reply::json(200, &user_changes::users(state))),
        ("PUT", "/users") => read(call).and_then(|body: UserChange| {
            let change = Change { password: body.password, mfa: body.mfa, refusal: body.refusal };
            done(user_changes::change(state, &body.user, change))
        }),
        ("DELETE", "/sessions") => read(call).and_then(|body: OneUser| done(user_changes::revoke(state, &body.user))),
        ("PUT" | "DELETE", "/consents") => read(call).and_then(|body: Consent| {
            done(user_changes::consent(state, &body.client_id, body.user.as_deref(), call.method == http::Method::PUT))
        }),
        ("GET", "/device-codes") => {
            let codes = user_changes::device_codes(state).into_iter();
            let list: Vec<Value> =
                codes.map(|(user_code, client_id)| json!({"user_code": user_code, "client_id": client_id})).collect();
            Ok(Reply::json(200, &json!(list)))
        }
        ("PUT", "/device-codes") => read(call).and_then(|body: DeviceCode| match &body.user {
            Some(user) => done(user_changes::approve_device(state, &body.user_code, user)),
            None => Err(problem(400, "`user` says who approves the device")),
        }),
        ("DELETE", "/device-codes") => {
            read(call).and_then(|body: DeviceCode| done(user_changes::decline_device(state, &body.user_code)))
        }
        _ => return None,
    };
    Some(answer)
}

fn read<T: DeserializeOwned>(call: &Call) -> Result<T, Reply> {
    serde_json::from_value(json_body(call)?).map_err(|error| problem(400, error.to_string()))
}

fn done(result: Result<(), UserError>) -> Result<Reply, Reply> {
    result.map(|()| Reply::new(204)).map_err(|error| problem(400, error.to_string()))
}
