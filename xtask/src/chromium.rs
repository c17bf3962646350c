//! The browser that people sign in with in the tests.

use crate::command::{Failure, Log, found};
use crate::debian;
use std::path::PathBuf;

/// Chromium, and what drives it.
#[derive(Clone, Debug)]
pub(crate) struct Chromium {
    pub(crate) browser: PathBuf,
    pub(crate) driver: PathBuf,
}

/// The browser and the driver on the PATH; of Debian where there are none.
pub(crate) fn find(log: &Log) -> Result<Chromium, Failure> {
    let both = || Some(Chromium { browser: found("chromium")?, driver: found("chromedriver")? });
    if let Some(both) = both() {
        return Ok(both);
    }
    debian::install(log, &["chromium", "chromium-driver"], "Chromium or its driver is not installed")?;
    both().ok_or_else(|| Failure::new("chromium and chromedriver were installed and are not on the PATH"))
}
