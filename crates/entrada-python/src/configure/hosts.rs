//! Credentials of the machine that runs the program, and chains.

use entrada::{
    AzureCliCredential, AzureCliCredentialOptions, ChainedTokenCredential, DefaultAzureCredential,
    DefaultAzureCredentialOptions, ExpectedIdentity, ManagedIdentityCredential, ManagedIdentityCredentialOptions,
};
use pyo3::prelude::*;

use super::given::Given;
use super::{Making, made};

pub(super) fn managed_identity(given: &Given<'_>) -> PyResult<Making> {
    made(ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
        user_assigned_id: given.user_assigned_id()?,
        expected: ExpectedIdentity {
            tenant_id: given.text("expected_tenant_id")?,
            client_id: given.text("expected_client_id")?,
            object_id: given.text("expected_object_id")?,
        },
        timeout: given.seconds("timeout")?,
        share_between_processes: given.flag("share_between_processes")?.unwrap_or_default(),
        ..Default::default()
    })))
}

pub(super) fn azure_cli(given: &Given<'_>) -> PyResult<Making> {
    made(AzureCliCredential::new(Some(AzureCliCredentialOptions {
        tenant_id: given.text("tenant_id")?.filter(|id| !id.is_empty()),
        subscription: given.text("subscription")?.filter(|name| !name.is_empty()),
        additionally_allowed_tenants: given.texts("additionally_allowed_tenants")?,
        process_timeout: given.seconds("process_timeout")?,
        ..Default::default()
    })))
}

pub(super) fn default(given: &Given<'_>) -> PyResult<Making> {
    made(DefaultAzureCredential::new(Some(DefaultAzureCredentialOptions {
        exclude_environment: given.flag("exclude_environment")?,
        exclude_managed_identity: given.flag("exclude_managed_identity")?,
        exclude_azure_cli: given.flag("exclude_azure_cli")?,
        user_assigned_id: given.user_assigned_id()?,
        system_assigned: given.flag("system_assigned")?.unwrap_or_default(),
        share_between_processes: given.flag("share_between_processes")?.unwrap_or_default(),
        authority: given.text("authority")?,
        additionally_allowed_tenants: given.texts("additionally_allowed_tenants")?,
        process_timeout: given.seconds("process_timeout")?,
        ..Default::default()
    })))
}

pub(super) fn chain(given: &Given<'_>) -> PyResult<Making> {
    let members = given.members()?;
    given.also_calls(members.iter().flat_map(|member| member.callables.iter().cloned()));
    made(ChainedTokenCredential::new(members.into_iter().map(|member| member.core).collect()))
}
