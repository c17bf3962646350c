//! The identity endpoint of App Service, Functions and Container Apps, api-version 2019-08-01, and its predecessor of
//! 2017-09-01, which Azure Machine Learning speaks to this day.

use super::{NoToken, Request, Wanted};
use crate::call::Reply;
use crate::faults::ExpiryType;
use http::Method;
use serde_json::json;

/// What differs between those who speak the protocol.
pub(super) struct Dialect {
    path: &'static str,
    api_version: &'static str,
    /// The header that carries the secret, and the variable that a program has it from.
    header: (&'static str, &'static str),
    client_id: &'static str,
    object_id: &'static [&'static str],
    resource_id: Option<&'static str>,
    expires_on: ExpiryType,
    /// The fields of a refusal: status, message, correlation id.
    refusal: [&'static str; 3],
    not_found: &'static str,
}

pub(super) const V2019: Dialect = Dialect {
    path: "/msi/token",
    api_version: "2019-08-01",
    header: ("X-IDENTITY-HEADER", "IDENTITY_HEADER"),
    client_id: "client_id",
    object_id: &["principal_id", "object_id"],
    resource_id: Some("mi_res_id"),
    expires_on: ExpiryType::Text,
    refusal: ["statusCode", "message", "correlationId"],
    not_found: "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.",
};

pub(super) const V2017: Dialect = Dialect {
    api_version: "2017-09-01",
    header: ("secret", "MSI_SECRET"),
    client_id: "clientid",
    object_id: &[],
    resource_id: None,
    expires_on: ExpiryType::UsDate,
    refusal: ["StatusCode", "Message", "CorrelationId"],
    not_found: "No MSI found for specified ClientId/ResourceId.",
    ..V2019
};

pub(super) const MACHINE_LEARNING: Dialect = Dialect { path: "/msi/auth", expires_on: ExpiryType::Number, ..V2017 };

/// Answers a request to the identity endpoint.
pub(super) fn answer(request: &Request<'_>, dialect: &Dialect) -> Reply {
    token(request, dialect).unwrap_or_else(|reply| reply)
}

impl Dialect {
    fn refusal(&self, status: u16, message: &str) -> Reply {
        let [status_name, message_name, correlation] = self.refusal;
        let id = uuid::Uuid::new_v4().to_string();
        Reply::json(status, &json!({status_name: status, message_name: message, correlation: id})).note(message)
    }

    /// Checks the path, the method, the secret and the version.
    fn check(&self, request: &Request<'_>) -> Result<(), Reply> {
        let call = request.call;
        let (header, variable) = self.header;
        if !call.path.trim_end_matches('/').eq_ignore_ascii_case(self.path) {
            return Err(self.refusal(404, "Not found."));
        }
        if call.method != Method::GET {
            return Err(self.refusal(405, "Only GET is allowed.").header("allow", "GET"));
        }
        match call.header(header) {
            None => return Err(self.refusal(401, &format!("The header {header} is missing."))),
            Some(value) if !request.state.identity_header.accepts(value) => {
                return Err(self.refusal(401, &format!("The header {header} is not the value of {variable}.")));
            }
            Some(_) => {}
        }
        if call.parameter("api-version") != Some(self.api_version) {
            let message = format!("The api-version is missing or not supported; use {}.", self.api_version);
            return Err(self.refusal(400, &message));
        }
        let mut names = vec!["api-version", "resource", self.client_id];
        names.extend(self.object_id);
        names.extend(self.resource_id);
        match request.repeated(&names) {
            Some(name) => Err(self.refusal(400, &format!("The query parameter '{name}' is there twice."))),
            None => Ok(()),
        }
    }
}

fn token(request: &Request<'_>, dialect: &Dialect) -> Result<Reply, Reply> {
    dialect.check(request)?;
    let resource =
        request.given("resource").ok_or_else(|| dialect.refusal(400, "The query parameter 'resource' is missing."))?;
    // Any other parameter is ignored, even one that looks like the name of an identity.
    let named: Vec<Wanted<'_>> = [
        request.given(dialect.client_id).map(Wanted::ClientId),
        dialect.object_id.iter().find_map(|name| request.given(name)).map(Wanted::ObjectId),
        dialect.resource_id.and_then(|name| request.given(name)).map(Wanted::ResourceId),
    ]
    .into_iter()
    .flatten()
    .collect();
    let wanted = match named.as_slice() {
        [] => Wanted::Any,
        [one] => *one,
        _ => return Err(dialect.refusal(400, "Only one of client_id, principal_id and mi_res_id may be specified.")),
    };
    if wanted == Wanted::Any && !request.has_system_assigned() {
        // Unlike a virtual machine, an app does not fall back on its only user-assigned identity.
        return Err(dialect.refusal(400, "No System Assigned Managed Identity found for this app."));
    }
    let granted = request.token(wanted, resource).map_err(|reason| match reason {
        NoToken::NotFound | NoToken::Several => dialect.refusal(400, dialect.not_found),
        NoToken::Resource(text) => dialect.refusal(400, &text),
        NoToken::NotIssued(text) => dialect.refusal(500, &text),
    })?;
    let mut body = json!({
        "access_token": granted.issued.token,
        "expires_on": granted.issued.expires_on,
        "resource": resource,
        "token_type": "Bearer",
    });
    if dialect.api_version == V2019.api_version {
        body["client_id"] = granted.identity.client_id.clone().into();
    }
    Ok(request.reply(&granted, body, dialect.expires_on))
}
