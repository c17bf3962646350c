//! An app that Kubernetes vouches for.

use std::path::PathBuf;
use std::sync::Arc;

use super::app_only::AppOnly;
use super::described::{Described, Settings};
use super::entra_options::EntraOptions;
use crate::assertions::{FILE, Workload};
use crate::credential::{Cached, credential_from_cached};
use crate::entra::{TokenProxy, check_client_id, check_tenant_id};
use crate::error::Error;
use crate::platform::Platform;

const NAME: &str = "WorkloadIdentityCredential";

/// Authenticates the app that trusts this pod's Kubernetes service account, with Microsoft Entra Workload ID:
/// <https://azure.github.io/azure-workload-identity/docs/>.
///
/// The file is read anew for each exchange, and once more where Entra calls its token out of date; so a rotation is never
/// missed. What is not given comes from the variables that the webhook sets:
///
/// | variable | |
/// |---|---|
/// | `AZURE_TENANT_ID` | the tenant's id or domain |
/// | `AZURE_CLIENT_ID` | the client id of the app or managed identity |
/// | `AZURE_FEDERATED_TOKEN_FILE` | the file with the service account's token |
/// | `AZURE_AUTHORITY_HOST` | the authority; `https://login.microsoftonline.com` by default |
/// | `AZURE_KUBERNETES_TOKEN_PROXY` | the cluster's token proxy, under an AKS identity binding; requests go there |
/// | `AZURE_KUBERNETES_SNI_NAME` | the name that the proxy's certificate has |
/// | `AZURE_KUBERNETES_CA_FILE`, `AZURE_KUBERNETES_CA_DATA` | who vouches for the proxy: a file, or PEM |
///
/// Where some are missing, requests fail with an error that names them all, and a chain goes on.
///
/// ```no_run
/// use azure_core::credentials::TokenCredential;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let credential = entrada::WorkloadIdentityCredential::new(None)?;
/// let token = credential.get_token(&["https://vault.azure.net/.default"], None).await?;
/// # let _ = token;
/// # Ok(()) }
/// ```
pub struct WorkloadIdentityCredential {
    cached: Described,
}

/// Options for [`WorkloadIdentityCredential`].
#[derive(Clone, Debug, Default)]
pub struct WorkloadIdentityCredentialOptions {
    /// The tenant's id or domain; by default `AZURE_TENANT_ID`.
    pub tenant_id: Option<String>,
    /// The client id of the app or managed identity; by default `AZURE_CLIENT_ID`.
    pub client_id: Option<String>,
    /// The file with the service account's token; by default `AZURE_FEDERATED_TOKEN_FILE`.
    pub token_file_path: Option<PathBuf>,
    /// Whether the token proxy of an AKS identity binding is asked in Entra's place. By default it is where the variables
    /// describe one: Entra itself refuses the token that a pod has under a binding.
    pub enable_azure_proxy: Option<bool>,
    /// What it has in common with other credentials of Entra.
    pub entra: EntraOptions,
}

impl WorkloadIdentityCredential {
    /// Creates the credential. Nothing is sent, and the file is not read.
    ///
    /// # Errors
    /// Where a given id cannot be right. What is missing or wrong in the environment shows when a token is requested, so
    /// that a chain that contains this credential can still be made; [`configuration_error`](Self::configuration_error)
    /// tells it before.
    pub fn new(options: Option<WorkloadIdentityCredentialOptions>) -> Result<Arc<Self>, Error> {
        let options = options.unwrap_or_default();
        let check = || {
            options.tenant_id.as_deref().map(check_tenant_id).transpose()?;
            options.client_id.as_deref().map(check_client_id).transpose()
        };
        check().map_err(|error| error.credential(NAME))?;
        Ok(Arc::new(Self { cached: Described::new(NAME, find(options)) }))
    }

    /// What keeps the credential from giving tokens, where that is known without asking anybody: settings that are
    /// missing or malformed.
    pub fn configuration_error(&self) -> Option<&Error> {
        self.cached.problem()
    }
}

credential_from_cached!(WorkloadIdentityCredential);

fn find(options: WorkloadIdentityCredentialOptions) -> Result<Cached, Error> {
    let platform = options.entra.platform.clone().unwrap_or_else(Platform::system);
    let variable = |name| platform.environment().var(name);
    let mut settings = Settings::default();
    let tenant_id = settings.get(options.tenant_id, variable("AZURE_TENANT_ID"), "AZURE_TENANT_ID");
    let client_id = settings.get(options.client_id, variable("AZURE_CLIENT_ID"), "AZURE_CLIENT_ID");
    let (file, named) = match options.token_file_path {
        Some(path) => (path, "token_file_path"),
        None => (settings.get(None, variable(FILE), FILE).into(), FILE),
    };
    if let Some(missing) = settings.missing() {
        return Err(Error::unavailable(format!("workload identity is not set up: {missing} is not set or empty")).next(
            "run in a pod with the label azure.workload.identity/use and an annotated service account, or pass tenant_id, client_id and token_file_path",
        ));
    }
    let proxy = match options.enable_azure_proxy {
        Some(false) => None,
        _ => TokenProxy::detect(platform.environment())?.map(Arc::new),
    };
    let workload = Workload { file, named, proxy };
    let client = workload.client(&tenant_id, &client_id, &options.entra)?;
    let principal = client.principal("workload identity", &workload.parts());
    let platform = client.platform.clone();
    Ok(Cached::new(NAME, principal, AppOnly { client }, platform, options.entra.cache))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Cache;
    use crate::credential::Credential;
    use crate::error::Outcome;
    use crate::platform::scripted::{Scripted, response};
    use crate::token::{Token, TokenRequest};

    const VARIABLES: [(&str, &str); 3] =
        [("AZURE_TENANT_ID", "t-1"), ("AZURE_CLIENT_ID", "c-1"), ("AZURE_FEDERATED_TOKEN_FILE", "/token")];
    const TOKEN: &str = r#"{"access_token":"t","expires_in":3600}"#;
    const EXPIRED: &str = r#"{"error":"invalid_client","error_description":"AADSTS700024: Client assertion is not within its valid time range.","error_codes":[700024]}"#;

    async fn token(machine: &Scripted, options: WorkloadIdentityCredentialOptions) -> Result<Arc<Token>, Error> {
        let entra = EntraOptions {
            platform: Some(machine.platform.clone()),
            cache: Some(Cache::new(Default::default())),
            ..options.entra
        };
        WorkloadIdentityCredential::new(Some(WorkloadIdentityCredentialOptions { entra, ..options }))?
            .token(&TokenRequest::new(["https://vault.azure.net/.default"]))
            .await
    }

    #[tokio::test]
    async fn the_file_is_shown_and_read_once_more_where_it_is_out_of_date() {
        let machine = Scripted::new(&VARIABLES).answers([Ok(response(401, EXPIRED)), Ok(response(200, TOKEN))]);
        machine.files.put("/token", "e30.e30.a-1\n");
        token(&machine, Default::default()).await.expect("a token");
        let sent = machine.http.sent();
        assert_eq!(sent.len(), 2);
        assert_eq!(sent[0].line, "POST https://login.microsoftonline.com/t-1/oauth2/v2.0/token");
        assert!(sent[0].body.starts_with("client_id=c-1&client_assertion=e30.e30.a-1&"), "{}", sent[0].body);
    }

    #[tokio::test]
    async fn what_is_given_beats_the_variables() {
        let machine = Scripted::new(&VARIABLES).answers([Ok(response(200, TOKEN))]);
        machine.files.put("/other", "e30.e30.other");
        let options = WorkloadIdentityCredentialOptions {
            tenant_id: Some("t-2".into()),
            client_id: Some("c-2".into()),
            token_file_path: Some("/other".into()),
            ..Default::default()
        };
        token(&machine, options).await.expect("a token");
        let sent = &machine.http.sent()[0];
        assert!(sent.line.contains("/t-2/") && sent.body.contains("client_id=c-2&client_assertion=e30.e30.other"));
    }

    #[tokio::test]
    async fn all_that_is_missing_is_named_at_once() {
        for (count, words) in [
            (0, "AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE is not set"),
            (1, "AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE is not set"),
            (2, ": AZURE_FEDERATED_TOKEN_FILE is not set"),
        ] {
            let machine = Scripted::new(&VARIABLES[..count]);
            let error = token(&machine, Default::default()).await.expect_err(words);
            assert_eq!(error.outcome(), Outcome::Unavailable);
            assert!(error.to_string().contains(words), "{error}");
            assert!(error.to_string().starts_with("WorkloadIdentityCredential: "), "{error}");
        }
    }

    #[tokio::test]
    async fn what_is_wrong_is_no_reason_to_go_on() {
        let with = |more: &[(&'static str, &'static str)]| Scripted::new(&[&VARIABLES, more].concat());
        for (machine, words) in [
            (with(&[]), "/token, which AZURE_FEDERATED_TOKEN_FILE names, cannot be used: there is no such file"),
            (with(&[("AZURE_KUBERNETES_SNI_NAME", "x")]), "AZURE_KUBERNETES_TOKEN_PROXY is not"),
            (with(&[("AZURE_AUTHORITY_HOST", "http://x")]), "must be an https URL"),
        ] {
            let error = token(&machine, Default::default()).await.expect_err(words);
            assert_eq!(error.outcome(), Outcome::Failed);
            assert!(error.to_string().contains(words), "{error}");
            assert!(machine.http.sent().is_empty());
        }
        let options = WorkloadIdentityCredentialOptions { tenant_id: Some("a b".into()), ..Default::default() };
        assert!(WorkloadIdentityCredential::new(Some(options)).expect_err("no tenant").is_invalid_argument());
    }

    #[tokio::test]
    async fn the_proxy_of_a_binding_is_asked_unless_it_is_not_wanted() {
        let binding = [&VARIABLES[..], &[("AZURE_KUBERNETES_TOKEN_PROXY", "https://10.0.0.1:8443/proxy")]].concat();
        for (enable_azure_proxy, line) in [
            (None, "POST https://10.0.0.1:8443/proxy/t-1/oauth2/v2.0/token"),
            (Some(true), "POST https://10.0.0.1:8443/proxy/t-1/oauth2/v2.0/token"),
            (Some(false), "POST https://login.microsoftonline.com/t-1/oauth2/v2.0/token"),
        ] {
            let machine = Scripted::new(&binding).answers([Ok(response(200, TOKEN))]);
            machine.files.put("/token", "e30.e30.a");
            let options = WorkloadIdentityCredentialOptions { enable_azure_proxy, ..Default::default() };
            token(&machine, options).await.expect("a token");
            assert_eq!(machine.http.sent()[0].line, line);
        }
    }
}
