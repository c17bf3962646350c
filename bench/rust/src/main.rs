//! A cached `get_token` through `azure_core`'s trait: entrada beside azure_identity, with the floor under both.
//!
//! Prints one JSON object: for each subject the median nanoseconds of a call; and below `keys`, for each number of keys
//! and threads, the nanoseconds that a call adds to the whole. With a number as its argument: what tokens on behalf
//! of so many users cost.

mod many;
mod users;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use async_trait::async_trait;
use azure_core::Bytes;
use azure_core::credentials::{AccessToken, Secret, TokenCredential};
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, ClientOptions, HttpClient, Request, StatusCode, Transport};
use serde_json::json;

const SCOPE: &[&str] = &["https://vault.azure.net/.default"];
const BATCH: u32 = 2_000;
const ROUNDS: usize = 301;

/// Answers every request with a token of the usual size.
#[derive(Debug)]
struct Issuer;

#[async_trait]
impl HttpClient for Issuer {
    async fn execute_request(&self, _request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let expires_on =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs()) + 86_400;
        let body = json!({
            "access_token": "t".repeat(1_400),
            "expires_in": 86_400,
            "expires_on": expires_on.to_string(),
            "refresh_token": "r".repeat(1_000),
            "resource": "https://vault.azure.net",
            "token_type": "Bearer",
        });
        let body = Bytes::from(body.to_string());
        Ok(AsyncRawResponse::from_bytes(StatusCode::Ok, Headers::new(), body))
    }
}

fn client_options() -> ClientOptions {
    ClientOptions { transport: Some(Transport::new(Arc::new(Issuer))), ..ClientOptions::default() }
}

/// The median nanoseconds of one call, over many batches: a machine that others use makes single ones meaningless.
fn median(mut batch: impl FnMut(u32)) -> f64 {
    batch(BATCH);
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let started = Instant::now();
            batch(BATCH);
            started.elapsed().as_nanos() as f64 / f64::from(BATCH)
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[ROUNDS / 2]
}

fn cached_call(credential: &dyn TokenCredential) -> f64 {
    median(|calls| {
        futures::executor::block_on(async {
            for _ in 0..calls {
                black_box(credential.get_token(black_box(SCOPE), None).await).expect("a token");
            }
        });
    })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Runtime::new()?;
    let _context = runtime.enter();
    let secret = || Secret::new("not a secret");
    let client = || "11111111-1111-4111-8111-111111111111".to_owned();

    let token = AccessToken::new("t".repeat(1_400), azure_core::time::OffsetDateTime::now_utc());
    let floor_clone = median(|calls| {
        for _ in 0..calls {
            black_box(black_box(&token).clone());
        }
    });
    let floor_clone_and_clock = median(|calls| {
        for _ in 0..calls {
            black_box(SystemTime::now());
            black_box(black_box(&token).clone());
        }
    });

    let cache = || {
        let limits = entrada::CacheLimits::default().entries(1 << 20).bytes(1 << 32);
        entrada::Cache::new(limits)
    };
    let our_secret = || {
        entrada::ClientSecretCredential::new(
            "tenant",
            client(),
            secret(),
            Some(entrada::ClientSecretCredentialOptions {
                entra: entrada::EntraOptions {
                    client_options: Some(client_options()),
                    cache: Some(cache()),
                    ..Default::default()
                },
            }),
        )
    };
    let peer_secret = || {
        azure_identity::ClientSecretCredential::new(
            "tenant",
            client(),
            secret(),
            Some(azure_identity::ClientSecretCredentialOptions { client_options: client_options() }),
        )
    };
    let ours_managed = entrada::ManagedIdentityCredential::new(Some(entrada::ManagedIdentityCredentialOptions {
        client_options: Some(client_options()),
        ..Default::default()
    }))?;
    let peer_managed =
        azure_identity::ManagedIdentityCredential::new(Some(azure_identity::ManagedIdentityCredentialOptions {
            client_options: client_options(),
            ..Default::default()
        }))?;

    // Memory that something else has given back would hide what is taken.
    if let Some(count) = std::env::args().nth(1) {
        let options = entrada::OnBehalfOfCredentialOptions {
            entra: entrada::EntraOptions {
                client_options: Some(client_options()),
                cache: Some(cache()),
                ..Default::default()
            },
            ..Default::default()
        };
        let credential = entrada::OnBehalfOfCredential::with_secret("tenant", client(), secret(), Some(options))?;
        println!("{:#}", users::measure(&credential, count.parse()?, &[1, 8, 64]));
        return Ok(());
    }

    let mut keys = serde_json::Map::new();
    for count in [1, 10, 1_000, 100_000] {
        let seen = many::compare(&*our_secret()?, &*peer_secret()?, count, &[1, 8, 64]);
        keys.insert(count.to_string(), seen);
    }

    let report = json!({
        "floor: clone the token": floor_clone,
        "floor: clone the token, read the clock": floor_clone_and_clock,
        "entrada: client secret": cached_call(&*our_secret()?),
        "azure_identity: client secret": cached_call(&*peer_secret()?),
        "entrada: managed identity": cached_call(&*ours_managed),
        "azure_identity: managed identity": cached_call(&*peer_managed),
        "keys": keys,
    });
    println!("{report:#}");
    Ok(())
}
