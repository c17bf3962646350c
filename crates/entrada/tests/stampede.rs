//! Many callers at once on a cold cache, counted at the server.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use azure_core::credentials::TokenCredential;
use entrada::platform::Platform;
use entrada::{
    Cache, CacheLimits, ClientSecretCredential, ClientSecretCredentialOptions, Credential, EntraOptions, Fetch,
    TokenRequest,
};
use entrada_emulator::{Config, Emulator, FaultRule, Host, Service, world};

const SCOPE: &str = "https://vault.azure.net/.default";

/// Enough for everybody to arrive while the first request is under way.
fn slow() -> FaultRule {
    FaultRule { delay_ms: Some(300), ..FaultRule::default() }
}

/// Makes credential objects that are constructed alike, on a machine inside the emulator.
fn maker(emulator: &Emulator) -> impl Fn() -> Arc<ClientSecretCredential> + use<> {
    let variables: HashMap<_, _> = emulator.environment(Host::Laptop).into_iter().collect();
    let platform = Platform::with_environment(Arc::new(variables));
    let cache = Cache::new(CacheLimits::default());
    move || {
        ClientSecretCredential::new(
            world::TENANT_ID,
            world::APP_CLIENT_ID.into(),
            world::APP_SECRET.into(),
            Some(ClientSecretCredentialOptions {
                entra: EntraOptions {
                    cache: Some(Arc::clone(&cache)),
                    platform: Some(platform.clone()),
                    ..Default::default()
                },
            }),
        )
        .expect("valid arguments")
    }
}

fn token_requests(emulator: &Emulator) -> usize {
    emulator.journal().entries().iter().filter(|entry| entry.service == Service::Entra).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_tasks_and_as_many_objects_make_one_request() {
    let emulator = Emulator::start(Config::default()).await.expect("the emulator");
    emulator.faults().add(slow()).expect("a rule");
    let make = maker(&emulator);
    let tasks: Vec<_> = (0..1000)
        .map(|_| {
            let credential = make();
            tokio::spawn(async move { credential.get_token(&[SCOPE], None).await })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic").expect("a token");
    }
    assert_eq!(token_requests(&emulator), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_threads_without_a_runtime_make_one_request() {
    let emulator = Emulator::start(Config::default()).await.expect("the emulator");
    emulator.faults().add(slow()).expect("a rule");
    let make = maker(&emulator);
    let threads: Vec<_> = (0..100)
        .map(|_| {
            let credential: Arc<dyn Credential> = make();
            std::thread::spawn(move || {
                let fetch = Fetch::start(credential, TokenRequest::new([SCOPE]));
                while fetch.wait_blocking(Duration::from_secs(1)).is_none() {}
                fetch.wait_blocking(Duration::ZERO).expect("landed").map(drop)
            })
        })
        .collect();
    let joined = tokio::task::spawn_blocking(move || {
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect::<Result<Vec<()>, _>>()
    });
    joined.await.expect("no panic").expect("tokens");
    assert_eq!(token_requests(&emulator), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn constructing_sends_nothing() {
    let emulator = Emulator::start(Config::default()).await.expect("the emulator");
    let credential = maker(&emulator)();
    assert_eq!(token_requests(&emulator), 0);
    credential.get_token(&[SCOPE], None).await.expect("a token");
    assert_eq!(token_requests(&emulator), 1);
}
