//! The native half of the Python package `entrada`.
//!
//! A cached token is handed out here without running any Python; fetching one happens on the core's threads, with the
//! interpreter lock released. Arguments, warnings, exceptions and logging are the Python half's.

mod arguments;
mod authenticate;
mod call;
mod callable;
mod configure;
mod credential;
mod ending;
mod fetch;
mod fork;
mod mailbox;
mod record;
mod token;

/// The module `entrada._native`.
#[pyo3::pymodule]
mod _native {
    #[pymodule_export]
    use crate::callable::{Job, next_job, no_worker};
    #[pymodule_export]
    use crate::credential::Credential;
    #[pymodule_export]
    use crate::mailbox::{Bell, Mailbox};
    #[pymodule_export]
    use crate::record::read_record;

    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        crate::ending::register(module.py())?;
        crate::fork::register(module.py())
    }
}
