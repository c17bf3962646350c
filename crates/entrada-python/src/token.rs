//! Tokens as Python sees them: azure-core's types where the program has them, else our own equal ones.

use entrada::Token;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

/// The classes of what is returned.
pub(crate) struct Types {
    access_token: Py<PyAny>,
    access_token_info: Py<PyAny>,
    /// Whether they are azure-core's.
    pub(crate) shared: bool,
}

impl Types {
    /// The classes to use now. azure-core is never imported for their sake; once the program has, its classes are used
    /// for good.
    pub(crate) fn current(py: Python<'_>) -> PyResult<&'static Self> {
        static SHARED: PyOnceLock<Types> = PyOnceLock::new();
        static OWN: PyOnceLock<Types> = PyOnceLock::new();
        if let Some(types) = SHARED.get(py) {
            return Ok(types);
        }
        if let Some(types) = Self::shared(py)? {
            return Ok(keep(py, &SHARED, types));
        }
        match OWN.get(py) {
            Some(types) => Ok(types),
            None => Ok(keep(py, &OWN, Self::of(&*py.import("entrada._tokens")?, false)?)),
        }
    }

    /// azure-core's classes, if its module is there and already has them: another thread may be half-way through
    /// importing it.
    fn shared(py: Python<'_>) -> PyResult<Option<Self>> {
        static MODULES: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
        let modules = match MODULES.get(py) {
            Some(modules) => modules,
            None => keep(py, &MODULES, py.import("sys")?.getattr("modules")?.cast_into()?.unbind()),
        };
        let module = modules.bind(py).get_item(intern!(py, "azure.core.credentials"))?;
        Ok(module.and_then(|module| Self::of(&module, true).ok()))
    }

    fn of(module: &Bound<'_, PyAny>, shared: bool) -> PyResult<Self> {
        let py = module.py();
        Ok(Self {
            access_token: module.getattr(intern!(py, "AccessToken"))?.unbind(),
            access_token_info: module.getattr(intern!(py, "AccessTokenInfo"))?.unbind(),
            shared,
        })
    }

    /// What `get_token` returns: a tuple of the token and when it expires, so it can be shared by all callers.
    pub(crate) fn access_token(&self, py: Python<'_>, token: &Token) -> PyResult<Py<PyAny>> {
        self.access_token.call1(py, (token.secret(), token.expires_on()))
    }

    /// What `get_token_info` returns, given the token's text. It can be changed by its owner, so every caller gets one of
    /// its own.
    pub(crate) fn access_token_info(&self, text: &Bound<'_, PyAny>, token: &Token) -> PyResult<Py<PyAny>> {
        let py = text.py();
        let arguments = (text, token.expires_on());
        let made = match token.refresh_on() {
            None => self.access_token_info.call1(py, arguments)?,
            Some(refresh_on) => {
                let options = PyDict::new(py);
                options.set_item(intern!(py, "refresh_on"), refresh_on)?;
                self.access_token_info.call(py, arguments, Some(&options))?
            }
        };
        Ok(made)
    }
}

/// Keeps a value that was made without a lock. Were it made under one, a thread that forks meanwhile would leave its
/// child with that lock taken for ever.
fn keep<'a, T>(py: Python<'_>, place: &'a PyOnceLock<T>, value: T) -> &'a T {
    place.get_or_init(py, || value)
}
