//! The emulator's own endpoint, for the programs and tests inside a run: journal, faults, role assignments.
//!
//! It listens on a loopback port of its own. A request must carry the run's key in `x-entrada-key` and name
//! the port itself in `Host`, so that neither another user's process nor a web page can use it.

use crate::body::AnswerBody;
use crate::call::{Call, Reply};
use crate::challenges::Challenge;
use crate::config::RoleAssignmentEntry;
use crate::faults::FaultRule;
use crate::federated_token::Wish;
use crate::issuers::AssertionWish;
use crate::state::State;
use crate::user_assertions::UserTokenWish;
use crate::{control_users, rbac, role_changes};
use http::{Request, Response};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// Name of the header that carries the key.
pub const KEY_HEADER: &str = "x-entrada-key";

const LARGEST_BODY: usize = 1024 * 1024;

/// What a request must show.
pub(crate) struct Lock {
    pub(crate) key: String,
    pub(crate) port: u16,
}

impl Lock {
    fn opens(&self, call: &Call) -> Result<(), Reply> {
        let host = call.header("host").unwrap_or_default();
        if host != format!("127.0.0.1:{}", self.port) && host != format!("localhost:{}", self.port) {
            return Err(problem(421, "the Host header does not name this endpoint"));
        }
        // Hashes are compared, so that the time taken tells nothing of the key.
        let given = call.header(KEY_HEADER).unwrap_or_default();
        if Sha256::digest(given) != Sha256::digest(&self.key) {
            return Err(problem(
                401,
                "the header x-entrada-key is missing or wrong; its value is in ENTRADA_EMULATOR_KEY",
            ));
        }
        Ok(())
    }
}

pub(crate) fn problem(status: u16, message: impl Into<String>) -> Reply {
    Reply::json(status, &json!({"error": message.into()}))
}

/// Answers one request; it does not enter the journal.
pub(crate) async fn serve(state: &State, lock: &Lock, request: Request<Incoming>) -> Response<AnswerBody> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, LARGEST_BODY).collect().await;
    let reply = match body {
        Ok(body) => {
            let call = Call::new(parts.method, "", &parts.uri, parts.headers, body.to_bytes());
            lock.opens(&call).and_then(|()| route(state, &call)).unwrap_or_else(|reply| reply)
        }
        Err(_) => problem(413, format!("the body is longer than {LARGEST_BODY} bytes")),
    };
    let mut response = Response::new(AnswerBody::whole(reply.body));
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    response
}

fn route(state: &State, call: &Call) -> Result<Reply, Reply> {
    let done = || Ok(Reply::new(204));
    match (call.method.as_str(), call.path.as_str()) {
        ("GET", "/status") => Ok(Reply::json(200, &status(state))),
        ("GET", "/journal") => journal(state, call),
        ("DELETE", "/journal") => {
            state.journal.clear();
            done()
        }
        ("GET", "/faults") => Ok(Reply::json(200, &json!(state.faults.rules()))),
        ("PUT", "/faults") => {
            let rules: OneOrMany<FaultRule> = body(call)?;
            state.faults.replace(rules.into_vec()).map_err(|message| problem(400, message))?;
            done()
        }
        ("DELETE", "/faults") => {
            state.faults.clear();
            done()
        }
        ("GET", "/role-assignments") => Ok(Reply::json(200, &assignments(state))),
        ("PUT", "/role-assignments") => {
            let entries: OneOrMany<RoleAssignmentEntry> = body(call)?;
            for entry in entries.into_vec() {
                role_changes::assign(state, &entry.principal, &entry.role, &entry.scope)
                    .map_err(|error| problem(400, error.to_string()))?;
            }
            done()
        }
        ("DELETE", "/role-assignments") => {
            let entries: OneOrMany<RoleAssignmentEntry> = body(call)?;
            for entry in entries.into_vec() {
                role_changes::unassign(state, &entry.principal, &entry.role, &entry.scope)
                    .map_err(|error| problem(400, error.to_string()))?;
            }
            done()
        }
        ("PUT", "/identity-header") => {
            Ok(Reply::json(200, &json!({"identity_header": state.identity_header.rotate()})))
        }
        ("PUT", "/certificates") => {
            let entries: OneOrMany<CertificateEntry> = body(call)?;
            for entry in entries.into_vec() {
                let pem = entry.pem.ok_or_else(|| problem(400, "`pem` is missing: the text of the certificate"))?;
                state.register_certificate(&entry.client_id, &pem).map_err(|error| problem(400, error.to_string()))?;
            }
            done()
        }
        ("DELETE", "/certificates") => {
            let entries: OneOrMany<CertificateEntry> = body(call)?;
            for entry in entries.into_vec() {
                state.remove_certificates(&entry.client_id).map_err(|error| problem(400, error.to_string()))?;
            }
            done()
        }
        ("GET", "/challenges") => Ok(Reply::json(200, &json!(state.challenges.all()))),
        ("PUT", "/challenges") => {
            let challenges: OneOrMany<Challenge> = body(call)?;
            state.challenges.replace(challenges.into_vec()).map_err(|message| problem(400, message))?;
            done()
        }
        ("DELETE", "/challenges") => {
            state.challenges.replace(Vec::new()).map_err(|message| problem(400, message))?;
            done()
        }
        ("POST", "/user-tokens") => user_tokens(state, json_body(call)?),
        ("POST", "/assertions") => {
            let wish: AssertionWish =
                serde_json::from_value(json_body(call)?).map_err(|error| problem(400, error.to_string()))?;
            let assertion = state.issue_assertion(&wish).map_err(|error| problem(400, error.to_string()))?;
            Ok(Reply::json(200, &json!({"assertion": assertion})))
        }
        ("PUT", "/federated-token") => {
            let wish: Wish =
                serde_json::from_value(json_body(call)?).map_err(|error| problem(400, error.to_string()))?;
            state.write_federated_token(&wish).map_err(|error| problem(500, error.to_string()))?;
            done()
        }
        ("DELETE", "/federated-token") => {
            state.federated_token.remove().map_err(|error| problem(500, error.to_string()))?;
            done()
        }
        _ => control_users::route(state, call).unwrap_or_else(|| {
            Err(problem(
                404,
                format!("there are GET /status, GET|DELETE /journal, GET|PUT|DELETE /faults, GET|PUT|DELETE /role-assignments, PUT /identity-header, PUT|DELETE /certificates, POST /assertions, POST /user-tokens, GET|PUT|DELETE /challenges, PUT|DELETE /federated-token, {}", control_users::PATHS),
            ))
        }),
    }
}

/// Makes a user's token, or, with `first` and `count`, those of so many of the crowd.
fn user_tokens(state: &State, mut wish: Value) -> Result<Reply, Reply> {
    let mut number = |name: &str| match wish.as_object_mut().and_then(|wish| wish.remove(name)) {
        None => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or_else(|| problem(400, format!("`{name}` is a number"))),
    };
    let (first, count) = (number("first")?, number("count")?);
    let wish: UserTokenWish = serde_json::from_value(wish).map_err(|error| problem(400, error.to_string()))?;
    let tokens = match (first, count) {
        (None, None) => state.issue_user_token(&wish).map(|token| vec![token]),
        _ => state.issue_crowd_tokens(&wish, first.unwrap_or(0), count.unwrap_or(1)),
    };
    Ok(Reply::json(200, &json!({"tokens": tokens.map_err(|error| problem(400, error.to_string()))?})))
}

/// A certificate of an app.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct CertificateEntry {
    client_id: String,
    /// PEM text; not needed to remove what the app has.
    #[serde(default)]
    pem: Option<String>,
}

/// A body may be one entry or a list of them.
enum OneOrMany<T> {
    Many(Vec<T>),
    One(T),
}

impl<T> OneOrMany<T> {
    fn into_vec(self) -> Vec<T> {
        match self {
            Self::Many(all) => all,
            Self::One(one) => vec![one],
        }
    }
}

pub(crate) fn json_body(call: &Call) -> Result<Value, Reply> {
    serde_json::from_slice(&call.body).map_err(|error| problem(400, format!("the body is not JSON: {error}")))
}

fn body<T: serde::de::DeserializeOwned>(call: &Call) -> Result<OneOrMany<T>, Reply> {
    let value = json_body(call)?;
    let read = if value.is_array() {
        serde_json::from_value(value).map(OneOrMany::Many)
    } else {
        serde_json::from_value(value).map(OneOrMany::One)
    };
    read.map_err(|error| problem(400, error.to_string()))
}

fn journal(state: &State, call: &Call) -> Result<Reply, Reply> {
    let after = match call.parameter("after") {
        None => 0,
        Some(text) => text.parse().map_err(|_| problem(400, "`after` is a sequence number"))?,
    };
    let entries: Vec<_> = state.journal.entries().into_iter().filter(|entry| entry.sequence > after).collect();
    Ok(Reply::json(200, &json!(entries)))
}

fn status(state: &State) -> Value {
    let config = &state.directory.config;
    let hosts = |names: Vec<String>| json!(names);
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "tenants": config.tenants.iter().map(|tenant| json!({"id": tenant.id, "domain": tenant.domain})).collect::<Vec<_>>(),
        "vaults": hosts(config.vaults.iter().map(|vault| {
            format!("{}.{}", vault.name, state.directory.cloud_of(&vault.subscription).vault_suffix)
        }).collect()),
        "storage_accounts": hosts(config.storage_accounts.iter().map(|account| {
            format!("{}.blob.{}", account.name, state.directory.cloud_of(&account.subscription).storage_suffix)
        }).collect()),
        "endpoints": state.endpoints.iter().filter_map(|(host, _)| {
            Some((host.name().to_owned(), state.endpoint(*host)?.into()))
        }).collect::<Map<String, Value>>(),
        "faults": state.faults.rules().len(),
        "exchanges": state.journal.entries().len(),
    })
}

fn assignments(state: &State) -> Value {
    let all: Vec<Value> = state
        .assignments
        .select(|_| true)
        .into_iter()
        .map(|rbac::Assignment { principal, role, scope, .. }| json!({"principal": principal, "role": role.name, "scope": scope}))
        .collect();
    json!(all)
}
