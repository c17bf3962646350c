//! Bringing tokens to an event loop.
//!
//! A thousand tasks may wait for one token. Each outcome goes into the mailbox of its task's loop, and the loop is rung
//! once for all that lie there, because to ring it takes the interpreter lock.
//!
//! The core's threads never ring themselves. A thread that runs Python while the interpreter ends is unwound by it, and
//! one with Rust on its stack would take the process down. So a thread of Python's own waits at the [`Bell`].

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use entrada::Error;
use pyo3::prelude::*;

use crate::call::{Call, Got};

/// Where a thread of Python's waits for event loops to be rung.
#[pyclass(frozen, module = "entrada._native")]
pub(crate) struct Bell {
    rings: Mutex<VecDeque<(Py<PyAny>, Py<Mailbox>)>>,
    rung: Condvar,
}

#[pymethods]
impl Bell {
    #[new]
    fn new() -> Self {
        Self { rings: Mutex::default(), rung: Condvar::new() }
    }

    /// Waits for the next event loop to be rung; returns it and its mailbox.
    fn next(&self, py: Python<'_>) -> (Py<PyAny>, Py<Mailbox>) {
        py.detach(|| {
            let mut rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
            loop {
                if let Some(ring) = rings.pop_front() {
                    return ring;
                }
                rings = self.rung.wait(rings).unwrap_or_else(PoisonError::into_inner);
            }
        })
    }
}

impl Bell {
    fn ring(&self, event_loop: Py<PyAny>, mailbox: Py<Mailbox>) {
        self.rings.lock().unwrap_or_else(PoisonError::into_inner).push_back((event_loop, mailbox));
        self.rung.notify_one();
    }
}

/// Outcomes on their way to the tasks of one event loop.
#[pyclass(frozen, weakref, module = "entrada._native")]
pub(crate) struct Mailbox {
    bell: Arc<Py<Bell>>,
    letters: Mutex<Vec<Letter>>,
}

/// The outcome of a call, for the `asyncio.Future` that waits for it.
pub(crate) struct Letter {
    pub(crate) call: Call,
    pub(crate) future: Py<PyAny>,
    pub(crate) outcome: Result<Got, Error>,
}

#[pymethods]
impl Mailbox {
    #[new]
    fn new(bell: Py<Bell>) -> Self {
        Self { bell: Arc::new(bell), letters: Mutex::default() }
    }

    /// Throws away what has come, and nobody waits for any more.
    fn clear(&self) {
        let undelivered = std::mem::take(&mut *self.lock());
        drop(undelivered);
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
    if mailbox.get().put(letter) {
        let bell = Arc::clone(&mailbox.get().bell);
        bell.get().ring(event_loop, mailbox);
    }
}
