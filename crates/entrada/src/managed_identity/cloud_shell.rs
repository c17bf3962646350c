//! Azure Cloud Shell, where the identity is the person's who opened it.
//!
//! <https://learn.microsoft.com/azure/cloud-shell/msi-authorization>

use http::{HeaderName, HeaderValue};
use url::Url;

use super::exchange::{About, Asked, TIMEOUT};
use super::token_url::not_supported;
use crate::error::Error;
use crate::platform::{HttpRequest, Route};
use crate::token::Fetched;

const ABOUT: About = About { host: "Cloud Shell", variable: "MSI_ENDPOINT" };

/// The token endpoint of a Cloud Shell.
#[derive(Debug)]
pub(crate) struct CloudShell {
    endpoint: Url,
}

impl CloudShell {
    pub(super) fn new(endpoint: Url) -> Self {
        Self { endpoint }
    }

    pub(super) fn endpoint(&self) -> &str {
        self.endpoint.as_str()
    }

    pub(super) async fn fetch(&self, asked: &Asked<'_>) -> Result<Fetched, Error> {
        if let Some(id) = asked.id {
            let next = "leave the id out: in Cloud Shell a program has the identity of the person who is signed in";
            return Err(not_supported(ABOUT.host, id).next(next));
        }
        let form = [("resource", asked.resource)];
        let request = HttpRequest::post_form(self.endpoint.clone(), Route::Direct, TIMEOUT, &form)
            .header(HeaderName::from_static("metadata"), HeaderValue::from_static("true"));
        asked.ask(&ABOUT, request, "").await
    }
}
