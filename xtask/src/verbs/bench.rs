//! `cargo xtask bench`: `bench/run.py` in an environment with the optimised wheel and azure-identity side by side.

use crate::build::{self, Profile};
use crate::command;
use crate::project;
use crate::python::Environment;
use crate::steps::{self, Steps};
use std::process::ExitCode;

pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let script = project::root().join("bench/run.py");
    if !script.is_file() {
        anstream::eprintln!("xtask: there is nothing to measure with yet: {} is missing", project::shown(&script));
        return ExitCode::FAILURE;
    }
    let mut steps = Steps::default();
    let made = (|| {
        let tools = steps.run("bench", "the tools", build::tools)?;
        let wheel = steps.run("bench", "the wheel, optimised", |log| {
            build::wheel(log, &tools, Profile::Release, &project::dist())
        })?;
        let entrada = steps.run("bench", "the command, optimised", build::command)?;
        let environment = steps.run("bench", "Python with both libraries", |log| {
            let [clients, plots] = ["tests", "bench"].map(|of| project::root().join(of).join("requirements.txt"));
            let environment = Environment::locked(log, "bench", &[&clients, &plots])?;
            environment.install(log, &wheel)?;
            Ok(environment)
        })?;
        Some((environment, entrada))
    })();
    let Some((environment, entrada)) = made else { return ExitCode::FAILURE };
    let mut bench = environment.python();
    bench.current_dir(project::root()).arg(script).args(arguments).env("ENTRADA_COMMAND", entrada);
    match bench.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(status) => {
            anstream::eprintln!("xtask: the measurement {}", command::ending(status));
            ExitCode::FAILURE
        }
        Err(error) => {
            steps::explain(&command::Failure::new(command::not_started(&bench, &error)));
            ExitCode::FAILURE
        }
    }
}
