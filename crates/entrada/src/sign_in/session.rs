//! A credential that signs a person in: silent while it can be, and one question at a time where it cannot.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwapOption;
use async_trait::async_trait;

use super::AuthenticationRecord;
use super::renewal::Renewing;
use crate::cache::{Cache, Flights, Joined, Principal};
use crate::credential::Cached;
use crate::entra::{Client, Cloud, Granted};
use crate::error::{Error, Outcome};
use crate::scope;
use crate::token::{Token, TokenRequest};

/// A way to sign a person in.
#[async_trait]
pub(crate) trait SignIn: Send + Sync + 'static {
    /// Asks the person, and waits for them.
    async fn sign_in(&self, client: &Client, want: &Want) -> Result<SignedIn, Error>;
}

/// What a person is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Want {
    /// The token that is needed.
    pub(crate) request: TokenRequest,
    /// Who is asked, where that is known. Nobody else may answer then.
    pub(crate) known: Option<AuthenticationRecord>,
}

impl Want {
    /// The name of who is asked.
    pub(crate) fn username(&self) -> Option<&str> {
        self.known.as_ref().map(AuthenticationRecord::username).filter(|name| !name.is_empty())
    }

    /// Refuses whoever signed in but was not asked.
    pub(crate) fn admits(&self, record: &AuthenticationRecord) -> Result<(), Error> {
        match &self.known {
            Some(known) if known.home_account_id() != record.home_account_id() => Err(Error::failed(format!(
                "{} signed in, but this credential is for {}; nothing of the new sign-in is kept",
                named(record),
                named(known)
            ))
            .next("sign in with the account it is for, or call authenticate() to change to another")),
            _ => Ok(()),
        }
    }
}

/// Who has signed in, and what came of it.
pub(crate) struct SignedIn {
    pub(crate) granted: Granted,
    pub(crate) record: AuthenticationRecord,
}

/// What credentials share that sign a person in.
///
/// Who is signed in is each object's own matter until it is known; from then on tokens and refresh tokens belong to the
/// account, and all objects of the same client and account share them. Two objects for two people never meet: isolation
/// counts for more than a question less.
pub(crate) struct Session(Arc<Inner>);

struct Inner {
    name: &'static str,
    client: Arc<Client>,
    cache: Arc<Cache>,
    way: Box<dyn SignIn>,
    /// Whether the person is asked whenever that is needed, or only by `authenticate`.
    automatic: bool,
    known: ArcSwapOption<Known>,
    /// One question at a time, whatever it is for: most of those who wait can go on with what the first one brings.
    questions: Arc<Flights<(), Option<Arc<Answered>>>>,
    /// How many were answered with a sign-in.
    sign_ins: AtomicU64,
}

/// The account that is signed in.
struct Known {
    record: AuthenticationRecord,
    cached: Cached,
}

/// How a question was answered.
struct Answered {
    /// To what.
    want: Want,
    outcome: Result<(Arc<Token>, AuthenticationRecord), Error>,
}

impl Session {
    pub(crate) fn new(
        name: &'static str,
        client: Client,
        way: impl SignIn,
        record: Option<AuthenticationRecord>,
        automatic: bool,
        cache: Option<Arc<Cache>>,
    ) -> Self {
        let inner = Inner {
            name,
            client: Arc::new(client),
            cache: cache.unwrap_or_else(Cache::process),
            way: Box::new(way),
            automatic,
            known: ArcSwapOption::empty(),
            questions: Flights::new(),
            sign_ins: AtomicU64::new(0),
        };
        if let Some(record) = record {
            inner.known.store(Some(Arc::new(inner.known_as(record))));
        }
        Self(Arc::new(inner))
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
        self.0.known.load().as_ref()?.cached.with_at_hand(scopes, tenant_id, enable_cae, look)
    }

    /// A token: the cached one, else one that the refresh token brings, else one that the person signs in for.
    pub(crate) async fn token(&self, request: &TokenRequest) -> Result<Arc<Token>, Error> {
        let inner = &self.0;
        inner.check(request)?;
        loop {
            let seen = inner.sign_ins.load(Ordering::Acquire);
            let known = inner.known.load_full();
            let why = match &known {
                None => Error::interaction_required("nobody has signed in yet"),
                Some(known) => match known.cached.token(request).await {
                    Err(error) if error.outcome() == Outcome::InteractionRequired => error,
                    outcome => return outcome,
                },
            };
            let want = Want { request: demanded(request, &why), known: known.map(|known| known.record.clone()) };
            if !inner.automatic {
                return Err(inner.must_authenticate(&want.request, &why));
            }
            let Some(answered) = inner.ask(&want, Some(seen)).await? else { continue };
            match &answered.outcome {
                outcome if answered.want == want => return outcome.clone().map(|(token, _)| token),
                // Whoever did not want to sign in for one thing is not asked for the next by those who waited meanwhile.
                Err(error) if is_the_persons(error) => return Err(error.clone()),
                _ => {}
            }
        }
    }

    /// Has the person sign in, whatever there is already. Without scopes it is for those that management needs.
    pub(crate) async fn authenticate(&self, request: Option<TokenRequest>) -> Result<AuthenticationRecord, Error> {
        let inner = &self.0;
        let mut request = request.unwrap_or_default();
        if request.scopes.is_empty() {
            let scope = management_scope(inner.client.authority.cloud());
            request.scopes = vec![scope.map_err(|error| error.credential(inner.name))?.to_owned()];
        }
        inner.check(&request)?;
        let want = Want { request, known: None };
        loop {
            if let Some(answered) = inner.ask(&want, None).await?.filter(|answered| answered.want == want) {
                return answered.outcome.clone().map(|(_, record)| record);
            }
        }
    }
}

impl Inner {
    fn check(&self, request: &TokenRequest) -> Result<(), Error> {
        scope::check(request)
            .and_then(|()| self.client.check_tenant(request))
            .and_then(|()| crate::entra::claims(request).map(drop))
            .map_err(|error| error.credential(self.name))
    }

    /// Asks the person, or waits for the answer to what they are being asked already. `seen` is how many sign-ins the
    /// caller knows of: after one that it does not know of nobody is asked, for its question may be superfluous.
    async fn ask(self: &Arc<Self>, want: &Want, seen: Option<u64>) -> Result<Option<Arc<Answered>>, Error> {
        let landed = || {
            let superfluous = seen.is_some_and(|seen| seen != self.sign_ins.load(Ordering::Acquire));
            superfluous.then_some(None)
        };
        let departure = || {
            let (inner, want) = (Arc::clone(self), want.clone());
            Box::pin(async move {
                let outcome = match inner.way.sign_in(&inner.client, &want).await {
                    Ok(signed_in) => inner.admit(signed_in, &want),
                    Err(error) => Err(error),
                };
                let outcome = outcome.map_err(|error| error.credential(inner.name));
                Ok(Some(Arc::new(Answered { want, outcome })))
            }) as _
        };
        match self.questions.join((), landed, departure) {
            Joined::Landed(answered) => Ok(answered),
            Joined::Flight(flight) => flight.wait().await.map_err(|error| error.credential(self.name)),
        }
    }

    /// Takes in who has signed in.
    fn admit(&self, signed_in: SignedIn, want: &Want) -> Result<(Arc<Token>, AuthenticationRecord), Error> {
        let SignedIn { granted, record } = signed_in;
        want.admits(&record)?;
        let known = self.known_as(record.clone());
        if let Some(refresh_token) = granted.refresh_token {
            self.cache.renewals().keep(self.principal(&record), refresh_token);
        }
        let token = known.cached.insert(&want.request, granted.fetched)?;
        tracing::info!(credential = self.name, "a person signed in");
        self.known.store(Some(Arc::new(known)));
        self.sign_ins.fetch_add(1, Ordering::Release);
        Ok((token, record))
    }

    fn known_as(&self, record: AuthenticationRecord) -> Known {
        let principal = self.principal(&record);
        let (client, cache) = (Arc::clone(&self.client), Arc::clone(&self.cache));
        let source = Renewing { client, cache, principal, record: record.clone() };
        let (platform, cache) = (self.client.platform.clone(), Some(Arc::clone(&self.cache)));
        Known { record, cached: Cached::new(self.name, principal, source, platform, cache) }
    }

    fn principal(&self, record: &AuthenticationRecord) -> Principal {
        self.client.principal("user", &[Some(record.home_account_id())])
    }

    fn must_authenticate(&self, request: &TokenRequest, why: &Error) -> Error {
        let error = Error::interaction_required(format!(
            "Interactive authentication is required to get a token: {}. Call 'authenticate' to begin",
            why.summary()
        ));
        let error = match why.server_answer() {
            Some(answer) => error.answer(answer.clone()),
            None => error,
        };
        let error = match why.attempted() {
            Some(tried) => error.tried(tried),
            None => error,
        };
        error
            .next("call authenticate() with the scopes of this request, where a person can be asked")
            .authenticated_by(request.clone())
            .credential(self.name)
    }
}

/// The scope of Azure Resource Manager in a cloud, as `azure-identity` has it: what to sign in for where nothing is said.
/// The double slash is its real resource with its own trailing slash.
pub(crate) fn management_scope(cloud: Option<Cloud>) -> Result<&'static str, Error> {
    match cloud {
        Some(Cloud::Public) => Ok("https://management.core.windows.net//.default"),
        Some(Cloud::China) => Ok("https://management.core.chinacloudapi.cn//.default"),
        Some(Cloud::UsGovernment) => Ok("https://management.core.usgovcloudapi.net//.default"),
        _ => Err(Error::invalid_argument(
            "Authenticating in this environment requires a value for the 'scopes' keyword argument.",
        )
        .next("name what to sign in for: this authority belongs to no cloud whose management is known")),
    }
}

/// The request, with the claims that the token endpoint demanded, where it did and the caller did not.
fn demanded(request: &TokenRequest, why: &Error) -> TokenRequest {
    let mut request = request.clone();
    if request.claims.is_none() {
        request.claims = why.claims().map(str::to_owned);
    }
    request
}

/// That it was the person who did not sign in, or could not be asked, rather than the server that refused one request.
fn is_the_persons(error: &Error) -> bool {
    match error.server_answer() {
        None => true,
        Some(answer) => {
            matches!(answer.error.as_deref(), Some("access_denied" | "authorization_declined" | "expired_token"))
        }
    }
}

fn named(record: &AuthenticationRecord) -> &str {
    if record.username().is_empty() { record.home_account_id() } else { record.username() }
}

/// Implements [`Credential`](crate::Credential) for a type that has a field `session: Session`, `azure_core`'s
/// `TokenCredential`, and `authenticate`.
macro_rules! session_credential {
    ($name:ident) => {
        $crate::credential::credential_from_cached!($name, session);

        impl $name {
            /// Has a person sign in, whatever there is already, and says who it was.
            ///
            /// `request` names the scopes to sign in for and, where a resource demanded them, the claims; see
            /// [`Error::authentication_request`](crate::Error::authentication_request). Without scopes it is the one of
            /// Azure Resource Manager in the authority's cloud. Whoever signs in is whose tokens this object returns from
            /// then on.
            ///
            /// # Errors
            /// Where nobody signed in, or was let in; where an authority of no known cloud needs to be told the scopes.
            pub async fn authenticate(
                &self,
                request: Option<$crate::token::TokenRequest>,
            ) -> Result<$crate::AuthenticationRecord, $crate::error::Error> {
                self.session.authenticate(request).await
            }
        }
    };
}

pub(crate) use session_credential;

#[cfg(test)]
mod tests;
