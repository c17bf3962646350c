//! Cached calls from many threads, for many keys, and the memory that a cached token takes.

use std::hint::black_box;
use std::sync::Barrier;
use std::time::Instant;

use azure_core::credentials::TokenCredential;
use serde_json::{Map, Value, json};

/// Calls of a batch, over all threads.
const BATCH: usize = 64_000;
const ROUNDS: usize = 15;

/// What differs between two keys.
pub fn scopes(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("https://resource-{number}.example.com/.default")).collect()
}

fn get(credential: &dyn TokenCredential, scope: &str) {
    let token = futures::executor::block_on(credential.get_token(black_box(&[scope]), None));
    black_box(token).expect("a token");
}

/// Asks for a token for each scope once; returns by how many bytes a token made the process grow.
pub fn fill(credential: &dyn TokenCredential, scopes: &[String]) -> f64 {
    let before = resident();
    for scope in scopes {
        get(credential, scope);
    }
    (resident() - before) / scopes.len() as f64
}

/// Bytes of memory of this process, 0 where the system does not say.
pub fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).map_or(0.0, |kib: f64| kib * 1024.0)
}

/// The nanoseconds that a call adds to the whole: medians of batches in which `threads` threads ask in random order, the
/// subjects in turns.
pub fn hits(subjects: &[&(dyn Fn(usize) + Sync)], keys: usize, threads: usize) -> Vec<f64> {
    let mut times = vec![Vec::new(); subjects.len()];
    for round in 0..=ROUNDS {
        for (subject, times) in subjects.iter().zip(&mut times) {
            let time = batch(*subject, keys, threads);
            if round > 0 {
                times.push(time);
            }
        }
    }
    for times in &mut times {
        times.sort_by(f64::total_cmp);
    }
    times.iter().map(|times| times[ROUNDS / 2]).collect()
}

fn batch(subject: &(dyn Fn(usize) + Sync), keys: usize, threads: usize) -> f64 {
    let barrier = Barrier::new(threads);
    let calls = BATCH / threads;
    let work = |thread: usize| {
        let mut random = 0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(thread as u64 + 1);
        barrier.wait();
        let started = Instant::now();
        for _ in 0..calls {
            // xorshift64
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            subject((random % keys as u64) as usize);
        }
        (started, Instant::now())
    };
    let spans: Vec<(Instant, Instant)> = std::thread::scope(|scope| {
        let crowd: Vec<_> = (0..threads)
            .map(|thread| {
                scope.spawn({
                    let work = &work;
                    move || work(thread)
                })
            })
            .collect();
        crowd.into_iter().map(|thread| thread.join().expect("tokens")).collect()
    });
    let started = spans.iter().map(|span| span.0).min();
    let ended = spans.iter().map(|span| span.1).max();
    let wall = ended.zip(started).map_or(0.0, |(ended, started)| (ended - started).as_nanos() as f64);
    wall / (calls * threads) as f64
}

/// Fills both and measures them beside each other, and beside an array of the same tokens.
pub fn compare(ours: &dyn TokenCredential, peer: &dyn TokenCredential, keys: usize, threads: &[usize]) -> Value {
    let scopes = scopes(keys);
    let peer_bytes = fill(peer, &scopes);
    let our_bytes = fill(ours, &scopes);
    let tokens: Vec<String> = scopes.iter().map(|_| "t".repeat(1_400)).collect();
    let subjects: [&(dyn Fn(usize) + Sync); 3] =
        [&|key| get(ours, &scopes[key]), &|key| get(peer, &scopes[key]), &|key| drop(black_box(tokens[key].clone()))];
    let mut report = Map::new();
    for &threads in threads {
        let times = hits(&subjects, keys, threads);
        report.insert(threads.to_string(), json!({"entrada": times[0], "azure_identity": times[1], "floor": times[2]}));
    }
    report.insert("bytes".into(), json!({"entrada": our_bytes, "azure_identity": peer_bytes}));
    report.into()
}
