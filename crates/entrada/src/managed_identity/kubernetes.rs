//! Kubernetes with Microsoft Entra Workload ID: the webhook gives a program the token of its service account, and Entra
//! takes that in exchange.
//!
//! <https://azure.github.io/azure-workload-identity/docs/>

use std::sync::Arc;

use super::UserAssignedId;
use super::answer::confirm;
use super::exchange::Asked;
use super::token_url::not_supported;
use crate::assertions::{FILE, Workload};
use crate::credentials::EntraOptions;
use crate::entra::{Authority, Grant, Target, TokenProxy, check_client_id};
use crate::error::{Condition, Error};
use crate::platform::Environment;
use crate::token::{Fetched, TokenRequest};

const HOST: &str = "Kubernetes pod";

/// What the webhook set up.
pub(crate) struct Kubernetes {
    authority: Authority,
    tenant_id: String,
    /// `AZURE_CLIENT_ID`: whose token a program gets that names nobody.
    client_id: Option<String>,
    workload: Workload,
}

impl Kubernetes {
    /// Whether the webhook has been here: it sets all three.
    pub(super) fn is_set_up(environment: &dyn Environment) -> bool {
        ["AZURE_AUTHORITY_HOST", "AZURE_TENANT_ID", FILE].iter().all(|name| environment.var(name).is_some())
    }

    pub(super) fn detect(environment: &dyn Environment) -> Result<Self, Error> {
        let tenant_id = environment.var("AZURE_TENANT_ID").unwrap_or_default();
        Target::only(&tenant_id)?;
        let client_id = environment.var("AZURE_CLIENT_ID");
        client_id.as_deref().map(check_client_id).transpose()?;
        let file = environment.var(FILE).unwrap_or_default().into();
        let proxy = TokenProxy::detect(environment)?.map(Arc::new);
        Ok(Self {
            authority: Authority::new(None, environment)?,
            tenant_id,
            client_id,
            workload: Workload { file, named: FILE, proxy },
        })
    }

    pub(super) fn endpoint(&self) -> &str {
        self.authority.as_str()
    }

    /// What else decides whose tokens these are.
    pub(super) fn parts(&self) -> [Option<&str>; 4] {
        let [file, proxy] = self.workload.parts();
        [Some(&self.tenant_id), self.client_id.as_deref(), file, proxy]
    }

    pub(super) async fn fetch(&self, asked: &Asked<'_>, request: &TokenRequest) -> Result<Fetched, Error> {
        let client_id = match asked.id {
            None => self.client_id.as_deref().ok_or_else(|| {
                Error::unavailable(format!(
                    "{FILE} is set, but AZURE_CLIENT_ID, which says whose token it is good for, is not"
                ))
                .condition_of(Condition::IdentityNotAssigned)
                .next("pass client_id, or annotate the service account with azure.workload.identity/client-id")
            })?,
            Some(UserAssignedId::ClientId(id)) => id,
            Some(id) => {
                let next = "name the identity by its client id: `az identity show --query clientId` prints it";
                return Err(not_supported(HOST, id).next(next));
            }
        };
        self.exchange(asked, request, client_id).await.map_err(refused)
    }

    async fn exchange(&self, asked: &Asked<'_>, request: &TokenRequest, client_id: &str) -> Result<Fetched, Error> {
        let options = EntraOptions { platform: Some(asked.platform.clone()), ..EntraOptions::default() };
        let client = self.workload.client(&self.tenant_id, client_id, &options)?;
        let scope = format!("{}/.default", asked.resource);
        // A managed identity has one tenant, whatever a request names.
        let request = TokenRequest { scopes: vec![scope], tenant_id: None, ..request.clone() };
        let fetched = client.redeem(&request, &Grant::ClientCredentials, asked.deadline).await?.fetched;
        let id = UserAssignedId::ClientId(client_id.to_owned());
        let asked_for = || {
            let proxy =
                self.workload.proxy.as_ref().map_or_else(String::new, |proxy| format!(", through {}", proxy.url()));
            format!("{} for client {client_id}, scope {}{proxy}", self.endpoint(), request.scopes.join(" "))
        };
        confirm(HOST, &id, None, &fetched).map_err(|error| error.tried(asked_for()))?;
        Ok(fetched)
    }
}

impl std::fmt::Debug for Kubernetes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kubernetes").field("tenant_id", &self.tenant_id).finish_non_exhaustive()
    }
}

fn code(error: &Error) -> Option<&str> {
    error.server_answer()?.code.as_deref()
}

/// What Entra's refusals mean for an identity that Kubernetes vouches for.
fn refused(error: Error) -> Error {
    if error.is_invalid_argument() {
        return error;
    }
    let condition = match code(&error) {
        Some("AADSTS70021" | "AADSTS700016" | "AADSTS700211" | "AADSTS700212" | "AADSTS700213") => {
            Condition::IdentityNotAssigned
        }
        Some("AADSTS500011" | "AADSTS500014") => Condition::UnknownResource,
        Some(_) => Condition::Refused,
        None => match error.server_answer().and_then(|answer| answer.status) {
            Some(401 | 403) => Condition::Refused,
            Some(429) => Condition::Throttled,
            Some(410) => Condition::Gone,
            _ => Condition::Broken,
        },
    };
    error.condition_of(condition)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::cache::Cache;
    use crate::credential::Credential;
    use crate::credentials::{ManagedIdentityCredential, ManagedIdentityCredentialOptions};
    use crate::platform::scripted::{Scripted, response};
    use crate::token::Token;

    const VARIABLES: &[(&str, &str)] = &[
        ("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.com/"),
        ("AZURE_TENANT_ID", "t-1"),
        ("AZURE_CLIENT_ID", "c-1"),
        ("AZURE_FEDERATED_TOKEN_FILE", "/var/run/secrets/token"),
    ];
    const EXPIRED: &str = r#"{"error":"invalid_client","error_description":"AADSTS700024: Client assertion is not within its valid time range.","error_codes":[700024]}"#;
    const TOKEN: &str = r#"{"access_token":"t","expires_in":3600}"#;

    async fn token(machine: &Scripted) -> Result<Arc<Token>, Error> {
        let credential = ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
            platform: Some(machine.platform.clone()),
            cache: Some(Cache::new(Default::default())),
            ..Default::default()
        }))?;
        credential.token(&TokenRequest::new(["https://vault.azure.net/.default"])).await
    }

    #[tokio::test]
    async fn the_file_is_read_once_more_when_its_token_is_out_of_date() {
        for (second, succeeds) in [(response(200, TOKEN), true), (response(401, EXPIRED), false)] {
            let machine =
                Scripted::new(VARIABLES).answers([Ok(response(401, EXPIRED)), Ok(second), Ok(response(200, TOKEN))]);
            machine.files.put("/var/run/secrets/token", "e30.e30.a-1\n");
            let outcome = token(&machine).await;
            assert_eq!(outcome.is_ok(), succeeds);
            let sent = machine.http.sent();
            assert_eq!(sent.len(), 2, "once, not more");
            assert!(sent[0].body.contains("client_assertion=e30.e30.a-1&client_assertion_type="), "{}", sent[0].body);
            if let Err(error) = outcome {
                assert!(error.to_string().contains("AADSTS700024") && !error.to_string().contains("a-1"), "{error}");
            }
        }
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_used_is_named_and_nothing_is_sent() {
        for (content, words) in [(None, "there is no such file"), (Some(" \n"), "it is empty")] {
            let machine = Scripted::new(VARIABLES);
            if let Some(content) = content {
                machine.files.put("/var/run/secrets/token", content);
            }
            let error = token(&machine).await.expect_err("no assertion").to_string();
            assert!(error.contains("/var/run/secrets/token") && error.contains(words), "{error}");
            assert!(machine.http.sent().is_empty());
        }
    }
}
