//! What goes into a Python function, and what comes out of it.

use std::fmt;

use entrada::Error;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyFloat, PyList, PyString, PyTuple};
use zeroize::Zeroizing;

/// An argument of a call.
pub(crate) enum Argument {
    Text(Zeroizing<String>),
    Bytes(Zeroizing<Vec<u8>>),
    /// A time in seconds since 1970-01-01T00:00:00Z, or a number of seconds.
    Seconds(f64),
}

impl Argument {
    pub(super) fn to_python<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        match self {
            Self::Text(text) => PyString::new(py, text).into_any(),
            Self::Bytes(bytes) => PyBytes::new(py, bytes).into_any(),
            Self::Seconds(seconds) => PyFloat::new(py, *seconds).into_any(),
        }
    }
}

/// What a function must return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// A text.
    Text,
    /// Some bytes.
    Bytes,
    /// A list of bytes.
    ListOfBytes,
    /// Anything; it is thrown away.
    Nothing,
}

/// What a function returned.
pub(crate) enum Answer {
    Text(Zeroizing<String>),
    Bytes(Vec<u8>),
    ListOfBytes(Vec<Vec<u8>>),
    Nothing,
}

impl Answer {
    /// Reads what the function `name` returned.
    pub(super) fn new(name: &str, wanted: Wanted, value: &Bound<'_, PyAny>) -> PyResult<Self> {
        let wrong = |what: &str| -> PyResult<PyErr> {
            let given = value.get_type().name()?;
            Ok(PyTypeError::new_err(format!("{name} returned an object of type {given}; it must return {what}")))
        };
        match wanted {
            Wanted::Nothing => Ok(Self::Nothing),
            Wanted::Text => match value.cast::<PyString>() {
                Ok(text) => Ok(Self::Text(Zeroizing::new(text.to_str()?.to_owned()))),
                Err(_) => Err(wrong("a str")?),
            },
            Wanted::Bytes => match value.extract::<Vec<u8>>() {
                Ok(bytes) if !value.is_instance_of::<PyList>() && !value.is_instance_of::<PyTuple>() => {
                    Ok(Self::Bytes(bytes))
                }
                _ => Err(wrong("bytes")?),
            },
            Wanted::ListOfBytes => match value.extract::<Vec<Vec<u8>>>() {
                Ok(list) => Ok(Self::ListOfBytes(list)),
                Err(_) => Err(wrong("a list of bytes")?),
            },
        }
    }

    /// The text of a function that returns one.
    pub(crate) fn into_text(self) -> Zeroizing<String> {
        match self {
            Self::Text(text) => text,
            _ => Zeroizing::default(),
        }
    }
}

/// An exception that a function raised, on its way to those who wait for it.
pub(crate) struct Raised {
    exception: Py<PyAny>,
    text: String,
}

impl Raised {
    /// The error of the core that carries an exception.
    ///
    /// `is_unavailable`: the exception says that this way of signing in is not set up here, and a chain goes on.
    pub(super) fn error(name: &str, exception: &Bound<'_, PyAny>, is_unavailable: bool) -> Error {
        let kind = exception.get_type().name().map_or_else(|_| "an exception".into(), |name| name.to_string());
        let text = exception.str().map_or_else(|_| String::new(), |text| text.to_string_lossy().into_owned());
        let what = format!("{name} raised {kind}{}{text}", if text.is_empty() { "" } else { ": " });
        let error = if is_unavailable { Error::unavailable(&*what) } else { Error::failed(&*what) };
        error.caused_by(Self { exception: exception.clone().unbind(), text: what })
    }

    /// The exception that an error comes of, where there is one.
    pub(crate) fn behind<'py>(py: Python<'py>, error: &Error) -> Option<Bound<'py, PyAny>> {
        let raised: &Self = std::error::Error::source(error)?.downcast_ref()?;
        Some(raised.exception.bind(py).clone())
    }
}

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Raised").field(&self.text).finish()
    }
}

impl std::error::Error for Raised {}
