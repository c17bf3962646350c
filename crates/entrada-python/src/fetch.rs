//! Waiting for a token with the interpreter lock released.

use std::sync::Arc;
use std::time::Duration;

use entrada::{Credential, Error, Fetch, Token, TokenRequest};
use pyo3::prelude::*;

/// How often a waiting call looks whether a signal has arrived.
const LOOK_UP: Duration = Duration::from_millis(50);

/// Waits until the token is there; returns early with `KeyboardInterrupt`, or whatever a signal handler raises. The
/// fetch itself goes on then: others may wait for it too.
pub(crate) fn blocking(
    py: Python<'_>,
    credential: &Arc<dyn Credential>,
    request: TokenRequest,
) -> PyResult<Result<Arc<Token>, Error>> {
    let credential = Arc::clone(credential);
    let fetch = py.detach(|| Fetch::start(credential, request));
    loop {
        if let Some(landing) = py.detach(|| fetch.wait_blocking(LOOK_UP)) {
            return Ok(landing);
        }
        py.check_signals()?;
    }
}
