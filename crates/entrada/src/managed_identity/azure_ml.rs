//! The computes of Azure Machine Learning.
//!
//! <https://learn.microsoft.com/azure/machine-learning/how-to-identity-based-service-authentication>

use url::Url;

use super::UserAssignedId;
use super::exchange::{About, Asked};
use super::msi_secret;
use crate::error::Error;
use crate::platform::Environment;
use crate::token::Fetched;

const ABOUT: About = About { host: "Azure Machine Learning compute", variable: "MSI_ENDPOINT" };

/// The managed-identity endpoint of a compute.
#[derive(Debug)]
pub(crate) struct AzureMl {
    endpoint: Url,
    /// The identity that a job runs with, which the compute names in `DEFAULT_IDENTITY_CLIENT_ID`.
    default: Option<UserAssignedId>,
}

impl AzureMl {
    pub(super) fn new(endpoint: Url, environment: &dyn Environment) -> Self {
        Self { endpoint, default: environment.var("DEFAULT_IDENTITY_CLIENT_ID").map(UserAssignedId::ClientId) }
    }

    pub(super) fn endpoint(&self) -> &str {
        self.endpoint.as_str()
    }

    pub(super) fn default_client_id(&self) -> Option<&str> {
        self.default.as_ref().map(|id| id.parts().1)
    }

    pub(super) async fn fetch(&self, asked: &Asked<'_>) -> Result<Fetched, Error> {
        msi_secret::fetch(&ABOUT, &self.endpoint, asked, asked.id.or(self.default.as_ref())).await
    }
}
