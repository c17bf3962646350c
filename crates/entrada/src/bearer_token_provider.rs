//! A token for clients that want nothing but its text.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::credential::{Credential, Fetch};
use crate::error::Error;
use crate::token::{Token, TokenRequest};

/// Makes a provider of bearer tokens for clients that are not Azure's own, such as those of OpenAI's API or of PostgreSQL:
/// they call it before each request or connection.
///
/// ```no_run
/// use entrada::{DefaultAzureCredential, get_bearer_token_provider};
///
/// # async fn example() -> Result<(), entrada::Error> {
/// let credential = DefaultAzureCredential::new(None)?;
/// let provider = get_bearer_token_provider(credential, ["https://cognitiveservices.azure.com/.default"]);
/// let header = format!("Bearer {}", provider.token().await?.secret());
/// # let _ = header;
/// # Ok(()) }
/// ```
pub fn get_bearer_token_provider<S: Into<String>>(
    credential: Arc<dyn Credential>,
    scopes: impl IntoIterator<Item = S>,
) -> BearerTokenProvider {
    BearerTokenProvider { credential, request: Arc::new(TokenRequest::new(scopes)) }
}

/// Gives a token that is good now, from the cache of the credential where it has one. Cheap to clone; see
/// [`get_bearer_token_provider`].
#[derive(Clone)]
pub struct BearerTokenProvider {
    credential: Arc<dyn Credential>,
    request: Arc<TokenRequest>,
}

impl BearerTokenProvider {
    /// The token; [`Token::secret`] goes after `Bearer ` in an `Authorization` header.
    ///
    /// # Errors
    /// As [`Credential::token`].
    pub async fn token(&self) -> Result<Arc<Token>, Error> {
        self.credential.token(&self.request).await
    }

    /// The token, for callers without an async runtime: waits for it on this thread, but no longer than `limit`. What is
    /// being fetched then goes on, for the next caller.
    ///
    /// # Errors
    /// As [`Credential::token`], and where the time is up.
    pub fn token_blocking(&self, limit: Duration) -> Result<Arc<Token>, Error> {
        let scopes: Vec<&str> = self.request.scopes.iter().map(String::as_str).collect();
        if let Some(token) = self.credential.at_hand(&scopes, None, false) {
            return Ok(token);
        }
        let fetch = Fetch::start(Arc::clone(&self.credential), TokenRequest::clone(&self.request));
        fetch.wait_blocking(limit).unwrap_or_else(|| {
            Err(Error::failed(format!("there is no token after {} s", limit.as_secs_f32()))
                .credential(self.credential.name())
                .next("ask again, or allow more time: retries alone may take a minute"))
        })
    }
}

impl fmt::Debug for BearerTokenProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BearerTokenProvider")
            .field("credential", &self.credential)
            .field("scopes", &self.request.scopes)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use zeroize::Zeroizing;

    use super::*;

    /// Gives a token at once, or never.
    #[derive(Debug)]
    struct Given(Option<&'static str>);

    #[async_trait]
    impl Credential for Given {
        fn name(&self) -> &str {
            "Given"
        }

        async fn token(&self, request: &TokenRequest) -> Result<Arc<Token>, Error> {
            match (self.0, &*request.scopes) {
                (Some(secret), [scope]) if scope == "s" => {
                    Ok(Arc::new(Token::new(Zeroizing::new(secret.into()), 9, None)))
                }
                (Some(_), scopes) => Err(Error::failed(format!("not {scopes:?}"))),
                (None, _) => std::future::pending().await,
            }
        }
    }

    #[tokio::test]
    async fn the_token_is_the_credentials() {
        let provider = get_bearer_token_provider(Arc::new(Given(Some("t-1"))), ["s"]);
        assert_eq!(provider.token().await.expect("a token").secret(), "t-1");
        assert_eq!(provider.token_blocking(Duration::from_secs(60)).expect("a token").secret(), "t-1");
    }

    #[test]
    fn nobody_waits_for_ever() {
        let provider = get_bearer_token_provider(Arc::new(Given(None)), ["s"]);
        let error = provider.token_blocking(Duration::from_millis(1)).expect_err("never").to_string();
        assert!(error.starts_with("Given: there is no token after"), "{error}");
        let refused = get_bearer_token_provider(Arc::new(Given(Some("t-1"))), ["a", "b"]);
        assert!(refused.token_blocking(Duration::from_secs(60)).is_err());
    }
}
