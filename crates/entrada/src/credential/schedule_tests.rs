//! What holds of the cache whatever happens, in whatever order: a model of it, and random schedules.
//!
//! The model knows the rules as ARCHITECTURE.md has them, not the code. It is asked after every event.

use std::ops::Range;
use std::task::Poll;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::Index;

use super::desk::{Answer, Caller, Desk, named};
use super::*;

const WHO: [&str; 2] = ["me", "you"];
const SCOPES: [&str; 2] = ["s", "t"];
/// Objects that are constructed alike, for each of [`WHO`].
const TWINS: usize = 2;
const CLAIMS: &str = "{}";

#[derive(Clone, Debug)]
enum Event {
    /// A new caller asks.
    Ask {
        key: Key,
        twin: usize,
        claims: bool,
    },
    /// One who waits looks again, be it due or not.
    Look(Index),
    /// All who were woken look again.
    LookAll,
    /// One who waits goes away.
    GiveUp(Index),
    /// A fetch ends.
    Land(Index, Answer),
    /// Seconds pass.
    Pass(u64),
    /// Time passes until something changes for a key: chance alone seldom finds a last minute.
    Reach(Key, Turn),
    /// The wall clock is set.
    Jump(i64),
    Clear,
    Fork,
}

#[derive(Clone, Copy, Debug)]
enum Turn {
    Stale,
    LastMinute,
    HalfRested,
    Rested,
}

/// Who and what, as indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    who: usize,
    scope: usize,
}

fn key() -> impl Strategy<Value = Key> {
    // One of them most of the time, so that much happens to it.
    let (who, scope) = (0..WHO.len(), 0..SCOPES.len());
    prop_oneof![2 => Just(Key { who: 0, scope: 0 }), 1 => (who, scope).prop_map(|(who, scope)| Key { who, scope })]
}

fn answer() -> impl Strategy<Value = Answer> {
    let lifetime = prop_oneof![1u64..20, 50u64..800, 3000u64..20_000];
    let token = lifetime.prop_flat_map(|lifetime| {
        let refresh_in = proptest::option::weighted(0.3, 0..lifetime * 2);
        refresh_in.prop_map(move |refresh_in| Answer::Token { lifetime, refresh_in })
    });
    prop_oneof![3 => token, 2 => Just(Answer::Failure("down"))]
}

fn event() -> impl Strategy<Value = Event> {
    let pass = prop_oneof![0u64..40, 40u64..700, 700u64..20_000];
    let turn = prop_oneof![Just(Turn::Stale), Just(Turn::LastMinute), Just(Turn::HalfRested), Just(Turn::Rested)];
    prop_oneof![
        10 => (key(), 0..TWINS, proptest::bool::weighted(0.15))
            .prop_map(|(key, twin, claims)| Event::Ask { key, twin, claims }),
        3 => any::<Index>().prop_map(Event::Look),
        3 => Just(Event::LookAll),
        1 => any::<Index>().prop_map(Event::GiveUp),
        6 => (any::<Index>(), answer()).prop_map(|(which, answer)| Event::Land(which, answer)),
        2 => pass.prop_map(Event::Pass),
        6 => (key(), turn).prop_map(|(key, turn)| Event::Reach(key, turn)),
        1 => (-1_000_000i64..1_000_000).prop_map(Event::Jump),
        1 => Just(Event::Clear),
        1 => Just(Event::Fork),
    ]
}

/// A token that some fetch brought.
#[derive(Clone, Copy, Debug)]
struct Brought {
    number: usize,
    at: Duration,
    lifetime: Duration,
    refresh_in: Option<Duration>,
}

impl Brought {
    fn has_expired(&self, now: Duration) -> bool {
        now >= self.at + self.lifetime
    }

    /// The last minute, or the last fifth of a short life.
    fn is_nearly_expired(&self, now: Duration) -> bool {
        now >= self.at + self.until_nearly_expired()
    }

    fn until_nearly_expired(&self) -> Duration {
        self.lifetime - (self.lifetime / 5).min(Duration::from_secs(60))
    }

    /// When it becomes stale: a tenth of the time is left to chance.
    fn stale_from(&self) -> Range<Duration> {
        let minutes = self.lifetime.as_secs() / 60;
        let until = match self.refresh_in {
            Some(refresh_in) if !refresh_in.is_zero() => refresh_in,
            _ if minutes >= 120 => self.lifetime / 2,
            _ if self.lifetime > Duration::from_secs(11 * 60) => self.lifetime - Duration::from_secs(10 * 60),
            _ => self.until_nearly_expired(),
        };
        let earliest = until.mul_f64(0.899).min(self.until_nearly_expired());
        self.at + earliest..self.at + until.min(self.until_nearly_expired())
    }
}

/// Whether something is so, where chance has a say in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Maybe {
    No,
    Unknown,
    Yes,
}

/// Whether a moment that lies in `range` has come.
fn has_come(range: &Range<Duration>, now: Duration) -> Maybe {
    if now < range.start {
        Maybe::No
    } else if now < range.end {
        Maybe::Unknown
    } else {
        Maybe::Yes
    }
}

/// What the cache should hold for a key.
#[derive(Default)]
struct Slot {
    token: Option<Brought>,
    failures: u32,
    rested: Range<Duration>,
}

/// Somebody who waits.
struct Waiting {
    caller: Caller,
    key: Key,
    claims: bool,
    waits_for: WaitsFor,
}

#[derive(Clone, Debug)]
enum WaitsFor {
    /// The number of a fetch.
    Fetch(usize),
    /// To look at what it brought.
    Landed(Result<Brought, &'static str>),
    /// A fetch of the parent's.
    Lost,
}

struct Model {
    desk: Desk,
    credentials: Vec<[Arc<Cached>; TWINS]>,
    slots: [[Slot; SCOPES.len()]; WHO.len()],
    waiting: Vec<Waiting>,
    brought: Vec<(Key, Brought)>,
}

impl Model {
    fn new() -> Self {
        let desk = Desk::new(Answer::token(3600));
        let credentials: Vec<_> = WHO.map(|who| [(); TWINS].map(|()| desk.credential(who))).into();
        for credential in credentials.iter().flatten() {
            // So that each has its entries, and none is swept with the failures that it counts.
            for scope in SCOPES {
                assert!(credential.at_hand(&[scope], None, false).is_none());
            }
        }
        Self { desk, credentials, slots: Default::default(), waiting: Vec::new(), brought: Vec::new() }
    }

    fn now(&self) -> Duration {
        Duration::from_secs(self.desk.now.get())
    }

    fn slot(&mut self, key: Key) -> &mut Slot {
        &mut self.slots[key.who][key.scope]
    }

    /// What may still be handed out.
    fn valid(&mut self, key: Key) -> Option<Brought> {
        let now = self.now();
        self.slot(key).token.filter(|token| !token.has_expired(now))
    }

    /// The fetch that is under way; never two.
    fn fetch(&self, key: Key, claims: bool) -> Option<usize> {
        self.desk.running(|running| {
            let mut ours = running.iter().filter(|fetch| {
                fetch.who == WHO[key.who]
                    && fetch.request.scopes == [SCOPES[key.scope]]
                    && fetch.request.claims.is_some() == claims
            });
            let fetch = ours.next().map(|fetch| fetch.number);
            assert!(ours.next().is_none(), "two fetches for {key:?}");
            fetch
        })
    }

    fn apply(&mut self, event: Event) {
        match event {
            Event::Ask { key, twin, claims } => {
                let mut request = TokenRequest::new([SCOPES[key.scope]]);
                request.claims = claims.then(|| CLAIMS.into());
                let caller = self.desk.caller(&self.credentials[key.who][twin], request);
                self.ask(caller, key, claims);
            }
            Event::Look(which) if !self.waiting.is_empty() => {
                let waiting = self.waiting.swap_remove(which.index(self.waiting.len()));
                self.look(waiting);
            }
            Event::LookAll => {
                let (due, waiting) = std::mem::take(&mut self.waiting).into_iter().partition(|one| one.caller.is_due());
                self.waiting = waiting;
                let due: Vec<_> = due;
                due.into_iter().for_each(|one| self.look(one));
            }
            Event::GiveUp(which) if !self.waiting.is_empty() => {
                self.waiting.swap_remove(which.index(self.waiting.len()));
            }
            Event::Land(which, answer) => {
                let running = self.desk.running(<[_]>::len);
                if running > 0 {
                    self.land(which.index(running), answer);
                }
            }
            Event::Pass(seconds) => self.desk.advance(seconds),
            Event::Reach(key, turn) => self.reach(key, turn),
            Event::Jump(seconds) => self.desk.clock.jump(seconds),
            Event::Clear => {
                self.desk.cache.clear();
                self.slots.iter_mut().flatten().for_each(|slot| slot.token = None);
            }
            Event::Fork => {
                self.desk.fork();
                for one in &mut self.waiting {
                    if matches!(one.waits_for, WaitsFor::Fetch(_)) {
                        one.waits_for = WaitsFor::Lost;
                    }
                }
            }
            Event::Look(_) | Event::GiveUp(_) => {}
        }
        let before = self.desk.fetches();
        self.desk.run();
        assert_eq!(self.desk.fetches(), before, "a fetch out of nowhere");
    }

    fn reach(&mut self, key: Key, turn: Turn) {
        let now = self.now();
        let slot = self.slot(key);
        let moment = match (turn, slot.token) {
            (Turn::Stale, Some(token)) => token.stale_from().end,
            (Turn::LastMinute, Some(token)) => token.at + token.until_nearly_expired(),
            (Turn::HalfRested, _) => slot.rested.start.saturating_sub(Duration::from_secs(1)),
            (Turn::Rested, _) => slot.rested.end,
            (_, None) => return,
        };
        self.desk.advance(moment.saturating_sub(now).as_millis().div_ceil(1000).try_into().expect("small"));
    }

    /// Polls a caller that has nothing to wait for yet, and checks what comes of it.
    fn ask(&mut self, mut caller: Caller, key: Key, claims: bool) {
        let now = self.now();
        let under_way = self.fetch(key, claims);
        let before = self.desk.fetches();
        let outcome = caller.poll();
        let started = self.desk.fetches() - before;
        let fetch = self.fetch(key, claims);
        assert_eq!(started, usize::from(fetch != under_way), "fetches only for this key");

        let rested = has_come(&self.slot(key).rested, now);
        let token = self.valid(key).filter(|_| !claims);
        // Whether it gets a token at once, and whether a fetch is under way then.
        let (at_once, wanted) = match token {
            None => (Maybe::No, Maybe::Yes),
            Some(token) if token.is_nearly_expired(now) => match rested {
                Maybe::Yes => (Maybe::No, Maybe::Yes),
                Maybe::No => (Maybe::Yes, Maybe::No),
                Maybe::Unknown => (Maybe::Unknown, Maybe::Unknown),
            },
            Some(token) => (
                Maybe::Yes,
                match (has_come(&token.stale_from(), now), rested) {
                    (Maybe::Yes, Maybe::Yes) => Maybe::Yes,
                    (Maybe::No, _) | (_, Maybe::No) => Maybe::No,
                    _ => Maybe::Unknown,
                },
            ),
        };
        if wanted == Maybe::Yes {
            assert!(fetch.is_some(), "{token:?} should be replaced at {now:?}");
        } else if wanted == Maybe::No {
            assert_eq!(started, 0, "no need to replace {token:?} at {now:?}");
        }
        match outcome {
            Poll::Ready(outcome) => {
                assert_ne!(at_once, Maybe::No, "nothing was there");
                let token = token.expect("as it need not wait");
                self.check(key, &outcome, Ok(token));
            }
            Poll::Pending => {
                assert_ne!(at_once, Maybe::Yes, "{token:?} is good enough at {now:?}");
                let waits_for = WaitsFor::Fetch(fetch.expect("something to wait for"));
                self.waiting.push(Waiting { caller, key, claims, waits_for });
            }
        }
    }

    /// Polls a caller that waits, and checks what comes of it.
    fn look(&mut self, mut one: Waiting) {
        let (key, now) = (one.key, self.now());
        let failed = match one.waits_for {
            WaitsFor::Landed(Ok(token)) if token.has_expired(now) => return self.ask(one.caller, key, one.claims),
            WaitsFor::Landed(Ok(token)) => {
                let Poll::Ready(outcome) = one.caller.poll() else { panic!("{token:?} is there") };
                return self.check(key, &outcome, Ok(token));
            }
            WaitsFor::Fetch(_) => {
                assert!(!one.caller.is_due(), "woken for nothing");
                assert!(one.caller.poll().is_pending());
                return self.waiting.push(one);
            }
            WaitsFor::Landed(Err(reason)) => reason,
            WaitsFor::Lost => "forked",
        };
        let expected = self.valid(key).filter(|_| !one.claims).ok_or(failed);
        let Poll::Ready(outcome) = one.caller.poll() else { panic!("it waits for what has {failed}") };
        self.check(key, &outcome, expected);
    }

    /// Checks what a caller got.
    fn check(&self, key: Key, outcome: &Result<Arc<Token>, Error>, expected: Result<Brought, &'static str>) {
        match (named(outcome.clone()), expected) {
            (Ok(name), expected) => {
                let (_, token) = self
                    .brought
                    .iter()
                    .find(|(owner, token)| *owner == key && name == format!("{}-{}", WHO[key.who], token.number))
                    .unwrap_or_else(|| panic!("{name} is not for {key:?}"));
                assert!(!token.has_expired(self.now()), "{token:?} has expired at {:?}", self.now());
                let expected = expected.unwrap_or_else(|reason| panic!("{token:?} in place of: {reason}"));
                assert_eq!(token.number, expected.number);
            }
            (Err(error), Err(reason)) => assert!(error.contains(reason), "{error} in place of: {reason}"),
            (Err(error), Ok(token)) => panic!("{error}, in place of {token:?}"),
        }
    }

    fn land(&mut self, index: usize, answer: Answer) {
        let (number, key) = self.desk.running(|running| {
            let fetch = &running[index];
            let who = WHO.iter().position(|who| *who == fetch.who).expect("one of them");
            let scope = SCOPES.iter().position(|scope| fetch.request.scopes == [*scope]).expect("one of them");
            (fetch.number, Key { who, scope })
        });
        let now = self.now();
        self.desk.answer(index, answer.clone());
        let landed = match answer {
            Answer::Token { lifetime, refresh_in } => {
                let (lifetime, refresh_in) = (Duration::from_secs(lifetime), refresh_in.map(Duration::from_secs));
                let token = Brought { number, at: now, lifetime, refresh_in };
                self.brought.push((key, token));
                *self.slot(key) = Slot { token: Some(token), ..Slot::default() };
                Ok(token)
            }
            Answer::Failure(reason) => {
                let slot = self.slot(key);
                // Thirty seconds, doubled by each failure in a row, up to ten minutes; half of it is left to chance.
                let rest = Duration::from_secs((30u64 << slot.failures.min(8)).min(600));
                slot.failures += 1;
                slot.rested = now + rest / 2..now + rest;
                Err(reason)
            }
            Answer::Panic => unreachable!("not drawn"),
        };
        for one in &mut self.waiting {
            if matches!(one.waits_for, WaitsFor::Fetch(fetch) if fetch == number) {
                assert!(one.caller.is_due(), "it was not woken");
                one.waits_for = WaitsFor::Landed(landed);
            }
        }
    }

    /// Ends all fetches, until nobody waits.
    fn finish(mut self) {
        // A second round is for those who come too late for what landed long ago; a third for nobody.
        for _ in 0..2 {
            while self.desk.running(<[_]>::len) > 0 {
                self.land(0, Answer::token(3600));
            }
            std::mem::take(&mut self.waiting).into_iter().for_each(|one| self.look(one));
        }
        assert!(self.waiting.is_empty(), "{} wait for ever", self.waiting.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    #[test]
    fn every_schedule_keeps_to_the_rules(events in proptest::collection::vec(event(), 1..120)) {
        let mut model = Model::new();
        for event in events {
            model.apply(event);
        }
        model.finish();
    }
}
