//! Runs one scene and collects what came of it.

use super::scenes::{Program, Scene, Story};
use super::{journal, sign_in};
use crate::command::{Failure, ending, not_started, wait};
use crate::python::Environment;
use crate::{build, project};
use std::fs::File;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a program may take: the official clients try again for about a minute when something is wrong.
const LIMIT: Duration = Duration::from_secs(120);

/// What the scenes run with.
pub(crate) struct Stage {
    /// The folder of the `entrada` command and the Rust examples.
    pub(crate) programs: PathBuf,
    /// Python with the official clients and the wheel.
    pub(crate) python: Environment,
}

/// What came of a scene.
pub(crate) struct Performance {
    pub(crate) story: Story,
    /// From the start of the emulator to its end.
    pub(crate) took: Duration,
    /// What went wrong, if anything.
    pub(crate) problem: Option<String>,
    pub(crate) journal: PathBuf,
}

impl Stage {
    /// Runs a scene; a failure is one of the demo itself, not of the program.
    pub(crate) fn run(&self, scene: &Scene) -> Result<Performance, Failure> {
        let folder = project::work().join("demo");
        let output_file = folder.join(format!("{}.txt", scene.name));
        let journal_file = folder.join(format!("{}.jsonl", scene.name));
        let io = |error: std::io::Error| Failure::new(format!("cannot write in {}: {error}", folder.display()));
        std::fs::create_dir_all(&folder).map_err(io)?;
        let output = File::create(&output_file).map_err(io)?;

        let mut command = Command::new(build::program(&self.programs, "entrada"));
        command.args(["emulate", "--quiet", "--host", scene.host, "--journal"]).arg(&journal_file);
        if let Some(person) = scene.person {
            command.args(["--sign-in-as", person]);
        }
        command.arg("--");
        match scene.program {
            Program::Rust(name) => command.arg(build::program(&self.programs, name)),
            Program::Python(file) => command.arg(self.python.program("python")).arg(example(file)),
            Program::Unmodified(file) => {
                command.arg(self.python.program("python")).args(["-m", "entrada"]).arg(example(file))
            }
        };
        // Whoever runs the demo may be signed in to the real Azure by variables.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("AZURE_") {
                command.env_remove(name);
            }
        }
        command.current_dir(project::root()).envs(scene.environment.iter().copied());
        command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUNBUFFERED", "1");
        command.stdin(Stdio::null()).stderr(output.try_clone().map_err(io)?).stdout(output);

        let start = Instant::now();
        let mut child = command.spawn().map_err(|error| Failure::new(not_started(&command, &error)))?;
        let ended = wait(&mut child, LIMIT).map_err(io)?;
        let took = start.elapsed();

        let printed = std::fs::read(&output_file).map_err(io)?;
        let exchanges = journal::read(&journal_file)?;
        let client_id = scene.environment.iter().find(|(name, _)| *name == "AZURE_CLIENT_ID").map(|(_, value)| *value);
        let story = Story {
            lines: String::from_utf8_lossy(&printed).lines().map(|line| stamped(line, scene.timeline)).collect(),
            sign_ins: sign_in::all(&exchanges, scene.host, client_id),
            exchanges,
        };
        let problem = match ended {
            None => Some(format!("the program was stopped: it had run for {LIMIT:?}")),
            Some(status) if !status.success() => Some(format!("the program {}", ending(status))),
            Some(_) => story.is_told().and_then(|()| (scene.check)(&story)).err(),
        };
        Ok(Performance { story, took, problem, journal: journal_file })
    }
}

/// The command a person would type.
pub(crate) fn shown(scene: &Scene) -> String {
    let host = if scene.host == "laptop" { String::new() } else { format!(" --host {}", scene.host) };
    let program = match scene.program {
        Program::Rust(name) => format!("target/debug/{name}"),
        Program::Python(file) => format!("python {}", project::shown(&example(file))),
        Program::Unmodified(file) => format!("python -m entrada {}", project::shown(&example(file))),
    };
    let person = scene.person.map(|person| format!(" --sign-in-as {person}")).unwrap_or_default();
    format!("entrada emulate{host}{person} -- {program}")
}

fn example(file: &str) -> PathBuf {
    project::root().join("examples/python").join(file)
}

/// A line without the `HH:MM:SS.ffffff ` it starts with, and that time in milliseconds.
fn stamped(line: &str, timeline: bool) -> (Option<u64>, String) {
    let parsed = line.split_once(' ').filter(|_| timeline).and_then(|(time, rest)| Some((milliseconds(time)?, rest)));
    match parsed {
        Some((time, rest)) => (Some(time), rest.to_owned()),
        None => (None, line.to_owned()),
    }
}

fn milliseconds(time: &str) -> Option<u64> {
    let (clock, fraction) = time.split_once('.')?;
    let parts: Vec<u64> = clock.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [hours, minutes, seconds] = parts[..] else { return None };
    let thousandths: u64 = fraction.get(..3)?.parse().ok()?;
    Some(((hours * 60 + minutes) * 60 + seconds) * 1_000 + thousandths)
}

#[cfg(test)]
mod tests {
    use super::stamped;

    #[test]
    fn a_time_at_the_start_of_a_line_is_read() {
        assert_eq!(stamped("01:02:03.045678 ready now", true), (Some(3_723_045), "ready now".into()));
        assert_eq!(
            stamped("Traceback (most recent call last):", true),
            (None, "Traceback (most recent call last):".into())
        );
        assert_eq!(stamped("01:02:03.045678 ready now", false), (None, "01:02:03.045678 ready now".into()));
    }
}
