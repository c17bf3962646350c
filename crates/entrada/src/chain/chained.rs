//! A chain of a user's own making.

use std::sync::Arc;

use async_trait::async_trait;

use super::walk::{Chain, Member};
use crate::credential::{Credential, token_credential};
use crate::error::Error;
use crate::platform::Platform;
use crate::token::{Token, TokenRequest};

/// Asks one credential after the other until one gives a token, and that one alone from then on.
///
/// The chain goes on where a credential is not set up ([`Outcome::Unavailable`](crate::Outcome::Unavailable)), or would
/// have to ask a person and was told not to by itself. It stops where one is set up and fails: otherwise a mistake would
/// silently become another identity.
///
/// ```
/// use entrada::{AzureCliCredential, ChainedTokenCredential, ManagedIdentityCredential};
///
/// let credential = ChainedTokenCredential::new(vec![
///     ManagedIdentityCredential::new(None)?,
///     AzureCliCredential::new(None)?,
/// ])?;
/// # let _ = credential;
/// # Ok::<(), entrada::Error>(())
/// ```
pub struct ChainedTokenCredential {
    chain: Arc<Chain>,
}

impl ChainedTokenCredential {
    /// Creates the chain.
    ///
    /// # Errors
    /// Where there is no credential in it.
    pub fn new(credentials: Vec<Arc<dyn Credential>>) -> Result<Arc<Self>, Error> {
        let members = credentials.into_iter().map(|credential| Member { credential, may_fail: false }).collect();
        let chain = Chain::new("ChainedTokenCredential", members, Platform::system())?;
        Ok(Arc::new(Self { chain }))
    }
}

#[async_trait]
impl Credential for ChainedTokenCredential {
    fn name(&self) -> &str {
        "ChainedTokenCredential"
    }

    fn at_hand(&self, scopes: &[&str], tenant_id: Option<&str>, enable_cae: bool) -> Option<Arc<Token>> {
        self.chain.at_hand(scopes, tenant_id, enable_cae)
    }

    async fn token(&self, request: &TokenRequest) -> Result<Arc<Token>, Error> {
        self.chain.token(request).await
    }
}

token_credential!(ChainedTokenCredential);

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use zeroize::Zeroizing;

    use super::*;
    use crate::error::Outcome;

    #[derive(Debug)]
    struct Member {
        name: &'static str,
        answer: fn() -> Result<(), Error>,
        asked: AtomicUsize,
    }

    fn member(name: &'static str, answer: fn() -> Result<(), Error>) -> Arc<Member> {
        Arc::new(Member { name, answer, asked: AtomicUsize::new(0) })
    }

    #[async_trait]
    impl Credential for Member {
        fn name(&self) -> &str {
            self.name
        }

        async fn token(&self, _request: &TokenRequest) -> Result<Arc<Token>, Error> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            (self.answer)()
                .map(|()| Arc::new(Token::new(Zeroizing::new(self.name.into()), 4_000_000_000, None)))
                .map_err(|error| error.credential(self.name))
        }
    }

    fn asked(members: &[&Arc<Member>]) -> Vec<usize> {
        members.iter().map(|member| member.asked.load(Ordering::SeqCst)).collect()
    }

    #[tokio::test]
    async fn the_first_that_answers_is_remembered() {
        let absent = member("absent", || Err(Error::unavailable("not here")));
        let good = member("good", || Ok(()));
        let unused = member("unused", || Ok(()));
        let chain = ChainedTokenCredential::new(vec![absent.clone(), good.clone(), unused.clone()]).expect("members");
        for _ in 0..3 {
            let token = chain.token(&TokenRequest::new(["s"])).await.expect("a token");
            assert_eq!(token.secret(), "good");
        }
        assert_eq!(asked(&[&absent, &good, &unused]), [1, 3, 0]);
    }

    #[tokio::test]
    async fn a_failure_stops_it_and_is_named() {
        let broken = member("broken", || Err(Error::failed("refused").next("mend it")));
        let unused = member("unused", || Ok(()));
        let chain = ChainedTokenCredential::new(vec![broken, unused.clone()]).expect("members");
        let error = chain.token(&TokenRequest::new(["s"])).await.expect_err("it stops");
        assert_eq!(error.outcome(), Outcome::Failed);
        let text = error.to_string();
        assert!(text.contains("broken is set up but failed"), "{text}");
        assert!(text.contains("next: mend it"), "{text}");
        assert_eq!(asked(&[&unused]), [0]);
    }

    #[tokio::test]
    async fn who_may_not_ask_a_person_gives_way_and_who_has_asked_does_not() {
        let silent = member("silent", || {
            Err(Error::interaction_required("nobody signed in").authenticated_by(TokenRequest::new(["s"])))
        });
        let refused = member("refused", || Err(Error::interaction_required("consent first")));
        let unused = member("unused", || Ok(()));
        let chain = ChainedTokenCredential::new(vec![silent, refused, unused.clone()]).expect("members");
        let error = chain.token(&TokenRequest::new(["s"])).await.expect_err("it stops");
        assert!(error.to_string().contains("refused is set up but failed"), "{error}");
        assert_eq!(asked(&[&unused]), [0]);
    }

    #[tokio::test]
    async fn where_nobody_is_set_up_all_are_listed_and_an_outer_chain_goes_on() {
        let one = member("one", || Err(Error::unavailable("no one")));
        let two = member("two", || Err(Error::unavailable("no two")));
        let inner = ChainedTokenCredential::new(vec![one, two]).expect("members");
        let good = member("good", || Ok(()));
        let outer = ChainedTokenCredential::new(vec![inner.clone(), good]).expect("members");
        let error = inner.token(&TokenRequest::new(["s"])).await.expect_err("nobody");
        assert_eq!(error.outcome(), Outcome::Unavailable);
        assert_eq!(error.chain_attempts().len(), 2);
        assert!(error.to_string().contains("no one") && error.to_string().contains("no two"));
        assert!(outer.token(&TokenRequest::new(["s"])).await.is_ok());
    }

    #[test]
    fn an_empty_chain_is_refused() {
        assert!(ChainedTokenCredential::new(vec![]).is_err());
    }
}
