//! The audience of a token that is meant to be shown to Microsoft Entra in exchange for another.

use crate::entra::{Authority, Cloud};

/// The audience that federated credentials have by default in the cloud of an authority: the public cloud's for all that
/// have none of their own.
///
/// <https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity>
pub(crate) fn audience_at(authority: &Authority) -> &'static str {
    match authority.cloud() {
        Some(Cloud::UsGovernment) => "api://AzureADTokenExchangeUSGov",
        Some(Cloud::China) => "api://AzureADTokenExchangeChina",
        _ => "api://AzureADTokenExchange",
    }
}
