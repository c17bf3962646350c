//! App Service, Functions and Container Apps, API version 2019-08-01.
//!
//! <https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference>

use http::HeaderName;
use url::Url;

use super::exchange::{About, Asked, TIMEOUT};
use super::secret_header::{header, secret};
use super::token_url::Parameters;
use crate::error::Error;
use crate::platform::{HttpRequest, Route};
use crate::token::Fetched;

const ABOUT: About = About { host: "App Service app", variable: "IDENTITY_ENDPOINT" };
const PARAMETERS: Parameters = Parameters {
    api_version: "2019-08-01",
    client_id: Some("client_id"),
    object_id: Some("principal_id"),
    resource_id: Some("mi_res_id"),
};

/// The managed-identity endpoint of an app.
#[derive(Debug)]
pub(crate) struct AppService {
    endpoint: Url,
}

impl AppService {
    pub(super) fn new(endpoint: Url) -> Self {
        Self { endpoint }
    }

    pub(super) fn endpoint(&self) -> &str {
        self.endpoint.as_str()
    }

    pub(super) async fn fetch(&self, asked: &Asked<'_>) -> Result<Fetched, Error> {
        let url = PARAMETERS.url(ABOUT.host, &self.endpoint, asked.resource, asked.id)?;
        let secret = secret(asked.platform.environment(), "IDENTITY_HEADER")?;
        let request = HttpRequest::get(url, Route::Direct, TIMEOUT)
            .header(HeaderName::from_static("x-identity-header"), header("IDENTITY_HEADER", &secret)?);
        asked.ask(&ABOUT, request, &secret).await
    }
}
