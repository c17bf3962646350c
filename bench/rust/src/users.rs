//! On behalf of many users: what a cached token costs, a new user, and the memory of one.

use std::hint::black_box;
use std::time::Instant;

use entrada::{OnBehalfOfCredential, TokenRequest};
use serde_json::{Map, Value, json};

use crate::many::{hits, resident};

/// A token that a user's client has sent: of the usual size, and different from all others.
fn assertion(user: usize) -> String {
    format!("e30.{user:0>900}.{}", "s".repeat(342))
}

fn get(credential: &OnBehalfOfCredential, assertion: &str, request: &TokenRequest) {
    let token = futures::executor::block_on(credential.token_for(black_box(assertion), request));
    black_box(token).expect("a token");
}

/// With so many users: nanoseconds of a hit and of its floor for each number of threads, those of a new user, and bytes of
/// one.
pub fn measure(credential: &OnBehalfOfCredential, count: usize, threads: &[usize]) -> Value {
    let request = TokenRequest::new(["https://graph.microsoft.com/.default"]);
    let users: Vec<String> = (0..=count).map(assertion).collect();
    // What is made once is nobody's.
    get(credential, &users[count], &request);
    let (before, started) = (resident(), Instant::now());
    for user in &users[..count] {
        get(credential, user, &request);
    }
    let insert = started.elapsed().as_nanos() as f64 / count as f64;
    let bytes = (resident() - before) / count as f64;
    let ours = |user: usize| get(credential, &users[user], &request);
    // So much of a hit is but fetching from memory what the caller has brought, the more there is the slower.
    let floor = |user: usize| drop(black_box(users[user].clone()));
    let mut hit = Map::new();
    for &threads in threads {
        let times = hits(&[&ours, &floor], count, threads);
        hit.insert(threads.to_string(), json!({"entrada": times[0], "floor": times[1]}));
    }
    json!({"hit": hit, "insert": insert, "bytes": bytes})
}
