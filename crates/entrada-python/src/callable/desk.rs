//! Where calls of Python functions lie until a thread of Python's own takes them.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;

use super::job::Work;

/// How many threads there are at most. A function may ask another credential, whose function needs a thread of its own;
/// nobody nests so deep, and calls beyond wait until one is free.
const MOST: usize = 64;

/// How long a thread that is not needed waits for work.
const PATIENCE: Duration = Duration::from_secs(10);

static DESK: Mutex<Desk> = Mutex::new(Desk { jobs: VecDeque::new(), workers: 0, idle: 0, arrived: None });

/// Whether there are functions, and no thread that would call them: none was started yet, or the process was forked.
static UNATTENDED: AtomicBool = AtomicBool::new(false);

/// Counts how often the process was forked.
static GENERATION: AtomicU64 = AtomicU64::new(0);

struct Desk {
    jobs: VecDeque<Work>,
    workers: usize,
    /// How many of them wait for work.
    idle: usize,
    /// Rung when work arrives. A forked child has a new one: nobody waits at its parent's.
    arrived: Option<Arc<Condvar>>,
}

impl Desk {
    fn arrived(&mut self) -> Arc<Condvar> {
        Arc::clone(self.arrived.get_or_insert_default())
    }
}

/// Nobody runs Python code, or has or waits for the interpreter lock, while holding this lock: who forks has both.
fn lock() -> MutexGuard<'static, Desk> {
    DESK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Work of an earlier generation is waited for in another process.
pub(super) fn generation() -> u64 {
    GENERATION.load(Ordering::Acquire)
}

/// There is a function that will be called.
pub(super) fn expect_work() {
    if lock().workers == 0 {
        UNATTENDED.store(true, Ordering::Release);
    }
}

/// Whether a thread must be started before anybody waits for a function; costs nothing to ask.
pub(crate) fn is_unattended() -> bool {
    UNATTENDED.load(Ordering::Acquire)
}

/// Has Python start the first thread. Its half starts the others.
pub(crate) fn attend(py: Python<'_>) -> PyResult<()> {
    if !UNATTENDED.swap(false, Ordering::AcqRel) {
        return Ok(());
    }
    py.detach(|| lock().workers += 1);
    let started = py.import("entrada._workers").and_then(|module| module.call_method0("start"));
    if started.is_err() {
        py.detach(worker_gone);
    }
    started.map(drop)
}

/// Puts work on the desk.
pub(super) fn put(work: Work) {
    let mut desk = lock();
    desk.jobs.push_back(work);
    desk.arrived().notify_one();
}

/// Waits for work. Also tells whether the last thread that waited takes it, and another one is to be started, which is
/// counted already. `None` where there are enough others: the thread ends.
pub(super) fn take() -> Option<(Work, bool)> {
    let mut desk = lock();
    desk.idle += 1;
    loop {
        if let Some(work) = desk.jobs.pop_front() {
            desk.idle -= 1;
            let is_last = desk.idle == 0 && desk.workers < MOST;
            if is_last {
                desk.workers += 1;
            }
            return Some((work, is_last));
        }
        let arrived = desk.arrived();
        if desk.idle == 1 {
            desk = arrived.wait(desk).unwrap_or_else(PoisonError::into_inner);
            continue;
        }
        let (again, waited) = arrived.wait_timeout(desk, PATIENCE).unwrap_or_else(PoisonError::into_inner);
        desk = again;
        if waited.timed_out() && desk.jobs.is_empty() && desk.idle > 1 {
            desk.idle -= 1;
            desk.workers -= 1;
            return None;
        }
    }
}

/// A thread that was counted could not be started.
pub(super) fn worker_gone() {
    let mut desk = lock();
    desk.workers -= 1;
    if desk.workers == 0 {
        UNATTENDED.store(true, Ordering::Release);
    }
}

thread_local! {
    /// Python calls the hooks of a fork on the thread that forks.
    static LOCKED: RefCell<Option<MutexGuard<'static, Desk>>> = const { RefCell::new(None) };
}

/// Locks the desk until the fork is over, so that the child finds it whole.
pub(crate) fn lock_for_fork() {
    let guard = lock();
    LOCKED.set(Some(guard));
}

/// The fork is over, in the parent.
pub(crate) fn unlock_after_fork() {
    drop(LOCKED.take());
}

/// In the child of a fork there are no threads, and nobody waits for the answers to what lies here.
pub(crate) fn in_child() {
    let Some(mut desk) = LOCKED.take() else { return };
    GENERATION.fetch_add(1, Ordering::AcqRel);
    let had_workers = desk.workers > 0;
    let jobs = std::mem::take(&mut desk.jobs);
    std::mem::forget(desk.arrived.take());
    (desk.workers, desk.idle) = (0, 0);
    drop(desk);
    drop(jobs);
    if had_workers {
        UNATTENDED.store(true, Ordering::Release);
    }
}
