//! An app that a job of Azure Pipelines vouches for.

use std::sync::Arc;

use azure_core::credentials::Secret;
use zeroize::Zeroizing;

use super::client_assertion;
use super::described::{Described, Settings};
use super::entra_options::EntraOptions;
use crate::assertions::{AzurePipelinesAssertion, MAP, URI};
use crate::credential::{Cached, credential_from_cached};
use crate::error::Error;
use crate::platform::Platform;

const NAME: &str = "AzurePipelinesCredential";

/// Authenticates the app of a service connection of Azure Pipelines, with a token of the pipeline's OIDC issuer in place
/// of a secret: <https://learn.microsoft.com/azure/devops/pipelines/release/configure-workload-identity>.
///
/// The issuer is asked with each exchange, so jobs of many hours keep their access.
///
/// | variable | |
/// |---|---|
/// | `SYSTEM_OIDCREQUESTURI` | where the job's tokens are issued; set by the agent, read for each exchange |
/// | `AZURE_AUTHORITY_HOST` | the authority; `https://login.microsoftonline.com` by default |
///
/// ```no_run
/// use azure_core::credentials::TokenCredential;
/// use entrada::AzurePipelinesCredential;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// // In a task that names a service connection, such as AzureCLI@2.
/// let credential = AzurePipelinesCredential::from_environment(None)?;
/// let token = credential.get_token(&["https://vault.azure.net/.default"], None).await?;
/// # let _ = token;
/// # Ok(()) }
/// ```
pub struct AzurePipelinesCredential {
    cached: Described,
}

/// Options for [`AzurePipelinesCredential`].
#[derive(Clone, Debug, Default)]
pub struct AzurePipelinesCredentialOptions {
    /// What it has in common with other credentials of Entra.
    pub entra: EntraOptions,
}

impl AzurePipelinesCredential {
    /// Creates the credential of a service connection. Nothing is sent.
    ///
    /// `system_access_token` is the value of the variable `System.AccessToken`, which a step gets with
    /// `env: SYSTEM_ACCESSTOKEN: $(System.AccessToken)`. Outside of a job, where `SYSTEM_OIDCREQUESTURI` is not set,
    /// requests fail and a chain goes on.
    ///
    /// # Errors
    /// Where an id, the token or the authority cannot be right.
    pub fn new(
        tenant_id: &str,
        client_id: String,
        service_connection_id: String,
        system_access_token: Secret,
        options: Option<AzurePipelinesCredentialOptions>,
    ) -> Result<Arc<Self>, Error> {
        let assertion = AzurePipelinesAssertion {
            service_connection_id,
            system_access_token: Zeroizing::new(system_access_token.secret().to_owned()),
        };
        let found = cached(tenant_id, &client_id, assertion, options.unwrap_or_default());
        let cached = found.map_err(|error| error.credential(NAME))?;
        Ok(Arc::new(Self { cached: Described::new(NAME, Ok(cached)) }))
    }

    /// Creates the credential of the service connection that the job's variables tell of. Nothing is sent.
    ///
    /// | variable | |
    /// |---|---|
    /// | `AZURESUBSCRIPTION_TENANT_ID` | the tenant; set by tasks that name a service connection |
    /// | `AZURESUBSCRIPTION_CLIENT_ID` | the app's client id; likewise |
    /// | `AZURESUBSCRIPTION_SERVICE_CONNECTION_ID` | the service connection; likewise |
    /// | `SYSTEM_ACCESSTOKEN` | the job's token; mapped by the pipeline |
    /// | `SYSTEM_OIDCREQUESTURI` | where the job's tokens are issued; set by the agent |
    ///
    /// # Errors
    /// None today: what is missing or wrong shows when a token is requested, so that a chain that contains this
    /// credential can still be made; [`configuration_error`](Self::configuration_error) tells it before.
    pub fn from_environment(options: Option<AzurePipelinesCredentialOptions>) -> Result<Arc<Self>, Error> {
        Ok(Arc::new(Self { cached: Described::new(NAME, find(options.unwrap_or_default())) }))
    }

    /// What keeps the credential from giving tokens, where that is known without asking anybody: variables that are
    /// missing or malformed.
    pub fn configuration_error(&self) -> Option<&Error> {
        self.cached.problem()
    }
}

credential_from_cached!(AzurePipelinesCredential);

fn cached(
    tenant_id: &str,
    client_id: &str,
    assertion: AzurePipelinesAssertion,
    options: AzurePipelinesCredentialOptions,
) -> Result<Cached, Error> {
    assertion.check()?;
    client_assertion::cached(NAME, tenant_id, client_id, Arc::new(assertion), options.entra)
}

fn find(options: AzurePipelinesCredentialOptions) -> Result<Cached, Error> {
    let platform = options.entra.platform.clone().unwrap_or_else(Platform::system);
    let mut settings = Settings::default();
    let mut variable = |name| settings.get(None, platform.environment().var(name), name);
    variable(URI);
    let tenant_id = variable("AZURESUBSCRIPTION_TENANT_ID");
    let client_id = variable("AZURESUBSCRIPTION_CLIENT_ID");
    let service_connection_id = variable("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID");
    let system_access_token = Zeroizing::new(variable("SYSTEM_ACCESSTOKEN"));
    let connection = [&tenant_id, &client_id, &service_connection_id];
    let next = if connection.iter().any(|value| value.is_empty()) {
        "run in a task of Azure Pipelines that names a service connection with workload identity federation, such as AzureCLI@2, and map SYSTEM_ACCESSTOKEN: $(System.AccessToken)"
    } else {
        MAP
    };
    if let Some(missing) = settings.missing() {
        return Err(Error::unavailable(format!(
            "no service connection of Azure Pipelines is described: {missing} is not set or empty"
        ))
        .next(next));
    }
    let assertion = AzurePipelinesAssertion { service_connection_id, system_access_token };
    cached(&tenant_id, &client_id, assertion, options)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Cache;
    use crate::credential::Credential;
    use crate::error::Outcome;
    use crate::platform::scripted::{Scripted, response};
    use crate::platform::{HttpError, HttpResponse};
    use crate::token::{Token, TokenRequest};

    const JOB: [(&str, &str); 5] = [
        (
            "SYSTEM_OIDCREQUESTURI",
            "https://dev.azure.com/contoso/p/_apis/distributedtask/hubs/build/plans/1/jobs/2/oidctoken/",
        ),
        ("AZURESUBSCRIPTION_TENANT_ID", "t-1"),
        ("AZURESUBSCRIPTION_CLIENT_ID", "c-1"),
        ("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "s-1"),
        ("SYSTEM_ACCESSTOKEN", "hunter2"),
    ];
    const TOKEN: &str = r#"{"access_token":"t","expires_in":3600}"#;

    fn options(machine: &Scripted) -> Option<AzurePipelinesCredentialOptions> {
        let entra = EntraOptions {
            platform: Some(machine.platform.clone()),
            cache: Some(Cache::new(Default::default())),
            ..Default::default()
        };
        Some(AzurePipelinesCredentialOptions { entra })
    }

    async fn token(credential: Arc<AzurePipelinesCredential>) -> Result<Arc<Token>, Error> {
        credential.token(&TokenRequest::new(["https://vault.azure.net/.default"])).await
    }

    async fn from_environment(machine: &Scripted) -> Result<Arc<Token>, Error> {
        token(AzurePipelinesCredential::from_environment(options(machine))?).await
    }

    fn explicit(
        machine: &Scripted,
        connection: &str,
        access_token: &str,
    ) -> Result<Arc<AzurePipelinesCredential>, Error> {
        let access_token = Secret::new(access_token.to_owned());
        AzurePipelinesCredential::new("t-1", "c-1".into(), connection.into(), access_token, options(machine))
    }

    #[tokio::test]
    async fn the_jobs_token_is_shown_to_entra() {
        for by_variables in [true, false] {
            let machine = Scripted::new(&JOB[..if by_variables { 5 } else { 1 }]).answers([
                Err(HttpError::Broken("reset".into())),
                Ok(response(200, r#"{"oidcToken":"e30.e30.p"}"#)),
                Ok(response(200, TOKEN)),
            ]);
            let outcome = if by_variables {
                from_environment(&machine).await
            } else {
                token(explicit(&machine, "s-1", "hunter2").expect("valid")).await
            };
            outcome.expect("a token");
            let sent = machine.http.sent();
            assert_eq!(
                sent[1].line,
                "POST https://dev.azure.com/contoso/p/_apis/distributedtask/hubs/build/plans/1/jobs/2/oidctoken?api-version=7.1&serviceConnectionId=s-1"
            );
            let headers = &sent[1].headers;
            assert_eq!(headers["content-type"], "application/json");
            assert_eq!(headers["x-tfs-fedauthredirect"], "Suppress");
            assert_eq!(headers["authorization"], "Bearer hunter2");
            assert!(headers["authorization"].is_sensitive());
            assert!(sent[2].body.contains("client_id=c-1&client_assertion=e30.e30.p&"), "{}", sent[2].body);
        }
    }

    fn page(status: u16) -> HttpResponse {
        let mut page = response(status, "<html>Azure DevOps Services | Sign In</html>");
        page.headers.insert("content-type", http::HeaderValue::from_static("text/html; charset=utf-8"));
        page
    }

    #[tokio::test]
    async fn refusals_of_the_issuer_say_what_to_do() {
        for (answer, words, next) in [
            (page(302), "wants somebody to sign in", "$(System.AccessToken)"),
            (page(203), "wants somebody to sign in", "$(System.AccessToken)"),
            (page(200), "wants somebody to sign in", "$(System.AccessToken)"),
            (response(401, "hunter2"), "refused the system access token", "$(System.AccessToken)"),
            (response(403, "{}"), "does not let this pipeline", "Pipeline permissions"),
            (response(404, "{}"), "no such service connection", "check the id"),
            (response(400, "{}"), "gave this job no token", "status.dev.azure.com"),
            (response(200, "{}"), "nothing at /oidcToken", "where the assertion stands"),
            (response(200, r#"{"oidcToken":"hunter3"}"#), "no JWT", "three parts"),
        ] {
            let machine = Scripted::new(&JOB).answers([Ok(answer)]);
            let error = from_environment(&machine).await.expect_err(words);
            let text = error.to_string();
            assert_eq!(error.outcome(), Outcome::Failed);
            assert!(text.starts_with("AzurePipelinesCredential: "), "{text}");
            assert!(text.contains(words) && text.contains(next) && !text.contains("hunter"), "{text}");
            assert_eq!(machine.http.sent().len(), 1, "nothing is sent to Entra");
        }
    }

    #[tokio::test]
    async fn what_is_missing_is_named_and_a_chain_goes_on() {
        for (count, words) in [
            (
                0,
                "SYSTEM_OIDCREQUESTURI, AZURESUBSCRIPTION_TENANT_ID, AZURESUBSCRIPTION_CLIENT_ID, AZURESUBSCRIPTION_SERVICE_CONNECTION_ID and SYSTEM_ACCESSTOKEN is not set",
            ),
            (3, "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID and SYSTEM_ACCESSTOKEN is not set"),
            (4, "described: SYSTEM_ACCESSTOKEN is not set"),
        ] {
            let machine = Scripted::new(&JOB[..count]);
            let credential = AzurePipelinesCredential::from_environment(options(&machine)).expect("made anywhere");
            assert!(credential.configuration_error().is_some());
            let error = token(credential).await.expect_err(words);
            assert_eq!(error.outcome(), Outcome::Unavailable);
            let text = error.to_string();
            assert!(text.contains(words) && text.contains("SYSTEM_ACCESSTOKEN: $(System.AccessToken)"), "{text}");
        }
        let machine = Scripted::new(&[]);
        let error = token(explicit(&machine, "s", "a").expect("valid")).await.expect_err("no job");
        assert_eq!(error.outcome(), Outcome::Unavailable);
        assert!(error.to_string().contains("SYSTEM_OIDCREQUESTURI is not set"), "{error}");
    }

    #[tokio::test]
    async fn what_cannot_be_right_is_refused_before_anything_is_sent() {
        let machine = Scripted::new(&[]);
        for (connection, access_token, words) in [
            ("", "hunter2", "is not the id of a service connection"),
            ("my connection", "hunter2", "is not the id of a service connection"),
            ("s", "", "the system access token is empty"),
            ("s", "$(System.AccessToken)", "the text of a macro"),
            ("s", "hunter2\n", "no HTTP header can hold"),
        ] {
            let error = explicit(&machine, connection, access_token).expect_err(words).to_string();
            assert!(error.contains(words) && !error.contains("hunter"), "{error}");
        }
        let mut unsafe_job = JOB;
        unsafe_job[0].1 = "http://dev.azure.com/";
        let machine = Scripted::new(&unsafe_job);
        let error = from_environment(&machine).await.expect_err("not encrypted").to_string();
        assert!(error.contains("neither an https URL") && machine.http.sent().is_empty(), "{error}");
    }
}
