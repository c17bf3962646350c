//! The form that a client posts to Entra.

use super::EntraError;
use crate::call::Call;

/// Parameters of a request, each there once only.
#[derive(Debug)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads the body of a request.
    pub(super) fn read(call: &Call) -> Result<Self, EntraError> {
        let is_form = call.header("content-type").is_some_and(|kind| {
            kind.trim_start().to_ascii_lowercase().starts_with("application/x-www-form-urlencoded")
        });
        if !is_form || call.body.is_empty() {
            return Err(EntraError::missing("grant_type"));
        }
        if std::str::from_utf8(&call.body).is_err() {
            return Err(EntraError::request(9_002_313, "Invalid request. Request is malformed or invalid."));
        }
        Self::of(url::form_urlencoded::parse(&call.body).into_owned().collect())
    }

    /// Checks that no parameter is there twice.
    pub(super) fn of(parameters: Vec<(String, String)>) -> Result<Self, EntraError> {
        for (index, (name, _)) in parameters.iter().enumerate() {
            if parameters[..index].iter().any(|(other, _)| other == name) {
                return Err(EntraError::request(
                    9_000_411,
                    format!("The request is not properly formatted. The parameter '{name}' is duplicated."),
                ));
            }
        }
        Ok(Self(parameters))
    }

    /// The value of a parameter; an empty one counts as none.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// The value of a parameter that must be there.
    pub(super) fn required(&self, name: &str) -> Result<&str, EntraError> {
        self.value(name).ok_or_else(|| EntraError::missing(name))
    }
}
