//! The answers of managed-identity endpoints: their own words, and what they mean.

use serde_json::Value;

use super::UserAssignedId;
use crate::error::{Answer, Error};
use crate::platform::HttpResponse;
use crate::token_answer::{describe, excerpt};

/// The error that a host's JSON tells of. Hosts differ in names and case: `error` and `error_description`, `Message`,
/// `statusCode`, `CorrelationId`.
pub(super) fn said(response: &HttpResponse) -> Option<Answer> {
    let Value::Object(body) = serde_json::from_slice(&response.body).ok()? else {
        return None;
    };
    let text = |names: &[&str]| {
        body.iter()
            .find(|(key, _)| names.iter().any(|name| key.eq_ignore_ascii_case(name)))
            .and_then(|(_, value)| value.as_str())
            .map(excerpt)
    };
    let error = text(&["error"]);
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

/// What a refusal means. `host` names the host for the message.
pub(super) fn refusal(host: &str, response: &HttpResponse, id: Option<&UserAssignedId>) -> Error {
    let said = said(response);
    let words = said.as_ref().map_or("", |said| &*said.text).to_lowercase();
    let error = said.as_ref().and_then(|said| said.error.as_deref());
    let answer = said.clone().unwrap_or_else(|| describe(response));
    let whose = whose(id);
    let (error, next) = match response.status {
        400 if words.contains("multiple user assigned") => (
            Error::unavailable(format!("this {host} has several user-assigned identities and none was named")),
            "name one: pass client_id, or set AZURE_CLIENT_ID for DefaultAzureCredential".to_owned(),
        ),
        400 if error == Some("invalid_resource") => (
            Error::failed("the tenant does not know the resource of this scope"),
            "check the scope for typing errors".to_owned(),
        ),
        400 if said.is_some() => (
            Error::unavailable(format!("{whose} is not assigned to this {host}")),
            match id {
                Some(_) => "assign the identity to this resource, or correct the id".to_owned(),
                None => "enable the system-assigned identity of this resource, or name a user-assigned one".to_owned(),
            },
        ),
        401 | 403 => (
            Error::failed(format!("the managed-identity endpoint of this {host} refused the request")),
            "check that nothing changed IDENTITY_HEADER, and that this process may use the identity".to_owned(),
        ),
        429 => (
            Error::failed(format!("the managed-identity endpoint of this {host} throttles")),
            "start fewer processes at once, and share one credential object within each".to_owned(),
        ),
        status => (
            Error::failed(format!("the managed-identity endpoint of this {host} answered with status {status}")),
            "try again later; if it stays, check the health of this resource in the Azure portal".to_owned(),
        ),
    };
    error.answer(answer).next(next)
}

/// The identity in words.
pub(super) fn whose(id: Option<&UserAssignedId>) -> String {
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
    use super::*;
    use crate::error::Outcome;
    use crate::platform::scripted::response;

    #[test]
    fn the_hosts_own_words_are_kept() {
        let id = UserAssignedId::ClientId("c-1".into());
        for (body, words, outcome) in [
            (
                r#"{"error":"invalid_request","error_description":"Identity not found"}"#,
                "Identity not found",
                Outcome::Unavailable,
            ),
            (
                r#"{"StatusCode":400,"Message":"No MSI found for specified ClientId/ResourceId.","CorrelationId":"8797"}"#,
                "correlation id 8797",
                Outcome::Unavailable,
            ),
            (
                r#"{"error":"invalid_request","error_description":"Multiple user assigned identities exist, please specify the clientId"}"#,
                "pass client_id",
                Outcome::Unavailable,
            ),
            (
                r#"{"error":"invalid_resource","error_description":"AADSTS50001: The application named x was not found"}"#,
                "AADSTS50001",
                Outcome::Failed,
            ),
        ] {
            let error = refusal("virtual machine", &response(400, body), Some(&id));
            assert!(error.to_string().contains(words), "{error}");
            assert_eq!(error.outcome(), outcome, "{error}");
        }
    }

    #[test]
    fn what_says_nothing_is_described() {
        let error = refusal("App Service", &response(500, "<html>oops</html>"), None).to_string();
        assert!(error.contains("status 500") && error.contains("oops"), "{error}");
    }
}
