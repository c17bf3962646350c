//! GitHub's OIDC issuer vouches for a job.
//!
//! <https://docs.github.com/actions/security-for-github-actions/security-hardening-your-deployments/about-security-hardening-with-openid-connect>

use async_trait::async_trait;
use http::HeaderValue;
use http::header::{ACCEPT, AUTHORIZATION};
use zeroize::Zeroizing;

use super::audience::audience_at;
use super::client_assertion::{AssertionError, AssertionRequest, ClientAssertion};
use super::issuer::{self, Issuer};
use crate::error::Error;
use crate::platform::{Environment, HttpRequest};

const URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
const TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

/// The token of a job, for an audience.
#[derive(Debug)]
pub(crate) struct GitHubActionsAssertion {
    /// By default the one of the authority's cloud.
    pub(crate) audience: Option<String>,
}

impl GitHubActionsAssertion {
    /// Where to ask, and the token that opens it.
    pub(crate) fn find(environment: &dyn Environment) -> Result<(String, Zeroizing<String>), Error> {
        let missing = match (environment.var(URL), environment.var(TOKEN)) {
            (Some(url), Some(token)) => return Ok((url, Zeroizing::new(token))),
            (None, None) => format!("{URL} and {TOKEN} are not set"),
            (None, Some(_)) => format!("{URL} is not set"),
            (Some(_), None) => format!("{TOKEN} is not set"),
        };
        let what = match environment.var("GITHUB_ACTIONS") {
            Some(_) => "this job of GitHub Actions may not ask for an identity",
            None => "this is no job of GitHub Actions",
        };
        Err(Error::unavailable(format!("{what}: {missing}")).next(
            "in the workflow give the job `permissions: id-token: write`; a pull request from a fork never gets it",
        ))
    }
}

#[async_trait]
impl ClientAssertion for GitHubActionsAssertion {
    async fn secret(&self, request: &AssertionRequest<'_>) -> Result<Zeroizing<String>, AssertionError> {
        let exchange = request.exchange();
        let (url, token) = Self::find(request.platform().environment())?;
        let mut url = issuer::address(URL, &url).map_err(|error| error.because("the runner is set up wrong"))?;
        let audience = self.audience.as_deref().unwrap_or_else(|| audience_at(exchange.authority));
        url.query_pairs_mut().append_pair("audience", audience);
        let route = issuer::route(&url);
        let asking = HttpRequest::get(url, route, issuer::TIMEOUT)
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header(AUTHORIZATION, issuer::bearer(TOKEN, &token)?);
        let issuer = Issuer { whom: "OIDC issuer of GitHub Actions", secrets: &[&token] };
        let heard = issuer.ask(exchange, asking).await?;
        let next = match heard.response.status {
            200 => return Ok(issuer.pick(&heard, Some("/value"))?),
            401 | 403 => {
                "check that the job still runs, for its token ends with it, and that it has `permissions: id-token: write`"
            }
            _ => "look at https://www.githubstatus.com, and run the job again",
        };
        Err(issuer.refuse(&heard, "gave this job no token", next).into())
    }

    fn identity(&self) -> Option<String> {
        Some(format!("GitHub Actions {:?}", self.audience))
    }
}
