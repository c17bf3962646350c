//! What every credential is: a source behind the cache.

use std::fmt;
use std::future::ready;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use azure_core::credentials::AccessToken;
use futures::future::BoxFuture;

use crate::cache::{Cache, Entry, Flight, Freshness, Joined, Key, Principal, Sought};
use crate::error::Error;
use crate::platform::Platform;
use crate::runtime;
use crate::token::{Fetched, Token, TokenRequest};

/// Something that can be asked for tokens.
///
/// The crate's own credentials all are, beside being an [`azure_core::credentials::TokenCredential`]; a chain takes
/// nothing else. Implement it for a credential of your own to put it into a chain: return an
/// [unavailable](Error::unavailable) error to say "not me, go on".
#[async_trait]
pub trait Credential: fmt::Debug + Send + Sync {
    /// The name to report, for example `ClientSecretCredential`.
    fn name(&self) -> &str;

    /// The token for a request without claims, if there is one that needs no waiting. A new one is fetched in the
    /// background where it is time for that.
    ///
    /// By default there never is one.
    fn at_hand(&self, scopes: &[&str], tenant_id: Option<&str>, enable_cae: bool) -> Option<Arc<Token>> {
        let _ = (scopes, tenant_id, enable_cae);
        None
    }

    /// Gets a token, from the cache where it has a good one.
    ///
    /// # Errors
    /// [`Error`] says whether this way of signing in is not set up, failed, or needs a person.
    async fn token(&self, request: &TokenRequest) -> Result<Arc<Token>, Error>;
}

/// How an identity is proven: fetches one token, now. It knows nothing of caching.
#[async_trait]
pub(crate) trait Source: Send + Sync + 'static {
    /// Refuses requests that cannot succeed, before anything is sent.
    fn check(&self, request: &TokenRequest) -> Result<(), Error>;

    /// Fetches a token.
    async fn fetch(&self, request: &TokenRequest) -> Result<Fetched, Error>;

    /// Where the tokens come from and whose they should be, in words, for errors about a token that did come.
    fn origin(&self) -> String {
        String::new()
    }

    /// Something that changes when tokens fetched earlier belong to somebody else.
    fn fingerprint(&self) -> u64 {
        0
    }
}

/// How many different requests a credential remembers the cache entries of.
const REMEMBERED: usize = 9;

/// A source behind the cache: what a credential consists of.
pub(crate) struct Cached {
    name: &'static str,
    principal: Principal,
    source: Arc<dyn Source>,
    platform: Platform,
    cache: Arc<Cache>,
    /// The entries of the first requests: most credentials only ever see one or two. A hit on them takes no hash.
    remembered: [OnceLock<Arc<Slot>>; REMEMBERED],
}

struct Slot {
    request: TokenRequest,
    key: Key,
    entry: Arc<Entry>,
}

impl Slot {
    fn serves(&self, scopes: &[&str], tenant_id: Option<&str>, enable_cae: bool) -> bool {
        self.request.enable_cae == enable_cae
            && self.request.tenant_id.as_deref() == tenant_id
            && self.request.scopes == scopes
    }
}

impl Cached {
    pub(crate) fn new(
        name: &'static str,
        principal: Principal,
        source: impl Source,
        platform: Platform,
        cache: Option<Arc<Cache>>,
    ) -> Self {
        Self {
            name,
            principal,
            source: Arc::new(source),
            platform,
            cache: cache.unwrap_or_else(Cache::process),
            remembered: Default::default(),
        }
    }

    pub(crate) fn at_hand(&self, scopes: &[&str], tenant_id: Option<&str>, enable_cae: bool) -> Option<Arc<Token>> {
        self.with_at_hand(scopes, tenant_id, enable_cae, Arc::clone)
    }

    /// Looks at the token that [`at_hand`](Self::at_hand) would return.
    pub(crate) fn with_at_hand<R>(
        &self,
        scopes: &[&str],
        tenant_id: Option<&str>,
        enable_cae: bool,
        look: impl FnOnce(&Arc<Token>) -> R,
    ) -> Option<R> {
        let mut remembered = self.remembered.iter().map_while(OnceLock::get);
        if let Some(slot) = remembered.find(|slot| slot.serves(scopes, tenant_id, enable_cae)) {
            return self.ready(slot, look);
        }
        let request = || {
            let mut request = TokenRequest::new(scopes.iter().copied());
            request.tenant_id = tenant_id.map(str::to_owned);
            request.enable_cae = enable_cae;
            self.source.check(&request).ok().map(|()| request)
        };
        // One of many, beyond those remembered, is looked for without a lock. Which tenants may be asked is each object's
        // own matter; all else was checked for whoever fetched the token.
        if self.remembered[REMEMBERED - 1].get().is_some() {
            if tenant_id.is_some() {
                request()?;
            }
            let sought = Sought { principal: self.principal, scopes, tenant_id, enable_cae };
            let view = self.cache.view(&sought, self.now(), self.source.fingerprint());
            if let Some(view) = view.filter(|view| view.freshness() == Freshness::Fresh || view.rests) {
                return view.token().map(look);
            }
        }
        // Another object that is constructed alike may have it. Programs that make a credential for each request are
        // common, and should not pay with a task each.
        self.ready(&self.slot(&request()?), look)
    }

    /// Looks at what a slot has that needs no waiting; starts to fetch a new token where it is time for that.
    fn ready<R>(&self, slot: &Arc<Slot>, look: impl FnOnce(&Arc<Token>) -> R) -> Option<R> {
        let view = slot.entry.view(self.now(), self.source.fingerprint());
        match view.freshness() {
            Freshness::Stale if !view.rests => {
                self.join(slot);
            }
            Freshness::NearlyExpired if !view.rests => return None,
            _ => {}
        }
        view.token().map(look)
    }

    pub(crate) async fn token(&self, request: &TokenRequest) -> Result<Arc<Token>, Error> {
        self.source.check(request).map_err(|error| error.credential(self.name))?;
        let slot = self.slot(request);
        if request.claims.is_none()
            && let Some(token) = self.ready(&slot, Arc::clone)
        {
            return Ok(token);
        }
        let landing = match self.join(&slot) {
            Joined::Landed(token) => return Ok(token),
            Joined::Flight(flight) => flight.wait().await,
        };
        landing.or_else(|error| {
            // A refresh that failed is nobody's business while the token is still good. A demand for claims is different:
            // the resource has refused the token already.
            if request.claims.is_some() {
                return Err(error);
            }
            let view = slot.entry.view(self.now(), self.source.fingerprint());
            view.token().cloned().ok_or(error)
        })
    }

    fn now(&self) -> std::time::Duration {
        self.platform.clock().elapsed()
    }

    /// The slot for a request, remembered unless it carries claims.
    fn slot(&self, request: &TokenRequest) -> Arc<Slot> {
        let key = Key::new(self.principal, request);
        let slot = Arc::new(Slot { entry: self.cache.entry(&key, self.now()), request: request.clone(), key });
        if request.claims.is_none() {
            self.remember(&slot);
        }
        slot
    }

    fn remember(&self, slot: &Arc<Slot>) {
        let mut places = self.remembered.iter();
        // In the first place that is free, unless it is there already.
        places.find(|place| place.get_or_init(|| Arc::clone(slot)).key == slot.key);
    }

    /// Joins the flight for a slot, or starts it.
    fn join(&self, slot: &Arc<Slot>) -> Joined<Arc<Token>> {
        let fingerprint = self.source.fingerprint();
        let claims = slot.request.claims.clone();
        let has_claims = claims.is_some();
        let landed = || {
            let view = slot.entry.view(self.now(), fingerprint);
            let fresh = view.freshness() == Freshness::Fresh && !has_claims;
            view.token().filter(|_| fresh).cloned()
        };
        let departure = || {
            let (name, source) = (self.name, Arc::clone(&self.source));
            let (cache, platform) = (Arc::clone(&self.cache), self.platform.clone());
            let slot = Arc::clone(slot);
            Box::pin(async move {
                let fetched = source.fetch(&slot.request).await;
                let now = platform.clock().elapsed();
                match fetched {
                    Ok(fetched) => {
                        tracing::info!(credential = name, "acquired a token");
                        Ok(cache.store(&slot.key, &slot.entry, now, fetched, fingerprint))
                    }
                    Err(error) => {
                        tracing::debug!(credential = name, %error, "no token");
                        slot.entry.rest(now, fastrand::f64());
                        Err(error.credential(name))
                    }
                }
            }) as _
        };
        self.cache.flights.join((slot.key.clone(), claims), landed, departure)
    }
}

/// Fetches a token on the crate's own threads, for callers that have no async runtime, or one that must not be bound to
/// the fetch: language bindings, mostly.
///
/// ```
/// # use std::{sync::Arc, time::Duration};
/// # use entrada::{AzureCliCredential, Credential, Fetch, TokenRequest};
/// let credential: Arc<dyn Credential> = AzureCliCredential::new(None)?;
/// let fetch = Fetch::start(credential, TokenRequest::new(["not a scope"]));
/// let landing = loop {
///     if let Some(landing) = fetch.wait_blocking(Duration::from_millis(100)) {
///         break landing;
///     }
///     // Look here whether somebody pressed Ctrl-C.
/// };
/// assert!(landing.is_err());
/// # Ok::<(), entrada::Error>(())
/// ```
pub struct Fetch(Arc<Flight<Arc<Token>>>);

impl Fetch {
    /// Starts to fetch.
    pub fn start(credential: Arc<dyn Credential>, request: TokenRequest) -> Self {
        Self::start_then(credential, request, |_| {})
    }

    /// Starts to fetch; `then` is called once with the outcome, on one of the crate's threads.
    pub fn start_then(
        credential: Arc<dyn Credential>,
        request: TokenRequest,
        then: impl FnOnce(&Result<Arc<Token>, Error>) + Send + 'static,
    ) -> Self {
        let flight = Arc::new(Flight::new());
        let landing = Arc::clone(&flight);
        let spawned = runtime::spawn(async move {
            let outcome = credential.token(&request).await;
            landing.land(outcome.clone());
            then(&outcome);
        });
        if let Err(error) = spawned {
            flight.land(Err(error));
        }
        Self(flight)
    }

    /// Blocks this thread until the outcome is there, but no longer than `limit`. Every call after that returns it again.
    pub fn wait_blocking(&self, limit: std::time::Duration) -> Option<Result<Arc<Token>, Error>> {
        self.0.wait_blocking(limit)
    }
}

impl fmt::Debug for Fetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetch").finish_non_exhaustive()
    }
}

/// `azure_core`'s way to ask, in terms of ours: the token at hand, else the one that `credential` gets.
///
/// Written out rather than `async`, so that a token at hand costs no state machine.
pub(crate) fn azure_token<'a>(
    credential: &'a dyn Credential,
    scopes: &'a [&'a str],
    at_hand: Option<AccessToken>,
) -> BoxFuture<'a, azure_core::Result<AccessToken>> {
    if let Some(token) = at_hand {
        return Box::pin(ready(Ok(token)));
    }
    Box::pin(async move {
        let request = TokenRequest::new(scopes.iter().copied());
        let token = credential.token(&request).await?;
        Ok(azure_access_token(&token))
    })
}

pub(crate) fn azure_access_token(token: &Arc<Token>) -> AccessToken {
    AccessToken::new(token.secret().to_owned(), token.expires_on_date())
}

/// Implements [`Credential`] for a type that has a field `cached: Cached`, and `azure_core`'s `TokenCredential`.
macro_rules! credential_from_cached {
    ($name:ident) => {
        #[async_trait::async_trait]
        impl $crate::credential::Credential for $name {
            fn name(&self) -> &str {
                stringify!($name)
            }

            fn at_hand(
                &self,
                scopes: &[&str],
                tenant_id: Option<&str>,
                enable_cae: bool,
            ) -> Option<std::sync::Arc<$crate::token::Token>> {
                self.cached.at_hand(scopes, tenant_id, enable_cae)
            }

            async fn token(
                &self,
                request: &$crate::token::TokenRequest,
            ) -> Result<std::sync::Arc<$crate::token::Token>, $crate::error::Error> {
                self.cached.token(request).await
            }
        }

        $crate::credential::token_credential!($name, |this, scopes| this.cached.with_at_hand(
            scopes,
            None,
            false,
            $crate::credential::azure_access_token
        ));
    };
}

/// Implements `azure_core`'s `TokenCredential` for a [`Credential`].
macro_rules! token_credential {
    ($name:ident) => {
        $crate::credential::token_credential!($name, |this, scopes| {
            $crate::credential::Credential::at_hand(this, scopes, None, false)
                .as_ref()
                .map($crate::credential::azure_access_token)
        });
    };
    ($name:ident, |$this:ident, $scopes:ident| $at_hand:expr) => {
        impl azure_core::credentials::TokenCredential for $name {
            // What `async_trait` makes of the trait's method.
            fn get_token<'a, 'b, 'c, 'd, 'e>(
                &'a self,
                scopes: &'b [&'c str],
                _options: Option<azure_core::credentials::TokenRequestOptions<'d>>,
            ) -> futures::future::BoxFuture<'e, azure_core::Result<azure_core::credentials::AccessToken>>
            where
                'a: 'e,
                'b: 'e,
                'c: 'e,
                'd: 'e,
                Self: 'e,
            {
                let ($this, $scopes) = (self, scopes);
                $crate::credential::azure_token(self, scopes, $at_hand)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}

pub(crate) use {credential_from_cached, token_credential};

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
    use std::time::Duration;

    use proptest::prelude::*;
    use tokio::sync::Notify;
    use zeroize::Zeroizing;

    use super::*;
    use crate::platform::Clock;
    use crate::platform::scripted::{Scripted, ScriptedClock};

    /// A source that numbers its tokens, and fails, waits or panics on command.
    #[derive(Default)]
    struct Shared {
        fetches: AtomicUsize,
        fingerprint: AtomicU64,
        lifetime: Mutex<Duration>,
        failing: Mutex<Option<&'static str>>,
        panicking: Mutex<bool>,
        gate: Mutex<Option<Arc<Notify>>>,
    }

    struct Numbered(Arc<Shared>, ScriptedClock);

    #[async_trait]
    impl Source for Numbered {
        fn check(&self, request: &TokenRequest) -> Result<(), Error> {
            crate::scope::check(request)
        }

        async fn fetch(&self, _request: &TokenRequest) -> Result<Fetched, Error> {
            let number = self.0.fetches.fetch_add(1, Ordering::SeqCst) + 1;
            let gate = self.0.gate.lock().expect("gate").clone();
            if let Some(gate) = gate {
                gate.notified().await;
            }
            assert!(!*self.0.panicking.lock().expect("panicking"), "as told");
            if let Some(reason) = *self.0.failing.lock().expect("failing") {
                return Err(Error::failed(reason));
            }
            let lifetime = *self.0.lifetime.lock().expect("lifetime");
            // The moment of its end, by which a test recognizes an expired one.
            let end = self.1.elapsed() + lifetime;
            Ok(Fetched {
                token: Token::new(
                    Zeroizing::new(format!("t-{number}")),
                    i64::try_from(end.as_secs()).expect("small"),
                    None,
                ),
                lifetime,
                refresh_in: None,
            })
        }

        fn fingerprint(&self) -> u64 {
            self.0.fingerprint.load(Ordering::SeqCst)
        }
    }

    struct Fixture {
        clock: ScriptedClock,
        platform: Platform,
        shared: Arc<Shared>,
        cache: Arc<Cache>,
    }

    impl Fixture {
        fn new(lifetime: u64) -> Self {
            let machine = Scripted::new(&[]);
            let shared = Arc::new(Shared::default());
            *shared.lifetime.lock().expect("lifetime") = Duration::from_secs(lifetime);
            Self { clock: machine.clock, platform: machine.platform, shared, cache: Cache::new(Default::default()) }
        }

        fn credential(&self, who: &str) -> Arc<Cached> {
            Arc::new(Cached::new(
                "TestCredential",
                Principal::new("test", &[Some(who)]),
                Numbered(Arc::clone(&self.shared), self.clock.clone()),
                self.platform.clone(),
                Some(Arc::clone(&self.cache)),
            ))
        }

        fn fetches(&self) -> usize {
            self.shared.fetches.load(Ordering::SeqCst)
        }

        fn fail(&self, reason: Option<&'static str>) {
            *self.shared.failing.lock().expect("failing") = reason;
        }

        fn close_gate(&self) -> Arc<Notify> {
            let gate = Arc::new(Notify::new());
            *self.shared.gate.lock().expect("gate") = Some(Arc::clone(&gate));
            gate
        }

        fn open_gate(&self, gate: &Notify) {
            *self.shared.gate.lock().expect("gate") = None;
            gate.notify_waiters();
            gate.notify_one();
        }

        fn advance(&self, seconds: u64) {
            self.clock.advance(Duration::from_secs(seconds));
        }
    }

    async fn get(credential: &Cached) -> Result<String, String> {
        let token = credential.token(&TokenRequest::new(["s"])).await;
        token.map(|token| token.secret().to_owned()).map_err(|error| error.summary().to_owned())
    }

    /// Waits for something that another thread is about to do.
    async fn until(condition: impl Fn() -> bool) {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_stampede_makes_one_request() {
        let fixture = Fixture::new(3600);
        let gate = fixture.close_gate();
        let mut callers = Vec::new();
        for number in 0..200 {
            // Fifty objects that are constructed alike, and four callers each.
            let credential = fixture.credential("me");
            callers.push(tokio::spawn(async move {
                let _ = number;
                get(&credential).await
            }));
        }
        until(|| fixture.fetches() == 1).await;
        fixture.open_gate(&gate);
        for caller in callers {
            assert_eq!(caller.await.expect("no panic"), Ok("t-1".into()));
        }
        assert_eq!(fixture.fetches(), 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_failure_is_shared_and_not_remembered() {
        let fixture = Fixture::new(3600);
        fixture.fail(Some("refused"));
        let gate = fixture.close_gate();
        let credential = fixture.credential("me");
        let callers: Vec<_> = (0..20)
            .map(|_| {
                let credential = Arc::clone(&credential);
                tokio::spawn(async move { get(&credential).await })
            })
            .collect();
        // All are aboard once each has polled: the flight is held by the table, the task, and every waiter.
        until(|| fixture.fetches() == 1).await;
        tokio::task::yield_now().await;
        fixture.open_gate(&gate);
        for caller in callers {
            assert_eq!(caller.await.expect("no panic"), Err("refused".into()));
        }
        fixture.fail(None);
        let before = fixture.fetches();
        assert!(get(&credential).await.is_ok());
        assert_eq!(fixture.fetches(), before + 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_gives_up_takes_nobody_along() {
        let fixture = Fixture::new(3600);
        let gate = fixture.close_gate();
        let credential = fixture.credential("me");
        let first = tokio::spawn({
            let credential = Arc::clone(&credential);
            async move { get(&credential).await }
        });
        until(|| fixture.fetches() == 1).await;
        let second = tokio::spawn({
            let credential = Arc::clone(&credential);
            async move { get(&credential).await }
        });
        first.abort();
        assert!(first.await.expect_err("aborted").is_cancelled());
        fixture.open_gate(&gate);
        assert_eq!(second.await.expect("no panic"), Ok("t-1".into()));
        assert_eq!(fixture.fetches(), 1);
    }

    #[tokio::test]
    async fn what_differs_is_never_shared() {
        let fixture = Fixture::new(3600);
        assert_eq!(get(&fixture.credential("me")).await, Ok("t-1".into()));
        assert_eq!(get(&fixture.credential("you")).await, Ok("t-2".into()));
        let mut cae = TokenRequest::new(["s"]);
        cae.enable_cae = true;
        let token = fixture.credential("me").token(&cae).await.expect("a token");
        assert_eq!(token.secret(), "t-3");
        assert_eq!(get(&fixture.credential("me")).await, Ok("t-1".into()));
    }

    #[tokio::test]
    async fn a_new_object_finds_what_another_one_fetched() {
        let fixture = Fixture::new(3600);
        assert!(fixture.credential("me").at_hand(&["s"], None, false).is_none());
        assert_eq!(get(&fixture.credential("me")).await, Ok("t-1".into()));
        let token = fixture.credential("me").at_hand(&["s"], None, false).expect("at hand");
        assert_eq!(token.secret(), "t-1");
        assert!(fixture.credential("me").at_hand(&[], None, false).is_none(), "checked all the same");
    }

    #[tokio::test]
    async fn one_of_many_is_at_hand_as_one_of_few_is() {
        let fixture = Fixture::new(3600);
        let credential = fixture.credential("me");
        let scopes: Vec<String> = (0..4 * REMEMBERED).map(|number| number.to_string()).collect();
        let at_hand = |scope: &str| {
            let token = credential.at_hand(&[scope], None, false);
            token.map(|token| token.secret().to_owned())
        };
        for (number, scope) in scopes.iter().enumerate() {
            assert!(at_hand(scope).is_none());
            let token = credential.token(&TokenRequest::new([scope])).await.expect("a token");
            assert_eq!(at_hand(scope).as_deref(), Some(token.secret()));
            assert_eq!(token.secret(), format!("t-{}", number + 1));
        }
        for (number, scope) in scopes.iter().enumerate() {
            assert_eq!(at_hand(scope), Some(format!("t-{}", number + 1)));
        }
        let last = scopes.last().expect("many");
        assert!(credential.at_hand(&[last], Some("t"), false).is_none(), "another tenant's");
        assert!(credential.at_hand(&[last], None, true).is_none(), "of another kind");
        assert!(credential.at_hand(&[], None, false).is_none(), "checked all the same");
        // Stale: it is returned, and another one fetched.
        fixture.advance(3600 - 300);
        assert_eq!(at_hand(last), Some(format!("t-{}", scopes.len())));
        until(|| at_hand(last) == Some(format!("t-{}", scopes.len() + 1))).await;
        fixture.cache.clear();
        assert!(at_hand(last).is_none());
    }

    #[tokio::test]
    async fn a_stale_token_is_returned_at_once_and_replaced_behind_the_caller() {
        let fixture = Fixture::new(3600);
        let credential = fixture.credential("me");
        assert_eq!(get(&credential).await, Ok("t-1".into()));
        fixture.advance(3600 - 300);
        let gate = fixture.close_gate();
        for _ in 0..5 {
            assert_eq!(get(&credential).await, Ok("t-1".into()));
        }
        fixture.open_gate(&gate);
        until(|| {
            let token = credential.at_hand(&["s"], None, false);
            token.is_some_and(|token| token.secret() == "t-2")
        })
        .await;
        assert_eq!(fixture.fetches(), 2);
    }

    #[tokio::test]
    async fn a_refresh_that_fails_rests_and_the_token_stays() {
        let fixture = Fixture::new(3600);
        let credential = fixture.credential("me");
        assert_eq!(get(&credential).await, Ok("t-1".into()));
        fixture.fail(Some("down"));
        // The last minute: the caller waits for the refresh, and gets the old token all the same.
        fixture.advance(3600 - 50);
        assert_eq!(get(&credential).await, Ok("t-1".into()));
        assert_eq!(fixture.fetches(), 2);
        for _ in 0..10 {
            assert_eq!(get(&credential).await, Ok("t-1".into()));
        }
        assert_eq!(fixture.fetches(), 2, "it rests");
        fixture.advance(31);
        assert_eq!(get(&credential).await, Ok("t-1".into()));
        assert_eq!(fixture.fetches(), 3, "it has rested");
        fixture.advance(20);
        assert_eq!(get(&credential).await, Err("down".into()), "expired");
    }

    #[tokio::test]
    async fn a_short_token_is_not_fetched_anew_for_each_caller() {
        let fixture = Fixture::new(240);
        let credential = fixture.credential("me");
        for _ in 0..10 {
            assert_eq!(get(&credential).await, Ok("t-1".into()));
        }
        assert_eq!(fixture.fetches(), 1);
    }

    #[tokio::test]
    async fn a_claims_challenge_replaces_the_token_for_everybody() {
        let fixture = Fixture::new(3600);
        let credential = fixture.credential("me");
        let other = fixture.credential("me");
        assert_eq!(get(&credential).await, Ok("t-1".into()));
        assert_eq!(get(&other).await, Ok("t-1".into()));
        let mut challenged = TokenRequest::new(["s"]);
        challenged.claims = Some("{}".into());
        let token = credential.token(&challenged).await.expect("a token");
        assert_eq!(token.secret(), "t-2");
        assert_eq!(get(&other).await, Ok("t-2".into()));
        fixture.fail(Some("refused"));
        let error = credential.token(&challenged).await.expect_err("no way back");
        assert_eq!(error.summary(), "refused");
    }

    #[tokio::test]
    async fn another_account_is_another_token() {
        let fixture = Fixture::new(3600);
        let credential = fixture.credential("me");
        assert_eq!(get(&credential).await, Ok("t-1".into()));
        fixture.shared.fingerprint.store(1, Ordering::SeqCst);
        assert_eq!(get(&credential).await, Ok("t-2".into()));
    }

    #[tokio::test]
    async fn a_panic_is_an_error() {
        let fixture = Fixture::new(3600);
        let credential = fixture.credential("me");
        *fixture.shared.panicking.lock().expect("panicking") = true;
        let error = get(&credential).await.expect_err("a panic");
        assert!(error.contains("panicked"), "{error}");
        *fixture.shared.panicking.lock().expect("panicking") = false;
        assert!(get(&credential).await.is_ok());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn one_slow_key_delays_no_other() {
        let fixture = Fixture::new(3600);
        let slow = fixture.credential("slow");
        let gate = fixture.close_gate();
        let waiting = tokio::spawn(async move { get(&slow).await });
        until(|| fixture.fetches() == 1).await;
        *fixture.shared.gate.lock().expect("gate") = None;
        assert_eq!(get(&fixture.credential("quick")).await, Ok("t-2".into()));
        fixture.open_gate(&gate);
        assert_eq!(waiting.await.expect("no panic"), Ok("t-1".into()));
    }

    #[test]
    fn a_thread_without_a_runtime_can_wait() {
        #[derive(Debug)]
        struct Wrapper(Arc<Cached>);
        #[async_trait]
        impl Credential for Wrapper {
            fn name(&self) -> &str {
                "Wrapper"
            }
            async fn token(&self, request: &TokenRequest) -> Result<Arc<Token>, Error> {
                self.0.token(request).await
            }
        }
        let fixture = Fixture::new(3600);
        let gate = fixture.close_gate();
        let credential = Arc::new(Wrapper(fixture.credential("me")));
        let fetch = Fetch::start(credential, TokenRequest::new(["s"]));
        assert!(fetch.wait_blocking(Duration::from_millis(5)).is_none());
        fixture.open_gate(&gate);
        let landing = loop {
            if let Some(landing) = fetch.wait_blocking(Duration::from_millis(100)) {
                break landing;
            }
        };
        assert_eq!(landing.expect("a token").secret(), "t-1");
    }

    impl fmt::Debug for Cached {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.name)
        }
    }

    #[derive(Clone, Debug)]
    enum Event {
        Advance(u64),
        Fail(bool),
        Lifetime(u64),
        Ask,
        AskWithClaims,
        Clear,
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            4 => (0u64..5000).prop_map(Event::Advance),
            1 => any::<bool>().prop_map(Event::Fail),
            1 => (1u64..10_000).prop_map(Event::Lifetime),
            6 => Just(Event::Ask),
            1 => Just(Event::AskWithClaims),
            1 => Just(Event::Clear),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_expired_token_is_ever_returned(events in proptest::collection::vec(event(), 1..60)) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let fixture = Fixture::new(3600);
                let credentials = [fixture.credential("me"), fixture.credential("me")];
                for (number, event) in events.into_iter().enumerate() {
                    let mut request = TokenRequest::new(["s"]);
                    match event {
                        Event::Advance(seconds) => { fixture.advance(seconds); continue }
                        Event::Fail(fails) => { fixture.fail(fails.then_some("down")); continue }
                        Event::Lifetime(seconds) => {
                            *fixture.shared.lifetime.lock().expect("lifetime") = Duration::from_secs(seconds);
                            continue;
                        }
                        Event::Clear => { fixture.cache.clear(); continue }
                        Event::Ask => {}
                        Event::AskWithClaims => request.claims = Some("{}".into()),
                    }
                    if let Ok(token) = credentials[number % 2].token(&request).await {
                        let now = i64::try_from(fixture.clock.elapsed().as_secs()).expect("small");
                        prop_assert!(token.expires_on() > now, "expired {} s ago", now - token.expires_on());
                    }
                }
                Ok(())
            })?;
        }
    }
}
