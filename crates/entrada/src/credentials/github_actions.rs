//! An app that a workflow of GitHub vouches for.

use std::sync::Arc;

use super::client_assertion;
use super::described::{Described, Settings};
use super::entra_options::EntraOptions;
use crate::assertions::GitHubActionsAssertion;
use crate::credential::{Cached, credential_from_cached};
use crate::entra::{check_client_id, check_tenant_id};
use crate::error::Error;
use crate::platform::Platform;

const NAME: &str = "GitHubActionsCredential";

/// Authenticates the app that trusts this job of GitHub Actions, with a token of GitHub's OIDC issuer in place of a
/// secret.
///
/// The job needs `permissions: id-token: write`, the app a federated credential for its repository, branch or
/// environment: <https://learn.microsoft.com/entra/workload-id/workload-identity-federation-create-trust>. GitHub's
/// tokens live for some minutes; a fresh one is asked for with each exchange, so jobs of many hours keep their access.
/// Workflows that a pull request from a fork starts get none.
///
/// | variable | |
/// |---|---|
/// | `AZURE_TENANT_ID` | the tenant's id or domain, where none is given |
/// | `AZURE_CLIENT_ID` | the app's client id, where none is given |
/// | `AZURE_AUTHORITY_HOST` | the authority; `https://login.microsoftonline.com` by default |
/// | `ACTIONS_ID_TOKEN_REQUEST_URL`, `ACTIONS_ID_TOKEN_REQUEST_TOKEN` | set by the runner; read for each exchange |
///
/// Where some are missing, requests fail with an error that names them, and a chain goes on.
///
/// ```no_run
/// use azure_core::credentials::TokenCredential;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let credential = entrada::GitHubActionsCredential::new(None)?;
/// let token = credential.get_token(&["https://vault.azure.net/.default"], None).await?;
/// # let _ = token;
/// # Ok(()) }
/// ```
pub struct GitHubActionsCredential {
    cached: Described,
}

/// Options for [`GitHubActionsCredential`].
#[derive(Clone, Debug, Default)]
pub struct GitHubActionsCredentialOptions {
    /// The tenant's id or domain; by default `AZURE_TENANT_ID`.
    pub tenant_id: Option<String>,
    /// The app's client id; by default `AZURE_CLIENT_ID`.
    pub client_id: Option<String>,
    /// The audience of the app's federated credential. By default the one that Entra suggests in the authority's cloud:
    /// `api://AzureADTokenExchange`, `api://AzureADTokenExchangeUSGov` or `api://AzureADTokenExchangeChina`.
    pub audience: Option<String>,
    /// What it has in common with other credentials of Entra.
    pub entra: EntraOptions,
}

impl GitHubActionsCredential {
    /// Creates the credential. Nothing is sent.
    ///
    /// # Errors
    /// Where a given id or audience cannot be right. What is missing or wrong in the environment shows when a token is
    /// requested, so that a chain that contains this credential can still be made;
    /// [`configuration_error`](Self::configuration_error) tells it before.
    pub fn new(options: Option<GitHubActionsCredentialOptions>) -> Result<Arc<Self>, Error> {
        let options = options.unwrap_or_default();
        let check = || {
            options.tenant_id.as_deref().map(check_tenant_id).transpose()?;
            options.client_id.as_deref().map(check_client_id).transpose()?;
            crate::assertions::check_audience(options.audience.as_deref())
        };
        check().map_err(|error| error.credential(NAME))?;
        Ok(Arc::new(Self { cached: Described::new(NAME, find(options)) }))
    }

    /// What keeps the credential from giving tokens, where that is known without asking anybody: variables that are
    /// missing or malformed.
    pub fn configuration_error(&self) -> Option<&Error> {
        self.cached.problem()
    }
}

credential_from_cached!(GitHubActionsCredential);

fn find(options: GitHubActionsCredentialOptions) -> Result<Cached, Error> {
    let platform = options.entra.platform.clone().unwrap_or_else(Platform::system);
    let environment = platform.environment();
    GitHubActionsAssertion::find(environment)?;
    let mut settings = Settings::default();
    let tenant_id = settings.get(options.tenant_id, environment.var("AZURE_TENANT_ID"), "AZURE_TENANT_ID");
    let client_id = settings.get(options.client_id, environment.var("AZURE_CLIENT_ID"), "AZURE_CLIENT_ID");
    if let Some(missing) = settings.missing() {
        return Err(Error::unavailable(format!("the app to sign in as is not named: {missing} is not set or empty"))
            .next("set them in the job's `env`, or pass tenant_id and client_id"));
    }
    let assertion = Arc::new(GitHubActionsAssertion { audience: options.audience });
    client_assertion::cached(NAME, &tenant_id, &client_id, assertion, options.entra)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Cache;
    use crate::credential::Credential;
    use crate::error::Outcome;
    use crate::platform::HttpResponse;
    use crate::platform::scripted::{Scripted, response};
    use crate::token::{Token, TokenRequest};

    const RUNNER: [(&str, &str); 5] = [
        ("GITHUB_ACTIONS", "true"),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://run.actions.githubusercontent.com/x/idtoken?api-version=2.0"),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "hunter2"),
        ("AZURE_TENANT_ID", "t-1"),
        ("AZURE_CLIENT_ID", "c-1"),
    ];

    async fn token(machine: &Scripted, audience: Option<&str>) -> Result<Arc<Token>, Error> {
        let entra = EntraOptions {
            platform: Some(machine.platform.clone()),
            cache: Some(Cache::new(Default::default())),
            ..Default::default()
        };
        let audience = audience.map(str::to_owned);
        GitHubActionsCredential::new(Some(GitHubActionsCredentialOptions { audience, entra, ..Default::default() }))?
            .token(&TokenRequest::new(["https://vault.azure.net/.default"]))
            .await
    }

    fn answers() -> [Result<HttpResponse, crate::platform::HttpError>; 2] {
        [
            Ok(response(200, r#"{"count":1,"value":"e30.e30.g"}"#)),
            Ok(response(200, r#"{"access_token":"t","expires_in":3600}"#)),
        ]
    }

    #[tokio::test]
    async fn the_token_of_the_job_is_shown_to_entra() {
        for (authority, audience, expected) in [
            ("", None, "api%3A%2F%2FAzureADTokenExchange"),
            ("login.microsoftonline.us", None, "api%3A%2F%2FAzureADTokenExchangeUSGov"),
            ("login.microsoftonline.us", Some("api://ours"), "api%3A%2F%2Fours"),
        ] {
            let machine =
                Scripted::new(&[&RUNNER[..], &[("AZURE_AUTHORITY_HOST", authority)]].concat()).answers(answers());
            assert_eq!(token(&machine, audience).await.expect("a token").secret(), "t");
            let sent = machine.http.sent();
            let line = format!("GET {}&audience={expected}", RUNNER[1].1);
            assert_eq!(sent[0].line, line);
            assert_eq!(sent[0].headers["authorization"], "Bearer hunter2");
            assert!(sent[0].headers["authorization"].is_sensitive());
            assert!(sent[1].body.contains("client_id=c-1&client_assertion=e30.e30.g&"), "{}", sent[1].body);
        }
    }

    #[tokio::test]
    async fn what_is_missing_is_named_and_a_chain_goes_on() {
        for (without, words) in [
            (&["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"][..], "may not ask for an identity"),
            (&["ACTIONS_ID_TOKEN_REQUEST_TOKEN"], ": ACTIONS_ID_TOKEN_REQUEST_TOKEN is not set"),
            (
                &["GITHUB_ACTIONS", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"],
                "this is no job of GitHub Actions",
            ),
            (&["AZURE_TENANT_ID", "AZURE_CLIENT_ID"], "AZURE_TENANT_ID and AZURE_CLIENT_ID is not set"),
        ] {
            let variables: Vec<_> = RUNNER.into_iter().filter(|(name, _)| !without.contains(name)).collect();
            let machine = Scripted::new(&variables);
            let error = token(&machine, None).await.expect_err(words);
            assert_eq!(error.outcome(), Outcome::Unavailable);
            assert!(error.to_string().contains(words), "{error}");
            assert!(machine.http.sent().is_empty());
            if without[0].starts_with("ACTIONS") {
                assert!(error.to_string().contains("id-token: write") && error.to_string().contains("from a fork"));
            }
        }
    }

    #[tokio::test]
    async fn refusals_of_the_issuer_are_told_without_the_jobs_token() {
        for (answer, words) in [
            (response(401, "Bearer hunter2 has expired"), "check that the job still runs"),
            (response(404, "{}"), "githubstatus"),
            (response(200, "{}"), "nothing at /value"),
            (response(200, "<html>"), "other than JSON"),
            (response(200, r#"{"value":"hunter3"}"#), "no JWT"),
        ] {
            let machine = Scripted::new(&RUNNER).answers([Ok(answer)]);
            let error = token(&machine, None).await.expect_err(words).to_string();
            assert!(error.starts_with("GitHubActionsCredential: "), "{error}");
            assert!(error.contains(words) && !error.contains("hunter"), "{error}");
            assert_eq!(machine.http.sent().len(), 1, "nothing is sent to Entra");
        }
        let mut variables = RUNNER;
        variables[1].1 = "http://run.actions.githubusercontent.com/";
        let machine = Scripted::new(&variables);
        let error = token(&machine, None).await.expect_err("not encrypted").to_string();
        assert!(error.contains("neither an https URL") && machine.http.sent().is_empty(), "{error}");
        assert!(token(&machine, Some(" ")).await.expect_err("empty").is_invalid_argument());
    }
}
