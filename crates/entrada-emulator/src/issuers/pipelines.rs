//! Azure Pipelines: the address from which a job gets tokens that speak of a service connection
//! (<https://learn.microsoft.com/rest/api/azure/devops/distributedtask/oidctoken/create>).

use super::claims;
use crate::call::{Call, Reply};
use crate::config::AzurePipelines;
use crate::state::State;
use crate::tokens::SigningKey;
use serde_json::json;

/// Host of Azure DevOps.
pub(crate) const HOST: &str = "dev.azure.com";

/// Where a browser is sent that has not signed in.
const SIGN_IN: &str = "https://spsprodweu1.vssps.visualstudio.com/_signin?realm=dev.azure.com&protocol=&reply_to=https%3A%2F%2Fdev.azure.com%2F";

/// How long a token is good, in seconds.
const LIFETIME: i64 = 600;

/// The value of `SYSTEM_OIDCREQUESTURI`.
pub(crate) fn request_url(settings: &AzurePipelines) -> String {
    format!("https://{HOST}{}", path(settings))
}

fn path(settings: &AzurePipelines) -> String {
    format!(
        "/{}/8a000000-0000-4000-8000-000000000001/_apis/distributedtask/hubs/build/plans/8b000000-0000-4000-8000-000000000001/jobs/12f1170f-54f2-53f3-20dd-22fc7dff55f9/oidctoken",
        settings.organization
    )
}

/// Answers a request to Azure DevOps.
pub(crate) fn answer(state: &State, key: &SigningKey, call: &Call) -> Reply {
    let settings = &state.directory.config.pipelines;
    if !call.path.trim_end_matches('/').eq_ignore_ascii_case(&path(settings)) {
        return refusal(404, "NotFoundException", "The controller for the path was not found.");
    }
    if call.bearer() != Some(&state.runner_tokens.pipelines) {
        return not_signed_in(call);
    }
    if call.method != http::Method::POST {
        let message = format!("The requested resource does not support http method '{}'.", call.method);
        return refusal(405, "HttpMethodNotAllowedException", &message).header("allow", "POST");
    }
    match call.parameter("api-version") {
        None | Some("") => {
            let message = "No api-version was supplied for the \"POST\" request. The version must be supplied either as part of the Accept header (e.g. \"application/json; api-version=1.0\") or as a query parameter (e.g. \"?api-version=1.0\").";
            return refusal(400, "VssVersionNotSpecifiedException", message);
        }
        Some(version) if !version.starts_with("7.") => {
            let message = format!("The requested REST API version of {version} is out of range for this server.");
            return refusal(400, "VssVersionOutOfRangeException", &message);
        }
        Some(_) => {}
    }
    // Without one the token would speak of the job, and no credential wants that.
    let connection = call.parameter("serviceConnectionId").unwrap_or_default();
    if !connection.eq_ignore_ascii_case(&settings.service_connection_id) {
        let message = format!("No service connection found with identifier {connection}.");
        return refusal(404, "ServiceEndpointNotFoundException", &message);
    }
    let lifetime = call.token_shape.as_ref().and_then(|shape| shape.expires_in).unwrap_or(LIFETIME);
    let claims = claims(&settings.issuer, &settings.subject(), crate::world::EXCHANGE_AUDIENCE, lifetime);
    match key.sign_as(&settings.issuer, &claims) {
        Some(token) => Reply::json(200, &json!({"oidcToken": token})),
        None => refusal(500, "InternalServerException", "The token could not be signed."),
    }
}

/// What those get who show no good token: a way to sign in, unless they say that they are no browser.
fn not_signed_in(call: &Call) -> Reply {
    let note = "the bearer token is missing, or not that of SYSTEM_ACCESSTOKEN";
    if call.header("x-tfs-fedauthredirect").is_some_and(|value| value.eq_ignore_ascii_case("suppress")) {
        return Reply::text(401, "").header("www-authenticate", "Bearer authorization_uri=https://login.microsoftonline.com/common, Basic realm=\"https://dev.azure.com/\", TFS-Federated").note(note);
    }
    let page = format!(
        "<html><head><title>Object moved</title></head><body>\r\n<h2>Object moved to <a href=\"{}\">here</a>.</h2>\r\n</body></html>",
        SIGN_IN.replace('&', "&amp;")
    );
    let mut reply = Reply::new(302).header("content-type", "text/html; charset=utf-8").header("location", SIGN_IN);
    reply.body = page.into();
    reply.note(note)
}

fn refusal(status: u16, kind: &str, message: &str) -> Reply {
    let body = json!({
        "$id": "1",
        "innerException": null,
        "message": message,
        "typeName": format!("Microsoft.VisualStudio.Services.WebApi.{kind}, Microsoft.VisualStudio.Services.WebApi"),
        "typeKey": kind,
        "errorCode": 0,
        "eventId": 3000,
    });
    Reply::json(status, &body).note(message)
}
