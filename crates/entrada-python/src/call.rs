//! One call of `get_token` or `get_token_info` that has to wait, and what becomes of it.

use std::sync::Arc;

use entrada::{AuthenticationRecord, Condition, Error, Outcome, Token, TokenRequest};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::callable::Raised;
use crate::credential::Credential;
use crate::record;

/// What was called, and so what is returned.
#[derive(Clone, Copy)]
pub(crate) enum Method {
    GetToken,
    GetTokenInfo,
    Authenticate,
}

/// What came of a call.
#[derive(Clone)]
pub(crate) enum Got {
    Token(Arc<Token>),
    Record(AuthenticationRecord),
}

impl Method {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::GetToken => "get_token",
            Self::GetTokenInfo => "get_token_info",
            Self::Authenticate => "authenticate",
        }
    }

    pub(crate) fn named(name: &str) -> PyResult<Self> {
        [Self::GetToken, Self::GetTokenInfo, Self::Authenticate]
            .into_iter()
            .find(|method| method.name() == name)
            .ok_or_else(|| PyValueError::new_err(format!("there is no method {name:?}")))
    }
}

/// A call that has to wait.
pub(crate) struct Call {
    pub(crate) owner: Py<Credential>,
    pub(crate) method: Method,
    pub(crate) scopes: Py<PyTuple>,
    pub(crate) request: TokenRequest,
}

impl Call {
    /// Ends the call: logs the outcome and returns what the caller gets, or raises.
    pub(crate) fn end(&self, py: Python<'_>, outcome: Result<Got, Error>) -> PyResult<Py<PyAny>> {
        match outcome {
            Ok(got) => {
                self.log_success(py)?;
                match got {
                    Got::Token(token) => Credential::object(py, self.method, &token),
                    Got::Record(record) => record::object(py, &record),
                }
            }
            Err(error) => Err(self.exception(py, &error)),
        }
    }

    fn log_success(&self, py: Python<'_>) -> PyResult<()> {
        let arguments = (&self.owner, self.method.name(), self.request.within_chain);
        py.import("entrada._outcome")?.call_method1("success", arguments).map(drop)
    }

    /// The exception for an error. The Python half makes it, because its base class takes azure-core, which is imported
    /// only now; and logs it.
    fn exception(&self, py: Python<'_>, error: &Error) -> PyErr {
        let arguments = (
            &self.owner,
            self.method.name(),
            self.request.within_chain,
            kind(error),
            !error.chain_attempts().is_empty(),
            error.to_string(),
            &self.scopes,
            claims(error).or(self.request.claims.as_deref()),
            error.condition().map(Condition::as_str),
            raised(py, error),
        );
        let made = py.import("entrada._outcome").and_then(|module| module.call_method1("failure", arguments));
        made.map_or_else(|error| error, PyErr::from_value)
    }
}

/// What the Python half needs to know of an error to choose a class.
fn kind(error: &Error) -> &'static str {
    let is_chain = !error.chain_attempts().is_empty();
    match error.outcome() {
        _ if error.is_invalid_argument() => "invalid argument",
        Outcome::InteractionRequired if error.authentication_request().is_some() => "authentication required",
        Outcome::InteractionRequired => "interaction required",
        Outcome::Unavailable if is_chain => "none available",
        Outcome::Unavailable => "unavailable",
        _ => "failed",
    }
}

/// The claims that the next sign-in must bring.
fn claims(error: &Error) -> Option<&str> {
    error.authentication_request().and_then(|request| request.claims.as_deref()).or(error.claims())
}

/// The exception of a user's own function that an error comes of.
fn raised<'py>(py: Python<'py>, error: &Error) -> Option<Bound<'py, PyAny>> {
    let last = error.chain_attempts().last().map(|attempt| &attempt.error);
    [Some(error), last].into_iter().flatten().find_map(|error| Raised::behind(py, error))
}
