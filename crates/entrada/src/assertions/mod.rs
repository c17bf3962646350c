//! Where the assertions come from that an app shows in place of a secret: one file for each source.

mod audience;
mod client_assertion;
mod environment;
mod file;
mod managed_identity;
mod workload;

pub(crate) use client_assertion::Presented;
pub use client_assertion::{AssertionError, AssertionRequest, ClientAssertion};
pub use environment::EnvironmentAssertion;
pub use file::FileAssertion;
pub use managed_identity::{ManagedIdentityAssertion, ManagedIdentityAssertionOptions};
pub(crate) use workload::{FILE, Workload};
