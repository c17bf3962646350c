//! The threads on which tokens are fetched.
//!
//! Flights run on a small runtime of the crate's own, started by the first one. So a flight survives the caller, its
//! task and its runtime; connections are shared by programs with several runtimes or none; and a program that forks
//! gets new threads in the child.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tokio::runtime::{Builder, Handle, Runtime};

use crate::error::Error;

#[cfg(test)]
pub(crate) mod by_hand;

static RUNTIME: Mutex<Option<Runtime>> = Mutex::new(None);
static GENERATION: AtomicU64 = AtomicU64::new(0);
static FORK_GATE: RwLock<()> = RwLock::new(());

/// Counts how often the process was forked: what belongs to an earlier generation (threads, sockets, flights) is gone.
pub(crate) fn generation() -> u64 {
    #[cfg(test)]
    if let Some(generation) = by_hand::generation() {
        return generation;
    }
    GENERATION.load(Ordering::Acquire)
}

/// Held while a lock of this crate is held, so that a fork waits and the child finds every lock free.
pub(crate) fn fork_gate() -> RwLockReadGuard<'static, ()> {
    FORK_GATE.read().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a future on the crate's own threads.
pub(crate) fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Result<(), Error> {
    start()?.spawn(future);
    Ok(())
}

/// Has the crate's own threads, for who must know beforehand that there are some.
pub(crate) fn start() -> Result<Started, Error> {
    Ok(Started(handle()?))
}

/// The crate's own threads.
pub(crate) struct Started(Handle);

impl Started {
    /// Runs a future on them.
    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        #[cfg(test)]
        let Some(future) = by_hand::spawn(future) else { return };
        self.0.spawn(future);
    }
}

/// Runs a future on the crate's own threads and waits for what it returns, on any runtime or none.
pub(crate) async fn run<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> Result<T, Error> {
    handle()?.spawn(future).await.map_err(abandoned)
}

fn abandoned(error: tokio::task::JoinError) -> Error {
    Error::failed(format!("a request was abandoned: {error}"))
}

/// Runs what takes a while without waiting for anything, such as deriving a key from a password, where it does not keep
/// the fetches from going on.
pub(crate) async fn run_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    handle()?.spawn_blocking(work).await.map_err(abandoned)
}

fn handle() -> Result<Handle, Error> {
    let _gate = fork_gate();
    let mut runtime = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(runtime) = &*runtime {
        return Ok(runtime.handle().clone());
    }
    let started =
        Builder::new_multi_thread().worker_threads(2).thread_name("entrada").enable_all().build().map_err(|error| {
            Error::failed(format!("no thread could be started to fetch tokens: {error}"))
                .next("raise the limit on threads or memory for this process")
        })?;
    let handle = started.handle().clone();
    *runtime = Some(started);
    Ok(handle)
}

/// Makes the process ready to be forked: waits until no lock of this crate is held, and keeps it so until the returned
/// value is dropped, in the parent, or given to [`Fork::in_child`], in the child.
///
/// Language bindings call this from their `atfork` hooks. Rust programs that fork without `exec` do too.
#[must_use]
pub fn prepare_fork() -> Fork {
    Fork { _gate: FORK_GATE.write().unwrap_or_else(PoisonError::into_inner) }
}

/// A process about to be forked; see [`prepare_fork`].
#[derive(Debug)]
pub struct Fork {
    _gate: RwLockWriteGuard<'static, ()>,
}

impl Fork {
    /// Makes the child ready: its parent's threads, sockets and flights are forgotten, cached tokens stay.
    pub fn in_child(self) {
        let runtime = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Its threads exist in the parent only; to shut it down would wait for them.
        std::mem::forget(runtime);
        GENERATION.fetch_add(1, Ordering::AcqRel);
    }
}
