//! The base class of every credential.

use std::sync::{Arc, OnceLock};

use entrada::{Credential as Core, Error, Fetch, OnBehalfOfCredential, Token, TokenRequest};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::arguments::{Arguments, Options, check_rest};
use crate::authenticate::Authenticates;
use crate::call::{Call, Got, Method};
use crate::callable::{self, Callable};
use crate::mailbox::{Letter, Mailbox, post};
use crate::token::{Types, access_token};
use crate::{configure, ending, fetch, fork};

/// A credential of the core.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) core: Arc<dyn Core>,
    /// The same, where it can have a person sign in.
    pub(crate) authenticates: Option<Arc<dyn Authenticates>>,
    /// The same, where it acts for users.
    pub(crate) users: Option<Arc<OnBehalfOfCredential>>,
    /// The functions of the user's that it calls.
    pub(crate) callables: Vec<Arc<Callable>>,
}

impl Made {
    /// The work of a call.
    fn work(
        &self,
        method: Method,
        request: TokenRequest,
    ) -> impl Future<Output = Result<Got, Error>> + Send + 'static + use<> {
        let made = self.clone();
        async move {
            match (method, made.authenticates) {
                (Method::Authenticate, Some(person)) => {
                    let request = Some(request).filter(|request| *request != TokenRequest::default());
                    person.authenticate(request).await.map(Got::Record)
                }
                (Method::Authenticate, None) => {
                    Err(Error::invalid_argument(format!("{} asks nobody to sign in", made.core.name())))
                }
                _ => made.core.token(&request).await.map(Got::Token),
            }
        }
    }
}

/// What every credential is made of: the core's credential.
///
/// Python classes derive from it, give it its configuration in `__init__`, and inherit `get_token`.
#[pyclass(subclass, frozen, weakref, module = "entrada._native")]
pub(crate) struct Credential {
    made: OnceLock<Made>,
    /// What it was configured with, for `pickle`.
    recipe: OnceLock<(String, Py<PyDict>)>,
}

#[pymethods]
impl Credential {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Self { made: OnceLock::new(), recipe: OnceLock::new() }
    }

    /// Takes the place of `object.__init__`, which takes no arguments.
    #[pyo3(signature = (*_args, **_kwargs))]
    fn __init__(&self, _args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) {}

    /// Gets an access token for scopes, from the process's cache where it has a good one.
    ///
    /// A token that is to be replaced soon is returned at once while a new one is fetched in the background; an expired
    /// one is never returned. Of many callers who need the same token one fetches it. While it is fetched other threads
    /// run, and Ctrl-C interrupts the wait.
    ///
    /// :param str scopes: what the token is for, such as "https://vault.azure.net/.default".
    /// :keyword str claims: claims that a resource demanded in a challenge, as JSON; goes past the cache.
    /// :keyword str tenant_id: the tenant to ask instead of the credential's own, where it allows that.
    /// :keyword bool enable_cae: whether the caller can handle continuous access evaluation challenges. False by default.
    /// :return: the token and, in seconds since 1970-01-01T00:00:00Z, when it expires.
    /// :raises ValueError: where an argument cannot be right; nothing was sent then.
    /// :raises ~entrada.CredentialUnavailableError: where this way of signing in is not set up here.
    /// :raises ~azure.core.exceptions.ClientAuthenticationError: where signing in failed.
    #[pyo3(
        signature = (*scopes, claims=None, tenant_id=None, enable_cae=None, **kwargs),
        text_signature = "($self, *scopes, claims=None, tenant_id=None, enable_cae=False, **kwargs)"
    )]
    fn get_token(
        slf: &Bound<'_, Self>,
        scopes: &Bound<'_, PyTuple>,
        claims: Option<&Bound<'_, PyAny>>,
        tenant_id: Option<&Bound<'_, PyAny>>,
        enable_cae: Option<&Bound<'_, PyAny>>,
        kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        check_rest(slf, "get_token", kwargs)?;
        let arguments = Arguments::new(scopes, claims, tenant_id, enable_cae)?;
        match slf.get().at_hand(py, &arguments) {
            Some(token) => access_token(py, &token),
            None => Self::fetched(slf, Method::GetToken, scopes, &arguments, false),
        }
    }

    /// Gets an access token for scopes, with all that is known about it; otherwise the same as :meth:`get_token`.
    ///
    /// :param str scopes: what the token is for, such as "https://vault.azure.net/.default".
    /// :keyword options: a mapping of ``claims``, ``tenant_id`` and ``enable_cae`` as for :meth:`get_token`.
    /// :return: token, expiry and time of renewal, in seconds since 1970-01-01T00:00:00Z, and the type, "Bearer".
    /// :raises ValueError: where an argument cannot be right; nothing was sent then.
    /// :raises ~entrada.CredentialUnavailableError: where this way of signing in is not set up here.
    /// :raises ~azure.core.exceptions.ClientAuthenticationError: where signing in failed.
    #[pyo3(signature = (*scopes, options=None))]
    fn get_token_info<'py>(
        slf: &Bound<'py, Self>,
        scopes: &Bound<'py, PyTuple>,
        options: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        let Options { claims, tenant_id, enable_cae } = Options::new(slf, options)?;
        let arguments = Arguments::new(scopes, claims.as_ref(), tenant_id.as_ref(), enable_cae.as_ref())?;
        match slf.get().at_hand(py, &arguments) {
            Some(token) => Self::object(py, Method::GetTokenInfo, &token),
            None => Self::fetched(slf, Method::GetTokenInfo, scopes, &arguments, false),
        }
    }

    /// Gives the credential its configuration.
    fn _configure(&self, kind: &str, options: &Bound<'_, PyDict>) -> PyResult<()> {
        let made = configure::credential(kind, options)?;
        let again = || PyRuntimeError::new_err("a credential is configured once");
        self.made.set(made).map_err(|_| again())?;
        let recipe = (kind.to_owned(), options.clone().unbind());
        self.recipe.set(recipe).map_err(|_| again())
    }

    /// Whether the core has all it takes to get a token. If not, the Python half gets them.
    fn _is_configured(&self) -> bool {
        self.made.get().is_some()
    }

    /// Becomes another credential, for good: the one that a chain of Python's own making chose.
    fn _adopt(&self, other: &Self) {
        if let Some(made) = other.made.get() {
            // Whoever chose first stays.
            let _ = self.made.set(made.clone());
        }
    }

    /// Gets a token for a chain of Python's own making: what is not there is found out quickly.
    #[pyo3(signature = (method, scopes, claims, tenant_id, enable_cae))]
    fn _within_chain(
        slf: &Bound<'_, Self>,
        method: &str,
        scopes: &Bound<'_, PyTuple>,
        claims: Option<&Bound<'_, PyAny>>,
        tenant_id: Option<&Bound<'_, PyAny>>,
        enable_cae: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let arguments = Arguments::new(scopes, claims, tenant_id, enable_cae)?;
        Self::fetched(slf, Method::named(method)?, scopes, &arguments, true)
    }

    /// The cached token that a method would return, if it can without waiting.
    #[pyo3(signature = (method, scopes, tenant_id, enable_cae))]
    fn _at_hand(
        &self,
        py: Python<'_>,
        method: &str,
        scopes: &Bound<'_, PyTuple>,
        tenant_id: Option<&Bound<'_, PyAny>>,
        enable_cae: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Option<Py<PyAny>>> {
        let arguments = Arguments::new(scopes, None, tenant_id, enable_cae)?;
        match self.at_hand(py, &arguments) {
            Some(token) => Self::object(py, Method::named(method)?, &token).map(Some),
            None => Ok(None),
        }
    }

    /// Starts to fetch a token for a future of an event loop.
    #[expect(clippy::too_many_arguments, reason = "they are the caller's, passed on")]
    #[pyo3(signature = (mailbox, event_loop, future, method, scopes, claims, tenant_id, enable_cae, within_chain))]
    fn _start(
        slf: &Bound<'_, Self>,
        mailbox: Py<Mailbox>,
        event_loop: Py<PyAny>,
        future: Py<PyAny>,
        method: &str,
        scopes: &Bound<'_, PyTuple>,
        claims: Option<&Bound<'_, PyAny>>,
        tenant_id: Option<&Bound<'_, PyAny>>,
        enable_cae: Option<&Bound<'_, PyAny>>,
        within_chain: bool,
    ) -> PyResult<()> {
        let arguments = Arguments::new(scopes, claims, tenant_id, enable_cae)?;
        let Some(made) = slf.get().made.get() else {
            return Err(Self::unconfigured(slf));
        };
        for callable in &made.callables {
            callable.note_loop(event_loop.bind(slf.py()))?;
        }
        callable::attend(slf.py())?;
        let call = Call {
            owner: slf.clone().unbind(),
            method: Method::named(method)?,
            scopes: scopes.clone().unbind(),
            request: arguments.request(within_chain),
        };
        let work = made.work(call.method, call.request.clone());
        slf.py().detach(|| {
            Fetch::of(work, |outcome| {
                post(mailbox, event_loop, Letter { call, future, outcome: outcome.clone() });
            })
        });
        Ok(())
    }

    /// Has a person sign in; returns who it was.
    #[pyo3(signature = (scopes, claims, tenant_id, enable_cae))]
    fn _authenticate(
        slf: &Bound<'_, Self>,
        scopes: &Bound<'_, PyTuple>,
        claims: Option<&Bound<'_, PyAny>>,
        tenant_id: Option<&Bound<'_, PyAny>>,
        enable_cae: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let arguments = Arguments::new(scopes, claims, tenant_id, enable_cae)?;
        Self::fetched(slf, Method::Authenticate, scopes, &arguments, false)
    }

    /// The cached token of a user that a method would return, if it can without waiting.
    #[pyo3(signature = (user_assertion, method, scopes, tenant_id, enable_cae))]
    fn _at_hand_of(
        &self,
        py: Python<'_>,
        user_assertion: &str,
        method: &str,
        scopes: &Bound<'_, PyTuple>,
        tenant_id: Option<&Bound<'_, PyAny>>,
        enable_cae: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Option<Py<PyAny>>> {
        let arguments = Arguments::new(scopes, None, tenant_id, enable_cae)?;
        let (Some(users), [scope]) =
            (self.made.get().and_then(|made| made.users.as_ref()), arguments.scopes.as_slice())
        else {
            return Ok(None);
        };
        // It takes a digest, and so is worth letting others run.
        let look = || users.at_hand_for(user_assertion, scope, arguments.tenant_id, arguments.enable_cae);
        match py.detach(look) {
            Some(token) => Self::object(py, Method::named(method)?, &token).map(Some),
            None => Ok(None),
        }
    }

    /// The same credential for a user.
    fn _of_user<'py>(slf: &Bound<'py, Self>, user_assertion: &str) -> PyResult<Bound<'py, Self>> {
        let py = slf.py();
        let (Some(made), Some((kind, options))) = (slf.get().made.get(), slf.get().recipe.get()) else {
            return Err(Self::unconfigured(slf));
        };
        let Some(users) = &made.users else {
            return Err(PyRuntimeError::new_err("this credential acts for nobody else"));
        };
        let user = users.for_user(user_assertion).map_err(|error| PyValueError::new_err(error.to_string()))?;
        let options = options.bind(py).copy()?;
        options.set_item(intern!(py, "user_assertion"), user_assertion)?;
        let made = Made { core: Arc::clone(&user) as _, users: Some(user), ..made.clone() };
        let class = slf.get_type();
        let object = class.call_method1(intern!(py, "__new__"), (&class,))?.cast_into::<Self>()?;
        let again = || PyRuntimeError::new_err("a credential is configured once");
        object.get().made.set(made).map_err(|_| again())?;
        object.get().recipe.set((kind.clone(), options.unbind())).map_err(|_| again())?;
        Ok(object)
    }

    /// Pickles the configuration, and no token.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let create = py.import("copyreg")?.getattr("__newobj__")?;
        let recipe = slf.get().recipe.get().map(|(kind, options)| (kind.as_str(), options.bind(py)));
        let attributes = slf.getattr_opt("__dict__")?;
        let state = (recipe, attributes);
        Ok((create, (slf.get_type(),), state).into_pyobject(py)?.into_any())
    }

    fn __setstate__(slf: &Bound<'_, Self>, state: State<'_>) -> PyResult<()> {
        let (recipe, attributes) = state;
        if let Some((kind, options)) = recipe {
            slf.get()._configure(&kind, &options)?;
        }
        for (name, value) in attributes.iter().flatten() {
            slf.setattr(name.cast::<pyo3::types::PyString>()?, value)?;
        }
        Ok(())
    }
}

/// What a credential is pickled as: kind and options of its configuration, and its attributes.
type State<'py> = (Option<(String, Bound<'py, PyDict>)>, Option<Bound<'py, PyDict>>);

impl Credential {
    pub(crate) fn made(&self) -> Option<&Made> {
        self.made.get()
    }

    fn at_hand(&self, py: Python<'_>, arguments: &Arguments<'_>) -> Option<Arc<Token>> {
        if arguments.claims.is_some() {
            return None;
        }
        let core = &self.made.get()?.core;
        // A token that is to be replaced soon has a function called.
        if callable::is_unattended() {
            // Where no thread can be had, the caller has the token all the same.
            let _ = callable::attend(py);
        }
        let look = || core.at_hand(arguments.scopes.as_slice(), arguments.tenant_id, arguments.enable_cae);
        if fork::is_under_way() {
            return py.detach(look);
        }
        look()
    }

    /// Fetches a token, or has the Python half get it where it has a way of its own.
    fn fetched(
        slf: &Bound<'_, Self>,
        method: Method,
        scopes: &Bound<'_, PyTuple>,
        arguments: &Arguments<'_>,
        within_chain: bool,
    ) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        let Some(made) = slf.get().made.get() else {
            let Some(walk) = slf.getattr_opt(intern!(py, "_walk"))? else {
                return Err(Self::unconfigured(slf));
            };
            let (claims, tenant_id) = (arguments.claims, arguments.tenant_id);
            return Ok(walk.call1((method.name(), scopes, claims, tenant_id, arguments.enable_cae))?.unbind());
        };
        let call = Call {
            owner: slf.clone().unbind(),
            method,
            scopes: scopes.clone().unbind(),
            request: arguments.request(within_chain),
        };
        callable::attend(py)?;
        let outcome = fetch::blocking(py, made.work(method, call.request.clone()))?;
        ending::python_inside(py, || call.end(py, outcome))
    }

    fn unconfigured(slf: &Bound<'_, Self>) -> PyErr {
        let name = slf.get_type().name().map_or_else(|_| "this credential".into(), |name| name.to_string());
        PyRuntimeError::new_err(format!("{name} was never configured: its __init__ must call super().__init__()"))
    }

    /// What a method returns for a token.
    pub(crate) fn object(py: Python<'_>, method: Method, token: &Token) -> PyResult<Py<PyAny>> {
        match method {
            Method::GetToken => access_token(py, token),
            Method::GetTokenInfo | Method::Authenticate => {
                let made = access_token(py, token)?;
                Types::current(py)?.access_token_info(&made.bind(py).get_item(0)?, token)
            }
        }
    }
}
