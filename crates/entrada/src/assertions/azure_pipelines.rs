//! Azure Pipelines vouches for a job, in the name of a service connection.
//!
//! <https://learn.microsoft.com/rest/api/azure/devops/distributedtask/oidctoken/create>

use async_trait::async_trait;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue};
use zeroize::Zeroizing;

use super::client_assertion::{AssertionError, AssertionRequest, ClientAssertion};
use super::issuer::{self, Issuer};
use crate::cache::Principal;
use crate::error::Error;
use crate::platform::{HttpRequest, Method};

/// The variable with the address.
pub(crate) const URI: &str = "SYSTEM_OIDCREQUESTURI";
/// How a job gets its access token into its environment.
pub(crate) const MAP: &str = "map it into the step's environment, which Azure Pipelines never does by itself: `env: SYSTEM_ACCESSTOKEN: $(System.AccessToken)`";

/// The token of a service connection.
pub(crate) struct AzurePipelinesAssertion {
    pub(crate) service_connection_id: String,
    pub(crate) system_access_token: Zeroizing<String>,
}

impl AzurePipelinesAssertion {
    /// Refuses what cannot be a connection and a token.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let id = &self.service_connection_id;
        if id.trim().is_empty() || id.contains(char::is_whitespace) {
            return Err(Error::invalid_argument(format!("{id:?} is not the id of a service connection"))
                .next("find it in the address of the connection's page in the project's settings: resourceId="));
        }
        let token = &self.system_access_token;
        if token.is_empty() {
            return Err(Error::invalid_argument("the system access token is empty").next(MAP));
        }
        if token.starts_with("$(") {
            // What a macro is left as where its variable is not known.
            return Err(
                Error::invalid_argument("the system access token is the text of a macro, not its value").next(MAP)
            );
        }
        issuer::bearer("the system access token", token).map(drop)
    }
}

#[async_trait]
impl ClientAssertion for AzurePipelinesAssertion {
    async fn secret(&self, request: &AssertionRequest<'_>) -> Result<Zeroizing<String>, AssertionError> {
        let uri = request.platform().environment().var(URI).ok_or_else(|| {
            Error::unavailable(format!("this is no job of Azure Pipelines: {URI} is not set"))
                .next("run in a job of Azure Pipelines, with an agent of 2024 or later; its variables must reach this program")
        })?;
        let mut url = issuer::address(URI, uri.trim_end_matches('/'))
            .map_err(|error| error.because("the agent is set up wrong"))?;
        url.query_pairs_mut()
            .append_pair("api-version", "7.1")
            .append_pair("serviceConnectionId", &self.service_connection_id);
        let route = issuer::route(&url);
        let mut asking = HttpRequest::get(url, route, issuer::TIMEOUT)
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            // Else a wrong token is answered with the page to sign in at.
            .header(HeaderName::from_static("x-tfs-fedauthredirect"), HeaderValue::from_static("Suppress"))
            .header(AUTHORIZATION, issuer::bearer("the system access token", &self.system_access_token)?);
        asking.method = Method::Post;
        let issuer = Issuer { whom: "OIDC issuer of Azure Pipelines", secrets: &[&self.system_access_token] };
        let heard = issuer.ask(request.exchange(), asking).await?;
        let is_page = heard.response.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
        let (did, next) = match heard.response.status {
            status if (300..400).contains(&status) || status == 203 || (status == 200 && is_page) => {
                ("wants somebody to sign in: the system access token is wrong", MAP)
            }
            200 => return Ok(issuer.pick(&heard, Some("/oidcToken"))?),
            401 => ("refused the system access token", MAP),
            403 => (
                "does not let this pipeline use the service connection",
                "authorize the pipeline in the connection's settings, under Security, Pipeline permissions",
            ),
            404 => (
                "knows no such service connection",
                "check the id of the service connection: the connection must be in this pipeline's project, and of the type workload identity federation",
            ),
            _ => ("gave this job no token", "look at https://status.dev.azure.com, and run the job again"),
        };
        Err(issuer.refuse(&heard, did, next).into())
    }

    fn identity(&self) -> Option<String> {
        let parts = [Some(self.service_connection_id.as_str()), Some(self.system_access_token.as_str())];
        Some(format!("Azure Pipelines {}", Principal::new("Azure Pipelines", &parts)))
    }
}
