//! The least that a `get_token` in PyO3 can do: take the arguments, return an object that was made before.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

/// A credential that has nothing to look up, nothing to check and no clock to read.
#[pyclass(frozen)]
struct Floor {
    token: Py<PyAny>,
}

#[pymethods]
impl Floor {
    #[new]
    fn new(token: Py<PyAny>) -> Self {
        Self { token }
    }

    #[pyo3(signature = (*_scopes, claims=None, tenant_id=None, enable_cae=None, **_kwargs))]
    fn get_token(
        &self,
        py: Python<'_>,
        _scopes: &Bound<'_, PyTuple>,
        claims: Option<&Bound<'_, PyAny>>,
        tenant_id: Option<&Bound<'_, PyAny>>,
        enable_cae: Option<&Bound<'_, PyAny>>,
        _kwargs: Option<&Bound<'_, PyDict>>,
    ) -> Py<PyAny> {
        let _ = (claims, tenant_id, enable_cae);
        self.token.clone_ref(py)
    }
}

#[pymodule]
fn entrada_floor(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Floor>()
}
