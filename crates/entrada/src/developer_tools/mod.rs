//! The tools that a developer is signed in with.

mod azure_cli;
mod program;

pub(crate) use azure_cli::AzureCli;
