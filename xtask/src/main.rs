//! The project's own commands: `cargo xtask demo | test | wheel | bench | fuzz`.

mod build;
mod chromium;
mod command;
mod counts;
mod debian;
mod demo;
mod dependencies;
mod documents;
mod node;
mod project;
mod python;
mod steps;
mod terminal;
mod verbs;

use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask VERB

  demo [NAME…]      run the examples inside the emulator, and show who signed in, how and how fast
  test [RING…]      run every check, or some rings: lint, unit, protocol, python, real
  wheel             build the Python wheel into dist/
  bench [ARGS…]     measure side by side with azure-identity
  fuzz [TARGET…] [--seconds N]
                    look for input that breaks a reader, 60 seconds a target
  help              print this

Everything is installed below target/xtask; logs of every step are in target/xtask/logs.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (verb, rest) = match arguments.split_first() {
        Some((verb, rest)) => (verb.as_str(), rest),
        None => ("help", [].as_slice()),
    };
    if rest.iter().any(|argument| argument == "--help" || argument == "-h") && verb != "bench" {
        anstream::println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    match verb {
        "demo" => verbs::demo::run(rest),
        "test" => verbs::test::run(rest),
        "wheel" => verbs::wheel::run(rest),
        "bench" => verbs::bench::run(rest),
        "fuzz" => verbs::fuzz::run(rest),
        "help" | "--help" | "-h" => {
            anstream::println!("{USAGE}");
            ExitCode::SUCCESS
        }
        other => {
            anstream::eprintln!("xtask: there is no verb `{other}`\n\n{USAGE}");
            ExitCode::from(2)
        }
    }
}
