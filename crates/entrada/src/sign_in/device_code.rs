//! Signing in on another device (RFC 8628): the person is told a code, and enters it where there is a browser.

use std::fmt;
use std::future::Future;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;

use super::account;
use super::session::{SignIn, SignedIn, Want};
use crate::deadline::Deadline;
use crate::entra::{self, Client, DeviceAuthorization, Grant};
use crate::error::Error;
use crate::platform::HttpError;

/// How much longer to wait between two questions when asked to slow down (RFC 8628, section 3.5).
const SLOWER: Duration = Duration::from_secs(5);

/// What a person is told to sign in with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeviceCodeInfo {
    /// The page to open, on any device.
    pub verification_uri: String,
    /// The code to enter there.
    pub user_code: String,
    /// Until when, in seconds since 1970-01-01T00:00:00Z.
    pub expires_on: i64,
    /// Both in a sentence, in Microsoft's own words.
    pub message: String,
}

/// How a person is told what to sign in with.
///
/// ```
/// use entrada::PromptCallback;
///
/// let callback = PromptCallback::new(|info| {
///     eprintln!("Open {} and enter {}", info.verification_uri, info.user_code);
///     Ok(())
/// });
/// let in_a_task = PromptCallback::from_async(|info| async move {
///     // Send a message, for example.
///     let _ = info.message;
///     Ok(())
/// });
/// # let _ = (callback, in_a_task);
/// ```
#[derive(Clone)]
pub struct PromptCallback(Arc<Callback>);

type Callback = dyn Fn(DeviceCodeInfo) -> BoxFuture<'static, Result<(), Error>> + Send + Sync;

impl PromptCallback {
    /// Calls a function, which may block: it has a thread of its own. An error from it ends the sign-in, and comes back to
    /// whoever asked for the token.
    pub fn new(callback: impl Fn(DeviceCodeInfo) -> Result<(), Error> + Send + Sync + 'static) -> Self {
        let callback = Arc::new(callback);
        Self::from_async(move |info| {
            let callback = Arc::clone(&callback);
            async move {
                let told = tokio::task::spawn_blocking(move || callback(info)).await;
                told.unwrap_or_else(|_| Err(Error::failed("the prompt_callback panicked").next("mend it")))
            }
        })
    }

    /// Calls an asynchronous function, which runs on the crate's own threads and must not block them.
    pub fn from_async<F>(callback: impl Fn(DeviceCodeInfo) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        Self(Arc::new(move |info| Box::pin(callback(info))))
    }
}

impl Default for PromptCallback {
    /// Writes [`DeviceCodeInfo::message`] to the standard output, as `azure-identity` does.
    fn default() -> Self {
        Self::new(|info| {
            let mut stdout = std::io::stdout().lock();
            writeln!(stdout, "{}", info.message).and_then(|()| stdout.flush()).map_err(|error| {
                Error::failed(format!("nobody could be told the device code: the standard output is closed: {error}"))
                    .next("pass a prompt_callback")
            })
        })
    }
}

impl fmt::Debug for PromptCallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PromptCallback").finish_non_exhaustive()
    }
}

/// The way to sign in.
pub(crate) struct DeviceCode {
    pub(crate) callback: PromptCallback,
    /// How long the person may take, where that is less than the code's life.
    pub(crate) timeout: Option<Duration>,
}

#[async_trait]
impl SignIn for DeviceCode {
    async fn sign_in(&self, client: &Client, want: &Want) -> Result<SignedIn, Error> {
        let clock = client.platform.clock();
        let codes = client.device_authorization(&want.request, Deadline::after(clock, entra::LIMIT)).await?;
        let limit = self.timeout.map_or(codes.lifetime, |timeout| timeout.min(codes.lifetime));
        let deadline = Deadline::after(clock, limit);
        let expires_on = clock.unix_time().saturating_add_unsigned(codes.lifetime.as_secs());
        let told = (self.callback.0)(info(&codes, expires_on));
        // A function that never returns holds nobody longer than the code lives.
        tokio::select! {
            biased;
            told = told => told?,
            () = async { clock.sleep(deadline.left(clock)).await } => {}
        }
        let granted = self.wait(client, want, &codes, deadline).await?;
        let record = account(&granted, client, None)?;
        Ok(SignedIn { granted, record })
    }
}

impl DeviceCode {
    /// Asks until the person has entered the code, or has declined, or the time is up.
    async fn wait(
        &self,
        client: &Client,
        want: &Want,
        codes: &DeviceAuthorization,
        deadline: Deadline,
    ) -> Result<entra::Granted, Error> {
        let clock = client.platform.clock();
        let mut interval = codes.interval;
        loop {
            let left = deadline.left(clock);
            if left < interval {
                clock.sleep(left).await;
                return Err(too_late(self.timeout, codes));
            }
            clock.sleep(interval).await;
            let limit = deadline.left(clock).clamp(Duration::from_secs(5), entra::LIMIT);
            let grant = Grant::DeviceCode(&codes.device_code);
            let error = match client.redeem(&want.request, &grant, Deadline::after(clock, limit)).await {
                Ok(granted) => return Ok(granted),
                Err(error) => error,
            };
            match error.server_answer().and_then(|answer| answer.error.as_deref()) {
                Some("authorization_pending") => {}
                Some("slow_down") => interval += SLOWER,
                _ if passes(&error) => interval += SLOWER,
                _ => return Err(error),
            }
        }
    }
}

fn info(codes: &DeviceAuthorization, expires_on: i64) -> DeviceCodeInfo {
    let DeviceAuthorization { verification_uri, user_code, message, .. } = codes;
    let message = message.clone().unwrap_or_else(|| {
        format!(
            "To sign in, use a web browser to open the page {verification_uri} and enter the code {user_code} to authenticate."
        )
    });
    DeviceCodeInfo { verification_uri: verification_uri.clone(), user_code: user_code.clone(), expires_on, message }
}

/// That the question did not arrive, or was not answered: the person may be entering the code meanwhile.
fn passes(error: &Error) -> bool {
    let unreached = std::error::Error::source(error).and_then(|source| source.downcast_ref::<HttpError>());
    unreached.is_some_and(HttpError::is_transient)
        || error.server_answer().and_then(|answer| answer.status).is_some_and(|status| status == 429 || status >= 500)
}

fn too_late(timeout: Option<Duration>, codes: &DeviceAuthorization) -> Error {
    let (limit, whose) = match timeout.filter(|timeout| *timeout < codes.lifetime) {
        Some(timeout) => (timeout, "the timeout"),
        None => (codes.lifetime, "the life of the code"),
    };
    Error::failed(format!(
        "Timed out waiting for user to authenticate: nobody entered the code within {} s, {whose}",
        limit.as_secs()
    ))
    .next("ask again, which shows a new code")
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::AuthenticationRecord;
    use crate::cache::Cache;
    use crate::credential::Credential;
    use crate::credentials::{DeviceCodeCredential, DeviceCodeCredentialOptions, EntraOptions};
    use crate::platform::scripted::{Scripted, response};
    use crate::platform::{Clock, HttpResponse};
    use crate::token::TokenRequest;

    type Told = Arc<Mutex<Vec<DeviceCodeInfo>>>;

    const CODES: &str = r#"{"device_code":"d3v1ce","user_code":"ABCD-1234","interval":5,"expires_in":900,
        "verification_uri":"https://microsoft.com/devicelogin","message":"To sign in,\n open it."}"#;
    // {"uid":"u-1","utid":"t-1"}
    const TOKEN: &str = r#"{"access_token":"t-1","expires_in":3600,"refresh_token":"r3fresh",
        "client_info":"eyJ1aWQiOiJ1LTEiLCJ1dGlkIjoidC0xIn0"}"#;

    fn answer(status: u16, error: &str) -> Result<HttpResponse, HttpError> {
        Ok(response(status, &format!(r#"{{"error":"{error}"}}"#)))
    }

    fn codes() -> Result<HttpResponse, HttpError> {
        Ok(response(200, CODES))
    }

    fn credential(machine: &Scripted, timeout: Option<u64>) -> (Arc<DeviceCodeCredential>, Told) {
        let told = Told::default();
        let tell = Arc::clone(&told);
        let options = DeviceCodeCredentialOptions {
            client_id: Some("client".into()),
            prompt_callback: Some(PromptCallback::from_async(move |info| {
                tell.lock().expect("no panic").push(info);
                std::future::ready(Ok(()))
            })),
            timeout: timeout.map(Duration::from_secs),
            entra: EntraOptions {
                platform: Some(machine.platform.clone()),
                cache: Some(Cache::new(Default::default())),
                ..Default::default()
            },
            ..Default::default()
        };
        (DeviceCodeCredential::new(Some(options)).expect("valid"), told)
    }

    fn request() -> TokenRequest {
        TokenRequest::new(["https://vault.azure.net/.default"])
    }

    #[tokio::test]
    async fn the_person_is_told_once_and_waited_for_at_the_pace_that_is_asked_for() {
        let machine = Scripted::new(&[]).answers([
            codes(),
            answer(400, "authorization_pending"),
            answer(400, "slow_down"),
            Err(HttpError::TooLarge),
        ]);
        let (credential, told) = credential(&machine, None);
        let before = machine.clock.elapsed();
        credential.token(&request()).await.expect_err("no answer");
        // After five seconds, five more, and ten more.
        assert_eq!(machine.clock.elapsed() - before, Duration::from_secs(20));
        let told = told.lock().expect("no panic");
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].user_code, "ABCD-1234");
        assert_eq!(told[0].expires_on, 1_800_000_900);
        assert_eq!(told[0].message, "To sign in, open it.");
        let sent = machine.http.sent();
        assert_eq!(sent[0].line, "POST https://login.microsoftonline.com/organizations/oauth2/v2.0/devicecode");
        assert_eq!(
            sent[0].body,
            "client_id=client&scope=https%3A%2F%2Fvault.azure.net%2F.default+offline_access+openid+profile"
        );
        assert_eq!(sent[1].line, "POST https://login.microsoftonline.com/organizations/oauth2/v2.0/token");
        assert!(sent[1].body.contains("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code"));
        assert!(sent[1].body.contains("device_code=d3v1ce"));
    }

    #[tokio::test]
    async fn what_passes_does_not_end_the_wait() {
        let broken = || Err(HttpError::Connect("no route".into()));
        let machine = Scripted::new(&[]).answers([
            codes(),
            broken(),
            broken(),
            broken(),
            answer(400, "authorization_pending"),
            Ok(response(200, TOKEN)),
        ]);
        let (credential, _) = credential(&machine, None);
        assert_eq!(credential.token(&request()).await.expect("a token").secret(), "t-1");
    }

    #[tokio::test]
    async fn who_declines_or_is_too_late_is_told_so() {
        for (error, words) in
            [("authorization_declined", "declined"), ("expired_token", "expired"), ("bad_verification_code", "code")]
        {
            let machine = Scripted::new(&[]).answers([codes(), answer(400, error)]);
            let (credential, _) = credential(&machine, None);
            let error = credential.token(&request()).await.expect_err(words).to_string();
            assert!(error.starts_with("DeviceCodeCredential: ") && error.contains(words), "{words}: {error}");
            assert!(!error.contains("d3v1ce"), "{error}");
        }
        for (timeout, seconds) in [(None, 900), (Some(60), 60), (Some(3600), 900)] {
            let pending = std::iter::repeat_with(|| answer(400, "authorization_pending")).take(200);
            let machine = Scripted::new(&[]).answers(std::iter::once(codes()).chain(pending));
            let (credential, _) = credential(&machine, timeout);
            let before = machine.clock.elapsed();
            let error = credential.token(&request()).await.expect_err("too late").to_string();
            assert!(error.contains(&format!("within {seconds} s")), "{error}");
            assert_eq!((machine.clock.elapsed() - before).as_secs(), seconds);
        }
    }

    #[tokio::test]
    async fn a_callback_that_fails_ends_the_sign_in() {
        let machine = Scripted::new(&[]).answers([codes()]);
        let options = DeviceCodeCredentialOptions {
            prompt_callback: Some(PromptCallback::from_async(|_| {
                std::future::ready(Err(Error::failed("the chat is closed")))
            })),
            entra: EntraOptions { platform: Some(machine.platform.clone()), ..Default::default() },
            ..Default::default()
        };
        let credential = DeviceCodeCredential::new(Some(options)).expect("valid");
        let error = credential.token(&request()).await.expect_err("not told").to_string();
        assert!(error.contains("the chat is closed"), "{error}");
        assert_eq!(machine.http.sent().len(), 1);
    }

    #[test]
    fn bad_options_are_refused_at_construction() {
        let record =
            AuthenticationRecord::new("t", "recorded", "login.microsoftonline.us", "o.t", "ada").expect("valid");
        for (options, words) in [
            (DeviceCodeCredentialOptions { timeout: Some(Duration::ZERO), ..Default::default() }, "timeout is zero"),
            (DeviceCodeCredentialOptions { tenant_id: Some("a b".into()), ..Default::default() }, "not a tenant id"),
            (
                DeviceCodeCredentialOptions {
                    client_id: Some("other".into()),
                    authentication_record: Some(record),
                    ..Default::default()
                },
                "is of client recorded",
            ),
        ] {
            let error = DeviceCodeCredential::new(Some(options)).expect_err(words);
            assert!(error.is_invalid_argument() && error.to_string().contains(words), "{error}");
        }
    }
}
