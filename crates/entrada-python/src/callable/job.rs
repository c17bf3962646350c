//! A call of a Python function, and the threads of Python's that take it.

use std::sync::{Arc, Mutex, PoisonError};

use entrada::Error;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use tokio::sync::oneshot;

use super::{Answer, Argument, Callable, Raised, desk};

/// A call of a function.
pub(super) struct Work {
    callable: Arc<Callable>,
    arguments: Vec<Argument>,
    answer: Option<oneshot::Sender<Result<Answer, Error>>>,
    /// It was cancelled together with an event loop, and runs on none that belongs to a caller again.
    is_alone: bool,
    generation: u64,
}

impl Work {
    pub(super) fn new(
        callable: Arc<Callable>,
        arguments: Vec<Argument>,
        answer: oneshot::Sender<Result<Answer, Error>>,
    ) -> Self {
        Self { callable, arguments, answer: Some(answer), is_alone: false, generation: desk::generation() }
    }

    /// Whether somebody still waits for the answer.
    fn is_wanted(&self) -> bool {
        self.answer.as_ref().is_some_and(|answer| !answer.is_closed())
    }

    fn end(mut self, outcome: Result<Answer, Error>) {
        if self.generation == desk::generation()
            && let Some(answer) = self.answer.take()
        {
            // Whoever waited may have given up.
            let _ = answer.send(outcome);
        }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        // Whoever waits for what is left of a parent's work is in the parent, and must not be woken here.
        if self.generation != desk::generation() {
            std::mem::forget(self.answer.take());
        }
    }
}

/// A call of a function, for the thread that took it.
#[pyclass(frozen, module = "entrada._native")]
pub(crate) struct Job(Mutex<Option<Work>>);

#[pymethods]
impl Job {
    /// The function and its arguments; `None` where nobody waits any more: who did has given up, or run out of time.
    fn call<'py>(&self, py: Python<'py>) -> PyResult<Option<(Py<PyAny>, Bound<'py, PyTuple>)>> {
        let called: Option<(_, Vec<_>)> = self.with(|work| {
            let arguments = || work.arguments.iter().map(|argument| argument.to_python(py)).collect();
            work.is_wanted().then(|| (work.callable.function.clone_ref(py), arguments()))
        })?;
        called.map(|(function, arguments)| Ok((function, PyTuple::new(py, arguments)?))).transpose()
    }

    /// The event loops that a coroutine may run on, the best first.
    fn loops<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let callable = self.with(|work| (!work.is_alone).then(|| Arc::clone(&work.callable)))?;
        Ok(callable.map(|callable| callable.loops(py)).unwrap_or_default())
    }

    /// Ends the call with what the function returned; raises where that cannot be.
    fn succeed(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let (name, wanted) = self.with(|work| (work.callable.name, work.callable.wanted))?;
        let answer = Answer::new(name, wanted, value)?;
        self.end(Ok(answer));
        Ok(())
    }

    /// Ends the call with what the function raised.
    fn fail(&self, exception: &Bound<'_, PyAny>, is_unavailable: bool) -> PyResult<()> {
        let name = self.with(|work| work.callable.name)?;
        self.end(Err(Raised::error(name, exception, is_unavailable)));
        Ok(())
    }

    /// Has the call done once more, on no event loop of a caller's. Returns whether it was not already that.
    fn again(&self, py: Python<'_>) -> bool {
        let Some(mut work) = self.take().filter(|work| !work.is_alone) else { return false };
        work.is_alone = true;
        py.detach(|| desk::put(work));
        true
    }
}

impl Job {
    fn with<T>(&self, look: impl FnOnce(&Work) -> T) -> PyResult<T> {
        let work = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = || pyo3::exceptions::PyRuntimeError::new_err("this call has ended");
        Ok(look(work.as_ref().ok_or_else(ended)?))
    }

    fn take(&self) -> Option<Work> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn end(&self, outcome: Result<Answer, Error>) {
        if let Some(work) = self.take() {
            work.end(outcome);
        }
    }
}

/// Waits for the next call, and tells whether another thread is to be started. `None`: this thread is not needed.
#[pyfunction]
pub(crate) fn next_job(py: Python<'_>) -> Option<(Job, bool)> {
    py.detach(|| {
        let (work, is_last) = desk::take()?;
        Some((Job(Mutex::new(Some(work))), is_last))
    })
}

/// Says that a thread which was to be started could not be.
#[pyfunction]
pub(crate) fn no_worker(py: Python<'_>) {
    py.detach(desk::worker_gone);
}
