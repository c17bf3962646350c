//! From Python's arguments to the core's credentials.

mod apps;
mod assertion;
mod given;
mod hosts;

use std::sync::Arc;

use entrada::{Credential as Core, Error};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::credential::Made;
use given::Given;

/// Makes a credential of the core. `options` is what the Python half has collected; a name that is left out, or `None`,
/// takes the core's default.
pub(crate) fn credential(kind: &str, options: &Bound<'_, PyDict>) -> PyResult<Made> {
    let given = Given::new(options);
    let make = match kind {
        "Azure CLI" => hosts::azure_cli,
        "chain" => hosts::chain,
        "client assertion" => apps::client_assertion,
        "client secret" => apps::client_secret,
        "default" => hosts::default,
        "environment" => apps::environment,
        "managed identity" => hosts::managed_identity,
        "workload identity" => apps::workload_identity,
        _ => return Err(PyValueError::new_err(format!("there is no credential {kind:?}"))),
    };
    let core = make(&given).inspect_err(|error: &PyErr| error.set_cause(options.py(), None))?;
    Ok(Made { core, callables: given.into_callables() })
}

/// A credential that was made, or Python's exception for the reason why not.
fn made<T: Core + 'static>(made: Result<Arc<T>, Error>) -> PyResult<Arc<dyn Core>> {
    made.map(|made| made as _).map_err(|error| refused(&error))
}

fn refused(error: &Error) -> PyErr {
    PyValueError::new_err(error.to_string())
}
