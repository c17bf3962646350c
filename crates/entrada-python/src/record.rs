//! Who signed in, as Python sees it.

use entrada::AuthenticationRecord;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

/// Tenant id, client id, authority, home account id and user name, as Python's class takes them.
type Fields<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str);

fn fields(record: &AuthenticationRecord) -> Fields<'_> {
    (record.tenant_id(), record.client_id(), record.authority(), record.home_account_id(), record.username())
}

/// The record as an object of Python's class.
pub(crate) fn object(py: Python<'_>, record: &AuthenticationRecord) -> PyResult<Py<PyAny>> {
    let class = py.import("entrada._record")?.getattr("AuthenticationRecord")?;
    Ok(class.call1(fields(record))?.unbind())
}

/// Reads a record from an object of Python's class, or of azure-identity's, which has the same attributes.
pub(crate) fn from_object(object: &Bound<'_, PyAny>) -> PyResult<AuthenticationRecord> {
    let field = |name: &str| -> PyResult<String> {
        let value = object.getattr(name).and_then(|value| value.extract());
        let kind = object.get_type().name()?;
        value.map_err(|_| PyTypeError::new_err(format!("authentication_record is an AuthenticationRecord, not {kind}")))
    };
    AuthenticationRecord::new(
        &field("tenant_id")?,
        &field("client_id")?,
        &field("authority")?,
        &field("home_account_id")?,
        &field("username")?,
    )
    .map_err(|error| PyValueError::new_err(error.to_string()))
}

/// Reads what `serialize` wrote, here or in azure-identity.
#[pyfunction]
pub(crate) fn read_record<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    let record = AuthenticationRecord::deserialize(text).map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(fields(&record).into_pyobject(py)?.into_any())
}
