//! Credentials whose fetches end when a test says so, and callers that it polls itself: one thread, one scripted clock.

use std::cell::{Cell, RefCell};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::*;
use crate::cache::CacheLimits;
use crate::platform::Clock;
use crate::platform::scripted::{Scripted, ScriptedClock};
use crate::runtime::by_hand::{ByHand, Polled};

/// How a fetch ends.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// In seconds.
    Token {
        lifetime: u64,
        refresh_in: Option<u64>,
    },
    Failure(&'static str),
    Panic,
}

impl Answer {
    pub(super) fn token(lifetime: u64) -> Self {
        Self::Token { lifetime, refresh_in: None }
    }
}

/// A fetch that is under way.
pub(super) struct Running {
    /// Of all fetches of a desk, from 1. Its token is called `<who>-<number>`.
    pub(super) number: usize,
    pub(super) who: &'static str,
    pub(super) request: TokenRequest,
    end: oneshot::Sender<Answer>,
}

#[derive(Default)]
struct Book {
    started: usize,
    running: Vec<Running>,
}

#[derive(Default)]
struct Shared {
    book: Mutex<Book>,
    fingerprint: AtomicU64,
}

struct ByOrder {
    who: &'static str,
    shared: Arc<Shared>,
    clock: ScriptedClock,
}

#[async_trait]
impl Source for ByOrder {
    fn check(&self, request: &TokenRequest) -> Result<(), Error> {
        crate::scope::check(request)
    }

    async fn fetch(&self, request: &TokenRequest) -> Result<Fetched, Error> {
        let (end, answer) = oneshot::channel();
        let number = {
            let mut book = self.shared.book.lock().expect("no panic");
            book.started += 1;
            let number = book.started;
            book.running.push(Running { number, who: self.who, request: request.clone(), end });
            number
        };
        match answer.await.expect("an answer") {
            Answer::Token { lifetime, refresh_in } => Ok(Fetched {
                token: Token::new(
                    Zeroizing::new(format!("{}-{number}", self.who)),
                    self.clock.unix_time().saturating_add_unsigned(lifetime),
                    None,
                ),
                lifetime: Duration::from_secs(lifetime),
                refresh_in: refresh_in.map(Duration::from_secs),
            }),
            Answer::Failure(reason) => Err(Error::failed(reason)),
            Answer::Panic => panic!("as told"),
        }
    }

    fn fingerprint(&self) -> u64 {
        self.shared.fingerprint.load(Ordering::SeqCst)
    }
}

pub(super) struct Desk {
    hand: ByHand,
    platform: Platform,
    shared: Arc<Shared>,
    /// What [`get`](Self::get) answers fetches with.
    usual: RefCell<Answer>,
    pub(super) clock: ScriptedClock,
    pub(super) cache: Arc<Cache>,
    /// How much [`advance`](Self::advance) has moved the clock, in seconds.
    pub(super) now: Cell<u64>,
}

pub(super) type Caller = Polled<Result<Arc<Token>, Error>>;

impl Desk {
    pub(super) fn new(usual: Answer) -> Self {
        let machine = Scripted::new(&[]);
        Self {
            hand: ByHand::new(),
            platform: machine.platform,
            shared: Arc::default(),
            usual: RefCell::new(usual),
            clock: machine.clock,
            cache: Cache::new(CacheLimits::default()),
            now: Cell::new(0),
        }
    }

    pub(super) fn credential(&self, who: &'static str) -> Arc<Cached> {
        Arc::new(Cached::new(
            "TestCredential",
            Principal::new("test", &[Some(who)]),
            ByOrder { who, shared: Arc::clone(&self.shared), clock: self.clock.clone() },
            self.platform.clone(),
            Some(Arc::clone(&self.cache)),
        ))
    }

    /// Somebody who asks once polled.
    pub(super) fn caller(&self, credential: &Arc<Cached>, request: TokenRequest) -> Caller {
        let credential = Arc::clone(credential);
        Polled::new(async move { credential.token(&request).await })
    }

    /// Somebody who has asked, and waits.
    pub(super) fn waiting(&self, credential: &Arc<Cached>) -> Caller {
        let mut caller = self.caller(credential, TokenRequest::new(["s"]));
        assert!(caller.poll().is_pending());
        caller
    }

    /// Asks, and ends all fetches in the usual way until there is an outcome: what the token is called, or what failed.
    pub(super) fn get(&self, credential: &Arc<Cached>) -> Result<String, String> {
        self.get_as(credential, TokenRequest::new(["s"]))
    }

    pub(super) fn get_as(&self, credential: &Arc<Cached>, request: TokenRequest) -> Result<String, String> {
        let mut caller = self.caller(credential, request);
        loop {
            if let Poll::Ready(outcome) = caller.poll() {
                return named(outcome);
            }
            self.answer_all();
            assert!(caller.is_due(), "it would wait for ever");
        }
    }

    /// Lets everything go on that can.
    pub(super) fn run(&self) {
        self.hand.run();
    }

    /// Ends one of the fetches that are under way.
    pub(super) fn answer(&self, index: usize, answer: Answer) {
        self.run();
        let running = self.shared.book.lock().expect("no panic").running.swap_remove(index);
        assert!(running.end.send(answer).is_ok(), "it is waited for");
        self.run();
    }

    /// Ends all fetches in the usual way.
    pub(super) fn answer_all(&self) {
        self.run();
        while self.running(<[Running]>::len) > 0 {
            let usual = self.usual.borrow().clone();
            self.answer(0, usual);
        }
    }

    pub(super) fn running<R>(&self, look: impl FnOnce(&[Running]) -> R) -> R {
        look(&self.shared.book.lock().expect("no panic").running)
    }

    /// How many fetches were ever started.
    pub(super) fn fetches(&self) -> usize {
        self.run();
        self.shared.book.lock().expect("no panic").started
    }

    pub(super) fn usual(&self, answer: Answer) {
        self.usual.replace(answer);
    }

    pub(super) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.now.set(self.now.get() + seconds);
    }

    pub(super) fn change_account(&self) {
        self.shared.fingerprint.fetch_add(1, Ordering::SeqCst);
    }

    /// Goes on in the child of a fork: what is under way ends in the parent only.
    pub(super) fn fork(&self) {
        self.hand.fork();
        self.shared.book.lock().expect("no panic").running.clear();
    }
}

/// What a token is called, or what failed.
pub(super) fn named(outcome: Result<Arc<Token>, Error>) -> Result<String, String> {
    outcome.map(|token| token.secret().to_owned()).map_err(|error| error.summary().to_owned())
}

/// The outcome of a caller that must have one.
pub(super) fn outcome(caller: &mut Caller) -> Result<String, String> {
    match caller.poll() {
        Poll::Ready(outcome) => named(outcome),
        Poll::Pending => panic!("it still waits"),
    }
}
