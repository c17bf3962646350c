//! A token that somebody keeps in a file.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use super::given_token;
use crate::cache::{Cache, Principal};
use crate::credential::{Cached, Source, credential_from_cached};
use crate::error::Error;
use crate::platform::Platform;
use crate::token::{Fetched, TokenRequest};

/// Gives the access token in a file that somebody else keeps fresh: an agent, a sidecar, a pipeline.
///
/// The file is read again when it has changed (its time of writing or its size) and before its token expires. It holds
/// the token alone, a JWT that says when it expires; or JSON with `accessToken`, `access_token` or `token`, and
/// `expires_on`, `expiresOn` or `expires_in`; or an ExecCredential of Kubernetes. At most 256 KiB are read.
///
/// It gives the token whatever the scopes of a request are. A request that names another tenant than the token's is
/// refused, and so is one with claims.
///
/// ```
/// use entrada::TokenFileCredential;
///
/// let credential = TokenFileCredential::new("/var/run/secrets/azure/token", None)?;
/// # let _ = credential;
/// # Ok::<(), entrada::Error>(())
/// ```
pub struct TokenFileCredential {
    cached: Cached,
}

/// Options for [`TokenFileCredential`].
#[derive(Clone, Debug, Default)]
pub struct TokenFileCredentialOptions {
    /// A cache of its own; by default the one of the process.
    pub cache: Option<Arc<Cache>>,
    /// The machine; by default the real one.
    pub platform: Option<Platform>,
}

impl TokenFileCredential {
    /// Creates the credential. The file is not read yet: it may not be there yet.
    ///
    /// # Errors
    /// Where the path is empty.
    pub fn new(path: impl Into<PathBuf>, options: Option<TokenFileCredentialOptions>) -> Result<Arc<Self>, Error> {
        const NAME: &str = "TokenFileCredential";
        let (path, options) = (path.into(), options.unwrap_or_default());
        if path.as_os_str().is_empty() {
            return Err(Error::invalid_argument("the path of the token's file is empty")
                .credential(NAME)
                .next("name the file that the token is kept in"));
        }
        let platform = options.platform.unwrap_or_else(Platform::system);
        let principal = Principal::new("token file", &[Some(&format!("{path:?}"))]);
        let source = TokenFile { path, platform: platform.clone() };
        Ok(Arc::new(Self { cached: Cached::new(NAME, principal, source, platform, options.cache) }))
    }
}

credential_from_cached!(TokenFileCredential);

struct TokenFile {
    path: PathBuf,
    platform: Platform,
}

#[async_trait]
impl Source for TokenFile {
    fn check(&self, request: &TokenRequest) -> Result<(), Error> {
        given_token::check(request)
    }

    async fn fetch(&self, request: &TokenRequest) -> Result<Fetched, Error> {
        let shown = self.path.display();
        let content = self.platform.files().read(&self.path, given_token::LONGEST).map_err(|error| {
            Error::failed(format!("the token's file {shown} cannot be used: {error}"))
                .next("check that whatever keeps the file fresh is running, and that this user may read it")
        })?;
        let fetched = given_token::read(&format!("the file {shown}"), &content, self.platform.clock())?;
        given_token::check_tenant(fetched.token.secret(), request.tenant_id.as_deref())?;
        Ok(fetched)
    }

    /// The stamp of the file: what was read of another version of it does not count.
    fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.platform.files().stamp(&self.path).hash(&mut hasher);
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::credential::Credential;
    use crate::platform::scripted::Scripted;

    fn credential(machine: &Scripted) -> Arc<TokenFileCredential> {
        let options = TokenFileCredentialOptions {
            cache: Some(Cache::new(Default::default())),
            platform: Some(machine.platform.clone()),
        };
        TokenFileCredential::new("/token", Some(options)).expect("valid")
    }

    async fn token(credential: &TokenFileCredential) -> Result<String, String> {
        let request = TokenRequest::new(["https://vault.azure.net/.default"]);
        let outcome = credential.token(&request).await;
        outcome.map(|token| token.secret().to_owned()).map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn the_file_is_read_again_when_it_changed() {
        let machine = Scripted::new(&[]);
        let credential = credential(&machine);
        let error = token(&credential).await.expect_err("not there yet");
        assert!(error.contains("/token cannot be used: there is no such file"), "{error}");
        machine.files.put("/token", r#"{"token":"t-1","expires_on":1800003600}"#);
        assert_eq!(token(&credential).await.as_deref(), Ok("t-1"));
        machine.files.put("/token", r#"{"token":"t-200","expires_on":1800003600}"#);
        assert_eq!(token(&credential).await.as_deref(), Ok("t-200"));
        let at_hand = credential.at_hand(&["https://vault.azure.net/.default"], None, false);
        assert_eq!(at_hand.expect("kept").secret(), "t-200");
    }

    #[tokio::test]
    async fn what_it_holds_must_be_valid() {
        let machine = Scripted::new(&[]);
        let credential = credential(&machine);
        machine.files.put("/token", r#"{"token":"hunter2","expires_on":1800000060}"#);
        assert!(token(&credential).await.is_ok());
        machine.clock.advance(Duration::from_secs(60));
        let error = token(&credential).await.expect_err("expired");
        assert!(error.starts_with("TokenFileCredential: the file /token holds a token that expired at"), "{error}");
        machine.files.put("/token", "x".repeat(given_token::LONGEST + 1));
        let error = token(&credential).await.expect_err("too large");
        assert!(error.contains("larger than 262144 bytes") && !error.contains("hunter2"), "{error}");
        assert!(TokenFileCredential::new("", None).expect_err("no path").is_invalid_argument());
    }
}
