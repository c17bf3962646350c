//! A person who signs in with the browser on this machine.

use std::sync::Arc;
use std::time::Duration;

use super::entra_options::EntraOptions;
use super::user_client::{UserClient, check_timeout};
use crate::error::Error;
use crate::sign_in::{AuthenticationRecord, Browser, RedirectUri, Session, session_credential};

const NAME: &str = "InteractiveBrowserCredential";
const TIMEOUT: Duration = Duration::from_secs(300);
/// What Entra's sign-in page can be told to show.
const PROMPTS: [&str; 4] = ["select_account", "login", "consent", "none"];

/// Authenticates a person in the browser on this machine: the authorization code grant with a proof key (RFC 6749, section
/// 4.1; RFC 7636), for native apps (RFC 8252).
///
/// When a token is needed for the first time, the browser opens Microsoft's sign-in page. When the person has signed in, it
/// comes back to a port on loopback, which takes this one answer and nothing else, and shows whether it went well. From then
/// on tokens are renewed with the refresh token, in the background and without the person; they are asked again only when
/// that does not do. Callers who come meanwhile wait for the same answer: there is never more than one page open.
///
/// The browser is what `BROWSER` names (commands, with the path separator between them, in which `%s` is the address), else
/// what `xdg-open`, `open` or Windows opens; under WSL the browser of Windows. Where there is none, because there is no
/// display (`DISPLAY`, `WAYLAND_DISPLAY`) or the session is one of SSH, requests fail with an error of
/// [`Outcome::Unavailable`](crate::Outcome); use [`DeviceCodeCredential`](crate::DeviceCodeCredential) there.
///
/// Objects that are created alike share nothing until it is known who signs in: two objects may be meant for two people.
/// From then on tokens and what renews them belong to the account, and are shared by all objects of the same client, tenant
/// and account in this process; one that is created with an
/// [`authentication_record`](InteractiveBrowserCredentialOptions::authentication_record) shares from the start. Once an account is known, nobody
/// else's sign-in is taken for it, except by [`authenticate`](InteractiveBrowserCredential::authenticate).
///
/// ```no_run
/// use azure_core::credentials::TokenCredential;
/// use entrada::{InteractiveBrowserCredential, InteractiveBrowserCredentialOptions};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let credential = InteractiveBrowserCredential::new(Some(InteractiveBrowserCredentialOptions {
///     tenant_id: Some("contoso.onmicrosoft.com".into()),
///     client_id: Some("11111111-1111-4111-8111-111111111111".into()),
///     ..Default::default()
/// }))?;
/// let token = credential.get_token(&["https://vault.azure.net/.default"], None).await?;
/// # let _ = token;
/// # Ok(()) }
/// ```
pub struct InteractiveBrowserCredential {
    session: Session,
}

/// Options for [`InteractiveBrowserCredential`].
#[derive(Clone, Debug, Default)]
pub struct InteractiveBrowserCredentialOptions {
    /// The tenant to sign in to; by default the one of `authentication_record`, else `organizations`: that of any work or
    /// school account.
    pub tenant_id: Option<String>,
    /// The client id of the app; by default the one of `authentication_record`, else the Azure CLI's,
    /// `04b07795-8ddb-461a-bbee-02f9e1bf7b46`, as in `azure-identity`. That one is for trying things out: the person sees
    /// the name of the Azure CLI, and a tenant may not let it in. Register an app of your own, with the platform "Mobile
    /// and desktop applications" and the redirect URI `http://localhost`.
    pub client_id: Option<String>,
    /// Where the browser comes back to: `http://localhost:PORT`, with a path if one is registered. By default
    /// `http://localhost` and the first free port of 8400 to 8999, which an app registration with `http://localhost`
    /// allows.
    pub redirect_uri: Option<String>,
    /// The name to fill in on the sign-in page. Whoever is known to be signed in goes before it.
    pub login_hint: Option<String>,
    /// What the sign-in page shows: `select_account`, which is the default, `login` for the password in any case,
    /// `consent`, or `none` for nothing: then whoever has no session in the browser is refused.
    pub prompt: Option<String>,
    /// How long the person may take; five minutes by default.
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

impl InteractiveBrowserCredential {
    /// Creates the credential. Nothing is opened or sent.
    ///
    /// # Errors
    /// Where the tenant id, client id, redirect URI, prompt or authority cannot be right, or the timeout is none.
    pub fn new(options: Option<InteractiveBrowserCredentialOptions>) -> Result<Arc<Self>, Error> {
        let options = options.unwrap_or_default();
        let make = || {
            check_timeout(options.timeout)?;
            let redirect_uri = options.redirect_uri.as_deref().map(RedirectUri::parse).transpose()?.unwrap_or_default();
            let prompt = options.prompt.unwrap_or_else(|| PROMPTS[0].to_owned());
            if !PROMPTS.contains(&prompt.as_str()) {
                return Err(Error::invalid_argument(format!("{prompt:?} is no prompt that the sign-in page knows"))
                    .next(format!("use one of: {}", PROMPTS.join(", "))));
            }
            let record = options.authentication_record;
            let user = UserClient { tenant_id: options.tenant_id, client_id: options.client_id, record: &record };
            let client = user.client(&options.entra)?;
            let timeout = options.timeout.unwrap_or(TIMEOUT);
            let way = Browser { redirect_uri, login_hint: options.login_hint, prompt, timeout };
            let automatic = !options.disable_automatic_authentication;
            Ok(Session::new(NAME, client, way, record, automatic, options.entra.cache))
        };
        let session = make().map_err(|error: Error| error.credential(NAME))?;
        Ok(Arc::new(Self { session }))
    }
}

session_credential!(InteractiveBrowserCredential);

#[cfg(test)]
mod tests;
