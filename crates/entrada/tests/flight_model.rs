//! The code of flights, compiled against primitives whose interleavings a scheduler chooses: many at random, many with
//! few but nasty preemptions, and for the smallest cases all.
//!
//! A lost wake-up shows as a deadlock. The schedule of a failure is printed; `shuttle::replay` runs it again.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use flight::{Flight, Landing};
use flights::{Flights, Joined};
use futures::future::BoxFuture;
use shuttle::future::{block_on, yield_now};
use shuttle::thread;
use sync::Arc;

#[path = "../src/cache/flight.rs"]
mod flight;
#[path = "../src/cache/flights.rs"]
mod flights;
#[path = "../src/cache/signal.rs"]
mod signal;

mod error {
    pub(crate) use entrada::Error;
}

/// Locks that watch how they are used, threads that wake up for no reason, and time that passes when a wait for it is
/// over.
mod sync {
    use std::cell::{Cell, RefCell};
    use std::ops::{Deref, DerefMut};
    use std::sync::LockResult;
    use std::time::Duration;

    pub(crate) use shuttle::sync::{Arc, PoisonError};

    use shuttle::current::{TaskId, me};
    use shuttle::rand::{Rng, thread_rng};

    thread_local! {
        // All tasks of a model run on one thread.
        static LOCKED: RefCell<Vec<TaskId>> = const { RefCell::new(Vec::new()) };
        static NOW: Cell<Duration> = const { Cell::new(Duration::from_secs(1)) };
    }

    /// Whether a lock is held that a child of a fork might need.
    pub(crate) fn locked() -> bool {
        LOCKED.with_borrow(|tasks| !tasks.is_empty())
    }

    /// Whether the running task holds one.
    pub(crate) fn locked_by_me() -> bool {
        LOCKED.with_borrow(|tasks| tasks.contains(&me()))
    }

    #[derive(Default)]
    pub(crate) struct Mutex<T>(shuttle::sync::Mutex<T>);

    pub(crate) struct MutexGuard<'a, T> {
        mutex: &'a Mutex<T>,
        // In this order: what is noted goes when the lock is free.
        guard: Option<shuttle::sync::MutexGuard<'a, T>>,
        _note: Option<Note>,
    }

    /// Notes for as long as it lives that the running task holds a lock.
    struct Note;

    impl Note {
        fn take() -> Self {
            LOCKED.with_borrow_mut(|tasks| tasks.push(me()));
            Self
        }
    }

    impl Drop for Note {
        fn drop(&mut self) {
            LOCKED.with_borrow_mut(|tasks| {
                let mine = tasks.iter().position(|task| *task == me()).expect("noted");
                tasks.swap_remove(mine);
            });
        }
    }

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(shuttle::sync::Mutex::new(value))
        }

        /// The signal of one blocked thread, which is the only lock outside the fork gate.
        fn is_signal() -> bool {
            std::any::type_name::<T>() == "bool"
        }

        pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
            assert!(Self::is_signal() || super::runtime::gate_is_held_by_me(), "locked outside the fork gate");
            let guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(MutexGuard { mutex: self, guard: Some(guard), _note: (!Self::is_signal()).then(Note::take) })
        }
    }

    impl<T> Deref for MutexGuard<'_, T> {
        type Target = T;
        fn deref(&self) -> &T {
            self.guard.as_ref().expect("held")
        }
    }

    impl<T> DerefMut for MutexGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            self.guard.as_mut().expect("held")
        }
    }

    #[derive(Default)]
    pub(crate) struct Condvar(shuttle::sync::Condvar);

    impl Condvar {
        pub(crate) fn wait<'a, T>(&self, mut held: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
            let guard = held.guard.take().expect("held");
            held.guard = Some(self.0.wait(guard).unwrap_or_else(PoisonError::into_inner));
            Ok(held)
        }

        pub(crate) fn wait_timeout<'a, T>(
            &self,
            held: MutexGuard<'a, T>,
            limit: Duration,
        ) -> LockResult<(MutexGuard<'a, T>, ())> {
            let chance = thread_rng().gen_range(0..4);
            if chance > 1 {
                return Ok((self.wait(held).unwrap_or_else(PoisonError::into_inner), ()));
            }
            let mutex = held.mutex;
            drop(held);
            shuttle::thread::yield_now();
            if chance == 1 {
                NOW.set(NOW.get() + limit);
            }
            Ok((mutex.lock().unwrap_or_else(PoisonError::into_inner), ()))
        }

        pub(crate) fn notify_one(&self) {
            self.0.notify_one();
        }
    }

    #[derive(Clone, Copy)]
    pub(crate) struct Instant(Duration);

    impl Instant {
        pub(crate) fn now() -> Self {
            Self(NOW.get())
        }

        pub(crate) fn checked_add(self, by: Duration) -> Option<Self> {
            self.0.checked_add(by).map(Self)
        }

        pub(crate) fn saturating_duration_since(self, earlier: Self) -> Duration {
            self.0.saturating_sub(earlier.0)
        }
    }
}

/// Tasks of the model, and a fork gate that watches how it is used.
mod runtime {
    use std::cell::{Cell, RefCell};
    use std::future::Future;

    use shuttle::current::{TaskId, me};

    use crate::error::Error;

    thread_local! {
        static INSIDE: RefCell<Vec<TaskId>> = const { RefCell::new(Vec::new()) };
        static GENERATION: Cell<u64> = const { Cell::new(0) };
    }

    pub(crate) struct Gate;

    pub(crate) fn generation() -> u64 {
        GENERATION.get()
    }

    pub(crate) fn fork_gate() -> Gate {
        assert!(!gate_is_held_by_me(), "who is inside and goes in again hangs if a fork waits meanwhile");
        INSIDE.with_borrow_mut(|tasks| tasks.push(me()));
        Gate
    }

    impl Drop for Gate {
        fn drop(&mut self) {
            INSIDE.with_borrow_mut(|tasks| tasks.retain(|task| *task != me()));
        }
    }

    pub(crate) fn gate_is_held_by_me() -> bool {
        INSIDE.with_borrow(|tasks| tasks.contains(&me()))
    }

    /// Waits until nobody is inside. What comes next happens before anybody goes in.
    pub(crate) fn prepare_fork() {
        while INSIDE.with_borrow(|tasks| !tasks.is_empty()) {
            shuttle::thread::yield_now();
        }
    }

    pub(crate) fn be_the_child() {
        GENERATION.set(GENERATION.get() + 1);
    }

    pub(crate) fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Result<(), Error> {
        drop(shuttle::future::spawn(future));
        Ok(())
    }
}

/// A model is run under this many schedules of each kind.
const SCHEDULES: usize = 5_000;

fn check(model: fn()) {
    shuttle::check_random(model, SCHEDULES);
    shuttle::check_pct(model, SCHEDULES, 3);
}

/// Wraps the waker of a future: it must never be woken or dropped by somebody who holds a lock, since either may run
/// code that takes the same lock.
struct Watched<F>(F);

struct WatchedWaker(Waker);

impl<F: Future + Unpin> Future for Watched<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let waker = Waker::from(Arc::new(WatchedWaker(context.waker().clone())));
        Pin::new(&mut self.0).poll(&mut Context::from_waker(&waker))
    }
}

impl Wake for WatchedWaker {
    fn wake(self: Arc<Self>) {
        assert!(!sync::locked_by_me(), "woken under a lock");
        self.0.wake_by_ref();
    }
}

impl Drop for WatchedWaker {
    fn drop(&mut self) {
        assert!(!sync::locked_by_me(), "dropped under a lock");
    }
}

#[derive(Clone, Copy)]
enum Patience {
    /// Waits as a task.
    Task,
    /// Waits as a thread, and looks up now and then.
    Thread,
    /// Waits as a thread that never looks up.
    Sleeper,
    /// Waits as a task that is cancelled before the end, unless that is there.
    None,
}

fn wait(flight: &Flight<usize>, patience: Patience) -> Option<Landing<usize>> {
    match patience {
        Patience::Task => {
            let mut wait = flight.wait();
            // As if another task had begun: the last one to poll is the one to wake.
            match Pin::new(&mut wait).poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(landing) => Some(landing),
                Poll::Pending => Some(block_on(Watched(wait))),
            }
        }
        Patience::Thread => loop {
            if let Some(landing) = flight.wait_blocking(Duration::from_millis(100)) {
                break Some(landing);
            }
        },
        Patience::Sleeper => flight.wait_blocking(Duration::MAX),
        Patience::None => block_on(async {
            let mut wait = Watched(flight.wait());
            let mut polls = 2;
            let twice = std::future::poll_fn(|context| match Pin::new(&mut wait).poll(context) {
                Poll::Ready(landing) => Poll::Ready(Some(landing)),
                Poll::Pending if polls == 0 => Poll::Ready(None),
                Poll::Pending => {
                    // Once more, with another waker.
                    polls -= 1;
                    context.waker().wake_by_ref();
                    Poll::Pending
                }
            });
            twice.await
        }),
    }
}

/// Something that is fetched, kept, and asked for by many.
struct Shelf {
    flights: Arc<Flights<&'static str, usize>>,
    kept: shuttle::sync::Mutex<Option<usize>>,
    departures: AtomicUsize,
    in_the_air: AtomicUsize,
    fetch: fn(usize) -> Landing<usize>,
}

impl Shelf {
    fn new(fetch: fn(usize) -> Landing<usize>) -> Arc<Self> {
        Arc::new(Self {
            flights: Flights::new(),
            kept: shuttle::sync::Mutex::new(None),
            departures: AtomicUsize::new(0),
            in_the_air: AtomicUsize::new(0),
            fetch,
        })
    }

    fn departures(&self) -> usize {
        self.departures.load(SeqCst)
    }

    fn look(&self) -> Option<usize> {
        *self.kept.lock().expect("no panic")
    }

    fn departure(self: &Arc<Self>) -> BoxFuture<'static, Landing<usize>> {
        let shelf = Arc::clone(self);
        Box::pin(async move {
            assert_eq!(shelf.in_the_air.fetch_add(1, SeqCst), 0, "two at a time");
            let number = shelf.departures.fetch_add(1, SeqCst) + 1;
            yield_now().await;
            // Before it may panic.
            shelf.in_the_air.store(0, SeqCst);
            let landing = (shelf.fetch)(number);
            *shelf.kept.lock().expect("no panic") = landing.as_ref().ok().copied();
            landing
        })
    }

    fn join(self: &Arc<Self>) -> Joined<usize> {
        self.flights.join("key", || self.look(), || self.departure())
    }

    /// What a caller of the cache does. `None` if it gave up.
    fn get(self: &Arc<Self>, patience: Patience) -> Option<Landing<usize>> {
        if let Some(found) = self.look() {
            return Some(Ok(found));
        }
        match self.join() {
            Joined::Landed(found) => Some(Ok(found)),
            Joined::Flight(flight) => wait(&flight, patience),
        }
    }

    /// Several at once.
    fn get_all(self: &Arc<Self>, callers: &[Patience]) -> Vec<Option<Landing<usize>>> {
        let threads: Vec<_> = callers
            .iter()
            .map(|patience| {
                let (shelf, patience) = (Arc::clone(self), *patience);
                thread::spawn(move || shelf.get(patience))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    }
}

fn succeeds(number: usize) -> Landing<usize> {
    Ok(number)
}

fn fails(number: usize) -> Landing<usize> {
    Err(error::Error::failed(format!("failure {number}")))
}

fn panics(_: usize) -> Landing<usize> {
    // Not `panic!`, whose hook would report a failed schedule.
    std::panic::resume_unwind(Box::new("as told"))
}

#[test]
fn all_share_one_departure() {
    check(|| {
        let shelf = Shelf::new(succeeds);
        let outcomes = shelf.get_all(&[Patience::Task, Patience::Thread, Patience::Sleeper, Patience::Task]);
        for outcome in outcomes {
            assert_eq!(outcome.expect("patient").expect("a success"), 1);
        }
        assert_eq!(shelf.departures(), 1, "who came late found what landed");
    });
}

#[test]
fn a_failure_is_shared_and_the_next_departs_anew() {
    check(|| {
        let shelf = Shelf::new(fails);
        let outcomes = shelf.get_all(&[Patience::Task, Patience::Sleeper, Patience::Thread]);
        for outcome in outcomes {
            let error = outcome.expect("patient").expect_err("a failure");
            assert!(error.summary().starts_with("failure "));
        }
        let before = shelf.departures();
        assert!((1..=3).contains(&before));
        assert!(shelf.get(Patience::Task).is_some_and(|landing| landing.is_err()));
        assert_eq!(shelf.departures(), before + 1);
    });
}

#[test]
fn who_gives_up_takes_nobody_along() {
    check(|| {
        let shelf = Shelf::new(succeeds);
        let outcomes = shelf.get_all(&[Patience::None, Patience::Task, Patience::None, Patience::Thread]);
        for patient in [&outcomes[1], &outcomes[3]] {
            assert!(matches!(patient, Some(Ok(1))));
        }
        assert_eq!(shelf.departures(), 1);
    });
}

#[test]
fn a_panic_lands_as_an_error() {
    check(|| {
        let shelf = Shelf::new(panics);
        for outcome in shelf.get_all(&[Patience::Task, Patience::Sleeper]) {
            let error = outcome.expect("patient").expect_err("a panic");
            assert!(error.summary().contains("panicked"), "{error}");
        }
    });
}

#[test]
fn other_keys_have_flights_of_their_own() {
    check(|| {
        let flights = Flights::new();
        let threads: Vec<_> = (0..3)
            .map(|key: usize| {
                let flights = Arc::clone(&flights);
                thread::spawn(move || {
                    let fetch = || Box::pin(async move { Ok(key) }) as BoxFuture<'static, Landing<usize>>;
                    match flights.join(key, || None, fetch) {
                        Joined::Landed(_) => unreachable!("nothing is kept"),
                        Joined::Flight(flight) => wait(&flight, Patience::Task),
                    }
                })
            })
            .collect();
        for (key, thread) in threads.into_iter().enumerate() {
            let landing = thread.join().expect("no panic").expect("patient");
            assert_eq!(landing.expect("a success"), key);
        }
    });
}

#[test]
fn a_fork_finds_every_lock_free() {
    check(|| {
        let shelf = Shelf::new(succeeds);
        let forker = thread::spawn(|| {
            for _ in 0..3 {
                runtime::prepare_fork();
                assert!(!sync::locked(), "the child would wait for a lock that nobody gives back");
                thread::yield_now();
            }
        });
        shelf.get_all(&[Patience::Task, Patience::Thread, Patience::None]);
        forker.join().expect("no panic");
    });
}

#[test]
fn nobody_waits_in_a_child_for_what_left_from_the_parent() {
    check(|| {
        let never = || Box::pin(std::future::pending()) as BoxFuture<'static, Landing<usize>>;
        let flights = Flights::new();
        let Joined::Flight(lost) = flights.join("key", || None, never) else { unreachable!("nothing is kept") };
        let mut waiting = pin!(lost.wait());
        let mut context = Context::from_waker(Waker::noop());
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        runtime::prepare_fork();
        runtime::be_the_child();
        let Poll::Ready(Err(error)) = waiting.as_mut().poll(&mut context) else { panic!("it would never be woken") };
        assert!(error.summary().contains("forked"), "{error}");
        for patience in [Patience::Task, Patience::Thread, Patience::Sleeper] {
            assert!(wait(&lost, patience).expect("an outcome").is_err());
        }
        let departure = || Box::pin(async { Ok(2usize) }) as BoxFuture<'static, Landing<usize>>;
        let Joined::Flight(flight) = flights.join("key", || None, departure) else { unreachable!("nothing is kept") };
        assert!(matches!(wait(&flight, Patience::Task), Some(Ok(2))));
    });
}

/// Should there ever be more interleavings than this, a test must say so rather than run on.
const LIMIT: usize = 100_000;

/// One waits while others do something to the flight: small enough to try every interleaving.
fn smallest(patience: Patience, others: &'static [fn(&Flight<usize>)]) {
    let tried = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&tried);
    let model = move || {
        count.fetch_add(1, SeqCst);
        let flight = Arc::new(Flight::new());
        let threads: Vec<_> = others
            .iter()
            .map(|other| {
                let flight = Arc::clone(&flight);
                thread::spawn(move || other(&flight))
            })
            .collect();
        assert!(matches!(wait(&flight, patience), Some(Ok(1))));
        for thread in threads {
            thread.join().expect("no panic");
        }
    };
    shuttle::check_dfs(model, Some(LIMIT));
    assert!(tried.load(SeqCst) < LIMIT, "these were not all");
}

fn land(flight: &Flight<usize>) {
    flight.land(Ok(1));
}

fn look_and_go(flight: &Flight<usize>) {
    let _ = pin!(flight.wait()).poll(&mut Context::from_waker(Waker::noop()));
}

#[test]
fn every_interleaving_wakes_a_task() {
    smallest(Patience::Task, &[land, look_and_go]);
}

#[test]
fn every_interleaving_wakes_a_thread() {
    smallest(Patience::Sleeper, &[land]);
}
