//! The account that a developer is signed in with in the Azure CLI.

use std::sync::Arc;
use std::time::Duration;

use crate::cache::{Cache, Principal};
use crate::credential::{Cached, credential_from_cached};
use crate::developer_tools::AzureCli;
use crate::entra::Tenants;
use crate::error::Error;
use crate::platform::Platform;

/// Authenticates the account that is signed in to the Azure CLI, by running `az account get-access-token`.
///
/// `az` is looked up in the absolute folders of `PATH`, started without a shell, and ended with everything it started
/// when the time is up. Its tokens are kept in the process, across credential objects, until the signed-in account or
/// subscription changes (`azureProfile.json` in `AZURE_CONFIG_DIR`, else in `~/.azure`).
///
/// Each request takes exactly one scope, such as `https://vault.azure.net/.default`, or the resource itself.
pub struct AzureCliCredential {
    cached: Cached,
}

/// Options for [`AzureCliCredential`].
#[derive(Clone, Debug, Default)]
pub struct AzureCliCredentialOptions {
    /// The tenant to get tokens of; by default the one of the chosen subscription.
    pub tenant_id: Option<String>,
    /// The subscription whose account to use, by name or id; by default the chosen one.
    pub subscription: Option<String>,
    /// Tenants that requests may name beside `tenant_id`; `*` for any. Without `tenant_id`, requests may name any.
    pub additionally_allowed_tenants: Vec<String>,
    /// How long `az` may take; 10 seconds by default.
    pub process_timeout: Option<Duration>,
    /// A cache of its own; by default the one of the process.
    pub cache: Option<Arc<Cache>>,
    /// The machine; by default the real one.
    pub platform: Option<Platform>,
}

impl AzureCliCredential {
    /// Creates the credential. Nothing is started.
    ///
    /// # Errors
    /// Where the tenant id or the subscription cannot be right, or the time is none.
    pub fn new(options: Option<AzureCliCredentialOptions>) -> Result<Arc<Self>, Error> {
        const NAME: &str = "AzureCliCredential";
        let options = options.unwrap_or_default();
        let refuse = |error: Error| error.credential(NAME);
        let platform = options.platform.unwrap_or_else(Platform::system);
        let timeout = options.process_timeout.unwrap_or(Duration::from_secs(10));
        if timeout.is_zero() {
            return Err(refuse(
                Error::invalid_argument("process_timeout is zero").next("give az some seconds; it needs one or two"),
            ));
        }
        if let Some(subscription) = &options.subscription {
            check_subscription(subscription).map_err(refuse)?;
        }
        let folder = AzureCli::config_folder(&platform);
        let principal = Principal::new(
            "Azure CLI",
            &[
                folder.as_ref().and_then(|folder| folder.to_str()),
                options.tenant_id.as_deref(),
                options.subscription.as_deref(),
            ],
        );
        let tenants = options
            .tenant_id
            .map(|own| Tenants::new(own, options.additionally_allowed_tenants))
            .transpose()
            .map_err(refuse)?;
        let source = AzureCli { tenants, subscription: options.subscription, timeout, platform: platform.clone() };
        Ok(Arc::new(Self { cached: Cached::new(NAME, principal, source, platform, options.cache) }))
    }
}

credential_from_cached!(AzureCliCredential);

/// Refuses what is neither a subscription's id nor a name that can be handed to `az`.
fn check_subscription(subscription: &str) -> Result<(), Error> {
    let plain = |c: char| c.is_alphanumeric() || "-_. ()".contains(c);
    if subscription.is_empty() || subscription.starts_with('-') || !subscription.chars().all(plain) {
        return Err(Error::invalid_argument(format!(
            "{subscription:?} is not the name or id of a subscription that az can be given"
        ))
        .next("use the id; `az account list --output table` prints it"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_arguments_are_refused_at_construction() {
        for options in [
            AzureCliCredentialOptions { tenant_id: Some("a b".into()), ..Default::default() },
            AzureCliCredentialOptions { subscription: Some("--debug".into()), ..Default::default() },
            AzureCliCredentialOptions { subscription: Some("a&b".into()), ..Default::default() },
            AzureCliCredentialOptions { process_timeout: Some(Duration::ZERO), ..Default::default() },
        ] {
            let error = AzureCliCredential::new(Some(options)).expect_err("refused");
            assert!(error.is_invalid_argument() && error.remedy().is_some(), "{error}");
        }
    }
}
