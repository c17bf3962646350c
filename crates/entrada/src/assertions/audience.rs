//! The audience of a token that is meant to be shown to Microsoft Entra in exchange for another.

use crate::entra::{Authority, Cloud};
use crate::error::Error;

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

/// Refuses an audience that is given and is none.
pub(crate) fn check_audience(audience: Option<&str>) -> Result<(), Error> {
    match audience.filter(|audience| audience.is_empty() || audience.contains(char::is_whitespace)) {
        None => Ok(()),
        Some(audience) => Err(Error::invalid_argument(format!("the audience {audience:?} is empty or holds a space"))
            .next("name the audience of the app's federated credential, or leave it out")),
    }
}
