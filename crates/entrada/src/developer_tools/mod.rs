//! The tools that a developer is signed in with, and programs that a user configured.

mod azure_cli;
mod command;
mod program;

pub(crate) use azure_cli::AzureCli;
pub(crate) use command::Command;
