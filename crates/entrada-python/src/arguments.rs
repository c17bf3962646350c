//! What Python passes to `get_token` and `get_token_info`.

use entrada::TokenRequest;
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

/// The arguments of a request, borrowed from Python's own strings.
pub(crate) struct Arguments<'a> {
    pub(crate) scopes: Scopes<'a>,
    pub(crate) claims: Option<&'a str>,
    pub(crate) tenant_id: Option<&'a str>,
    pub(crate) enable_cae: bool,
}

/// Scopes; one is by far the most frequent number and takes no allocation.
pub(crate) enum Scopes<'a> {
    One([&'a str; 1]),
    Many(Vec<&'a str>),
}

impl<'a> Scopes<'a> {
    fn new(scopes: &'a Bound<'_, PyTuple>) -> PyResult<Self> {
        if scopes.len() == 1 {
            return Ok(Self::One([scope(scopes.get_borrowed_item(0)?)?]));
        }
        let many: PyResult<Vec<&str>> = scopes.iter_borrowed().map(scope).collect();
        Ok(Self::Many(many?))
    }

    pub(crate) fn as_slice(&self) -> &[&'a str] {
        match self {
            Self::One(one) => one,
            Self::Many(many) => many,
        }
    }
}

fn scope<'a, 'py>(value: Borrowed<'a, 'py, PyAny>) -> PyResult<&'a str> {
    if value.is_instance_of::<PyString>() {
        return FromPyObject::extract(value);
    }
    Err(PyTypeError::new_err(format!(
        "a scope is a str, not {}; pass several scopes as several arguments",
        value.get_type().name()?
    )))
}

/// A text that may be left out; an empty one counts as left out.
pub(crate) fn text<'a>(name: &str, value: Option<&'a Bound<'_, PyAny>>) -> PyResult<Option<&'a str>> {
    let Some(value) = value.filter(|value| !value.is_none()) else {
        return Ok(None);
    };
    match value.cast::<PyString>() {
        Ok(text) => Ok(Some(text.to_str()?).filter(|text| !text.is_empty())),
        Err(_) => Err(PyTypeError::new_err(format!("{name} is a str, not {}", value.get_type().name()?))),
    }
}

impl<'a> Arguments<'a> {
    pub(crate) fn new(
        scopes: &'a Bound<'_, PyTuple>,
        claims: Option<&'a Bound<'_, PyAny>>,
        tenant_id: Option<&'a Bound<'_, PyAny>>,
        enable_cae: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        Ok(Self {
            scopes: Scopes::new(scopes)?,
            claims: text("claims", claims)?,
            tenant_id: text("tenant_id", tenant_id)?,
            enable_cae: match enable_cae {
                Some(value) => value.is_truthy()?,
                None => false,
            },
        })
    }

    pub(crate) fn request(&self, within_chain: bool) -> TokenRequest {
        let mut request = TokenRequest::new(self.scopes.as_slice().iter().copied());
        request.claims = self.claims.map(str::to_owned);
        request.tenant_id = self.tenant_id.map(str::to_owned);
        request.enable_cae = self.enable_cae;
        request.within_chain = within_chain;
        request
    }
}

/// The `options` of `get_token_info`: a mapping with the names that `get_token` has as keywords.
#[derive(Default)]
pub(crate) struct Options<'py> {
    pub(crate) claims: Option<Bound<'py, PyAny>>,
    pub(crate) tenant_id: Option<Bound<'py, PyAny>>,
    pub(crate) enable_cae: Option<Bound<'py, PyAny>>,
}

impl<'py> Options<'py> {
    /// Reads the options and hands those we do not know to the Python half, which warns.
    pub(crate) fn new(owner: &Bound<'py, PyAny>, given: Option<&Bound<'py, PyAny>>) -> PyResult<Self> {
        let Some(given) = given.filter(|given| !given.is_none()) else {
            return Ok(Self::default());
        };
        let py = given.py();
        let rest = PyDict::new(py);
        rest.update(
            given
                .cast()
                .map_err(|_| PyTypeError::new_err("options is a mapping with claims, tenant_id and enable_cae"))?,
        )?;
        let take = |name: &Bound<'py, PyString>| -> PyResult<Option<Bound<'py, PyAny>>> {
            let value = rest.get_item(name)?;
            if value.is_some() {
                rest.del_item(name)?;
            }
            Ok(value)
        };
        let options = Self {
            claims: take(intern!(py, "claims"))?,
            tenant_id: take(intern!(py, "tenant_id"))?,
            enable_cae: take(intern!(py, "enable_cae"))?,
        };
        check_rest(owner, "get_token_info", Some(&rest))?;
        Ok(options)
    }
}

/// Has the Python half warn of keyword arguments that nobody knows.
pub(crate) fn check_rest(owner: &Bound<'_, PyAny>, method: &str, rest: Option<&Bound<'_, PyDict>>) -> PyResult<()> {
    match rest.filter(|rest| !rest.is_empty()) {
        None => Ok(()),
        Some(rest) => {
            owner.py().import("entrada._options")?.call_method1("check_request", (owner, method, rest)).map(drop)
        }
    }
}
