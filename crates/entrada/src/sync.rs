//! What flights are locked and waited for with.
//!
//! In one place, so that `tests/flight_model.rs` can compile the very same files against primitives whose interleavings
//! it chooses.

pub(crate) use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
pub(crate) use std::time::Instant;
