//! App Service before 2019: API version 2017-09-01.
//!
//! <https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference>

use url::Url;

use super::exchange::{About, Asked};
use super::msi_secret;
use crate::error::Error;
use crate::token::Fetched;

const ABOUT: About = About { host: "App Service app of 2017", variable: "MSI_ENDPOINT" };

/// The managed-identity endpoint of an app, as it was.
#[derive(Debug)]
pub(crate) struct AppService2017 {
    endpoint: Url,
}

impl AppService2017 {
    pub(super) fn new(endpoint: Url) -> Self {
        Self { endpoint }
    }

    pub(super) fn endpoint(&self) -> &str {
        self.endpoint.as_str()
    }

    pub(super) async fn fetch(&self, asked: &Asked<'_>) -> Result<Fetched, Error> {
        msi_secret::fetch(&ABOUT, &self.endpoint, asked, asked.id).await
    }
}
