//! Asking one credential after the other, and remembering which one answered.

use std::sync::{Arc, OnceLock};

use crate::cache::{Flights, Joined};
use crate::credential::Credential;
use crate::error::{Attempt, Error, Outcome};
use crate::platform::Platform;
use crate::token::{Token, TokenRequest};

/// One credential of a chain.
pub(super) struct Member {
    pub(super) credential: Arc<dyn Credential>,
    /// Whether the chain goes on even where this credential is set up and fails: a developer's tool that is broken should
    /// not hide another one that works.
    pub(super) may_fail: bool,
}

/// A chain.
pub(super) struct Chain {
    name: &'static str,
    members: Vec<Member>,
    platform: Platform,
    /// The member that gave the first token. It is asked alone from then on, so that a program does not change its
    /// identity while it runs.
    chosen: OnceLock<usize>,
    walks: Arc<Flights<TokenRequest, Arc<Token>>>,
}

impl Chain {
    pub(super) fn new(name: &'static str, members: Vec<Member>, platform: Platform) -> Result<Arc<Self>, Error> {
        if members.is_empty() {
            return Err(Error::invalid_argument("a chain needs at least one credential").credential(name));
        }
        Ok(Arc::new(Self { name, members, platform, chosen: OnceLock::new(), walks: Flights::new() }))
    }

    fn chosen(&self) -> Option<&dyn Credential> {
        let chosen = self.chosen.get()?;
        Some(&*self.members[*chosen].credential)
    }

    pub(super) fn at_hand(&self, scopes: &[&str], tenant_id: Option<&str>, enable_cae: bool) -> Option<Arc<Token>> {
        self.chosen()?.at_hand(scopes, tenant_id, enable_cae)
    }

    pub(super) async fn token(self: &Arc<Self>, request: &TokenRequest) -> Result<Arc<Token>, Error> {
        if let Some(chosen) = self.chosen() {
            return chosen.token(request).await;
        }
        let chain = Arc::clone(self);
        let departure = {
            let request = request.clone();
            || Box::pin(async move { chain.walk(request).await }) as _
        };
        let token = match self.walks.join(request.clone(), || None, departure) {
            Joined::Landed(token) => token,
            Joined::Flight(flight) => flight.wait().await?,
        };
        match self.chosen() {
            // A busy task comes late, later still when the laptop was closed meanwhile: it has expired.
            Some(chosen) if token.expires_on() <= self.platform.clock().unix_time() => chosen.token(request).await,
            _ => Ok(token),
        }
    }

    async fn walk(&self, mut request: TokenRequest) -> Result<Arc<Token>, Error> {
        // Alone, a credential has nobody to give way to: it may be as patient as it is by itself.
        request.within_chain = self.members.len() > 1;
        let clock = self.platform.clock();
        let mut attempts = Vec::new();
        let mut stopped = false;
        for (index, member) in self.members.iter().enumerate() {
            let started = clock.elapsed();
            let error = match member.credential.token(&request).await {
                Ok(token) => {
                    let chosen = self.chosen.get_or_init(|| index);
                    if *chosen == index {
                        tracing::info!(chain = self.name, credential = member.credential.name(), "chose a credential");
                    }
                    return Ok(token);
                }
                Err(error) => error,
            };
            if error.is_invalid_argument() {
                return Err(error);
            }
            // Whoever would have to ask a person, and was told not to by itself, has not tried.
            let was_tried = error.outcome() != Outcome::Unavailable && error.authentication_request().is_none();
            stopped = was_tried && !member.may_fail;
            attempts.push(Attempt {
                credential: member.credential.name().to_owned(),
                error,
                took: clock.elapsed().saturating_sub(started),
            });
            if stopped {
                break;
            }
        }
        Err(self.report(attempts, stopped))
    }

    fn report(&self, attempts: Vec<Attempt>, stopped: bool) -> Error {
        let last = attempts.last();
        let error = match (stopped, last) {
            (true, Some(last)) => Error::failed(format!(
                "{} is set up but failed, and no other identity is tried in its place",
                last.credential
            )),
            _ => Error::unavailable("none of the credentials could sign in"),
        };
        let next = match (stopped, last) {
            (true, Some(last)) => last.error.remedy().map(str::to_owned),
            _ => Some(
                "on a developer's machine, run: az login; in Azure, enable the managed identity of the resource; \
                 elsewhere, set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET"
                    .to_owned(),
            ),
        };
        let error = error.credential(self.name).attempts(attempts);
        match next {
            Some(next) => error.next(next),
            None => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Poll;
    use std::time::Duration;

    use async_trait::async_trait;
    use zeroize::Zeroizing;

    use super::*;
    use crate::platform::scripted::Scripted;
    use crate::runtime::by_hand::{ByHand, Polled};

    /// Numbers its tokens, which live for a minute.
    struct Numbered(AtomicUsize, Platform);

    impl std::fmt::Debug for Numbered {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.name())
        }
    }

    #[async_trait]
    impl Credential for Numbered {
        fn name(&self) -> &str {
            "Numbered"
        }

        async fn token(&self, _request: &TokenRequest) -> Result<Arc<Token>, Error> {
            let number = self.0.fetch_add(1, Ordering::SeqCst) + 1;
            let ends = self.1.clock().unix_time() + 60;
            Ok(Arc::new(Token::new(Zeroizing::new(format!("t-{number}")), ends, None)))
        }
    }

    #[test]
    fn who_comes_too_late_for_what_a_walk_brought_asks_again() {
        let (hand, machine) = (ByHand::new(), Scripted::new(&[]));
        let credential = Arc::new(Numbered(AtomicUsize::new(0), machine.platform.clone()));
        let chain = Chain::new("Chain", vec![Member { credential, may_fail: false }], machine.platform.clone());
        let chain = chain.expect("valid");
        let caller = || {
            let chain = Arc::clone(&chain);
            Polled::new(
                async move { chain.token(&TokenRequest::new(["s"])).await.map(|token| token.secret().to_owned()) },
            )
        };
        let (mut quick, mut late) = (caller(), caller());
        assert!(quick.poll().is_pending() && late.poll().is_pending());
        hand.run();
        assert!(matches!(quick.poll(), Poll::Ready(Ok(token)) if token == "t-1"));
        machine.clock.advance(Duration::from_secs(60));
        assert!(matches!(late.poll(), Poll::Ready(Ok(token)) if token == "t-2"));
    }
}
