//! From Python's arguments to the core's credentials.

mod apps;
mod assertion;
mod certificate;
mod given;
mod hosts;
mod on_behalf_of;
mod tokens;
mod users;

use std::sync::Arc;

use entrada::{Credential as Core, Error, OnBehalfOfCredential};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::authenticate::Authenticates;
use crate::credential::Made;
use given::Given;

/// Makes a credential of the core. `options` is what the Python half has collected; a name that is left out, or `None`,
/// takes the core's default.
pub(crate) fn credential(kind: &str, options: &Bound<'_, PyDict>) -> PyResult<Made> {
    let given = Given::new(options);
    let make = match kind {
        "Azure CLI" => hosts::azure_cli,
        "authorization code" => users::authorization_code,
        "Azure Pipelines" => apps::azure_pipelines,
        "browser" => users::browser,
        "certificate" => certificate::certificate,
        "chain" => hosts::chain,
        "client assertion" => apps::client_assertion,
        "client secret" => apps::client_secret,
        "command" => tokens::command,
        "default" => hosts::default,
        "device code" => users::device_code,
        "environment" => apps::environment,
        "GitHub Actions" => apps::github_actions,
        "managed identity" => hosts::managed_identity,
        "on behalf of" => on_behalf_of::on_behalf_of,
        "password" => users::password,
        "static token" => tokens::static_token,
        "token file" => tokens::token_file,
        "workload identity" => apps::workload_identity,
        _ => return Err(PyValueError::new_err(format!("there is no credential {kind:?}"))),
    };
    let Making { core, authenticates, users } =
        make(&given).inspect_err(|error: &PyErr| error.set_cause(options.py(), None))?;
    Ok(Made { core, authenticates, users, callables: given.into_callables() })
}

/// A credential of the core that was made.
struct Making {
    core: Arc<dyn Core>,
    authenticates: Option<Arc<dyn Authenticates>>,
    users: Option<Arc<OnBehalfOfCredential>>,
}

/// A credential that was made, or Python's exception for the reason why not.
fn made<T: Core + 'static>(made: Result<Arc<T>, Error>) -> PyResult<Making> {
    let core = made.map_err(|error| refused(&error))?;
    Ok(Making { core, authenticates: None, users: None })
}

/// The same for one that has a person sign in.
fn made_for_people<T: Authenticates + 'static>(made: Result<Arc<T>, Error>) -> PyResult<Making> {
    let core = made.map_err(|error| refused(&error))?;
    Ok(Making { core: Arc::clone(&core) as _, authenticates: Some(core), users: None })
}

/// The same for one that acts for users.
fn made_for_users(made: Result<Arc<OnBehalfOfCredential>, Error>) -> PyResult<Making> {
    let core = made.map_err(|error| refused(&error))?;
    Ok(Making { core: Arc::clone(&core) as _, authenticates: None, users: Some(core) })
}

fn refused(error: &Error) -> PyErr {
    PyValueError::new_err(error.to_string())
}
