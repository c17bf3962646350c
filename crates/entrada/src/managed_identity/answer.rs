//! The answers of managed-identity endpoints: their own words, and what they mean.

use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::UserAssignedId;
use super::exchange::Asked;
use crate::error::{Answer, Condition, Error};
use crate::platform::HttpResponse;
use crate::token::Fetched;
use crate::token_answer::{self, describe, excerpt, jwt_claim};

/// Whether a body is JSON, whole.
pub(super) fn is_json(response: &HttpResponse) -> bool {
    serde_json::from_slice::<IgnoredAny>(&response.body).is_ok()
}

fn object(response: &HttpResponse) -> Option<Map<String, Value>> {
    match serde_json::from_slice(&response.body) {
        Ok(Value::Object(object)) => Some(object),
        _ => None,
    }
}

/// Whether a body is an error in the metadata service's form: JSON with the text `error`.
pub(super) fn has_error(response: &HttpResponse) -> bool {
    object(response).is_some_and(|body| body.get("error").is_some_and(Value::is_string))
}

/// The error that a host's JSON tells of. Hosts differ in names and case: `error` and `error_description`; `Message`,
/// `statusCode`, `CorrelationId`; or all of them within `error`.
pub(super) fn said(response: &HttpResponse) -> Option<Answer> {
    let body = object(response)?;
    let inner = match body.get("error") {
        Some(Value::Object(inner)) => inner,
        _ => &body,
    };
    let text = |names: &[&str]| {
        inner
            .iter()
            .find(|(key, _)| names.iter().any(|name| key.eq_ignore_ascii_case(name)))
            .and_then(|(_, value)| value.as_str())
            .map(excerpt)
    };
    let error = text(&["error", "code"]);
    let message = text(&["error_description", "message"]);
    if error.is_none() && message.is_none() {
        return None;
    }
    Some(Answer {
        status: Some(response.status),
        error,
        text: message.unwrap_or_default(),
        correlation_id: text(&["correlationId", "correlation_id"])
            .or_else(|| response.header("x-ms-request-id").map(excerpt)),
        ..Answer::default()
    })
}

/// Makes a token of a successful answer, if it is one of the identity that was asked for.
pub(super) fn token(host: &str, response: &HttpResponse, asked: &Asked<'_>) -> Result<Fetched, Error> {
    let fetched = token_answer::parse(response, asked.platform.clock())?;
    if let Some(id) = asked.id {
        let echo = object(response).and_then(|body| echo(&body, id));
        let status = Answer { status: Some(response.status), ..Answer::default() };
        confirm(host, id, echo, &fetched).map_err(|error| error.answer(status))?;
    }
    Ok(fetched)
}

/// Refuses a token of another identity than `id`, by what the answer repeats of it and by what the token says.
pub(super) fn confirm(host: &str, id: &UserAssignedId, echo: Option<String>, fetched: &Fetched) -> Result<(), Error> {
    let in_token = |claim: &str| jwt_claim(fetched.token.secret(), claim)?.as_str().map(str::to_owned);
    let shown = [
        echo,
        match id {
            UserAssignedId::ClientId(_) => in_token("appid").or_else(|| in_token("azp")),
            UserAssignedId::ObjectId(_) => in_token("oid"),
            UserAssignedId::ResourceId(_) => None,
        },
    ];
    let other = shown.into_iter().flatten().find(|shown| !shown.eq_ignore_ascii_case(id.parts().1));
    match other {
        None => Ok(()),
        Some(other) => Err(Error::failed(format!(
            "this {host} was asked for {} and answered with a token of {}",
            whose(Some(id)),
            excerpt(&other)
        ))
        .condition_of(Condition::OtherIdentity)
        .next(
            "the token was thrown away; check that the identity is assigned to this resource, and that the id is right",
        )),
    }
}

/// The id that an answer repeats, of the kind that was asked for.
pub(super) fn echo(body: &Map<String, Value>, id: &UserAssignedId) -> Option<String> {
    let names: &[&str] = match id {
        UserAssignedId::ClientId(_) => &["client_id"],
        UserAssignedId::ObjectId(_) => &["object_id", "principal_id"],
        UserAssignedId::ResourceId(_) => &["msi_res_id", "mi_res_id"],
    };
    names.iter().find_map(|name| body.get(*name)?.as_str()).map(str::to_owned)
}

/// Refuses an answer that does not repeat the id of the identity that was asked for: a host of an older version answers
/// with the token of its system-assigned identity whatever it is asked.
pub(super) fn check_confirmed(host: &str, response: &HttpResponse, id: Option<&UserAssignedId>) -> Result<(), Error> {
    let (Some(id), Some(body)) = (id, object(response)) else {
        return Ok(());
    };
    if echo(&body, id).is_some() {
        return Ok(());
    }
    Err(Error::failed(format!("this {host} did not confirm that its token is of {}", whose(Some(id))))
        .condition_of(Condition::OtherIdentity)
        .answer(Answer { status: Some(response.status), ..Answer::default() })
        .next("the token was thrown away; update the agent of this machine, or leave the id out to use its system-assigned identity"))
}

/// Whether an answer says that nobody knows the resource: asking again changes nothing, whatever the status.
pub(super) fn is_about_the_resource(response: &HttpResponse) -> bool {
    said(response).is_some_and(|said| {
        let code = said.error.unwrap_or_default();
        matches!(&*code, "invalid_resource" | "AudienceNotSupported")
            || ["AADSTS50001:", "AADSTS500011:"].iter().any(|words| said.text.contains(words))
    })
}

/// What a refusal means. `host` names the host for the message.
pub(super) fn refusal(host: &str, response: &HttpResponse, id: Option<&UserAssignedId>) -> Error {
    let said = said(response);
    let words = said.as_ref().map_or("", |said| &*said.text).to_lowercase();
    let code = said.as_ref().and_then(|said| said.error.as_deref()).unwrap_or_default();
    let not_found = code == "ManagedIdentityNotFound";
    let answer = said.clone().unwrap_or_else(|| describe(response));
    let endpoint = || format!("the managed-identity endpoint of this {host}");
    let (condition, error, next) = match response.status {
        400 if words.contains("multiple user assigned") => (
            Condition::SeveralIdentities,
            Error::unavailable(format!("this {host} has several user-assigned identities and none was named")),
            "name one: pass client_id, or set AZURE_CLIENT_ID for DefaultAzureCredential".to_owned(),
        ),
        _ if is_about_the_resource(response) => (
            Condition::UnknownResource,
            Error::failed("the tenant does not know the resource of this scope"),
            "check the scope for typing errors".to_owned(),
        ),
        400 if is_about_the_request(code) => (
            Condition::Refused,
            Error::failed(format!("{} refused the form of the request", endpoint())),
            "check that no proxy or sidecar changes requests to this endpoint".to_owned(),
        ),
        400 | 404 if not_found || response.status == 400 && said.is_some() => (
            Condition::IdentityNotAssigned,
            Error::unavailable(format!("{} is not assigned to this {host}", whose(id))),
            match id {
                Some(_) => "assign the identity to this resource, or correct the id".to_owned(),
                None => "enable the system-assigned identity of this resource, or name a user-assigned one".to_owned(),
            },
        ),
        401 | 403 => (
            Condition::Refused,
            Error::failed(format!("{} refused the request", endpoint())),
            "check that nothing changed the variables that the platform set, and that this process may use the identity"
                .to_owned(),
        ),
        429 => (Condition::Throttled, Error::failed(format!("{} throttles", endpoint())), throttled(response)),
        410 => (
            Condition::Gone,
            Error::failed(format!("{} is being updated and did not come back in time", endpoint())),
            "try again later; an update takes up to 70 seconds".to_owned(),
        ),
        status => (
            Condition::Broken,
            Error::failed(format!("{} answered with status {status}", endpoint())),
            "try again later; if it stays, check the health of this resource in the Azure portal".to_owned(),
        ),
    };
    error.condition_of(condition).answer(answer).next(next)
}

/// Codes that complain of a header, a parameter or the version rather than of the identity: of the metadata service, and
/// of Service Fabric.
fn is_about_the_request(code: &str) -> bool {
    code.starts_with("bad_request")
        || code.starts_with("Bad request")
        || matches!(code, "SecretHeaderNotFound" | "InvalidApiVersion" | "ArgumentNullOrEmpty")
}

fn throttled(response: &HttpResponse) -> String {
    let fewer = "start fewer processes at once, and share one credential object within each";
    match crate::retry::retry_after(response) {
        Some(after) => format!("try again in {} s, as it asks; {fewer}", after.as_secs()),
        None => fewer.to_owned(),
    }
}

/// The identity in words.
pub(crate) fn whose(id: Option<&UserAssignedId>) -> String {
    match id {
        Some(id) => {
            let (kind, id) = id.parts();
            format!("the user-assigned identity with {kind} {id}")
        }
        None => "a system-assigned identity".into(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::Outcome;
    use crate::platform::scripted::response;

    #[test]
    fn the_hosts_own_words_are_kept() {
        let id = UserAssignedId::ClientId("c-1".into());
        for (status, body, words, outcome, condition) in [
            (
                400,
                r#"{"error":"invalid_request","error_description":"Identity not found"}"#,
                "Identity not found",
                Outcome::Unavailable,
                Condition::IdentityNotAssigned,
            ),
            (
                400,
                r#"{"StatusCode":400,"Message":"No MSI found for specified ClientId/ResourceId.","CorrelationId":"8797"}"#,
                "correlation id 8797",
                Outcome::Unavailable,
                Condition::IdentityNotAssigned,
            ),
            (
                400,
                r#"{"error":"invalid_request","error_description":"Multiple user assigned identities exist, please specify the clientId"}"#,
                "pass client_id",
                Outcome::Unavailable,
                Condition::SeveralIdentities,
            ),
            (
                400,
                r#"{"error":"invalid_resource","error_description":"AADSTS50001: The application named x was not found"}"#,
                "AADSTS50001",
                Outcome::Failed,
                Condition::UnknownResource,
            ),
            (
                400,
                r#"{"error":"bad_request_102","error_description":"Required metadata header not specified"}"#,
                "Required metadata header",
                Outcome::Failed,
                Condition::Refused,
            ),
            (
                404,
                r#"{"error":{"correlationId":"7b2","code":"ManagedIdentityNotFound","message":"Identity not found"}}"#,
                "correlation id 7b2",
                Outcome::Unavailable,
                Condition::IdentityNotAssigned,
            ),
        ] {
            let error = refusal("virtual machine", &response(status, body), Some(&id));
            assert!(error.to_string().contains(words), "{error}");
            assert_eq!((error.outcome(), error.condition()), (outcome, Some(condition)), "{error}");
        }
    }

    #[test]
    fn what_says_nothing_is_described() {
        let error = refusal("App Service", &response(500, "<html>oops</html>"), None).to_string();
        assert!(error.contains("status 500") && error.contains("oops"), "{error}");
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(status in 100u16..600, body in ".{0,200}") {
            let json = serde_json::json!({"error": {"code": body, "message": body}, "error_description": body});
            for body in [body, json.to_string()] {
                let response = response(status, &body);
                let _ = (is_json(&response), has_error(&response), is_about_the_resource(&response));
                prop_assert!(refusal("virtual machine", &response, None).condition().is_some());
            }
        }
    }
}
