//! Futures that a test runs itself, on its own thread: nothing goes on unless it says so.

use std::cell::RefCell;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures::future::BoxFuture;

thread_local! {
    static HAND: RefCell<Option<Hand>> = const { RefCell::new(None) };
}

#[derive(Default)]
struct Hand {
    generation: u64,
    tasks: Vec<Polled<()>>,
}

/// While it lives, what this thread spawns waits for [`run`](Self::run).
pub(crate) struct ByHand(PhantomData<*const ()>);

impl ByHand {
    pub(crate) fn new() -> Self {
        HAND.set(Some(Hand::default()));
        Self(PhantomData)
    }

    /// Goes on with what was spawned until all of it waits for something.
    pub(crate) fn run(&self) {
        loop {
            let tasks = HAND.with_borrow_mut(|hand| std::mem::take(&mut hand.as_mut().expect("as long as self").tasks));
            let (due, mut waiting): (Vec<_>, Vec<_>) = tasks.into_iter().partition(Polled::is_due);
            let done = due.is_empty();
            for mut task in due {
                if task.poll().is_pending() {
                    waiting.push(task);
                }
            }
            HAND.with_borrow_mut(|hand| hand.as_mut().expect("as long as self").tasks.append(&mut waiting));
            if done {
                return;
            }
        }
    }

    /// Goes on as the child of a fork: what was spawned is memory that nobody runs any more.
    pub(crate) fn fork(&self) {
        let tasks = HAND.with_borrow_mut(|hand| {
            let hand = hand.as_mut().expect("as long as self");
            hand.generation += 1;
            std::mem::take(&mut hand.tasks)
        });
        std::mem::forget(tasks);
    }
}

impl Drop for ByHand {
    fn drop(&mut self) {
        drop(HAND.take());
    }
}

/// How often this thread pretends to have been forked, if it runs things by hand.
pub(super) fn generation() -> Option<u64> {
    HAND.with_borrow(|hand| hand.as_ref().map(|hand| hand.generation))
}

/// Takes a future over, or gives it back where nothing is run by hand.
pub(super) fn spawn<F: Future<Output = ()> + Send + 'static>(future: F) -> Option<F> {
    HAND.with_borrow_mut(|hand| match hand {
        Some(hand) => {
            hand.tasks.push(Polled::new(future));
            None
        }
        None => Some(future),
    })
}

/// A future that is polled by hand.
pub(crate) struct Polled<T> {
    future: BoxFuture<'static, T>,
    wakes: Arc<Wakes>,
    seen: usize,
}

/// Counts instead of doing anything.
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl<T> Polled<T> {
    pub(crate) fn new(future: impl Future<Output = T> + Send + 'static) -> Self {
        // Whoever has it first has to poll it once.
        Self { future: Box::pin(future), wakes: Arc::new(Wakes(AtomicUsize::new(1))), seen: 0 }
    }

    /// Whether it was never polled, or was woken since.
    pub(crate) fn is_due(&self) -> bool {
        self.wakes.0.load(Ordering::SeqCst) > self.seen
    }

    pub(crate) fn poll(&mut self) -> Poll<T> {
        self.seen = self.wakes.0.load(Ordering::SeqCst);
        let waker = Waker::from(Arc::clone(&self.wakes));
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }
}
