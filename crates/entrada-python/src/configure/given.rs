//! The options of a credential, as Python gave them.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use entrada::{EntraOptions, UserAssignedId};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::arguments::text;
use crate::callable::{Callable, Wanted};
use crate::credential::{Credential, Made};

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

    /// A function that the core will call.
    pub(super) fn callable(&self, name: &'static str, wanted: Wanted) -> PyResult<Option<Arc<Callable>>> {
        let Some(function) = self.get(name)? else {
            return Ok(None);
        };
        let callable = Callable::new(&function, name, wanted)?;
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
