//! Client assertions: what an app shows in place of a secret, whoever makes it.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::entra::{AssertionSource, Exchange};
use crate::error::Error;
use crate::platform::Platform;
use crate::token_answer::excerpt;

/// The longest assertion that is shown, in bytes. Real ones have one or two thousand.
pub(crate) const LONGEST: usize = 64 << 10;

/// Why there is no assertion: any error.
pub type AssertionError = Box<dyn std::error::Error + Send + Sync>;

/// Somebody who vouches for an app: makes or gets the assertion that the app shows to Microsoft Entra in place of a secret
/// (RFC 7523, section 2.2).
///
/// It is asked for each exchange anew, on the crate's own threads, and may take as long as the exchange: it must not
/// block them. What it gives must be a JWT. Entra believes it where the app has a federated credential with the JWT's
/// issuer, subject and audience, or the certificate of its signature.
///
/// An async closure without arguments is one:
///
/// ```
/// use entrada::{ClientAssertion, ClientAssertionCredential};
///
/// async fn from_our_issuer() -> Result<String, std::io::Error> {
/// #   Ok("e30.e30.c2ln".to_owned())
/// }
///
/// let credential = ClientAssertionCredential::new(
///     "contoso.onmicrosoft.com",
///     "11111111-1111-4111-8111-111111111111".into(),
///     from_our_issuer,
///     None,
/// )?;
/// # let _ = credential;
/// # Ok::<(), entrada::Error>(())
/// ```
#[async_trait]
pub trait ClientAssertion: Send + Sync + 'static {
    /// The assertion to show now.
    ///
    /// # Errors
    /// Whatever went wrong. It is told to the caller as the reason; an [`Error`] keeps its outcome, so that a chain goes
    /// on past one that is unavailable.
    async fn secret(&self, request: &AssertionRequest<'_>) -> Result<Zeroizing<String>, AssertionError>;

    /// Whose assertions these are: credentials whose sources say the same share their tokens.
    ///
    /// By default each object has its own.
    fn identity(&self) -> Option<String> {
        None
    }
}

#[async_trait]
impl<F, Made, Text, Reason> ClientAssertion for F
where
    F: Fn() -> Made + Send + Sync + 'static,
    Made: Future<Output = Result<Text, Reason>> + Send,
    Text: Into<Zeroizing<String>>,
    Reason: Into<AssertionError>,
{
    async fn secret(&self, _request: &AssertionRequest<'_>) -> Result<Zeroizing<String>, AssertionError> {
        self().await.map(Into::into).map_err(Into::into)
    }
}

/// The exchange that an assertion is for.
#[derive(Clone, Copy)]
pub struct AssertionRequest<'a>(pub(super) Exchange<'a>);

impl AssertionRequest<'_> {
    /// The machine.
    pub fn platform(&self) -> &Platform {
        self.0.platform
    }

    /// The client id of the app that will show the assertion.
    pub fn client_id(&self) -> &str {
        self.0.client_id
    }

    /// The URL of the token endpoint that will read the assertion.
    pub fn token_endpoint(&self) -> &str {
        self.0.audience
    }

    pub(super) fn exchange(&self) -> &Exchange<'_> {
        &self.0
    }

    /// How long the assertion may take.
    pub fn time_left(&self) -> Duration {
        self.0.deadline.left(self.0.platform.clock())
    }
}

impl fmt::Debug for AssertionRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AssertionRequest")
            .field("client_id", &self.client_id())
            .field("token_endpoint", &self.token_endpoint())
            .finish_non_exhaustive()
    }
}

/// An assertion on its way to Entra: got in time, and looked at first.
pub(crate) struct Presented(pub(crate) Arc<dyn ClientAssertion>);

#[async_trait]
impl AssertionSource for Presented {
    async fn assertion(&self, exchange: &Exchange<'_>) -> Result<Zeroizing<String>, Error> {
        let request = AssertionRequest(*exchange);
        match exchange.deadline.keep(exchange.platform.clock(), self.0.secret(&request)).await {
            Ok(Ok(assertion)) => check(&assertion).map(|()| assertion),
            Ok(Err(reason)) => Err(told(reason)),
            Err(left) => Err(Error::failed(format!("no client assertion came within {} s", left.as_secs_f32()))
                .next("find out what the source of the assertion waits for")),
        }
    }
}

/// The reason of whoever gave no assertion.
fn told(reason: AssertionError) -> Error {
    const WHAT: &str = "there is no client assertion";
    match reason.downcast::<Error>() {
        Ok(error) => error.because(WHAT),
        Err(reason) => Error::failed(format!("{WHAT}: {}", excerpt(&reason.to_string())))
            .next("find the reason in what makes the assertion; nothing was sent to Microsoft Entra")
            .caused_by_any(reason.into()),
    }
}

/// Refuses what Entra cannot take for an assertion (RFC 7515, section 7.1), without a word of it.
fn check(assertion: &str) -> Result<(), Error> {
    let refuse = |what: String| {
        Err(Error::failed(what).next(
            "give the JWT alone, three parts of base64url joined by dots, without \"Bearer\", quotes or line ends",
        ))
    };
    if assertion.trim().is_empty() {
        return refuse("the client assertion is empty".into());
    }
    if assertion.len() > LONGEST {
        return refuse(format!("the client assertion is no JWT: it is longer than {LONGEST} bytes"));
    }
    if !is_jws(assertion) {
        return refuse(format!("the client assertion is no JWT: {}", shape(assertion)));
    }
    Ok(())
}

/// Whether a text has the form of a signed JWT.
pub(crate) fn is_jws(text: &str) -> bool {
    let is_part = |part: &str| {
        let digits = part.trim_end_matches('=');
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    text.split('.').count() == 3 && text.split('.').all(is_part)
}

/// What a text looks like that is no JWT, so that its owner knows it again.
fn shape(text: &str) -> String {
    let parts = text.split('.').count();
    let characters = text.chars().count();
    match text.trim_start().chars().next() {
        Some('{' | '[') => format!("it is JSON of {characters} characters; take the token out of it"),
        Some('<') => format!("it is HTML or XML of {characters} characters"),
        _ if text.contains(char::is_whitespace) => format!("it holds white space among its {characters} characters"),
        _ if parts == 3 && text.ends_with('.') => "it is not signed: its third part is empty".to_owned(),
        _ if parts == 3 => format!("a part of its {characters} characters is empty, or not in base64url"),
        _ => format!("its {characters} characters have {parts} part{} and not 3", if parts == 1 { "" } else { "s" }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_jwt_is_described_and_not_shown() {
        for (text, words) in [
            ("", "is empty"),
            (" \n", "is empty"),
            ("hunter2", "7 characters have 1 part and not 3"),
            ("e30.e30", "2 parts"),
            ("e30.e30.hunter2.x", "4 parts"),
            ("Bearer e30.e30.hunter2", "white space"),
            ("e30.e30.hunter2\n", "white space"),
            (r#"{"token":"hunter2"}"#, "take the token out"),
            ("<html>hunter2", "HTML"),
            ("e30.hunter2.", "it is not signed"),
            ("e30..hunter2", "12 characters is empty, or not in base64url"),
            ("e30.ä.hunter2", "13 characters is empty, or not in base64url"),
        ] {
            let error = check(text).expect_err(text).to_string();
            assert!(error.contains(words), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        assert!(check("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzIn0.c2ln").is_ok());
        assert!(check("e30=.e30=.c2k=").is_ok(), "some libraries pad");
        assert!(check(&format!("e30.e30.{}", "a".repeat(LONGEST))).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), dots in "[a-zA-Z0-9_.=-]{0,40}") {
            let _ = check(&text);
            prop_assert_eq!(check(&dots).is_ok(), is_jws(&dots) && !dots.trim().is_empty());
        }
    }
}
