//! Credentials of apps that sign in as themselves.

use entrada::{
    AzurePipelinesCredential, AzurePipelinesCredentialOptions, ClientAssertionCredential,
    ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions, EnvironmentCredential,
    EnvironmentCredentialOptions, GitHubActionsCredential, GitHubActionsCredentialOptions, WorkloadIdentityCredential,
    WorkloadIdentityCredentialOptions,
};
use pyo3::prelude::*;

use super::assertion::assertion;
use super::given::Given;
use super::{Making, made, refused};

pub(super) fn client_secret(given: &Given<'_>) -> PyResult<Making> {
    let (tenant_id, client_id) = (given.needed("tenant_id")?, given.needed("client_id")?);
    let options = ClientSecretCredentialOptions { entra: given.entra()? };
    made(ClientSecretCredential::new(&tenant_id, client_id, given.needed("client_secret")?.into(), Some(options)))
}

pub(super) fn client_assertion(given: &Given<'_>) -> PyResult<Making> {
    let (tenant_id, client_id) = (given.needed("tenant_id")?, given.needed("client_id")?);
    let options = ClientAssertionCredentialOptions { entra: given.entra()? };
    made(ClientAssertionCredential::new(&tenant_id, client_id, assertion(given)?, Some(options)))
}

pub(super) fn workload_identity(given: &Given<'_>) -> PyResult<Making> {
    let credential = WorkloadIdentityCredential::new(Some(WorkloadIdentityCredentialOptions {
        tenant_id: given.text("tenant_id")?,
        client_id: given.text("client_id")?,
        token_file_path: given.path("token_file_path")?,
        enable_azure_proxy: given.flag("enable_azure_proxy")?,
        entra: given.entra()?,
    }))
    .map_err(|error| refused(&error))?;
    // azure-identity refuses to be constructed too.
    credential.configuration_error().map_or(Ok(()), |error| Err(refused(error)))?;
    made(Ok(credential))
}

pub(super) fn azure_pipelines(given: &Given<'_>) -> PyResult<Making> {
    let options = Some(AzurePipelinesCredentialOptions { entra: given.entra()? });
    let Some(tenant_id) = given.text("tenant_id")? else {
        return made(AzurePipelinesCredential::from_environment(options));
    };
    let (client_id, connection) = (given.needed("client_id")?, given.needed("service_connection_id")?);
    let token = given.needed("system_access_token")?.into();
    made(AzurePipelinesCredential::new(&tenant_id, client_id, connection, token, options))
}

pub(super) fn github_actions(given: &Given<'_>) -> PyResult<Making> {
    made(GitHubActionsCredential::new(Some(GitHubActionsCredentialOptions {
        tenant_id: given.text("tenant_id")?,
        client_id: given.text("client_id")?,
        audience: given.text("audience")?,
        entra: given.entra()?,
    })))
}

pub(super) fn environment(given: &Given<'_>) -> PyResult<Making> {
    made(EnvironmentCredential::new(Some(EnvironmentCredentialOptions { entra: given.entra()? })))
}
