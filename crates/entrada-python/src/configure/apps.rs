//! Credentials of apps that sign in as themselves.

use std::sync::Arc;

use entrada::{
    ClientAssertionCredential, ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions,
    Credential as Core, EnvironmentCredential, EnvironmentCredentialOptions, WorkloadIdentityCredential,
    WorkloadIdentityCredentialOptions,
};
use pyo3::prelude::*;

use super::assertion::assertion;
use super::given::Given;
use super::{made, refused};

pub(super) fn client_secret(given: &Given<'_>) -> PyResult<Arc<dyn Core>> {
    let (tenant_id, client_id) = (given.needed("tenant_id")?, given.needed("client_id")?);
    let options = ClientSecretCredentialOptions { entra: given.entra()? };
    made(ClientSecretCredential::new(&tenant_id, client_id, given.needed("client_secret")?.into(), Some(options)))
}

pub(super) fn client_assertion(given: &Given<'_>) -> PyResult<Arc<dyn Core>> {
    let (tenant_id, client_id) = (given.needed("tenant_id")?, given.needed("client_id")?);
    let options = ClientAssertionCredentialOptions { entra: given.entra()? };
    made(ClientAssertionCredential::new(&tenant_id, client_id, assertion(given)?, Some(options)))
}

pub(super) fn workload_identity(given: &Given<'_>) -> PyResult<Arc<dyn Core>> {
    let credential = WorkloadIdentityCredential::new(Some(WorkloadIdentityCredentialOptions {
        tenant_id: given.text("tenant_id")?,
        client_id: given.text("client_id")?,
        token_file_path: given.path("token_file_path")?,
        enable_azure_proxy: given.flag("enable_azure_proxy")?,
        entra: given.entra()?,
    }))
    .map_err(|error| refused(&error))?;
    match credential.configuration_error() {
        Some(error) => Err(refused(error)),
        None => Ok(credential),
    }
}

pub(super) fn environment(given: &Given<'_>) -> PyResult<Arc<dyn Core>> {
    made(EnvironmentCredential::new(Some(EnvironmentCredentialOptions { entra: given.entra()? })))
}
