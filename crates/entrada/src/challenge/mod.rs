//! The challenges of resources: what a 401 wants to see, and a policy for service clients that brings it.

mod demand;
mod policy;
mod www_authenticate;

pub(crate) use policy::Call;
pub use policy::{ChallengePolicy, ChallengePolicyOptions};
#[cfg(any(test, fuzzing))]
pub(crate) use {demand::Demand, www_authenticate::parse};
