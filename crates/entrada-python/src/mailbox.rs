//! Bringing tokens to an event loop.
//!
//! A thousand tasks may wait for one token. Each outcome goes into the mailbox of its task's loop, and the loop is rung
//! once for all that lie there, because to ring it takes the interpreter lock.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use entrada::{Error, Token};
use pyo3::prelude::*;

use crate::failure;
use crate::token::Types;

/// Outcomes on their way to the tasks of one event loop.
#[pyclass(frozen, weakref, module = "entrada._native")]
pub(crate) struct Mailbox {
    letters: Mutex<Vec<Letter>>,
}

/// Who waits for what.
pub(crate) struct Addressee {
    pub(crate) owner: Py<PyAny>,
    pub(crate) method: &'static str,
    pub(crate) scopes: Py<pyo3::types::PyTuple>,
    pub(crate) claims: Option<String>,
    /// An `asyncio.Future` of the loop.
    pub(crate) future: Py<PyAny>,
}

struct Letter {
    to: Addressee,
    outcome: Result<Arc<Token>, Error>,
}

#[pymethods]
impl Mailbox {
    #[new]
    fn new() -> Self {
        Self { letters: Mutex::default() }
    }

    /// Hands out what has come. The event loop calls this.
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        let letters = std::mem::take(&mut *self.lock());
        for letter in letters {
            letter.deliver(py)?;
        }
        Ok(())
    }
}

impl Mailbox {
    /// Puts an outcome in; returns whether the loop must be rung.
    fn put(&self, letter: Letter) -> bool {
        let mut letters = self.lock();
        letters.push(letter);
        letters.len() == 1
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Letter>> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Letter {
    fn deliver(self, py: Python<'_>) -> PyResult<()> {
        let Self { to, outcome } = self;
        let future = to.future.bind(py);
        // Whoever gave up waiting has cancelled it.
        if future.call_method0("done")?.is_truthy()? {
            return Ok(());
        }
        let owner = to.owner.bind(py);
        let result = outcome.map_err(|error| {
            let scopes = to.scopes.bind(py);
            failure::exception(py, owner, to.method, &error, scopes, to.claims.as_deref())
        });
        let built = result.and_then(|token| {
            failure::log_success(py, owner, to.method)?;
            let types = Types::current(py)?;
            match to.method {
                "get_token" => types.access_token(py, &token),
                _ => types.access_token_info(py, &token),
            }
        });
        match built {
            Ok(token) => future.call_method1("set_result", (token,)),
            Err(error) => future.call_method1("set_exception", (error,)),
        }
        .map(drop)
    }
}

/// Posts an outcome, from one of the core's threads.
pub(crate) fn post(mailbox: Py<Mailbox>, event_loop: Py<PyAny>, to: Addressee, outcome: Result<Arc<Token>, Error>) {
    if !mailbox.get().put(Letter { to, outcome }) {
        return;
    }
    // A program may keep the interpreter lock for long; the threads that fetch tokens must not wait for it.
    tokio::task::spawn_blocking(move || {
        Python::try_attach(|py| {
            let ring = event_loop.call_method1(py, "call_soon_threadsafe", (&mailbox,));
            if ring.is_err() {
                // The loop is closed, and with it everybody who waited.
                mailbox.get().lock().clear();
            }
        })
    });
}
