//! A policy for the official service clients, which by themselves answer no claims challenge and stay in one tenant.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use azure_core::http::headers::{Headers, WWW_AUTHENTICATE};
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{ClientOptions, Context, Request, StatusCode};

use super::demand::Demand;
use crate::context::{EnableCae, Wishes};
use crate::runtime;

/// How many resources' tenants are remembered: a client has one, and a policy serves a few clients.
const MOST_TENANTS: usize = 256;

/// How often a request is sent again at most: Key Vault's client, after its first challenge, shows the old token once more.
const MOST_AGAIN: usize = 2;

/// Lets an official service client answer the challenges of its resource: continuous access evaluation, step-up
/// authentication (RFC 9470), and resources of another tenant.
///
/// With the policy a client
/// - asks for tokens that can be revoked at once, and live longer for it;
/// - on a 401 that demands claims gets a new token with these, past all caches, and sends the request again;
/// - on a 401 that names the tenant of the resource, as Key Vault and Storage do, gets a token of that tenant. The
///   credential must allow it (`additionally_allowed_tenants`), or the call fails with an error that says so. Credentials
///   that know no tenants, such as a managed identity, are not concerned.
///
/// A new token is got once for each, and what it does not help is returned; so is a 401 where the body cannot be sent again.
///
/// The policy never holds a token. Which resource a token is for, and to whom it is sent, is decided by the client as it is
/// without the policy; and from the challenge only the claims and the tenant are taken, the latter only where the named
/// authority is one of Microsoft Entra's. Answers that did not come over https are not listened to. It takes credentials of
/// this crate: those of others do not look into the context.
///
/// ```no_run
/// use azure_core::http::ClientOptions;
/// use azure_security_keyvault_secrets::{SecretClient, SecretClientOptions};
/// use entrada::{ChallengePolicy, DefaultAzureCredential};
///
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let mut client_options = ClientOptions { transport: Some(entrada::transport()), ..Default::default() };
/// ChallengePolicy::new(None).add_to(&mut client_options);
/// let options = SecretClientOptions { client_options, ..Default::default() };
/// let client = SecretClient::new("https://contoso.vault.azure.net", DefaultAzureCredential::new(None)?, Some(options))?;
/// # let _ = client;
/// # Ok(()) }
/// ```
pub struct ChallengePolicy {
    options: ChallengePolicyOptions,
    /// The tenants of resources, by host and port.
    tenants: Mutex<HashMap<String, String>>,
}

/// Options for [`ChallengePolicy`].
#[derive(Clone, Copy, Debug, Default)]
pub struct ChallengePolicyOptions {
    /// Stays in the credential's tenant whatever a resource says.
    pub disable_tenant_discovery: bool,
    /// Does not announce that the client handles continuous access evaluation. Claims that are demanded nevertheless are
    /// still brought.
    pub disable_cae: bool,
}

impl ChallengePolicy {
    /// Creates the policy. One may serve several clients.
    pub fn new(options: Option<ChallengePolicyOptions>) -> Arc<Self> {
        Arc::new(Self { options: options.unwrap_or_default(), tenants: Mutex::default() })
    }

    /// Adds the policy to the options of a client, in both of its places: around a call, where a request is sent again, and
    /// around each attempt, where it hears what a client's own handling of challenges keeps to itself.
    pub fn add_to(self: &Arc<Self>, options: &mut ClientOptions) {
        options.per_call_policies.push(Arc::clone(self) as _);
        options.per_try_policies.push(Arc::clone(self) as _);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tenant_of(&self, resource: &str) -> Option<String> {
        let _gate = runtime::fork_gate();
        self.lock().get(resource).cloned()
    }

    fn remember(&self, resource: String, tenant_id: String) {
        let _gate = runtime::fork_gate();
        let mut tenants = self.lock();
        if tenants.len() >= MOST_TENANTS {
            tenants.clear();
        }
        tenants.insert(resource, tenant_id);
    }

    /// Around a whole call.
    async fn call(&self, ctx: &Context<'_>, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let resource = resource(request);
        let known = self.tenant_of(&resource);
        let call = Call::new(self.options, known.clone());
        let mut context = ctx.to_borrowed();
        context.insert(call.clone());
        if !self.options.disable_cae && ctx.value::<EnableCae>().is_none() {
            context.insert(EnableCae(true));
        }
        let mut outcome = next[0].send(&context, request, &next[1..]).await;
        for _ in 0..MOST_AGAIN {
            match &outcome {
                // Where the policy stands here alone, nobody else has heard it.
                Ok(response) if response.status() == StatusCode::Unauthorized => call.hear(response.headers()),
                Ok(_) => break,
                // Key Vault's client takes a claims challenge for a broken one: it looks for a scope in it.
                Err(_) => {}
            }
            if !call.has_untold() || request.body_mut().reset().await.is_err() {
                break;
            }
            outcome = next[0].send(&context, request, &next[1..]).await;
        }
        let response = outcome?;
        if response.status() != StatusCode::Unauthorized
            && let Some(tenant_id) = call.tenant_id().filter(|tenant_id| known.as_ref() != Some(tenant_id))
        {
            self.remember(resource, tenant_id);
        }
        Ok(response)
    }
}

#[async_trait]
impl Policy for ChallengePolicy {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        // What did not come over TLS is no resource's word; the clients send no token there either.
        if request.url().scheme() != "https" {
            return next[0].send(ctx, request, &next[1..]).await;
        }
        let Some(call) = ctx.value::<Call>() else {
            return self.call(ctx, request, next).await;
        };
        let response = next[0].send(ctx, request, &next[1..]).await?;
        if response.status() == StatusCode::Unauthorized {
            call.hear(response.headers());
        }
        Ok(response)
    }
}

impl fmt::Debug for ChallengePolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChallengePolicy").field("options", &self.options).finish_non_exhaustive()
    }
}

fn resource(request: &Request) -> String {
    let url = request.url();
    format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default())
}

/// What is heard of a resource during one call, on its way down to the credential.
#[derive(Clone)]
pub(crate) struct Call(Arc<Mutex<Heard>>);

struct Heard {
    options: ChallengePolicyOptions,
    tenant_id: Demanded,
    claims: Demanded,
}

/// One thing that may be demanded, once a call.
#[derive(Default)]
struct Demanded {
    value: Option<String>,
    /// Whether it was heard in this call rather than remembered.
    is_news: bool,
    /// Whether a credential has been told.
    is_told: bool,
}

impl Demanded {
    fn hear(&mut self, value: Option<String>) {
        if !self.is_news && value.is_some() && value != self.value {
            *self = Self { value, is_news: true, is_told: false };
        }
    }

    /// What is demanded, for a credential.
    fn tell(&mut self) -> Option<String> {
        self.is_told = true;
        self.value.clone()
    }
}

impl Call {
    fn new(options: ChallengePolicyOptions, tenant_id: Option<String>) -> Self {
        let tenant_id = Demanded { value: tenant_id, ..Demanded::default() };
        Self(Arc::new(Mutex::new(Heard { options, tenant_id, claims: Demanded::default() })))
    }

    fn lock(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in the challenges of a 401.
    fn hear(&self, headers: &Headers) {
        let Ok(header) = headers.get_str(&WWW_AUTHENTICATE) else { return };
        let demand = Demand::read(header);
        let mut heard = self.lock();
        heard.claims.hear(demand.claims);
        if !heard.options.disable_tenant_discovery {
            heard.tenant_id.hear(demand.tenant_id);
        }
    }

    /// Whether something is demanded that no credential has been told of.
    fn has_untold(&self) -> bool {
        let heard = self.lock();
        [&heard.tenant_id, &heard.claims].into_iter().any(|demanded| demanded.is_news && !demanded.is_told)
    }

    fn tenant_id(&self) -> Option<String> {
        self.lock().tenant_id.value.clone()
    }

    /// Tells a credential what is demanded.
    pub(crate) fn tell(&self, wishes: &mut Wishes) {
        let mut heard = self.lock();
        wishes.tenant_id = heard.tenant_id.tell().or(wishes.tenant_id.take());
        wishes.claims = heard.claims.tell().or(wishes.claims.take());
    }
}
