//! Waiting for an outcome with the interpreter lock released.

use std::time::Duration;

use entrada::{Error, Fetch};
use pyo3::prelude::*;

use crate::call::Got;

/// How often a waiting call looks whether a signal has arrived.
const LOOK_UP: Duration = Duration::from_millis(50);

/// Waits until the outcome is there; returns early with `KeyboardInterrupt`, or whatever a signal handler raises. The
/// work itself goes on then: others may wait for it too.
pub(crate) fn blocking(
    py: Python<'_>,
    work: impl Future<Output = Result<Got, Error>> + Send + 'static,
) -> PyResult<Result<Got, Error>> {
    let fetch = py.detach(|| Fetch::of(work, |_| {}));
    loop {
        if let Some(landing) = py.detach(|| fetch.wait_blocking(LOOK_UP)) {
            return Ok(landing);
        }
        py.check_signals()?;
    }
}
