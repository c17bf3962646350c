//! Entra's errors: a code, a text, and the ids that support asks for.

use crate::call::Reply;
use crate::clock;
use serde_json::json;

/// A refusal by Entra.
#[derive(Debug)]
pub(crate) struct EntraError {
    pub(crate) status: u16,
    /// The number after `AADSTS`.
    pub(crate) code: u32,
    /// The OAuth error (RFC 6749, section 5.2) or Entra's own.
    pub(crate) error: &'static str,
    pub(crate) text: String,
}

impl EntraError {
    /// A refusal of the request's form, status 400.
    pub(crate) fn request(code: u32, text: impl Into<String>) -> Self {
        Self { status: 400, code, error: "invalid_request", text: text.into() }
    }

    /// A refusal of the client's proof of itself, status 401.
    pub(crate) fn client(code: u32, text: impl Into<String>) -> Self {
        Self { status: 401, code, error: "invalid_client", text: text.into() }
    }

    pub(crate) fn missing(parameter: &str) -> Self {
        Self::request(900_144, format!("The request body must contain the following parameter: '{parameter}'."))
    }

    pub(crate) fn reply(&self, authority: &str, correlation: &str) -> Reply {
        let trace = uuid::Uuid::new_v4().to_string();
        let timestamp = clock::entra_time(clock::now());
        let body = json!({
            "error": self.error,
            "error_description": format!(
                "AADSTS{}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {timestamp}",
                self.code, self.text
            ),
            "error_codes": [self.code],
            "timestamp": timestamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("https://{authority}/error?code={}", self.code),
        });
        let first = self.text.split_inclusive(". ").next().unwrap_or(&self.text).trim_end();
        Reply::json(self.status, &body).header("x-ms-request-id", trace).note(format!("AADSTS{}: {first}", self.code))
    }
}
