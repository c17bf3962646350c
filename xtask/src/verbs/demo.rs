//! `cargo xtask demo`: the examples inside the emulator, and what its journal tells of each.

use crate::build::{self, Profile};
use crate::demo::report;
use crate::demo::run::Stage;
use crate::demo::scenes::{SCENES, Scene};
use crate::project;
use crate::python::Environment;
use crate::steps::{self, Background, Steps};
use crate::terminal::{BAD, CAUTION, GOOD, paint};
use std::process::ExitCode;

pub(crate) fn run(arguments: &[String]) -> ExitCode {
    if let Some(unknown) = arguments.iter().find(|name| !SCENES.iter().any(|scene| scene.name == name.as_str())) {
        let names: Vec<_> = SCENES.iter().map(|scene| scene.name).collect();
        anstream::eprintln!("xtask: the demo has no scene `{unknown}`; it has {}", names.join(", "));
        return ExitCode::from(2);
    }
    let chosen = |scene: &&Scene| arguments.is_empty() || arguments.iter().any(|name| name == scene.name);
    let Some(stage) = prepare() else { return ExitCode::FAILURE };
    let mut all = Vec::new();
    for (index, scene) in SCENES.iter().filter(chosen).enumerate() {
        if scene.host == "azure-arc" && !project::is_root() {
            // The agent's keys are where only root may write, and where every library looks for them.
            anstream::println!(
                "\n{} {}: the emulated agent of Azure Arc needs root",
                paint(CAUTION, "left out"),
                scene.title
            );
            continue;
        }
        match stage.run(scene) {
            Ok(performance) => {
                anstream::print!("{}", report::block(index + 1, scene, &performance));
                all.push((scene, performance));
            }
            Err(failure) => {
                steps::explain(&failure);
                return ExitCode::FAILURE;
            }
        }
    }
    anstream::println!("{}", report::summary(&all));
    if all.iter().all(|(_, performance)| performance.problem.is_none()) {
        anstream::println!("{}", paint(GOOD, "Everything worked."));
        ExitCode::SUCCESS
    } else {
        anstream::println!("{}", paint(BAD, "Not everything worked: see above."));
        ExitCode::FAILURE
    }
}

/// Builds and installs what the scenes need.
fn prepare() -> Option<Stage> {
    let mut steps = Steps::default();
    let clients = Background::start("demo clients", |log| {
        let tools = build::tools(log)?;
        let python = Environment::locked(log, "demo", &[&project::root().join("examples/python/requirements.txt")])?;
        Ok((tools, python))
    });
    let programs = steps.run("demo", "the command and the Rust examples", build::programs);
    let clients = clients.join(&mut steps, "demo", "Python with the official clients");
    let (programs, (tools, python)) = (programs?, clients?);
    steps.run("demo", "the wheel, installed", |log| {
        let wheel = build::wheel(log, &tools, Profile::Dev, &project::work().join("wheel"))?;
        python.install(log, &wheel)
    })?;
    Some(Stage { programs, python })
}
