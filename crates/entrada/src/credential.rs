//! What every credential is: a source behind the cache.

use std::fmt;
use std::future::{Future, ready};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use azure_core::credentials::AccessToken;
use futures::future::BoxFuture;

use crate::cache::{Cache, Entry, Flight, Freshness, Joined, Key, Principal, Sought, Stored};
use crate::context::{UserAssertion, Wishes};
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

    /// The same credential on behalf of the user whose access token this is.
    ///
    /// By default it cannot ask on behalf of anybody.
    fn on_behalf_of(&self, user_assertion: &UserAssertion) -> Option<Arc<dyn Credential>> {
        let _ = user_assertion;
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
        if let [scope] = scopes
            && self.remembered[REMEMBERED - 1].get().is_some()
        {
            if tenant_id.is_some() {
                request()?;
            }
            let sought = Sought { principal: self.principal, scope, tenant_id, enable_cae };
            if let Some(view) = self.cache.settled(&sought, self.now(), self.source.fingerprint()) {
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
        loop {
            if request.claims.is_none()
                && let Some(token) = self.ready(&slot, Arc::clone)
            {
                return Ok(token);
            }
            let landing = match self.join(&slot) {
                Joined::Landed(stored) => Ok(stored),
                Joined::Flight(flight) => flight.wait().await,
            };
            match landing {
                Ok(stored) => {
                    if let Some(token) = stored.token(self.now()) {
                        return Ok(Arc::clone(token));
                    }
                    // A busy task comes late, later still when the laptop was closed meanwhile: it has expired.
                }
                // The resource has refused the token that there is.
                Err(error) if request.claims.is_some() => return Err(error),
                Err(error) => {
                    // A refresh that failed is nobody's business while the token is still good.
                    let view = slot.entry.view(self.now(), self.source.fingerprint());
                    return view.token().cloned().ok_or(error);
                }
            }
        }
    }

    /// Takes in a token that came another way than by a fetch: with the sign-in of a person.
    pub(crate) fn insert(&self, request: &TokenRequest, fetched: Fetched) -> Result<Arc<Token>, Error> {
        let (slot, now) = (self.slot(request), self.now());
        let stored = self.cache.store(&slot.key, &slot.entry, now, fetched, self.source.fingerprint());
        stored.token(now).cloned().ok_or_else(|| Error::failed("the token has already expired").credential(self.name))
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
    fn join(&self, slot: &Arc<Slot>) -> Joined<Arc<Stored>> {
        let fingerprint = self.source.fingerprint();
        let claims = slot.request.claims.clone();
        let has_claims = claims.is_some();
        let landed = || {
            let view = slot.entry.view(self.now(), fingerprint);
            let fresh = view.freshness() == Freshness::Fresh && !has_claims;
            view.stored().filter(|_| fresh).cloned()
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
pub struct Fetch<T = Arc<Token>>(Arc<Flight<T>>);

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
        Self::of(async move { credential.token(&request).await }, then)
    }
}

impl<T: Clone + Send + 'static> Fetch<T> {
    /// Starts anything else that a credential does, as if it were a fetch of a token.
    pub fn of(
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
        then: impl FnOnce(&Result<T, Error>) + Send + 'static,
    ) -> Self {
        let flight = Arc::new(Flight::new());
        let landing = Arc::clone(&flight);
        let land = move |outcome: Result<T, Error>| {
            landing.land(outcome.clone());
            then(&outcome);
        };
        match runtime::start() {
            Ok(runtime) => runtime.spawn(async move { land(work.await) }),
            Err(error) => land(Err(error)),
        }
        Self(flight)
    }

    /// Blocks this thread until the outcome is there, but no longer than `limit`. Every call after that returns it again.
    pub fn wait_blocking(&self, limit: std::time::Duration) -> Option<Result<T, Error>> {
        self.0.wait_blocking(limit)
    }
}

impl<T> fmt::Debug for Fetch<T> {
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
    wishes: Option<Box<Wishes>>,
    at_hand: Option<AccessToken>,
) -> BoxFuture<'a, azure_core::Result<AccessToken>> {
    if let Some(token) = at_hand {
        return Box::pin(ready(Ok(token)));
    }
    Box::pin(async move {
        let token = wished_token(credential, scopes, *wishes.unwrap_or_default()).await?;
        Ok(azure_access_token(&token))
    })
}

/// The token that the context of a call wants.
async fn wished_token(credential: &dyn Credential, scopes: &[&str], mut wishes: Wishes) -> Result<Arc<Token>, Error> {
    let Some(user_assertion) = wishes.user_assertion.take() else {
        return credential.token(&wishes.request(scopes)).await;
    };
    let Some(users) = credential.on_behalf_of(&user_assertion) else {
        return Err(Error::invalid_argument(
            "a token on behalf of a user was requested, which this credential cannot get",
        )
        .credential(credential.name())
        .next("use OnBehalfOfCredential, or leave UserAssertion out of the context"));
    };
    users.token(&wishes.request(scopes)).await
}

pub(crate) fn azure_access_token(token: &Arc<Token>) -> AccessToken {
    AccessToken::new(token.secret().to_owned(), token.expires_on_date())
}

/// Implements [`Credential`] and `azure_core`'s `TokenCredential` for a type by one of its fields: `cached`, a [`Cached`], or
/// another one that has the same methods.
macro_rules! credential_from_cached {
    ($name:ident) => {
        $crate::credential::credential_from_cached!($name, cached);
    };
    ($name:ident, $field:ident) => {
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
                self.$field.at_hand(scopes, tenant_id, enable_cae)
            }

            async fn token(
                &self,
                request: &$crate::token::TokenRequest,
            ) -> Result<std::sync::Arc<$crate::token::Token>, $crate::error::Error> {
                self.$field.token(request).await
            }
        }

        $crate::credential::token_credential!($name, |this, scopes, tenant_id, enable_cae| this.$field.with_at_hand(
            scopes,
            tenant_id,
            enable_cae,
            $crate::credential::azure_access_token
        ));
    };
}

/// Implements `azure_core`'s `TokenCredential` for a [`Credential`].
macro_rules! token_credential {
    ($name:ident) => {
        $crate::credential::token_credential!($name, |this, scopes, tenant_id, enable_cae| {
            $crate::credential::Credential::at_hand(this, scopes, tenant_id, enable_cae)
                .as_ref()
                .map($crate::credential::azure_access_token)
        });
    };
    ($name:ident, |$this:ident, $scopes:ident, $tenant_id:ident, $enable_cae:ident| $at_hand:expr) => {
        impl azure_core::credentials::TokenCredential for $name {
            // What `async_trait` makes of the trait's method.
            fn get_token<'a, 'b, 'c, 'd, 'e>(
                &'a self,
                scopes: &'b [&'c str],
                options: Option<azure_core::credentials::TokenRequestOptions<'d>>,
            ) -> futures::future::BoxFuture<'e, azure_core::Result<azure_core::credentials::AccessToken>>
            where
                'a: 'e,
                'b: 'e,
                'c: 'e,
                'd: 'e,
                Self: 'e,
            {
                let wishes = $crate::context::Wishes::read(options.as_ref());
                let ($this, $scopes) = (self, scopes);
                let ($tenant_id, $enable_cae, may_be_cached) = match &wishes {
                    None => (None, false, true),
                    Some(wishes) => (wishes.tenant_id.as_deref(), wishes.enable_cae, wishes.may_be_cached()),
                };
                let at_hand = if may_be_cached { $at_hand } else { None };
                $crate::credential::azure_token(self, scopes, wishes, at_hand)
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
mod desk;
#[cfg(test)]
mod schedule_tests;
#[cfg(test)]
mod tests;
