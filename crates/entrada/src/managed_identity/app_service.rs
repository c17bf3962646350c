//! App Service, Functions and Container Apps, API version 2019-08-01.
//!
//! <https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference>

use std::time::Duration;

use http::{HeaderName, HeaderValue};
use url::Url;

use super::UserAssignedId;
use super::answer::{refusal, whose};
use super::token_url::{Parameters, token_url};
use crate::error::Error;
use crate::platform::{HttpRequest, HttpResponse, Platform, Route};
use crate::retry::Retry;
use crate::token::Fetched;
use crate::token_answer;

const PARAMETERS: Parameters =
    Parameters { api_version: "2019-08-01", object_id: "principal_id", resource_id: "mi_res_id" };
const TIMEOUT: Duration = Duration::from_secs(30);
const RETRY: Retry = Retry {
    attempts: 4,
    // The endpoint of a container may start a little later than the container.
    attempts_unanswered: 5,
    first_pause: Duration::from_millis(800),
    deadline: Duration::from_secs(60),
    transient: |response| matches!(response.status, 408 | 429 | 500 | 502 | 503 | 504) || is_empty_success(response),
};

/// Under many requests at once the endpoint has answered 200 with nothing.
fn is_empty_success(response: &HttpResponse) -> bool {
    response.status == 200 && response.body.iter().all(u8::is_ascii_whitespace)
}

/// The managed-identity endpoint of an App Service.
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

    pub(super) async fn fetch(
        &self,
        platform: &Platform,
        resource: &str,
        id: Option<&UserAssignedId>,
    ) -> Result<Fetched, Error> {
        let url = token_url(&self.endpoint, &PARAMETERS, resource, id);
        // The platform rotates the header's value: it is read anew for each request.
        let header = platform
            .environment()
            .var("IDENTITY_HEADER")
            .ok_or_else(|| Error::failed("IDENTITY_HEADER was set when this program started and no longer is"))?;
        let mut value = HeaderValue::from_str(&header).map_err(|_| {
            Error::failed("IDENTITY_HEADER holds characters that no HTTP header can hold")
                .next("restart this program with the variables that the platform gave it")
        })?;
        value.set_sensitive(true);
        let request =
            HttpRequest::get(url, Route::Direct, TIMEOUT).header(HeaderName::from_static("x-identity-header"), value);

        let tried = format!("{request:?} for {}", whose(id));
        let response = RETRY.send(platform, &request).await.map_err(|error| {
            Error::failed(format!(
                "the managed-identity endpoint that IDENTITY_ENDPOINT names did not answer: {error}"
            ))
            .tried(&*tried)
            .next("check that the container has finished starting, and that IDENTITY_ENDPOINT was not inherited from elsewhere")
        })?;
        let outcome = match response.status {
            200 => token_answer::parse(&response, platform.clock()),
            _ => Err(refusal("App Service", &response, id)),
        };
        outcome.map_err(|error| error.tried(tried).without(&header))
    }
}
