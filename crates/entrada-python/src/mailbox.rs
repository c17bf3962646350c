//! Bringing tokens to an event loop.
//!
//! A thousand tasks may wait for one token. Each outcome goes into the mailbox of its task's loop, and the loop is rung
//! once for all that lie there, because to ring it takes the interpreter lock.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use entrada::{Error, Token};
use pyo3::prelude::*;

use crate::call::Call;

/// Outcomes on their way to the tasks of one event loop.
#[pyclass(frozen, weakref, module = "entrada._native")]
pub(crate) struct Mailbox {
    letters: Mutex<Vec<Letter>>,
}

/// The outcome of a call, for the `asyncio.Future` that waits for it.
pub(crate) struct Letter {
    pub(crate) call: Call,
    pub(crate) future: Py<PyAny>,
    pub(crate) outcome: Result<Arc<Token>, Error>,
}

#[pymethods]
impl Mailbox {
    #[new]
    fn new() -> Self {
        Self { letters: Mutex::default() }
    }

    /// Hands out what has come. The event loop calls this.
    fn __call__(&self, py: Python<'_>) {
        let letters = std::mem::take(&mut *self.lock());
        for letter in letters {
            // What one of them suffers is nobody else's business.
            if let Err(error) = letter.deliver(py) {
                error.write_unraisable(py, None);
            }
        }
    }
}

impl Mailbox {
    /// Puts a letter in; returns whether the loop must be rung.
    fn put(&self, letter: Letter) -> bool {
        let mut letters = self.lock();
        letters.push(letter);
        letters.len() == 1
    }

    /// Nobody runs Python code while holding this lock.
    fn lock(&self) -> MutexGuard<'_, Vec<Letter>> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Letter {
    fn deliver(self, py: Python<'_>) -> PyResult<()> {
        let future = self.future.bind(py);
        // Whoever gave up waiting has cancelled it.
        if future.call_method0("done")?.is_truthy()? {
            return Ok(());
        }
        match self.call.end(py, self.outcome) {
            Ok(token) => future.call_method1("set_result", (token,)),
            Err(error) => future.call_method1("set_exception", (error,)),
        }
        .map(drop)
    }
}

/// Posts an outcome, from one of the core's threads.
pub(crate) fn post(mailbox: Py<Mailbox>, event_loop: Py<PyAny>, letter: Letter) {
    if !mailbox.get().put(letter) {
        return;
    }
    // A program may keep the interpreter lock for long; the threads that fetch tokens must not wait for it.
    tokio::task::spawn_blocking(move || {
        Python::try_attach(|py| {
            if event_loop.call_method1(py, "call_soon_threadsafe", (&mailbox,)).is_err() {
                // The loop is closed, and with it everybody who waited.
                let undelivered = std::mem::take(&mut *mailbox.get().lock());
                drop(undelivered);
            }
        })
    });
}
