//! The options of a credential, as Python gave them.

use std::cell::RefCell;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use entrada::{AuthenticationRecord, EntraOptions, UserAssignedId};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};
use zeroize::Zeroizing;

use crate::arguments::text;
use crate::callable::{Callable, Wanted};
use crate::credential::{Credential, Made};
use crate::record;

/// The options as Python gave them. A name that is left out, or `None`, takes the core's default.
pub(super) struct Given<'py> {
    options: Bound<'py, PyDict>,
    /// The functions among them.
    callables: RefCell<Vec<Arc<Callable>>>,
}

impl<'py> Given<'py> {
    pub(super) fn new(options: &Bound<'py, PyDict>) -> Self {
        Self { options: options.clone(), callables: RefCell::default() }
    }

    /// The functions that were asked for.
    pub(super) fn into_callables(self) -> Vec<Arc<Callable>> {
        self.callables.into_inner()
    }

    fn get(&self, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(self.options.get_item(name)?.filter(|value| !value.is_none()))
    }

    /// A text; here an empty one is not left out but wrong, and the core says so.
    pub(super) fn text(&self, name: &str) -> PyResult<Option<String>> {
        let Some(value) = self.get(name)? else {
            return Ok(None);
        };
        Ok(Some(text(name, Some(&value))?.unwrap_or_default().to_owned()))
    }

    /// A text that must be there; the core says of an empty one that it is.
    pub(super) fn needed(&self, name: &str) -> PyResult<String> {
        Ok(self.text(name)?.unwrap_or_default())
    }

    /// Where a file is: a text, or a path object, which Python's half has made one.
    pub(super) fn path(&self, name: &str) -> PyResult<Option<PathBuf>> {
        let wrong = |_| PyTypeError::new_err(format!("{name} is a str or a path"));
        self.get(name)?.map(|value| value.extract().map_err(wrong)).transpose()
    }

    /// Options within the options.
    pub(super) fn within(&self, name: &str) -> PyResult<Self> {
        let inner = self.get(name)?.map(|value| value.cast_into::<PyDict>()).transpose();
        let inner = inner.map_err(|_| PyTypeError::new_err(format!("{name} is a dict")))?;
        Ok(Self::new(&inner.unwrap_or_else(|| PyDict::new(self.options.py()))))
    }

    /// Bytes.
    pub(super) fn bytes(&self, name: &str) -> PyResult<Option<Zeroizing<Vec<u8>>>> {
        let Some(value) = self.get(name)? else {
            return Ok(None);
        };
        let wrong = || Ok(PyTypeError::new_err(format!("{name} is bytes, not {}", value.get_type().name()?)));
        if value.is_instance_of::<PyString>() || value.is_instance_of::<PyList>() {
            return Err(wrong().unwrap_or_else(|error| error));
        }
        match value.extract() {
            Ok(bytes) => Ok(Some(Zeroizing::new(bytes))),
            Err(_) => Err(wrong().unwrap_or_else(|error| error)),
        }
    }

    /// A password: a text, or bytes of one. An empty one is none.
    pub(super) fn password(&self, name: &str) -> PyResult<Option<String>> {
        let Some(value) = self.get(name)? else {
            return Ok(None);
        };
        let password = match value.cast::<PyString>() {
            Ok(text) => text.to_str()?.to_owned(),
            Err(_) => {
                let bytes: Vec<u8> =
                    value.extract().map_err(|_| PyTypeError::new_err(format!("{name} is a str or bytes")))?;
                String::from_utf8(bytes).map_err(|_| PyValueError::new_err(format!("{name} is not UTF-8")))?
            }
        };
        Ok(Some(password).filter(|password| !password.is_empty()))
    }

    /// A function that the core will call, and what it is called in errors.
    pub(super) fn callable(&self, name: &str, called: &'static str, wanted: Wanted) -> PyResult<Option<Arc<Callable>>> {
        let Some(function) = self.get(name)? else {
            return Ok(None);
        };
        let callable = Callable::new(&function, called, wanted)?;
        self.callables.borrow_mut().push(Arc::clone(&callable));
        Ok(Some(callable))
    }

    /// Takes over the functions of other options, or of members of a chain.
    pub(super) fn also_calls(&self, callables: impl IntoIterator<Item = Arc<Callable>>) {
        self.callables.borrow_mut().extend(callables);
    }

    pub(super) fn texts(&self, name: &str) -> PyResult<Vec<String>> {
        let Some(values) = self.get(name)? else {
            return Ok(Vec::new());
        };
        let wrong = || PyTypeError::new_err(format!("{name} is a list of str"));
        if values.is_instance_of::<PyString>() {
            return Err(wrong());
        }
        values.try_iter().map_err(|_| wrong())?.map(|value| value?.extract().map_err(|_| wrong())).collect()
    }

    pub(super) fn flag(&self, name: &str) -> PyResult<Option<bool>> {
        self.get(name)?.map(|value| value.is_truthy()).transpose()
    }

    pub(super) fn seconds(&self, name: &str) -> PyResult<Option<Duration>> {
        let Some(value) = self.get(name)? else {
            return Ok(None);
        };
        let wrong = |_| PyTypeError::new_err(format!("{name} is a number of seconds"));
        let seconds: f64 = value.extract().map_err(wrong)?;
        Duration::try_from_secs_f64(seconds)
            .map(Some)
            .map_err(|_| PyValueError::new_err(format!("{name} is {seconds}; it is a positive number of seconds")))
    }

    /// What all credentials have that ask Entra.
    pub(super) fn entra(&self) -> PyResult<EntraOptions> {
        Ok(EntraOptions {
            authority: self.text("authority")?,
            additionally_allowed_tenants: self.texts("additionally_allowed_tenants")?,
            disable_instance_discovery: self.flag("disable_instance_discovery")?.unwrap_or_default(),
            ..Default::default()
        })
    }

    pub(super) fn user_assigned_id(&self) -> PyResult<Option<UserAssignedId>> {
        for (name, make) in [
            ("identity_client_id", UserAssignedId::ClientId as fn(String) -> _),
            ("identity_object_id", UserAssignedId::ObjectId),
            ("identity_resource_id", UserAssignedId::ResourceId),
        ] {
            if let Some(id) = self.text(name)? {
                return Ok(Some(make(id)));
            }
        }
        Ok(None)
    }

    /// A time in seconds since 1970-01-01T00:00:00Z.
    pub(super) fn time(&self, name: &str) -> PyResult<Option<i64>> {
        let wrong = |_| PyTypeError::new_err(format!("{name} is an int: seconds since 1970-01-01T00:00:00Z"));
        self.get(name)?.map(|value| value.extract().map_err(wrong)).transpose()
    }

    /// A program and its arguments.
    pub(super) fn command(&self) -> PyResult<Vec<OsString>> {
        let program = self.path("command")?.unwrap_or_default();
        let arguments = self.texts("arguments")?;
        Ok(std::iter::once(program.into()).chain(arguments.into_iter().map(Into::into)).collect())
    }

    /// Names and values.
    pub(super) fn pairs(&self, name: &str) -> PyResult<Vec<(String, String)>> {
        let wrong = || PyTypeError::new_err(format!("{name} is a mapping of str to str"));
        let Some(headers) = self.get(name)? else {
            return Ok(Vec::new());
        };
        let headers = headers.cast_into::<PyDict>().map_err(|_| wrong())?;
        let pair = |(name, value): (Bound<'py, PyAny>, Bound<'py, PyAny>)| {
            Ok((name.extract().map_err(|_| wrong())?, value.extract().map_err(|_| wrong())?))
        };
        headers.iter().map(pair).collect()
    }

    /// Who has signed in before.
    pub(super) fn record(&self) -> PyResult<Option<AuthenticationRecord>> {
        self.get("authentication_record")?.map(|record| record::from_object(&record)).transpose()
    }

    pub(super) fn members(&self) -> PyResult<Vec<Made>> {
        let wrong = || PyTypeError::new_err("a chain consists of credentials");
        let Some(members) = self.get("credentials")? else {
            return Err(wrong());
        };
        members
            .try_iter()?
            .map(|member| {
                let member = member?;
                let member = member.cast::<Credential>().map_err(|_| wrong())?;
                member.get().made().cloned().ok_or_else(wrong)
            })
            .collect()
    }
}
