//! `os.fork`: the core's threads do not exist in the child.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

use entrada::Fork;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::{callable, ending};

static UNDER_WAY: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// Python calls the three hooks on the thread that forks.
    static FORK: Cell<Option<Fork>> = const { Cell::new(None) };
}

/// Whether a thread is between its hooks. While it is, no thread may wait for the core with the interpreter lock held:
/// the core waits for the fork, and the fork needs the lock.
pub(crate) fn is_under_way() -> bool {
    UNDER_WAY.load(Ordering::Acquire)
}

#[pyfunction]
fn before_fork() {
    UNDER_WAY.store(true, Ordering::Release);
    FORK.set(Some(entrada::prepare_fork()));
    callable::lock_for_fork();
}

#[pyfunction]
fn after_fork_in_parent() {
    callable::unlock_after_fork();
    drop(FORK.take());
    UNDER_WAY.store(false, Ordering::Release);
}

#[pyfunction]
fn after_fork_in_child() {
    callable::in_child();
    if let Some(fork) = FORK.take() {
        fork.in_child();
    }
    ending::forget_other_threads();
    UNDER_WAY.store(false, Ordering::Release);
}

/// Has Python call the hooks, on systems that can fork.
pub(crate) fn register(py: Python<'_>) -> PyResult<()> {
    let Some(register) = py.import("os")?.getattr_opt("register_at_fork")? else {
        return Ok(());
    };
    let hooks = PyDict::new(py);
    hooks.set_item("before", wrap_pyfunction!(before_fork, py)?)?;
    hooks.set_item("after_in_parent", wrap_pyfunction!(after_fork_in_parent, py)?)?;
    hooks.set_item("after_in_child", wrap_pyfunction!(after_fork_in_child, py)?)?;
    register.call((), Some(&hooks)).map(drop)
}
