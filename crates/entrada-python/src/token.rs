//! Tokens as Python sees them: azure-core's types where the program has them, else our own equal ones.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

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
    shared: bool,
}

/// How many tokens there are Python objects of at most: each holds the text of its token once more.
const MOST: usize = 1024;

/// How many there are.
static MADE: AtomicUsize = AtomicUsize::new(0);

/// The tuples that were made of a token: of our own class, and of azure-core's.
#[derive(Default)]
struct Made {
    own: OnceLock<Py<PyAny>>,
    shared: OnceLock<Py<PyAny>>,
}

impl Made {
    /// A place for a token's tuples, unless there are too many.
    fn new() -> Option<Box<Self>> {
        let there_is_room = MADE.fetch_add(1, Ordering::Relaxed) < MOST;
        let made = Self::default();
        // Dropped again, and taken off the count, where there is none.
        there_is_room.then(|| Box::new(made))
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        MADE.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What `get_token` returns: a tuple, so one can be shared by all callers, and is made once.
pub(crate) fn access_token(py: Python<'_>, token: &Token) -> PyResult<Py<PyAny>> {
    let types = Types::current(py)?;
    if let Some(object) = made(token, types).and_then(OnceLock::get) {
        return Ok(object.clone_ref(py));
    }
    let object = types.access_token(py, token)?;
    if token.attachment().get().is_none()
        && let Some(made) = Made::new()
    {
        // Another thread may have been quicker; then ours goes.
        let _ = token.attachment().set(made);
    }
    if let Some(place) = made(token, types) {
        let _ = place.set(object.clone_ref(py));
    }
    Ok(object)
}

/// The place of a token's tuple, where it has one.
fn made<'t>(token: &'t Token, types: &Types) -> Option<&'t OnceLock<Py<PyAny>>> {
    let made: &Made = token.attachment().get()?.downcast_ref()?;
    Some(if types.shared { &made.shared } else { &made.own })
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

    /// A tuple of the token and when it expires.
    fn access_token(&self, py: Python<'_>, token: &Token) -> PyResult<Py<PyAny>> {
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
