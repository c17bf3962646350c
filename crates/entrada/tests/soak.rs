//! Thousands of callers, in tasks and threads, while the hosts fail every third time and tokens live for forty seconds that
//! pass in two. Bounded in count and in time.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entrada::platform::{Clock, Http, HttpClient, HttpError, HttpRequest, HttpResponse, Platform, SystemClock};
use entrada::{
    Cache, CacheLimits, Credential, Error, Fetch, ManagedIdentityCredential, ManagedIdentityCredentialOptions, Token,
    TokenRequest, UserAssignedId,
};
use entrada_emulator::{Config, Emulator, FaultRule, Host, Service, world};
use futures::future::BoxFuture;

/// How many seconds pass in one.
const SPEED: u32 = 20;
/// How long tokens live, in those.
const LIFETIME: i64 = 40;
const TASKS: usize = 3_000;
const THREADS: usize = 64;
const CALLS: usize = 6;
const RESOURCES: [&str; 4] = [
    "https://vault.azure.net/.default",
    "https://storage.azure.com/.default",
    "https://management.azure.com/.default",
    "https://graph.microsoft.com/.default",
];

/// A clock that runs fast.
#[derive(Clone)]
struct Fast(Instant);

impl Clock for Fast {
    fn elapsed(&self) -> Duration {
        Duration::from_secs(1_000) + self.0.elapsed() * SPEED
    }

    fn unix_time(&self) -> i64 {
        // The servers' clocks are right and ours is more and more ahead: what counts is what they say.
        SystemClock.unix_time() + i64::try_from((self.0.elapsed() * (SPEED - 1)).as_secs()).expect("small")
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration / SPEED))
    }
}

fn fingerprint(token: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    token.hash(&mut hasher);
    hasher.finish()
}

/// Notes of each token when it ends, by what the server says and nothing else.
struct Witness {
    client: HttpClient,
    clock: Fast,
    ends: Mutex<HashMap<u64, Duration>>,
    under_way: AtomicUsize,
    most: AtomicUsize,
    requests: AtomicUsize,
}

#[async_trait]
impl Http for Witness {
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        self.most.fetch_max(self.under_way.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let sent = self.clock.elapsed();
        let outcome = self.client.send(request).await;
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        if let Ok(response) = &outcome
            && let Ok(body) = serde_json::from_slice::<serde_json::Value>(&response.body)
            && let Some(token) = body["access_token"].as_str()
        {
            // At the latest: it was issued after the request was sent, and a second may have begun since.
            let end = sent + Duration::from_secs(LIFETIME.unsigned_abs() + 2) + sent.abs_diff(self.clock.elapsed());
            self.ends.lock().expect("no panic").insert(fingerprint(token), end);
        }
        outcome
    }
}

/// What every third exchange meets.
fn faults() -> Vec<FaultRule> {
    let kinds = [
        r#"respond = { status = 429, json = { error = "invalid_request", error_description = "Temporarily throttled, too many requests" } }"#,
        r#"respond = { status = 503, json = { error = "unknown", error_description = "not now" } }"#,
        "reset = true",
        "truncate = true",
        "respond = { status = 200 }",
        r#"respond = { status = 410, json = { error = "gone" } }"#,
        r#"respond = { status = 429, headers = { retry-after = "2" } }"#,
        "delay_ms = 40",
        r#"respond = { status = 200, body = "{\"access_token\":\"cut\"," }"#,
    ];
    let rule = |(number, kind): (usize, &&str)| {
        let text = format!("{kind}\nmatch.service = \"managed-identity\"\nskip = {}\ntimes = 1", 3 * number);
        toml::from_str(&text).expect("a rule")
    };
    let all: Vec<_> = kinds.iter().cycle().take(300).collect();
    all.iter().copied().enumerate().map(|(number, kind)| rule((number, kind))).collect()
}

/// Credentials of a host: the identity it gives by itself, and a user-assigned one.
struct Identities {
    witness: Arc<Witness>,
    credentials: Vec<(Arc<dyn Credential>, &'static str)>,
}

impl Identities {
    fn on(emulator: &Emulator, host: Host, own: &'static str, clock: &Fast) -> Self {
        let variables: HashMap<_, _> = emulator.environment(host).into_iter().collect();
        let environment = Arc::new(variables);
        let witness = Arc::new(Witness {
            client: HttpClient::new(environment.clone()),
            clock: clock.clone(),
            ends: Mutex::default(),
            under_way: AtomicUsize::default(),
            most: AtomicUsize::default(),
            requests: AtomicUsize::default(),
        });
        let platform =
            Platform::with_environment(environment).with_clock(Arc::new(clock.clone())).with_http(witness.clone());
        let cache = Cache::new(CacheLimits::default());
        let orders = UserAssignedId::ClientId(world::USER_ASSIGNED_CLIENT_ID.into());
        // Several objects of each: they share what they get.
        let ids = [(None, own), (Some(orders), world::USER_ASSIGNED_OBJECT_ID)];
        let credentials = ids.into_iter().cycle().take(8).map(|(id, object_id)| {
            let credential = ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
                user_assigned_id: id,
                cache: Some(Arc::clone(&cache)),
                platform: Some(platform.clone()),
                ..Default::default()
            }));
            (credential.expect("valid") as Arc<dyn Credential>, object_id)
        });
        Self { credentials: credentials.collect(), witness }
    }

    /// A token must be alive, of the right identity and for the right resource, whatever happened.
    fn check(&self, token: &Token, object_id: &str, scope: &str) {
        let now = self.witness.clock.elapsed();
        let end = self.witness.ends.lock().expect("no panic")[&fingerprint(token.secret())];
        assert!(end > now, "a token that ended {:?} ago", now - end);
        let payload = token.secret().split('.').nth(1).expect("a JWT");
        let claims: serde_json::Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64")).expect("JSON");
        assert_eq!(claims["oid"], object_id);
        assert_eq!(claims["aud"].as_str().map(|aud| aud.trim_end_matches('/')), scope.strip_suffix("/.default"));
    }
}

#[derive(Default)]
struct Tally {
    tokens: AtomicUsize,
    failures: AtomicUsize,
}

impl Tally {
    fn note(&self, hosts: &Identities, outcome: &Result<Arc<Token>, Error>, object_id: &str, scope: &str) {
        match outcome {
            Ok(token) => {
                hosts.check(token, object_id, scope);
                self.tokens.fetch_add(1, Ordering::SeqCst);
            }
            // Now and then all attempts of one fetch meet a fault.
            Err(error) => {
                assert!(error.condition().is_some() && error.remedy().is_some(), "{error}");
                self.failures.fetch_add(1, Ordering::SeqCst);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_a_token_that_is_not_theirs_or_not_alive() {
    let mut config = Config::default();
    config.limits.imds_per_second = 0; // its seconds are not ours
    let emulator = Emulator::start(config).await.expect("the emulator");
    let mut rules = faults();
    let mut always = FaultRule::default();
    always.matching.service = Some("managed-identity".into());
    always.token = Some(toml::from_str(&format!("expires_in = {LIFETIME}")).expect("a shape"));
    for rule in &mut rules {
        rule.token.clone_from(&always.token);
    }
    rules.push(always.clone());
    emulator.faults().replace(rules).expect("rules");

    let clock = Fast(Instant::now());
    let hosts = [
        Identities::on(&emulator, Host::VirtualMachine, world::VIRTUAL_MACHINE_OBJECT_ID, &clock),
        Identities::on(&emulator, Host::AppService, world::WEB_APP_OBJECT_ID, &clock),
    ];
    let hosts = Arc::new(hosts);
    let tally = Arc::new(Tally::default());
    let pick = |number: usize| (number % 2, (number / 2) % 8, RESOURCES[(number / 16) % RESOURCES.len()]);

    let tasks = (0..TASKS).map(|number| {
        let (hosts, tally, clock) = (Arc::clone(&hosts), Arc::clone(&tally), clock.clone());
        tokio::spawn(async move {
            for call in 0..CALLS {
                let (host, credential, scope) = pick(number + call);
                let (credential, object_id) = &hosts[host].credentials[credential];
                let request = TokenRequest::new([scope]);
                let asking = credential.token(&request);
                // Some lose patience; that must not matter to the others.
                let impatient = Duration::from_millis(1 + (number as u64 % 200));
                match tokio::time::timeout(if number % 3 == 0 { impatient } else { Duration::from_secs(60) }, asking)
                    .await
                {
                    Ok(outcome) => tally.note(&hosts[host], &outcome, object_id, scope),
                    Err(_) => assert_eq!(number % 3, 0, "a caller was left waiting"),
                }
                clock.sleep(Duration::from_millis(1_000 + (number as u64 * 7_919) % 30_000)).await;
            }
        })
    });
    let tasks: Vec<_> = tasks.collect();
    let threads = (0..THREADS).map(|number| {
        let (hosts, tally) = (Arc::clone(&hosts), Arc::clone(&tally));
        std::thread::spawn(move || {
            for call in 0..CALLS * 10 {
                let (host, credential, scope) = pick(number + call);
                let (credential, object_id) = &hosts[host].credentials[credential];
                let fetch = Fetch::start(Arc::clone(credential), TokenRequest::new([scope]));
                let outcome = fetch.wait_blocking(Duration::from_secs(60)).expect("a caller was left waiting");
                tally.note(&hosts[host], &outcome, object_id, scope);
                std::thread::sleep(Duration::from_millis(number as u64 * 2 + 20));
            }
        })
    });
    let threads: Vec<_> = threads.collect();

    for task in tasks {
        task.await.expect("no panic");
    }
    tokio::task::spawn_blocking(move || threads.into_iter().for_each(|thread| thread.join().expect("no panic")))
        .await
        .expect("no panic");

    // When the storm is over everybody gets a token.
    emulator.faults().replace(vec![always]).expect("a rule");
    for identities in &*hosts {
        for (credential, object_id) in &identities.credentials {
            for scope in RESOURCES {
                let token = credential.token(&TokenRequest::new([scope])).await.expect("a token");
                identities.check(&token, object_id, scope);
            }
        }
    }
    let (tokens, failures) = (tally.tokens.load(Ordering::SeqCst), tally.failures.load(Ordering::SeqCst));
    assert!(tokens > TASKS * CALLS / 2, "{tokens} tokens, {failures} failures");
    // Sixteen tokens a host, anew when they end, and what the faults cost; not one request for each of thousands of calls.
    let requests: usize = hosts.iter().map(|host| host.witness.requests.load(Ordering::SeqCst)).sum();
    assert!(requests < tokens / 10, "{requests} requests for {tokens} tokens");
    assert!(hosts[0].witness.most.load(Ordering::SeqCst) <= 5, "the metadata service allows five at once");
    let overrun = |service| {
        move |entry: &&entrada_emulator::Exchange| {
            entry.service == service && entry.note.as_deref().is_some_and(|note| note.contains("more than"))
        }
    };
    assert_eq!(emulator.journal().entries().iter().filter(overrun(Service::Imds)).count(), 0);
    emulator.shutdown().await;
}
