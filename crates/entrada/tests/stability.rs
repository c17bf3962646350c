//! What a caller gets while the host or Entra is away: the last good token, until it ends and not a moment longer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use entrada::platform::{Clock, Environment, Platform, SystemClock};
use entrada::{
    Cache, CacheLimits, ClientSecretCredential, ClientSecretCredentialOptions, Condition, Credential, EntraOptions,
    Error, ManagedIdentityCredential, ManagedIdentityCredentialOptions, TokenRequest,
};
use entrada_emulator::{Config, Emulator, FaultRule, Host, Service, world};
use futures::future::BoxFuture;

const SCOPE: &str = "https://vault.azure.net/.default";
const HOUR: u64 = 3600;

/// The real time, and what a test and the pauses between attempts add to it.
#[derive(Clone, Default)]
struct Ahead(Arc<Mutex<Duration>>);

impl Ahead {
    fn advance(&self, by: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }

    fn added(&self) -> Duration {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for Ahead {
    fn elapsed(&self) -> Duration {
        SystemClock.elapsed() + self.added()
    }

    fn unix_time(&self) -> i64 {
        SystemClock.unix_time() + i64::try_from(self.added().as_secs()).expect("small")
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.advance(duration);
        Box::pin(tokio::task::yield_now())
    }
}

/// Variables that a platform changes while the program runs.
struct Variables(RwLock<HashMap<String, String>>);

impl Environment for Variables {
    fn var(&self, name: &str) -> Option<String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}

struct Machine {
    emulator: Emulator,
    clock: Ahead,
    variables: Arc<Variables>,
}

impl Machine {
    async fn new() -> Self {
        let emulator = Emulator::start(Config::default()).await.expect("the emulator");
        Self { emulator, clock: Ahead::default(), variables: Arc::new(Variables(RwLock::default())) }
    }

    fn platform(&self, host: Host) -> Option<Platform> {
        *self.variables.0.write().expect("no panic") = self.emulator.environment(host).into_iter().collect();
        Some(Platform::with_environment(self.variables.clone()).with_clock(Arc::new(self.clock.clone())))
    }

    fn managed_identity(&self, host: Host) -> Arc<ManagedIdentityCredential> {
        ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
            platform: self.platform(host),
            cache: Some(Cache::new(CacheLimits::default())),
            ..Default::default()
        }))
        .expect("valid")
    }

    fn client_secret(&self) -> Arc<ClientSecretCredential> {
        ClientSecretCredential::new(
            world::TENANT_ID,
            world::APP_CLIENT_ID.into(),
            world::APP_SECRET.into(),
            Some(ClientSecretCredentialOptions {
                entra: EntraOptions {
                    platform: self.platform(Host::Laptop),
                    cache: Some(Cache::new(CacheLimits::default())),
                    ..Default::default()
                },
            }),
        )
        .expect("valid")
    }

    fn fault(&self, rule: &str) {
        let rule: FaultRule = toml::from_str(rule).expect("a rule");
        self.emulator.faults().replace(vec![rule]).expect("a rule");
    }

    fn requests(&self) -> usize {
        let is_identity = |service| matches!(service, Service::Entra | Service::Imds | Service::AppService);
        self.emulator.journal().entries().iter().filter(|entry| is_identity(entry.service)).count()
    }

    /// Waits until a refresh behind the caller has been tried and has ended: its attempts are known.
    async fn until_requests(&self, count: usize) {
        while self.requests() < count {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

async fn get(credential: &dyn Credential) -> Result<String, Error> {
    credential.token(&TokenRequest::new([SCOPE])).await.map(|token| token.secret().to_owned())
}

const DOWN: &str = "respond = { status = 503, json = { error = \"unknown\", error_description = \"down\" } }";

#[tokio::test(flavor = "multi_thread")]
async fn a_managed_identity_keeps_its_token_while_the_metadata_service_is_down() {
    let machine = Machine::new().await;
    let credential = machine.managed_identity(Host::VirtualMachine);
    let token = get(&*credential).await.expect("a token");
    machine.fault(DOWN);
    // Past half its life, when it should be replaced; and long past.
    for hours in [13, 5, 4] {
        machine.advance(hours * HOUR);
        assert_eq!(get(&*credential).await.expect("still valid"), token);
    }
    machine.advance(3 * HOUR);
    let error = get(&*credential).await.expect_err("it has ended");
    assert_eq!(error.condition(), Some(Condition::Broken));
    machine.emulator.faults().clear();
    assert_ne!(get(&*credential).await.expect("a token"), token);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_host_is_left_alone_for_a_while() {
    let machine = Machine::new().await;
    let credential = machine.managed_identity(Host::AppService);
    let token = get(&*credential).await.expect("a token");
    machine.fault("respond = { status = 429, headers = { retry-after = \"3600\" } }");
    machine.advance(13 * HOUR);
    assert_eq!(get(&*credential).await.expect("still valid"), token);
    machine.until_requests(2).await;
    // Until the refresh has ended and rests, callers may join it; none asks by itself.
    for _ in 0..200 {
        assert_eq!(get(&*credential).await.expect("still valid"), token);
    }
    assert_eq!(machine.requests(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_principal_keeps_its_token_while_entra_is_down() {
    let machine = Machine::new().await;
    machine.fault("match.service = \"entra\"\ntoken = { expires_in = 86400, refresh_in = 60 }");
    let credential = machine.client_secret();
    let token = get(&*credential).await.expect("a token");
    for outage in [DOWN, "reset = true"] {
        machine.fault(outage);
        machine.advance(HOUR);
        assert_eq!(get(&*credential).await.expect("23 hours are left"), token);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_answer_says_of_its_resource_is_no_key() {
    for shape in ["token.set = { resource = \"https://vault.azure.net/\" }", "token.omit = [\"resource\"]"] {
        let machine = Machine::new().await;
        machine.fault(shape);
        let credential = machine.managed_identity(Host::VirtualMachine);
        let token = get(&*credential).await.expect("a token");
        for _ in 0..3 {
            assert_eq!(get(&*credential).await.expect("a token"), token);
        }
        assert_eq!(machine.requests(), 1, "{shape}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_the_platform_rotates_is_read_anew() {
    let machine = Machine::new().await;
    let credential = machine.managed_identity(Host::AppService);
    get(&*credential).await.expect("a token");
    let rotated = machine.emulator.rotate_identity_header();
    machine.variables.0.write().expect("no panic").insert("IDENTITY_HEADER".into(), rotated.clone());
    machine.advance(25 * HOUR);
    get(&*credential).await.expect("a token");
    let entries = machine.emulator.journal().entries();
    assert_eq!(entries.iter().filter(|entry| entry.status == 200).count(), 2);
    assert!(!format!("{entries:?}").contains(&rotated));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_account_token_that_is_renewed_is_read_anew() {
    let machine = Machine::new().await;
    machine.emulator.rotate_federated_token(-60).expect("written");
    let credential = machine.managed_identity(Host::Kubernetes);
    let error = get(&*credential).await.expect_err("it has expired");
    assert!(error.to_string().contains("AADSTS700024"), "{error}");
    assert_eq!(machine.requests(), 2, "read and tried once more");
    machine.emulator.rotate_federated_token(3600).expect("written");
    get(&*credential).await.expect("a token");
}
