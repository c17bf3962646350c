//! Functions of a user's own that the core calls: what gives an assertion, shows a device code, signs.
//!
//! The core's threads never run Python: a thread that runs Python while the interpreter ends is unwound by it, and one
//! with Rust on its stack would take the process down. So a call lies on the [`desk`] until a thread of Python's own
//! takes it, and the core waits for the answer as for any other.

mod answer;
mod desk;
mod job;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use entrada::Error;
use pyo3::prelude::*;
use pyo3::types::{PyWeakrefMethods, PyWeakrefReference};
use tokio::sync::oneshot;

pub(crate) use answer::{Answer, Argument, Raised, Wanted};
pub(crate) use desk::{attend, in_child, is_unattended, lock_for_fork, unlock_after_fork};
pub(crate) use job::{Job, next_job, no_worker};

use job::Work;

/// How many event loops are remembered. More than one run at a time where each of several threads has its own.
const LOOPS: usize = 4;

/// A Python function that the core may call.
pub(crate) struct Callable {
    function: Py<PyAny>,
    /// What it is called in errors: the name of the argument that it was given as.
    name: &'static str,
    wanted: Wanted,
    /// The event loops of those who waited for it last, the latest at the end, weakly held. A coroutine runs on one of
    /// theirs, because what it uses may belong to it.
    loops: Mutex<Vec<Py<PyWeakrefReference>>>,
}

impl Callable {
    pub(crate) fn new(function: &Bound<'_, PyAny>, name: &'static str, wanted: Wanted) -> PyResult<Arc<Self>> {
        let py = function.py();
        // Were it imported only when it is needed, a thread that forks meanwhile would leave its child with its import
        // locks taken for ever.
        py.import("entrada._workers")?;
        py.detach(desk::expect_work);
        Ok(Arc::new(Self { function: function.clone().unbind(), name, wanted, loops: Mutex::default() }))
    }

    /// Calls the function, from one of the core's threads.
    pub(crate) async fn call(self: &Arc<Self>, arguments: Vec<Argument>) -> Result<Answer, Error> {
        let (answer, answered) = oneshot::channel();
        desk::put(Work::new(Arc::clone(self), arguments, answer));
        let no_answer = |_| Error::failed(format!("{} gave no answer: its thread or event loop has ended", self.name));
        answered.await.unwrap_or_else(|error| Err(no_answer(error)))
    }

    /// Remembers the event loop of somebody who will wait.
    pub(crate) fn note_loop(&self, event_loop: &Bound<'_, PyAny>) -> PyResult<()> {
        // Made without the lock: to make an object may run anything.
        let noted = PyWeakrefReference::new(event_loop)?;
        let mut loops = self.loops.lock().unwrap_or_else(PoisonError::into_inner);
        // Python makes one weak reference of an object and returns it again.
        loops.retain(|known| !known.is(&noted));
        if loops.len() == LOOPS {
            loops.remove(0);
        }
        loops.push(noted.unbind());
        Ok(())
    }

    /// The event loops that still exist, the latest first.
    fn loops<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyAny>> {
        let loops: Vec<_> = {
            let loops = self.loops.lock().unwrap_or_else(PoisonError::into_inner);
            loops.iter().rev().map(|event_loop| event_loop.clone_ref(py)).collect()
        };
        loops.into_iter().filter_map(|event_loop| event_loop.bind(py).upgrade()).collect()
    }
}

impl fmt::Debug for Callable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callable").field("name", &self.name).finish_non_exhaustive()
    }
}
