//! `cargo xtask wheel`: the Python wheel, as a user installs it, in `dist/`.

use crate::build::{self, Profile};
use crate::project;
use crate::steps::Steps;
use crate::terminal::{GOOD, paint};
use std::process::ExitCode;

pub(crate) fn run(arguments: &[String]) -> ExitCode {
    if let Some(argument) = arguments.first() {
        anstream::eprintln!("xtask: `wheel` takes no arguments, and `{argument}` is one");
        return ExitCode::from(2);
    }
    let mut steps = Steps::default();
    let Some(tools) = steps.run("wheel", "the tools", build::tools) else { return ExitCode::FAILURE };
    let wheel =
        steps.run("wheel", "the wheel, optimised", |log| build::wheel(log, &tools, Profile::Release, &project::dist()));
    let Some(wheel) = wheel else { return ExitCode::FAILURE };
    let size = wheel.metadata().map_or(0, |data| data.len());
    anstream::println!("\n{} {:.1} MB", paint(GOOD, project::shown(&wheel)), size as f64 / 1e6);
    ExitCode::SUCCESS
}
