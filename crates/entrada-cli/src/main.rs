//! The `entrada` command: identities for apps that use Azure, and an Azure to try them on.

mod browse;
mod emulate;
mod exports;
mod program;
mod summary;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Tokens for apps that use Azure, and a small Azure on this machine to try them on.
#[derive(Parser)]
#[command(name = "entrada", version, about, long_about = None, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Emulate(emulate::Arguments),
    #[command(hide = true)]
    Browse(browse::Arguments),
}

fn main() -> ExitCode {
    match Arguments::parse().verb {
        Verb::Emulate(arguments) => emulate::run(arguments),
        Verb::Browse(arguments) => browse::run(arguments),
    }
}
