//! Where the assertions come from that an app shows in place of a secret: one file for each source.

mod audience;
mod azure_pipelines;
mod client_assertion;
mod command;
mod environment;
mod file;
mod github_actions;
mod issuer;
mod managed_identity;
mod pick;
#[cfg(test)]
mod testing;
mod url;
mod workload;

pub(crate) use audience::check_audience;
pub(crate) use azure_pipelines::{AzurePipelinesAssertion, MAP, URI};
pub(crate) use client_assertion::Presented;
pub use client_assertion::{AssertionError, AssertionRequest, ClientAssertion};
pub use command::{CommandAssertion, CommandAssertionOptions};
pub use environment::EnvironmentAssertion;
pub use file::FileAssertion;
pub(crate) use github_actions::GitHubActionsAssertion;
pub use managed_identity::{ManagedIdentityAssertion, ManagedIdentityAssertionOptions};
pub use url::{UrlAssertion, UrlAssertionOptions};
pub(crate) use workload::{FILE, Workload};
