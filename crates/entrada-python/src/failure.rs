//! The core's errors as Python's exceptions, and what is logged of an outcome.

use entrada::{Error, Outcome};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// The exception for an error. The Python half makes it, because its base class takes azure-core, which is imported
/// only now; and logs it.
pub(crate) fn exception(
    py: Python<'_>,
    owner: &Bound<'_, PyAny>,
    method: &str,
    error: &Error,
    scopes: &Bound<'_, PyTuple>,
    claims: Option<&str>,
) -> PyErr {
    let made = py.import("entrada._outcome").and_then(|module| {
        let arguments = (owner, method, kind(error), error.to_string(), scopes, claims);
        module.call_method1("failure", arguments)
    });
    match made {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

/// What the Python half needs to know to choose a class.
fn kind(error: &Error) -> &'static str {
    let is_chain = !error.chain_attempts().is_empty();
    match error.outcome() {
        _ if error.is_invalid_argument() => "invalid argument",
        Outcome::InteractionRequired => "interaction required",
        Outcome::Unavailable if is_chain => "none available",
        Outcome::Unavailable => "unavailable",
        _ => "failed",
    }
}

/// Logs that a token was fetched, if the program has `logging`.
pub(crate) fn log_success(py: Python<'_>, owner: &Bound<'_, PyAny>, method: &str) -> PyResult<()> {
    py.import("entrada._outcome")?.call_method1("success", (owner, method)).map(drop)
}
