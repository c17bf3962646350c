//! The protocol with a secret of API version 2017-09-01, which App Service had first and Azure Machine Learning still has.

use http::HeaderName;
use url::Url;

use super::UserAssignedId;
use super::exchange::{About, Asked, TIMEOUT};
use super::secret_header::{header, secret};
use super::token_url::Parameters;
use crate::error::Error;
use crate::platform::{HttpRequest, Route};
use crate::token::Fetched;

const PARAMETERS: Parameters =
    Parameters { api_version: "2017-09-01", client_id: Some("clientid"), object_id: None, resource_id: None };

/// Asks the endpoint that `MSI_ENDPOINT` names, with the secret in `MSI_SECRET`, for a token of `id`.
pub(super) async fn fetch(
    about: &About,
    endpoint: &Url,
    asked: &Asked<'_>,
    id: Option<&UserAssignedId>,
) -> Result<Fetched, Error> {
    let url = PARAMETERS.url(about.host, endpoint, asked.resource, id)?;
    let secret = secret(asked.platform.environment(), "MSI_SECRET")?;
    let request = HttpRequest::get(url, Route::Direct, TIMEOUT)
        .header(HeaderName::from_static("secret"), header("MSI_SECRET", &secret)?);
    Asked { id, ..*asked }.ask(about, request, &secret).await
}
