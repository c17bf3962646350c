//! The end of the interpreter.
//!
//! While it ends, Python unwinds every other thread that comes back to it. One that has Rust below Python on its stack
//! would take the process down. So before the end begins, threads that are on such a way out of Rust are waited for, and
//! those that come later stay where they are: the process ends around them.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use pyo3::prelude::*;

/// The thread that ends the interpreter. It goes on running Python for a while.
static ENDING: OnceLock<ThreadId> = OnceLock::new();
static INSIDE: AtomicUsize = AtomicUsize::new(0);

/// How long the end waits. What is inside only makes objects and logs a line.
const PATIENCE: Duration = Duration::from_secs(1);

/// Runs Python from Rust; for what may run on any thread, and takes no time.
pub(crate) fn python_inside<T>(py: Python<'_>, work: impl FnOnce() -> T) -> T {
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            INSIDE.fetch_sub(1, Ordering::SeqCst);
        }
    }
    INSIDE.fetch_add(1, Ordering::SeqCst);
    let _leave = Leave;
    if ENDING.get().is_some_and(|ending| *ending != thread::current().id()) {
        INSIDE.fetch_sub(1, Ordering::SeqCst);
        py.detach(|| {
            loop {
                thread::park();
            }
        });
    }
    work()
}

#[pyfunction]
fn before_end(py: Python<'_>) {
    let _ = ENDING.set(thread::current().id());
    let given_up = Instant::now() + PATIENCE;
    while INSIDE.load(Ordering::SeqCst) > 0 && Instant::now() < given_up {
        py.detach(|| thread::sleep(Duration::from_millis(1)));
    }
}

/// In the child of a fork there is one thread, and it is not inside.
pub(crate) fn forget_other_threads() {
    INSIDE.store(0, Ordering::SeqCst);
}

/// Has Python call the hook when it ends.
pub(crate) fn register(py: Python<'_>) -> PyResult<()> {
    let hook = wrap_pyfunction!(before_end, py)?;
    py.import("atexit")?.call_method1("register", (hook,)).map(drop)
}
