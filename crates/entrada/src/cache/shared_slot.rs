//! One token for all processes of a user: a sealed slot in memory, and a lock that lets one of them fetch.
//!
//! Workers that start together would each ask the host for the same token, and a host that allows a few requests at once
//! throttles them. With the slot one of them asks, and the others read what it got, or why it got nothing. It stands
//! behind the cache of each process: whoever finds no fresh token there comes here, and only who finds none here either
//! goes to the host.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use super::freshness::{Freshness, Schedule};
use super::key::{Key, Principal};
use super::seal::Seal;
use crate::credential::Source;
use crate::error::{Answer, Condition, Error, Outcome};
use crate::platform::{Platform, SharedFile, Unshareable};
use crate::token::{Fetched, Token, TokenRequest};

/// How long others are waited for that fetch. It is longer than a fetch takes at most; a process that is stopped with the
/// lock in its hands must not stop the others.
const PATIENCE: Duration = Duration::from_secs(80);
const SHORTEST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);
/// A token that is to be replaced so soon is replaced now.
const SOON: Duration = Duration::from_secs(1);
/// When to try again to replace a token that could not be.
const REST: Duration = Duration::from_secs(30);

/// A source whose tokens the processes of a user share.
pub(crate) struct Shared<S> {
    source: S,
    principal: Principal,
    platform: Platform,
    /// The variables whose values only programs on this host know.
    secrets: &'static [&'static str],
}

impl<S: Source> Shared<S> {
    pub(crate) fn new(source: S, principal: Principal, platform: Platform, secrets: &'static [&'static str]) -> Self {
        Self { source, principal, platform, secrets }
    }

    fn slot(&self, request: &TokenRequest) -> Result<Slot, Unshareable> {
        let memory = self.platform.shared_memory();
        let environment = self.platform.environment();
        let secrets: Vec<_> =
            self.secrets.iter().map(|name| Zeroizing::new(environment.var(name).unwrap_or_default())).collect();
        let (binding, key) = (memory.binding()?, Key::new(self.principal, request).digest());
        let mut parts = vec![&binding[..], &key];
        parts.extend(secrets.iter().map(|secret| secret.as_bytes()));
        // Who knows something else has a slot of their own: a secret that was rotated must not make two generations of
        // processes overwrite each other's.
        let mut name = Sha256::new();
        for part in &parts {
            name.update(Sha256::digest(part));
        }
        let name: String = name.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Slot { file: memory.file(&name)?, seal: Seal::new(&parts) })
    }

    /// Fetches with the lock in hand, and tells the others what came of it.
    async fn lead(&self, slot: &Slot, request: &TokenRequest) -> Result<Fetched, Error> {
        let outcome = self.source.fetch(request).await;
        let now = self.platform.clock().elapsed();
        let before = slot.read();
        let content = match &outcome {
            Ok(fetched) => Content { token: Some(SlotToken::new(now, fetched)), failure: None },
            // A token that is still valid stays for those who come later.
            Err(error) => {
                let token = before.and_then(|content| content.token);
                Content { token, failure: Some(Failure::new(now, error)) }
            }
        };
        if let Err(reason) = slot.write(&content) {
            tracing::warn!(%reason, "a token cannot be shared with other processes");
        }
        outcome.or_else(|error| content.token.and_then(|token| token.valid(now)).ok_or(error))
    }

    /// Reads what others fetched, or fetches.
    async fn share(&self, slot: &Slot, request: &TokenRequest) -> Result<Fetched, Error> {
        let clock = self.platform.clock();
        let started = clock.elapsed();
        let mut pause = SHORTEST_PAUSE;
        loop {
            let now = clock.elapsed();
            let content = slot.read();
            if let Some(fetched) = content.as_ref().and_then(|content| content.token.as_ref()?.fresh(now)) {
                return Ok(fetched);
            }
            if let Some(Content { token, failure: Some(failure) }) = &content {
                let valid = token.as_ref().and_then(|token| token.valid(now));
                match valid {
                    // While the host is down not every process asks it again and again.
                    Some(valid) if now < failure.at().saturating_add(REST) => return Ok(valid),
                    // The failure of a fetch that was under way when we came is ours too.
                    None if failure.at() > started => return Err(failure.error()),
                    _ => {}
                }
            }
            match slot.file.try_lock() {
                // Between the look and the lock somebody may have been quicker.
                Ok(Some(_locked)) => match slot.read().and_then(|content| content.token?.fresh(clock.elapsed())) {
                    Some(fetched) => return Ok(fetched),
                    None => return self.lead(slot, request).await,
                },
                Ok(None) if now.saturating_sub(started) < PATIENCE => {
                    clock.sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Ok(None) => return self.source.fetch(request).await,
                Err(reason) => return self.alone(&reason, request).await,
            }
        }
    }

    /// Fetches for this process only: to share is never a reason to fail.
    async fn alone(&self, reason: &Unshareable, request: &TokenRequest) -> Result<Fetched, Error> {
        tracing::warn!(%reason, "tokens are not shared between processes");
        self.source.fetch(request).await
    }
}

#[async_trait]
impl<S: Source> Source for Shared<S> {
    fn check(&self, request: &TokenRequest) -> Result<(), Error> {
        self.source.check(request)
    }

    async fn fetch(&self, request: &TokenRequest) -> Result<Fetched, Error> {
        match self.slot(request) {
            Err(reason) => self.alone(&reason, request).await,
            // A resource has refused the token there is; the new one replaces it for all.
            Ok(slot) if request.claims.is_some() => self.lead(&slot, request).await,
            Ok(slot) => self.share(&slot, request).await,
        }
    }

    fn origin(&self) -> String {
        self.source.origin()
    }

    fn fingerprint(&self) -> u64 {
        self.source.fingerprint()
    }
}

/// The place of one token.
struct Slot {
    file: SharedFile,
    seal: Seal,
}

impl Slot {
    fn read(&self) -> Option<Content> {
        let open = self.seal.open(&self.file.read()?)?;
        serde_json::from_slice(&open).ok()
    }

    fn write(&self, content: &Content) -> Result<(), Unshareable> {
        let open = Zeroizing::new(serde_json::to_vec(content).unwrap_or_default());
        match self.seal.close(&open) {
            Some(sealed) => self.file.write(&sealed),
            None => Ok(()),
        }
    }
}

/// What a slot holds. Times are milliseconds on the clock of the machine's start, which all processes share.
#[derive(Serialize, Deserialize)]
struct Content {
    token: Option<SlotToken>,
    failure: Option<Failure>,
}

#[derive(Serialize, Deserialize)]
struct SlotToken {
    secret: String,
    /// Seconds since 1970-01-01T00:00:00Z.
    expires_on: i64,
    refresh_on: Option<i64>,
    stale_at: u64,
    expired_at: u64,
}

impl Drop for SlotToken {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl SlotToken {
    fn new(now: Duration, fetched: &Fetched) -> Self {
        let schedule = Schedule::new(now, fetched.lifetime, fetched.refresh_in, 0.0);
        Self {
            secret: fetched.token.secret().to_owned(),
            expires_on: fetched.token.expires_on(),
            refresh_on: fetched.token.refresh_on(),
            stale_at: millis(schedule.stale_from()),
            expired_at: millis(now.saturating_add(fetched.lifetime)),
        }
    }

    /// The token, if it is not yet time to replace it.
    fn fresh(&self, now: Duration) -> Option<Fetched> {
        let until_stale = Duration::from_millis(self.stale_at).checked_sub(now)?;
        (until_stale > SOON).then(|| self.fetched(now, until_stale))?
    }

    /// The token, if it may still be used though nobody could replace it.
    fn valid(&self, now: Duration) -> Option<Fetched> {
        self.fetched(now, REST)
    }

    fn fetched(&self, now: Duration, refresh_in: Duration) -> Option<Fetched> {
        let lifetime = Duration::from_millis(self.expired_at).checked_sub(now).filter(|left| !left.is_zero())?;
        let usable = Schedule::new(now, lifetime, Some(refresh_in), 0.0).at(now) != Freshness::Expired;
        usable.then(|| Fetched {
            token: Token::new(Zeroizing::new(self.secret.clone()), self.expires_on, self.refresh_on),
            lifetime,
            refresh_in: Some(refresh_in),
        })
    }
}

/// Why a process got no token, for those that waited for it.
#[derive(Serialize, Deserialize)]
struct Failure {
    at: u64,
    process: u32,
    unavailable: bool,
    condition: Option<String>,
    what: String,
    tried: Option<String>,
    next: Option<String>,
    status: Option<u16>,
    code: Option<String>,
    text: Option<String>,
    correlation_id: Option<String>,
}

impl Failure {
    fn new(now: Duration, error: &Error) -> Self {
        let answer = error.server_answer();
        Self {
            at: millis(now),
            process: std::process::id(),
            unavailable: error.outcome() == Outcome::Unavailable,
            condition: error.condition().map(|condition| condition.as_str().to_owned()),
            what: error.summary().to_owned(),
            tried: error.attempted().map(str::to_owned),
            next: error.remedy().map(str::to_owned),
            status: answer.and_then(|answer| answer.status),
            code: answer.and_then(|answer| answer.error.clone()),
            text: answer.map(|answer| answer.text.clone()),
            correlation_id: answer.and_then(|answer| answer.correlation_id.clone()),
        }
    }

    fn at(&self) -> Duration {
        Duration::from_millis(self.at)
    }

    fn error(&self) -> Error {
        let mut error = match self.unavailable {
            true => Error::unavailable(&*self.what),
            false => Error::failed(&*self.what),
        };
        if let Some(condition) = self.condition.as_deref().and_then(Condition::from_word) {
            error = error.condition_of(condition);
        }
        if let Some(tried) = &self.tried {
            error = error.tried(format!("{tried} (by process {}, which asked for all)", self.process));
        }
        if let Some(text) = &self.text {
            error = error.answer(Answer {
                status: self.status,
                error: self.code.clone(),
                text: text.clone(),
                correlation_id: self.correlation_id.clone(),
                ..Answer::default()
            });
        }
        match &self.next {
            Some(next) => error.next(&**next),
            None => error,
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::collections::HashMap;
    use std::path::Path;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Semaphore;

    use super::*;
    use crate::platform::scripted::ScriptedClock;
    use crate::platform::{Clock, SharedMemory, SystemClock};

    /// A host that numbers its tokens, and is closed or down on command.
    struct Host {
        asked: AtomicUsize,
        gate: Semaphore,
        down: std::sync::atomic::AtomicBool,
    }

    struct Numbered(Arc<Host>);

    #[async_trait]
    impl Source for Numbered {
        fn check(&self, _request: &TokenRequest) -> Result<(), Error> {
            Ok(())
        }

        async fn fetch(&self, _request: &TokenRequest) -> Result<Fetched, Error> {
            let number = self.0.asked.fetch_add(1, Ordering::SeqCst) + 1;
            self.0.gate.acquire().await.expect("open").forget();
            self.0.gate.add_permits(1);
            if self.0.down.load(Ordering::SeqCst) {
                return Err(Error::failed("down").condition_of(Condition::Throttled).tried("GET x").answer(Answer {
                    status: Some(429),
                    text: "busy".into(),
                    ..Answer::default()
                }));
            }
            Ok(Fetched {
                token: Token::new(Zeroizing::new(format!("t-{number}")), 2_000_000_000, None),
                lifetime: Duration::from_secs(3600),
                refresh_in: None,
            })
        }
    }

    struct Machine {
        folder: tempfile::TempDir,
        host: Arc<Host>,
        clock: Option<ScriptedClock>,
    }

    impl Machine {
        fn new(clock: Option<ScriptedClock>) -> Self {
            let host = Host { asked: AtomicUsize::default(), gate: Semaphore::new(1), down: false.into() };
            Self { folder: tempfile::tempdir().expect("a folder"), host: Arc::new(host), clock }
        }

        /// What one process has.
        fn process(&self, secret: &str) -> Shared<Numbered> {
            let variables = HashMap::from([("IDENTITY_HEADER".to_owned(), secret.to_owned())]);
            let mut platform = Platform::with_environment(Arc::new(variables))
                .with_shared_memory(SharedMemory::at(self.folder.path()));
            if let Some(clock) = &self.clock {
                platform = platform.with_clock(Arc::new(clock.clone()));
            }
            let principal = Principal::new("test", &[]);
            Shared::new(Numbered(Arc::clone(&self.host)), principal, platform, &["IDENTITY_HEADER"])
        }

        fn asked(&self) -> usize {
            self.host.asked.load(Ordering::SeqCst)
        }
    }

    async fn get(process: &Shared<Numbered>) -> Result<String, Error> {
        process.fetch(&TokenRequest::new(["s"])).await.map(|fetched| fetched.token.secret().to_owned())
    }

    fn files(folder: &Path) -> Vec<String> {
        let names = std::fs::read_dir(folder).expect("a folder").flatten();
        names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }

    async fn together(machine: &Machine) -> Vec<Result<String, Error>> {
        let gate = machine.host.gate.acquire().await.expect("open");
        let begun = Arc::new(AtomicUsize::new(0));
        let workers: Vec<_> = (0..64)
            .map(|_| {
                let (process, begun) = (machine.process("h"), Arc::clone(&begun));
                tokio::spawn(async move {
                    begun.fetch_add(1, Ordering::SeqCst);
                    get(&process).await
                })
            })
            .collect();
        while machine.asked() == 0 || begun.load(Ordering::SeqCst) < 64 {
            tokio::task::yield_now().await;
        }
        // Slots count in milliseconds: what happens from now on is later than that.
        let all_begun = millis(SystemClock.elapsed());
        while millis(SystemClock.elapsed()) <= all_begun {
            tokio::task::yield_now().await;
        }
        drop(gate);
        futures::future::join_all(workers).await.into_iter().map(|worker| worker.expect("no panic")).collect()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn of_many_that_start_together_one_asks() {
        let machine = Machine::new(None);
        for outcome in together(&machine).await {
            assert_eq!(outcome.expect("a token"), "t-1");
        }
        assert_eq!(machine.asked(), 1);
        for file in files(machine.folder.path()) {
            let content = std::fs::read(machine.folder.path().join(&file)).expect("readable");
            assert!(!content.windows(3).any(|window| window == b"t-1"), "{file} is not sealed");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_failure_is_that_of_all_who_waited_for_it() {
        let machine = Machine::new(None);
        machine.host.down.store(true, Ordering::SeqCst);
        let outcomes = together(&machine).await;
        let told = outcomes.iter().filter(|outcome| {
            let error = outcome.as_ref().expect_err("down");
            assert_eq!(error.condition(), Some(Condition::Throttled));
            let text = error.to_string();
            assert!(text.contains("HTTP 429, busy"), "{text}");
            text.contains("which asked for all")
        });
        // One or two may have been stopped between beginning and looking at the clock; they ask for themselves.
        assert!(told.count() > 32);
        assert!(machine.asked() < 32, "{}", machine.asked());
    }

    #[tokio::test]
    async fn a_token_is_replaced_when_it_is_time_and_kept_while_the_host_is_down() {
        let clock = ScriptedClock::at(1_800_000_000);
        let machine = Machine::new(Some(clock.clone()));
        let (one, two) = (machine.process("h"), machine.process("h"));
        assert_eq!(get(&one).await.expect("a token"), "t-1");
        clock.advance(Duration::from_secs(2900));
        assert_eq!(get(&two).await.expect("a token"), "t-1");
        machine.host.down.store(true, Ordering::SeqCst);
        clock.advance(Duration::from_secs(200));
        assert_eq!(get(&two).await.expect("still valid"), "t-1");
        assert_eq!(machine.asked(), 2);
        assert_eq!(get(&one).await.expect("still valid"), "t-1");
        assert_eq!(machine.asked(), 2, "it rests");
        clock.advance(Duration::from_secs(31));
        assert_eq!(get(&one).await.expect("still valid"), "t-1");
        assert_eq!(machine.asked(), 3, "it has rested");
        clock.advance(Duration::from_secs(3600));
        assert_eq!(get(&one).await.expect_err("expired").summary(), "down");
        machine.host.down.store(false, Ordering::SeqCst);
        assert_eq!(get(&two).await.expect("a token"), "t-5");
        assert_eq!(get(&one).await.expect("a token"), "t-5");
    }

    #[tokio::test]
    async fn another_secret_or_request_is_another_slot() {
        let machine = Machine::new(None);
        assert_eq!(get(&machine.process("h")).await.expect("a token"), "t-1");
        assert_eq!(get(&machine.process("rotated")).await.expect("a token"), "t-2");
        let mut cae = TokenRequest::new(["s"]);
        cae.enable_cae = true;
        let token = machine.process("h").fetch(&cae).await.expect("a token");
        assert_eq!(token.token.secret(), "t-3");
        assert_eq!(get(&machine.process("h")).await.expect("a token"), "t-1");
    }

    #[tokio::test]
    async fn a_claims_challenge_replaces_the_token_of_all() {
        let machine = Machine::new(None);
        assert_eq!(get(&machine.process("h")).await.expect("a token"), "t-1");
        let mut challenged = TokenRequest::new(["s"]);
        challenged.claims = Some("{}".into());
        let token = machine.process("h").fetch(&challenged).await.expect("a token");
        assert_eq!(token.token.secret(), "t-2");
        assert_eq!(get(&machine.process("h")).await.expect("a token"), "t-2");
    }

    #[tokio::test]
    async fn a_process_that_is_stopped_with_the_lock_stops_nobody() {
        let machine = Machine::new(Some(ScriptedClock::at(1_800_000_000)));
        let stopped = machine.process("h").slot(&TokenRequest::new(["s"])).expect("a slot");
        let _locked = stopped.file.try_lock().expect("a lock").expect("free");
        assert_eq!(get(&machine.process("h")).await.expect("a token"), "t-1");
    }

    #[tokio::test]
    async fn what_is_no_slot_is_overwritten() {
        let machine = Machine::new(None);
        let slot = machine.process("h").slot(&TokenRequest::new(["s"])).expect("a slot");
        slot.file.write(b"rubbish").expect("written");
        assert_eq!(get(&machine.process("h")).await.expect("a token"), "t-1");
        assert_eq!(get(&machine.process("h")).await.expect("a token"), "t-1");
    }
}
