//! Entra's errors: a code, a text, and the ids that support asks for.

use crate::call::Reply;
use crate::clock;
use crate::journal::Principal;
use serde_json::json;

/// A refusal by Entra.
#[derive(Debug)]
pub(crate) struct EntraError {
    pub(crate) status: u16,
    /// The number after `AADSTS`; 0 for what is the emulator's own.
    pub(crate) code: u32,
    /// The OAuth error (RFC 6749, section 5.2) or Entra's own.
    pub(crate) error: &'static str,
    pub(crate) text: String,
    /// What kind of interaction is required, for clients that tell kinds apart.
    pub(crate) suberror: Option<&'static str>,
    /// What the next request must put into its parameter `claims`, as JSON.
    pub(crate) claims: Option<String>,
    /// By which grant it was asked, for the journal.
    pub(crate) flow: Option<&'static str>,
    /// Who asked, as far as it can be told, for the journal.
    pub(crate) who: Option<Principal>,
}

impl EntraError {
    /// A refusal without `suberror` and `claims`.
    pub(crate) fn new(status: u16, code: u32, error: &'static str, text: impl Into<String>) -> Self {
        Self { status, code, error, text: text.into(), suberror: None, claims: None, flow: None, who: None }
    }

    /// A refusal of the request's form, status 400.
    pub(crate) fn request(code: u32, text: impl Into<String>) -> Self {
        Self::new(400, code, "invalid_request", text)
    }

    /// A refusal of the client's proof of itself, status 401.
    pub(crate) fn client(code: u32, text: impl Into<String>) -> Self {
        Self::new(401, code, "invalid_client", text)
    }

    /// A refusal of the grant that was shown: a code, a refresh token, a password, an assertion.
    pub(crate) fn grant(code: u32, text: impl Into<String>) -> Self {
        Self::new(400, code, "invalid_grant", text)
    }

    /// A code or token that is none of this run's.
    pub(crate) fn not_ours() -> Self {
        Self::grant(9_002_313, "Invalid request. Request is malformed or invalid.")
    }

    /// A code or token of another client.
    pub(crate) fn of_another_client() -> Self {
        Self::grant(700_007, "The grant was issued for a different client id.")
    }

    /// A code that has been used.
    pub(crate) fn redeemed() -> Self {
        Self::grant(
            54_005,
            "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.",
        )
    }

    /// A request by a method that the endpoint does not take.
    pub(crate) fn method(accepted: &str, method: &http::Method) -> Self {
        Self::request(900_561, format!("The endpoint only accepts {accepted} requests. Received a {method} request."))
    }

    /// The same refusal with a `suberror`.
    pub(crate) fn with(self, suberror: &'static str) -> Self {
        Self { suberror: Some(suberror), ..self }
    }

    pub(crate) fn missing(parameter: &str) -> Self {
        Self::request(900_144, format!("The request body must contain the following parameter: '{parameter}'."))
    }

    /// What the emulator does not do, said plainly.
    pub(crate) fn not_emulated(text: impl Into<String>) -> Self {
        Self::new(501, 0, "not_emulated", text)
    }

    /// The emulator itself cannot answer.
    pub(crate) fn unavailable(text: impl Into<String>) -> Self {
        Self::new(500, 90_033, "temporarily_unavailable", text)
    }

    /// The first sentence with the code in front, as the journal notes it, and the reason that some texts have behind it.
    pub(crate) fn short(&self) -> String {
        let first = self.text.split_inclusive(". ").next().unwrap_or(&self.text).trim_end();
        let reason = self.text.split_once("[Reason - ").map(|(_, rest)| rest.split([',', ']']).next().unwrap_or(rest));
        match reason.filter(|reason| !first.contains(reason)) {
            Some(reason) => format!("AADSTS{}: {first} {reason}", self.code),
            None => format!("AADSTS{}: {first}", self.code),
        }
    }

    /// The same refusal, with what the journal tells of the request.
    pub(crate) fn asked_by(self, flow: &'static str, who: Option<Principal>) -> Self {
        Self { flow: Some(flow), who, ..self }
    }

    /// The text with code and ids, as clients are told it.
    pub(crate) fn description(&self, trace: &str, correlation: &str, timestamp: &str) -> String {
        format!(
            "AADSTS{}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {timestamp}",
            self.code, self.text
        )
    }

    pub(crate) fn reply(&self, authority: &str, correlation: &str) -> Reply {
        let mut reply = self.answer(authority, correlation);
        reply.trail.grant = self.flow;
        reply.trail.principal.clone_from(&self.who);
        reply
    }

    fn answer(&self, authority: &str, correlation: &str) -> Reply {
        if self.code == 0 {
            let body = json!({"error": self.error, "error_description": self.text});
            return Reply::json(self.status, &body).note(self.text.as_str());
        }
        let trace = uuid::Uuid::new_v4().to_string();
        let timestamp = clock::entra_time(clock::now());
        let mut body = json!({
            "error": self.error,
            "error_description": self.description(&trace, correlation, &timestamp),
            "error_codes": [self.code],
            "timestamp": timestamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("https://{authority}/error?code={}", self.code),
        });
        if let Some(suberror) = self.suberror {
            body["suberror"] = suberror.into();
        }
        if let Some(claims) = &self.claims {
            body["claims"] = claims.as_str().into();
        }
        Reply::json(self.status, &body).header("x-ms-request-id", trace).note(self.short())
    }
}
