//! A person who signs in on another device.

use std::sync::Arc;
use std::time::Duration;

use super::entra_options::EntraOptions;
use super::user_client::{UserClient, check_timeout};
use crate::error::Error;
use crate::sign_in::{AuthenticationRecord, DeviceCode, PromptCallback, Session, session_credential};

const NAME: &str = "DeviceCodeCredential";

/// Authenticates a person who enters a code in a browser, on this machine or any other device: the device authorization
/// grant of RFC 8628. For programs where no browser can be opened.
///
/// The person is asked when a token is needed for the first time, and again only when it cannot be renewed without them.
/// While they are asked, other callers wait for the same answer; tokens are renewed in the background with the refresh
/// token, which is kept in memory and never asks anybody.
///
/// Objects that are created alike share nothing until it is known who signs in: two objects may be meant for two people.
/// From then on tokens and what renews them belong to the account, and are shared by all objects of the same client, tenant
/// and account in this process; one that is created with an
/// [`authentication_record`](DeviceCodeCredentialOptions::authentication_record) shares from the start. Once an account is known, nobody
/// else's sign-in is taken for it, except by [`authenticate`](DeviceCodeCredential::authenticate).
///
/// ```no_run
/// use azure_core::credentials::TokenCredential;
/// use entrada::{DeviceCodeCredential, DeviceCodeCredentialOptions};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let credential = DeviceCodeCredential::new(Some(DeviceCodeCredentialOptions {
///     tenant_id: Some("contoso.onmicrosoft.com".into()),
///     client_id: Some("11111111-1111-4111-8111-111111111111".into()),
///     ..Default::default()
/// }))?;
/// let token = credential.get_token(&["https://vault.azure.net/.default"], None).await?;
/// # let _ = token;
/// # Ok(()) }
/// ```
pub struct DeviceCodeCredential {
    session: Session,
}

/// Options for [`DeviceCodeCredential`].
#[derive(Clone, Debug, Default)]
pub struct DeviceCodeCredentialOptions {
    /// The tenant to sign in to; by default the one of `authentication_record`, else `organizations`: that of any work or
    /// school account.
    pub tenant_id: Option<String>,
    /// The client id of the app; by default the one of `authentication_record`, else the Azure CLI's,
    /// `04b07795-8ddb-461a-bbee-02f9e1bf7b46`, as in `azure-identity`. That one is for trying things out: the person sees
    /// the name of the Azure CLI, and a tenant may not let it in. Register an app of your own, with public client flows
    /// allowed.
    pub client_id: Option<String>,
    /// How the person is told; by default a sentence on the standard output.
    pub prompt_callback: Option<PromptCallback>,
    /// How long the person may take; by default as long as the code lives, which is 15 minutes.
    pub timeout: Option<Duration>,
    /// Who is to sign in, as an earlier `authenticate` said: nobody else is then accepted.
    pub authentication_record: Option<AuthenticationRecord>,
    /// Never asks by itself: where a person would have to be asked, a request fails with
    /// [`Outcome::InteractionRequired`](crate::Outcome) and says in
    /// [`Error::authentication_request`](crate::Error::authentication_request) what to call `authenticate` with.
    pub disable_automatic_authentication: bool,
    /// What it has in common with other credentials of Entra.
    pub entra: EntraOptions,
}

impl DeviceCodeCredential {
    /// Creates the credential. Nothing is sent.
    ///
    /// # Errors
    /// Where the tenant id, client id or authority cannot be right, or the timeout is none.
    pub fn new(options: Option<DeviceCodeCredentialOptions>) -> Result<Arc<Self>, Error> {
        let options = options.unwrap_or_default();
        let make = || {
            check_timeout(options.timeout)?;
            let record = options.authentication_record;
            let user = UserClient { tenant_id: options.tenant_id, client_id: options.client_id, record: &record };
            let client = user.client(&options.entra)?;
            let way = DeviceCode { callback: options.prompt_callback.unwrap_or_default(), timeout: options.timeout };
            let automatic = !options.disable_automatic_authentication;
            Ok(Session::new(NAME, client, way, record, automatic, options.entra.cache))
        };
        let session = make().map_err(|error: Error| error.credential(NAME))?;
        Ok(Arc::new(Self { session }))
    }
}

session_credential!(DeviceCodeCredential);
