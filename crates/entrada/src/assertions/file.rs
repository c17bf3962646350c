//! Assertions that somebody else keeps fresh in a file: Kubernetes, an agent, a pipeline.

use std::path::PathBuf;

use async_trait::async_trait;
use zeroize::Zeroizing;

use super::client_assertion::{AssertionError, AssertionRequest, ClientAssertion, LONGEST};
use crate::error::Error;
use crate::platform::Files;

/// The assertion that a file holds. It is read anew for each exchange, at most 64 KiB; white space around it does not
/// count.
///
/// ```no_run
/// use entrada::{ClientAssertionCredential, FileAssertion};
///
/// let assertion = FileAssertion::new("/var/run/secrets/tokens/entra");
/// let credential = ClientAssertionCredential::new(
///     "contoso.onmicrosoft.com",
///     "11111111-1111-4111-8111-111111111111".into(),
///     assertion,
///     None,
/// )?;
/// # let _ = credential;
/// # Ok::<(), entrada::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct FileAssertion {
    path: PathBuf,
    /// The file in words, for errors.
    shown: String,
    next: &'static str,
}

impl FileAssertion {
    /// The assertion in the file `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let shown = format!("the client assertion in {}", path.display());
        Self {
            path,
            shown,
            next: "check that whatever keeps the file fresh is running, and that this user may read it",
        }
    }

    /// The token of a Kubernetes service account; `named` says who names the file.
    pub(crate) fn of_service_account(path: PathBuf, named: &str) -> Self {
        let shown = format!("the service account's token {}, which {named} names,", path.display());
        let next = "check that the pod has the label azure.workload.identity/use and that the token is mounted into this container";
        Self { path, shown, next }
    }

    fn read(&self, files: &dyn Files) -> Result<Zeroizing<String>, Error> {
        let unusable = |why: String| Error::failed(format!("{} cannot be used: {why}", self.shown)).next(self.next);
        let content = files.read(&self.path, LONGEST).map_err(|error| unusable(error.to_string()))?;
        let text = std::str::from_utf8(&content).map_err(|_| unusable("it is not text".into()))?;
        match text.trim() {
            "" => Err(unusable("it is empty".into())),
            text => Ok(Zeroizing::new(text.to_owned())),
        }
    }
}

#[async_trait]
impl ClientAssertion for FileAssertion {
    async fn secret(&self, request: &AssertionRequest<'_>) -> Result<Zeroizing<String>, AssertionError> {
        Ok(self.read(request.platform().files())?)
    }

    fn identity(&self) -> Option<String> {
        Some(format!("file {}", self.path.display()))
    }
}
