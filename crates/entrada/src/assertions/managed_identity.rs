//! A managed identity in the place of an app's secret.

use std::sync::Arc;

use async_trait::async_trait;
use zeroize::Zeroizing;

use super::audience::{audience_at, check_audience};
use super::client_assertion::{AssertionError, AssertionRequest, ClientAssertion};
use crate::credential::Credential;
use crate::credentials::{ManagedIdentityCredential, ManagedIdentityCredentialOptions};
use crate::error::Error;
use crate::managed_identity::UserAssignedId;
use crate::token::TokenRequest;

/// A managed identity that vouches for an app: no secret to keep, also where the app is in another tenant than the
/// identity.
///
/// The app needs a federated credential with the identity's tenant as issuer
/// (`https://login.microsoftonline.com/TENANT/v2.0`) and its object id as subject:
/// <https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity>. Entra
/// takes user-assigned identities only.
///
/// ```no_run
/// use azure_core::credentials::TokenCredential;
/// use entrada::{ClientAssertionCredential, ManagedIdentityAssertion, UserAssignedId};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let identity = UserAssignedId::ClientId("22222222-2222-4222-8222-222222222222".into());
/// let credential = ClientAssertionCredential::new(
///     "fabrikam.onmicrosoft.com",
///     "11111111-1111-4111-8111-111111111111".into(),
///     ManagedIdentityAssertion::new(identity)?,
///     None,
/// )?;
/// let token = credential.get_token(&["https://vault.azure.net/.default"], None).await?;
/// # let _ = token;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct ManagedIdentityAssertion {
    credential: Arc<ManagedIdentityCredential>,
    audience: Option<String>,
    identity: Option<String>,
}

/// Options for [`ManagedIdentityAssertion`].
#[derive(Clone, Debug, Default)]
pub struct ManagedIdentityAssertionOptions {
    /// The audience of the app's federated credential. By default the one that Entra suggests:
    /// `api://AzureADTokenExchange`, and `api://AzureADTokenExchangeUSGov` or `api://AzureADTokenExchangeChina` where the
    /// app's authority is in one of these clouds.
    pub audience: Option<String>,
    /// Which managed identity, and how it is asked.
    pub managed_identity: ManagedIdentityCredentialOptions,
}

impl ManagedIdentityAssertion {
    /// The user-assigned identity `id`.
    ///
    /// # Errors
    /// Where the id cannot be right.
    pub fn new(id: UserAssignedId) -> Result<Self, Error> {
        Self::with_options(ManagedIdentityAssertionOptions {
            managed_identity: ManagedIdentityCredentialOptions {
                user_assigned_id: Some(id),
                ..ManagedIdentityCredentialOptions::default()
            },
            ..ManagedIdentityAssertionOptions::default()
        })
    }

    /// The identity that the options name.
    ///
    /// # Errors
    /// Where an option cannot be right.
    pub fn with_options(options: ManagedIdentityAssertionOptions) -> Result<Self, Error> {
        let ManagedIdentityAssertionOptions { audience, managed_identity: inner } = options;
        check_audience(audience.as_deref())?;
        // One that is asked in a way of its own may be on another machine altogether.
        let plain = inner.platform.is_none() && inner.client_options.is_none() && inner.cache.is_none();
        let id = inner.user_assigned_id.as_ref().map(UserAssignedId::parts);
        let identity = plain.then(|| format!("managed identity {id:?} {:?} {audience:?}", inner.expected));
        Ok(Self { credential: ManagedIdentityCredential::new(Some(inner))?, audience, identity })
    }
}

#[async_trait]
impl ClientAssertion for ManagedIdentityAssertion {
    async fn secret(&self, request: &AssertionRequest<'_>) -> Result<Zeroizing<String>, AssertionError> {
        let audience = self.audience.as_deref().unwrap_or_else(|| audience_at(request.exchange().authority));
        let token = self.credential.token(&TokenRequest::new([format!("{audience}/.default")])).await?;
        Ok(Zeroizing::new(token.secret().to_owned()))
    }

    fn identity(&self) -> Option<String> {
        self.identity.clone()
    }
}
