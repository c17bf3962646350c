//! Tokens in memory: freshness, one flight a key, refresh behind the callers' backs, bounds.
//!
//! The cache knows nothing of OAuth. It is handed a way to fetch, and calls it as seldom as it can.

mod entry;
mod flight;
mod flights;
mod freshness;
mod index;
mod key;
mod memory;
mod renewals;
mod seal;
mod shared_slot;
mod signal;

pub(crate) use entry::{Entry, Stored};
pub(crate) use flight::Flight;
pub(crate) use flights::{Flights, Joined};
pub(crate) use freshness::Freshness;
pub(crate) use key::{Key, Principal, Sought};
pub use memory::{Cache, CacheLimits};
pub(crate) use shared_slot::Shared;
