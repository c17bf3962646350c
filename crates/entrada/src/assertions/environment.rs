//! Assertions in an environment variable.

use async_trait::async_trait;
use zeroize::Zeroizing;

use super::client_assertion::{AssertionError, AssertionRequest, ClientAssertion};
use crate::error::Error;

/// The assertion that an environment variable holds, such as `CI_JOB_JWT` of GitLab or `TFC_WORKLOAD_IDENTITY_TOKEN` of
/// Terraform Cloud. It is read anew for each exchange; white space around it does not count.
///
/// ```
/// use entrada::{ClientAssertionCredential, EnvironmentAssertion};
///
/// let credential = ClientAssertionCredential::new(
///     "contoso.onmicrosoft.com",
///     "11111111-1111-4111-8111-111111111111".into(),
///     EnvironmentAssertion::new("ENTRA_ID_TOKEN"),
///     None,
/// )?;
/// # let _ = credential;
/// # Ok::<(), entrada::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct EnvironmentAssertion {
    name: String,
}

impl EnvironmentAssertion {
    /// The assertion in the variable `name`.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }
}

#[async_trait]
impl ClientAssertion for EnvironmentAssertion {
    async fn secret(&self, request: &AssertionRequest<'_>) -> Result<Zeroizing<String>, AssertionError> {
        let name = &self.name;
        match request.platform().environment().var(name).map(Zeroizing::new) {
            Some(value) => Ok(Zeroizing::new(value.trim().to_owned())),
            None => Err(Error::unavailable(format!("{name}, which should hold it, is not set or empty"))
                .next(format!("set {name} to the JWT of the issuer that the app's federated credential names"))
                .into()),
        }
    }

    fn identity(&self) -> Option<String> {
        Some(format!("variable {}", self.name))
    }
}
